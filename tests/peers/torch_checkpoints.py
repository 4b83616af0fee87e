"""Checkpoints between PyTorch and this project, both ways, with PyTorch itself.

    python tests/peers/torch_checkpoints.py make            # writes tests/golden/torch/*.safetensors
    python tests/peers/torch_checkpoints.py check FILE...   # loads files of `adadagrad export` with strict=True
    python tests/peers/torch_checkpoints.py networks        # every network, both ways: see README.md

The tests read the files that `make` wrote (gpu/tests/torch.rs); the others are for whoever has PyTorch at hand.
"""

import argparse
import copy
import json
import math
import pathlib
import sys
import tempfile

import torch
from safetensors.torch import load_file, save_file
from torch import nn

import ours
from torch_networks import NETWORKS, TEXT, classes, cnn, logistic, make as make_network, mlp, rounding

FOLDER = pathlib.Path(__file__).parent.parent / "golden" / "torch"
MODELS = {"logistic": logistic, "mlp": mlp, "cnn": cnn}
#: Samples per network.
SAMPLES = 32


def filled(model):
    """Value k of all parameters in order is ((37 k) mod 31 − 15)/64: exact in every float type."""
    start = 0
    with torch.no_grad():
        for parameter in model.parameters():
            k = torch.arange(start, start + parameter.numel())
            parameter.copy_(((37 * k % 31 - 15) / 64).reshape(parameter.shape))
            start += parameter.numel()
    return model


def image():
    """Pixel k is the byte (7 k) mod 256, as a share of 255."""
    return (7 * torch.arange(784) % 256 / 255).reshape(1, 1, 28, 28)


class Named(nn.Module):
    """A module of one's own: its features come after its head in the alphabet, and it has buffers."""

    def __init__(self):
        super().__init__()
        layers = list(cnn())
        self.features = nn.Sequential(*layers[:6])
        self.classifier = layers[7]
        self.register_buffer("mean", torch.tensor(float("nan")))
        self.register_buffer("steps", torch.tensor(7))


def far_apart():
    """Layers at places 2, 10 and 13: in the order of text, 10 comes first."""
    layers = list(cnn())
    return nn.Sequential(nn.Identity(), nn.Identity(), *layers[:3], *[nn.Dropout() for _ in range(5)], *layers[3:])


def make():
    FOLDER.mkdir(exist_ok=True)
    with_norm = nn.Sequential(nn.Flatten(), nn.Linear(784, 10), nn.BatchNorm1d(10))
    without_flatten = nn.Sequential(*list(mlp())[1:])
    files = {
        "cnn": filled(cnn()),
        "far-apart-f16": filled(far_apart()).half(),
        "named-bf16": filled(Named()).bfloat16(),
        "without-flatten-bf16": filled(without_flatten).bfloat16(),
        "linear-f64": filled(nn.Linear(784, 10)).double(),
        "batch-norm-bf16": filled(with_norm).bfloat16(),
    }
    for name, model in files.items():
        save_file(model.state_dict(), FOLDER / f"{name}.safetensors", metadata={"format": "pt"})
    data_parallel = {f"module.{name}": value for name, value in filled(logistic()).bfloat16().state_dict().items()}
    save_file(data_parallel, FOLDER / "data-parallel-bf16.safetensors")
    expected = {name: filled(make()).eval()(image()).softmax(1)[0].tolist() for name, make in MODELS.items()}
    (FOLDER / "probabilities.json").write_text(json.dumps(expected, indent=1) + "\n")


def check(file):
    """The very line of gpu/README.md."""
    for name, (_, shape, _) in NETWORKS.items():
        model = make_network(name)
        try:
            model.load_state_dict(load_file(file))
        except RuntimeError:
            continue
        numbers = 7 * torch.arange(torch.Size(shape).numel())
        if shape == TEXT:
            # Of what comes behind the last token.
            outputs = model.eval()((numbers % classes(name)).reshape(1, -1))[:, -1]
        else:
            outputs = model.eval()((numbers % 256 / 255).reshape(1, *shape))
        return print(f"{file}: {name}, probabilities {outputs.softmax(1)[0].tolist()}")
    sys.exit(f"{file}: the parameters of none of our models, or not of them alone (see `adadagrad export`)")


def outputs(model, samples):
    """Of a sequence one channel after the other, as ours are."""
    with torch.no_grad():
        found = model.eval()(samples)
    return found.transpose(1, 2).flatten(1) if found.dim() == 3 else found


