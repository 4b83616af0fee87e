"""Writes `tests/golden/transformer.json`: logits, losses and gradients of a whole transformer in PyTorch, in f64. See README.md.

    python tests/peers/torch_golden.py

Every sample's gradient is that of its own loss, the mean over its positions, by a backward pass of its own.
"""

import json
import pathlib

import torch
from torch.nn import functional

from torch_networks import Transformer

LAYERS, HEADS, WIDTH, CONTEXT, VOCABULARY, SAMPLES = 2, 2, 16, 8, 11, 4
FILE = pathlib.Path(__file__).parent.parent / "golden" / "transformer.json"


def rounded(values):
    """Twelve digits: the tests compare ten."""
    return [float(f"{value:.12g}") for value in values.flatten().tolist()]


def rows():
    """The layers as `layers.json` has them; 0 is the network's input, k the output of the k-th layer."""
    found = []

    def add(kind, *inputs, **sizes):
        found.append({"kind": kind, **sizes, "inputs": list(inputs)})
        return len(found)

    norm = lambda x: add("layer_norm", x, width=WIDTH)
    dense = lambda x, taken, given: add("dense", x, **{"in": taken, "out": given})
    x = add("embedding", 0, vocabulary=VOCABULARY, width=WIDTH)
    x = add("position_embedding", x, positions=CONTEXT, width=WIDTH)
    for _ in range(LAYERS):
        y = add("causal_attention", dense(norm(x), WIDTH, 3 * WIDTH), width=WIDTH, heads=HEADS)
        x = add("add", x, dense(y, WIDTH, WIDTH))
        y = add("gelu", dense(norm(x), WIDTH, 4 * WIDTH))
        x = add("add", x, dense(y, 4 * WIDTH, WIDTH))
    dense(norm(x), WIDTH, VOCABULARY)
    return found


def case():
    torch.manual_seed(0)
    model = Transformer(LAYERS, HEADS, WIDTH, CONTEXT, VOCABULARY).double()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            # Norms near 1 and 0, and weights large enough for attention to choose.
            values = torch.randn(parameter.shape, dtype=torch.float64) * (0.1 if "ln_" in name else 0.3)
            values += 1.0 if "ln_" in name and name.endswith("weight") else 0.0
            parameter.copy_((values * 1000).round() / 1000)
    text = torch.randint(VOCABULARY, (SAMPLES, CONTEXT + 1))
    inputs, labels = text[:, :-1], text[:, 1:]
    parameters = list(model.parameters())
    logits = model(inputs)
    losses = functional.cross_entropy(logits.transpose(1, 2), labels, reduction="none").mean(dim=1)
    flat = lambda tensors: torch.cat([tensor.flatten() for tensor in tensors])
    gradients = torch.stack([flat(torch.autograd.grad(loss, parameters, retain_graph=True)) for loss in losses])
    mean = gradients.mean(dim=0)
    norms, inner = gradients.square().sum(dim=1), gradients @ mean
    n, s, p2, b = mean.square().sum(), norms.sum(), inner.square().sum(), SAMPLES
    number = lambda value: rounded(value)[0]
    return {
        "name": "transformer_2_layers", "layers": rows(), "input_kind": "token", "input_shape": [CONTEXT],
        "classes": VOCABULARY, "B": b, "D": mean.numel(), "parameters": rounded(flat(parameters)),
        "tensors": {name: list(parameter.shape) for name, parameter in model.named_parameters()},
        "inputs": inputs.tolist(), "labels": labels.tolist(),
        "expected": {
            # As the library has them: one channel after the other.
            "logits": [rounded(sample.T) for sample in logits], "losses": rounded(losses),
            "mean_loss": number(losses.mean()), "accuracy": (logits.argmax(dim=2) == labels).double().mean().item(),
            "mean_gradient": rounded(mean), "per_sample_squared_norms": rounded(norms),
            "per_sample_inner_products": rounded(inner), "sum_squared_gradients": rounded(gradients.square().sum(dim=0)),
            "n": number(n), "S": number(s), "P2": number(p2), "v1": number((s - b * n) / (b - 1)),
            "v_ip": number((p2 - b * n * n) / (b - 1)), "v_orth": number((s - p2 / n) / (b - 1)),
            "n_unb": number(n - (s - b * n) / (b - 1) / b),
        },
    }


def main():
    FILE.write_text(json.dumps({"cases": [case()]}, separators=(",", ":")) + "\n")
    print(f"{FILE}: {FILE.stat().st_size} bytes, by PyTorch {torch.__version__}")


if __name__ == "__main__":
    main()
