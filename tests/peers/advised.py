"""Training in PyTorch whose batch size `adadagrad advise` chooses, through a pipe.

    python tests/peers/advised.py --data www/public/data/mnist --controller adadagrad --eta 0.5

For every rule that takes the samples' norms, the loss, the learning rate or the time of steps. Rules and tests that need inner
products, parts or sums over an epoch need more fields: see `adadagrad advise --help`.
"""

import argparse
import json
import pathlib
import subprocess
import time

import torch
from torch import nn
from torch.func import functional_call, grad_and_value, vmap

from native import load
from ours import BUILT

LEARNING_RATE = 0.1

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=pathlib.Path, required=True, help="folder with MNIST")
parser.add_argument("--samples", type=int, default=120_000, help="samples to train on")
arguments, flags = parser.parse_known_args()

torch.manual_seed(0)
images, labels = map(torch.from_numpy, load(arguments.data))
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)


def loss_of_sample(parameters, image, label):
    return nn.functional.cross_entropy(functional_call(model, parameters, (image[None],)), label[None].long())


by_sample = vmap(grad_and_value(loss_of_sample), in_dims=(None, 0, 0))
advisor = subprocess.Popen([BUILT / "adadagrad", "advise", *flags], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
seen, seconds, chosen = 0, None, torch.randint(len(images), (64,))
while seen < arguments.samples:
    begun = time.perf_counter()
    gradients, losses = by_sample(dict(model.named_parameters()), images[chosen], labels[chosen])
    means = {name: gradient.mean(0) for name, gradient in gradients.items()}
    says = {
        "samples": len(chosen),
        "mean_norm_sq": sum(mean.square().sum().item() for mean in means.values()),
        "sum_squared_norms": sum(gradient.square().sum().item() for gradient in gradients.values()),
        "loss": losses.mean().item(),
        "learning_rate": LEARNING_RATE,
        **({"seconds": seconds} if seconds else {}),
    }
    print(json.dumps(says), file=advisor.stdin, flush=True)
    advice = json.loads(advisor.stdout.readline())
    if "error" in advice:
        raise SystemExit(advice["error"])
    if more := advice.get("extend_by", 0):  # Big Batch SGD: a larger batch before its step.
        chosen = torch.cat([chosen, torch.randint(len(images), (more,))])
        continue
    for name, parameter in model.named_parameters():
        parameter.grad = means[name]
    optimizer.step()
    seen += len(chosen)
    print(f"{seen:>8} samples  batch {len(chosen):>5}  loss {says['loss']:.3f}  next {advice['next_batch']:>5}")
    for group in optimizer.param_groups:  # From the next step on.
        group["lr"] = LEARNING_RATE * advice["learning_rate_scale"]
    chosen = torch.randint(len(images), (advice["next_batch"],))
    seconds = time.perf_counter() - begun
