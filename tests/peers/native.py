"""Training steps of PyTorch and JAX, as `adadagrad bench` measures ours: forward pass, backward pass, AdaGrad update,
loss to the caller, without any statistics. Images are converted and in memory before the clock starts.

    pip install torch jax numpy
    python tests/peers/native.py --data www/public/data/mnist --threads 2
    python tests/peers/native.py --models cifar-cnn,resnet-20 --libraries torch,torch-norms --batches 64 --threads 2

`torch-norms` is PyTorch with the squared norm of every sample's gradient, which it computes by `torch.func`: vmap over
grad. The networks for CIFAR-10 take random images, whose pixels do not change the time, and have no JAX peer.
`transformer` (4 layers, 4 heads, width 128, context 64, 73 tokens) is trained with AdamW; transformer_speed.py compares it
with ours.

Prints one line of JSON for each library, model and batch: samples per second, median of the turns.
"""

import argparse
import gzip
import json
import os
import pathlib
import statistics
import time

BATCHES = [16, 64, 256, 1024, 4096]
LEARNING_RATE = 0.008
EPSILON = 1e-10


def load(folder):
    import numpy

    read = lambda name: gzip.open(folder / f"{name}.gz").read()
    images = numpy.frombuffer(read("train-images-idx3-ubyte"), numpy.uint8, offset=16).reshape(-1, 28, 28)
    labels = numpy.frombuffer(read("train-labels-idx1-ubyte"), numpy.uint8, offset=8)
    return images[:, None].astype(numpy.float32) / 255, labels.astype(numpy.int32)


def random_images(shape=(3, 32, 32), count=4096):
    import numpy

    random = numpy.random.default_rng(0)
    images = random.random((count, *shape), numpy.float32) * 2 - 1
    return images, random.integers(0, 10, count, numpy.int32)


CONTEXT, VOCABULARY = 64, 73


def random_tokens(count=4096):
    import numpy

    tokens = numpy.random.default_rng(0).integers(0, VOCABULARY, (count, CONTEXT + 1), numpy.int64)
    return tokens[:, :-1], tokens[:, 1:]


def transformer():
    from torch_networks import Transformer

    return Transformer(4, 4, 128, CONTEXT, VOCABULARY)


def torch_step(model_name, threads, has_norms=False):
    import torch
    from torch import nn
    from torch.nn.attention import SDPBackend, sdpa_kernel

    from torch_networks import make

    torch.set_num_threads(threads)
    is_transformer = model_name == "transformer"
    model = transformer() if is_transformer else make(model_name)
    if is_transformer:
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    else:
        optimizer = torch.optim.Adagrad(model.parameters(), lr=LEARNING_RATE, eps=EPSILON)
    cross_entropy = nn.CrossEntropyLoss()
    # Of a sequence, the classes come last.
    loss_of = lambda outputs, labels: cross_entropy(outputs.flatten(0, -2), labels.flatten())

    def prepare(images, labels):
        return torch.from_numpy(images).contiguous(), torch.from_numpy(labels).long()

    def loss_of_sample(parameters, image, label):
        outputs = torch.func.functional_call(model, parameters, (image[None],))
        loss = loss_of(outputs, label[None])
        return loss, loss

    by_sample = torch.func.vmap(torch.func.grad(loss_of_sample, has_aux=True), in_dims=(None, 0, 0))

    def backward(images, labels):
        if not has_norms:
            loss = loss_of(model(images), labels)
            loss.backward()
            return loss
        parameters = {name: value.detach() for name, value in model.named_parameters()}
        # vmap takes apart what this backend computes; of the fast one it would call the samples one by one.
        with sdpa_kernel(SDPBackend.MATH):
            gradients, losses = by_sample(parameters, images, labels)
        sum(gradient.flatten(1).square().sum(1) for gradient in gradients.values()).tolist()
        for name, value in model.named_parameters():
            value.grad = gradients[name].mean(0)
        return losses.mean()

    def step(batch):
        optimizer.zero_grad(set_to_none=True)
        loss = backward(*batch)
        optimizer.step()
        return loss.item()

    return prepare, step


def torch_norms_step(model_name, threads):
    return torch_step(model_name, threads, has_norms=True)


