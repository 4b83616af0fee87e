"""MNIST and a small network in PyTorch, with the statistics of a batch's gradients: the part of a training loop that is not
about batch sizes."""

import torch
from native import load
from torch import nn
from torch.func import functional_call, grad_and_value, vmap


class Task:
    """A network with 128 hidden units, trained by SGD."""

    def __init__(self, folder, learning_rate):
        torch.manual_seed(0)
        self.learning_rate = learning_rate
        self.images, self.labels = map(torch.from_numpy, load(folder))
        self.model = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=learning_rate)
        self.by_sample = vmap(grad_and_value(self._loss_of_sample), in_dims=(None, 0, 0))

    def _loss_of_sample(self, parameters, image, label):
        outputs = functional_call(self.model, parameters, (image[None],))
        return nn.functional.cross_entropy(outputs, label[None].long())

    def draw(self, samples):
        return torch.randint(len(self.images), (samples,))

    def statistics(self, chosen):
        """What a batch's gradients say, and its mean gradient by parameter."""
        gradients, losses = self.by_sample(dict(self.model.named_parameters()), self.images[chosen], self.labels[chosen])
        means = {name: gradient.mean(0) for name, gradient in gradients.items()}
        says = {
            "samples": len(chosen),
            "mean_norm_sq": sum(mean.square().sum().item() for mean in means.values()),
            "sum_squared_norms": sum(gradient.square().sum().item() for gradient in gradients.values()),
            "loss": losses.mean().item(),
            "learning_rate": self.learning_rate,
        }
        return says, means

    def step(self, means):
        for name, parameter in self.model.named_parameters():
            parameter.grad = means[name]
        self.optimizer.step()

    def scale_learning_rate(self, factor):
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate * factor
