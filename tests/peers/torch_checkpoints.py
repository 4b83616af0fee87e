"""Checkpoints between PyTorch and this project, both ways, with PyTorch itself.

    pip install torch safetensors
    python tests/peers/torch_checkpoints.py make            # writes tests/golden/torch/*.safetensors
    python tests/peers/torch_checkpoints.py check FILE...   # loads files of `adadagrad export` with strict=True

The tests read the files that `make` wrote (gpu/tests/torch.rs); `check` is for whoever has PyTorch at hand.
"""

import json
import pathlib
import sys

import torch
from safetensors.torch import load_file, save_file
from torch import nn

FOLDER = pathlib.Path(__file__).parent.parent / "golden" / "torch"


def logistic():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1568, 10),
    )


MODELS = {"logistic": logistic, "mlp": mlp, "cnn": cnn}


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
    for name, make in MODELS.items():
        model = make()
        try:
            model.load_state_dict(load_file(file))
        except RuntimeError:
            continue
        return print(f"{file}: {name}, probabilities {model.eval()(image()).softmax(1)[0].tolist()}")
    sys.exit(f"{file}: the parameters of none of our models, or not of them alone (see `adadagrad export`)")


if __name__ == "__main__":
    if sys.argv[1:] == ["make"]:
        make()
    elif sys.argv[1:2] == ["check"]:
        for argument in sys.argv[2:]:
            check(argument)
    else:
        sys.exit(__doc__)