def in_f64(model, samples):
    # Tokens stay whole numbers.
    return outputs(copy.deepcopy(model).double(), samples.double() if samples.is_floating_point() else samples)


def samples_of(name, values):
    """What the network sees of bytes."""
    values = torch.frombuffer(bytearray(values), dtype=torch.uint8)
    if NETWORKS[name][1] == TEXT:
        return values.reshape(SAMPLES, -1).long()
    return values.reshape(SAMPLES, *NETWORKS[name][1]) / 255


def compare(name, what, model, samples, found):
    """Our outputs and PyTorch's in f32, both beside PyTorch's in f64."""
    exact = in_f64(model, samples)
    scale = exact.abs().max()
    theirs = ((outputs(model, samples).double() - exact).abs().max() / scale).item()
    error = ((torch.tensor(found).double() - exact).abs().max() / scale).item()
    bound = rounding(model)
    print(f"{name:18} {what:28} {error:.1e} of the largest (PyTorch {theirs:.1e}, bound {bound:.1e})", flush=True)
    each = math.prod(NETWORKS[name][1]) * classes(name) if NETWORKS[name][1] == TEXT else 10
    assert exact.shape == (len(samples), each) and error <= bound, f"{name}, {what}: {error} > {bound}"


def with_other_names(tensors):
    """As torchvision calls norms."""
    return {name.replace("norm", "bn"): tensor for name, tensor in tensors.items()}


def check_network(name, data, folder):
    values = data.samples(name, SAMPLES)
    samples = samples_of(name, values)
    # Ours to PyTorch: a run of a few steps, its checkpoint and what is exported from it.
    run, exported = folder / "run.safetensors", folder / "model.safetensors"
    ours.train(name, data.folder(name, folder), run)
    ours.export(run, exported)
    model = make_network(name)
    model.load_state_dict(load_file(exported), strict=True)
    count = sum(parameter.numel() for parameter in model.parameters())
    expected = NETWORKS[name][2]
    assert expected in (None, count) and count == ours.parameters(name), f"{name}: {count} parameters"
    stored = {key: value for key, value in load_file(run).items() if not key.startswith("optimizer.")}
    assert stored.keys() == model.state_dict().keys()
    assert all(torch.equal(stored[key], value) for key, value in model.state_dict().items())
    print(f"{name:18} {count:,} parameters, {len(stored)} tensors with the same names")
    compare(name, "our checkpoint", model, samples, ours.logits(name, run, values))
    # PyTorch to ours: other parameters, in three types, and with other names of norms.
    torch.manual_seed(7)
    source = make_network(name)
    for module in source.modules():
        if isinstance(module, (nn.GroupNorm, nn.LayerNorm)):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
        elif NETWORKS[name][1] == TEXT and isinstance(module, (nn.Linear, nn.Embedding)):
            # Large enough for attention to choose, and biases that are not 0.
            for parameter in module.parameters():
                nn.init.normal_(parameter, std=0.3)
    file = folder / "torch.safetensors"
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        rounded = copy.deepcopy(source).to(dtype).to(torch.float32)
        tensors = copy.deepcopy(source).to(dtype).state_dict()
        save_file(tensors, file)
        compare(name, f"PyTorch's, {dtype}", rounded, samples, ours.logits(name, file, values))
    renamed = with_other_names(tensors)
    if renamed.keys() != tensors.keys():
        save_file(renamed, file)
        compare(name, "the same with bn for norm", rounded, samples, ours.logits(name, file, values))


def networks(arguments):
    parser = argparse.ArgumentParser(prog="torch_checkpoints.py networks")
    parser.add_argument("--mnist", type=pathlib.Path, default=ours.MNIST)
    parser.add_argument("--cifar", type=pathlib.Path, help="CIFAR-10 in binary form, for the networks of its images")
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args(arguments)
    torch.set_num_threads(arguments.threads)
    data = ours.Data(arguments.mnist, arguments.cifar)
    for name in arguments.networks.split(","):
        with tempfile.TemporaryDirectory() as folder:
            check_network(name, data, pathlib.Path(folder))
    print("all is well")


if __name__ == "__main__":
    if sys.argv[1:] == ["make"]:
        make()
    elif sys.argv[1:2] == ["check"]:
        for argument in sys.argv[2:]:
            check(argument)
    elif sys.argv[1:2] == ["networks"]:
        networks(sys.argv[2:])
    else:
        sys.exit(__doc__)
