"""Parameters of new networks: each tensor has the law that PyTorch gives it. See README.md.

    python tests/peers/torch_laws.py [--networks mlp,resnet-8] [--seeds 20]

Both are samples of a law that is known, so that bounds can be derived: uniform in (−a, a) with a = 1/√fan_in, a constant, or
in a transformer, as GPT-2 has it, normal with deviation σ = 0.02, in the projections that end its 2L branches 0.02/√(2L).
Of the uniform law, n values have a mean within z·a/√(3n) of 0, a standard deviation within z·σ·√(0.2/n) of σ = a/√3 (0.2 is (κ − 1)/4 with the
kurtosis κ = 9/5), a largest one below a and above a·(1 − z²/(2n)), and a distribution function within z/(2√n) of a straight
line (Dvoretzky, Kiefer, Wolfowitz). Of the normal law, κ is 3, so that 0.2 becomes 0.5, and no value has a bound: in its place
the distribution function is compared with the normal one. With z = 5.5, one of the 1,500 comparisons fails by chance in fewer
than one of a thousand runs.
"""

import argparse
import math
import pathlib
import tempfile

import torch
from safetensors.torch import load_file
from torch import nn

import ours
from torch_networks import NETWORKS, Transformer, make

Z = 5.5
#: More values say nothing new, and take memory.
MOST_VALUES = 20_000_000


def laws(model):
    """The bound a of each tensor, its deviation σ, or the constant of all its values."""
    found = {}
    for path, module in model.named_modules():
        if isinstance(model, Transformer) and isinstance(module, (nn.Linear, nn.Embedding)):
            found[f"{path}.weight"] = ("normal", model.deviation(path))
            if isinstance(module, nn.Linear):
                found[f"{path}.bias"] = ("constant", 0.0)
        elif isinstance(module, (nn.Conv2d, nn.Linear)):
            bound = 1 / math.sqrt(module.weight[0].numel())
            found.update({f"{path}.{name}": ("uniform", bound) for name, _ in module.named_parameters()})
        elif isinstance(module, (nn.GroupNorm, nn.LayerNorm)):
            found.update({f"{path}.weight": ("constant", 1.0), f"{path}.bias": ("constant", 0.0)})
    return found


def distance(shares):
    """The most that the distribution function of these values is away from a straight line from 0 to 1."""
    n, ranks = shares.numel(), torch.arange(shares.numel(), dtype=torch.float64)
    return torch.maximum((shares - ranks / n).abs(), (shares - (ranks + 1) / n).abs()).max().item()


def deviations(values, law, number):
    """How far the values are from the law, each divided by what is allowed: at most 1."""
    n, is_normal = values.numel(), law == "normal"
    sigma = number if is_normal else number / math.sqrt(3)
    values = values.double().flatten()
    ordered = values.sort().values
    shares = torch.special.ndtr(ordered / sigma) if is_normal else (ordered / number + 1) / 2
    found = {
        "mean": abs(values.mean().item()) / (Z * sigma / math.sqrt(n)),
        "deviation": abs(values.square().mean().sqrt().item() / sigma - 1) / (Z * math.sqrt((0.5 if is_normal else 0.2) / n)),
        "distribution": distance(shares) / (Z / (2 * math.sqrt(n))),
    }
    if not is_normal:
        # f32 may round the largest up to the bound.
        largest = values.abs().max().item() / number
        found["range"] = 2.0 if largest > 1 + 2**-23 else (1 - largest) / (Z**2 / (2 * n))
    return found


def ours_of(name, seeds):
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(seeds):
            # One file each: tensors are read when they are needed.
            file = pathlib.Path(folder) / f"{seed}.safetensors"
            ours.initial(name, seed, file)
            yield load_file(file)


def torch_of(name, seeds):
    for seed in range(seeds):
        torch.manual_seed(seed)
        yield make(name).state_dict()


def check(name, most_seeds):
    expected = laws(make(name))
    values = sum(parameter.numel() for parameter in make(name).parameters())
    seeds = max(3, min(most_seeds, MOST_VALUES // values))
    for whose, samples in (("ours", ours_of), ("PyTorch", torch_of)):
        drawn = list(samples(name, seeds))
        assert all(one.keys() == expected.keys() for one in drawn), f"{name}: {whose}: other tensors"
        worst = {}
        for tensor, (law, number) in expected.items():
            all_values = torch.stack([one[tensor] for one in drawn])
            if law == "constant":
                assert (all_values == number).all(), f"{name}: {whose}: {tensor} is not {number}"
                continue
            assert not torch.equal(all_values[0], all_values[1]), f"{name}: {whose}: {tensor}: seeds do not matter"
            for what, share in deviations(all_values, law, number).items():
                assert share <= 1, f"{name}: {whose}: {tensor}: {what} is {share} times what is allowed"
                worst[what] = max(worst.get(what, 0), share)
        shares = ", ".join(f"{what} {share:.2f}" for what, share in worst.items())
        print(f"{name:18} {whose:8} {seeds} seeds, {len(expected)} tensors; of what is allowed: {shares}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--seeds", type=int, default=20)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name in arguments.networks.split(","):
        check(name, arguments.seeds)
    print("all is well")


if __name__ == "__main__":
    main()