def jax_step(model_name, threads):
    import jax
    import jax.numpy as jnp
    from jax import lax

    keys = iter(jax.random.split(jax.random.key(0), 8))

    def uniform(shape, fan_in):
        bound = fan_in**-0.5
        return jax.random.uniform(next(keys), shape, minval=-bound, maxval=bound)

    def conv(x, weight, bias):
        y = lax.conv_general_dilated(x, weight, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        return lax.reduce_window(jax.nn.relu(y + bias), -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")

    if model_name == "mlp":
        parameters = [(uniform((784, 128), 784), uniform((128,), 784)), (uniform((128, 10), 128), uniform((10,), 128))]

        def logits(parameters, x):
            (w1, b1), (w2, b2) = parameters
            return jax.nn.relu(x.reshape(len(x), -1) @ w1 + b1) @ w2 + b2
    else:
        parameters = [
            (uniform((5, 5, 1, 16), 25), uniform((16,), 25)),
            (uniform((5, 5, 16, 32), 400), uniform((32,), 400)),
            (uniform((1568, 10), 1568), uniform((10,), 1568)),
        ]

        def logits(parameters, x):
            *convolutions, (weight, bias) = parameters
            for layer in convolutions:
                x = conv(x, *layer)
            return x.reshape(len(x), -1) @ weight + bias

    def loss_of(parameters, x, labels):
        chosen = jax.nn.log_softmax(logits(parameters, x))[jnp.arange(len(labels)), labels]
        return -chosen.mean()

    def update(parameters, memory, x, labels):
        loss, gradient = jax.value_and_grad(loss_of)(parameters, x, labels)
        memory = jax.tree.map(lambda v, g: v + g * g, memory, gradient)
        step = lambda p, g, v: p - LEARNING_RATE * g / (jnp.sqrt(v) + EPSILON)
        return jax.tree.map(step, parameters, gradient, memory), memory, loss

    state = {"now": (parameters, jax.tree.map(jnp.zeros_like, parameters))}
    compiled = jax.jit(update, donate_argnums=(0, 1))

    def prepare(images, labels):
        return jnp.asarray(images.transpose(0, 2, 3, 1)), jnp.asarray(labels)

    def step(batch):
        *state["now"], loss = compiled(*state["now"], *batch)
        return float(loss)

    return prepare, step


def inputs_of(model, folder):
    if model == "transformer":
        return random_tokens()
    return load(folder) if model in ("cnn", "mlp") else random_images()


def measure(step, batches, size, seconds, turns):
    for batch in batches[:2]:
        step(batch)
    rates = []
    for _ in range(turns):
        begun, steps = time.perf_counter(), 0
        while True:
            step(batches[steps % len(batches)])
            steps += 1
            elapsed = time.perf_counter() - begun
            if elapsed >= seconds:
                break
        rates.append(steps * size / elapsed)
    return statistics.median(rates)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=pathlib.Path, help="MNIST, for its networks")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--models", default="cnn,mlp")
    parser.add_argument("--libraries", default="torch,jax")
    parser.add_argument("--batches", default=",".join(map(str, BATCHES)))
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--turns", type=int, default=3)
    arguments = parser.parse_args()
    # XLA takes as many threads as the process has processors.
    os.sched_setaffinity(0, range(arguments.threads))
    libraries = {"torch": torch_step, "torch-norms": torch_norms_step, "jax": jax_step}
    for model in arguments.models.split(","):
        images, labels = inputs_of(model, arguments.data)
        for library in arguments.libraries.split(","):
            if library == "jax" and model not in ("cnn", "mlp"):
                continue
            make = libraries[library]
            for size in map(int, arguments.batches.split(",")):
                prepare, step = make(model, arguments.threads)
                count = max(2, min(8, len(images) // size))
                batches = [prepare(images[k * size:(k + 1) * size], labels[k * size:(k + 1) * size]) for k in range(count)]
                rate = measure(step, batches, size, arguments.seconds, arguments.turns)
                line = {"library": library, "model": model, "batch": size, "threads": arguments.threads}
                print(json.dumps({**line, "samples_per_second": round(rate)}), flush=True)


if __name__ == "__main__":
    main()
