"""Training steps of the transformer (4 layers, 4 heads, width 128, context 64, AdamW), ours with the norm test and PyTorch's
without and with the norms of each sequence's gradient (vmap over grad), in turn.

    pip install torch numpy
    cargo build --release -p adadagrad-gpu --bin adadagrad
    python tests/peers/transformer_speed.py --threads 2 --batch 12 --rounds 5

Prints a line for each round, then tokens per second (medians) and ratios (medians over rounds, with the least and the
greatest). PROGRAM names another program of ours.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent
PROGRAM = os.environ.get("PROGRAM", ROOT / "target/release/adadagrad")
CONTEXT = 64


def call(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.stderr}"
    return done.stdout


def ours(arguments):
    [row] = json.loads(call(
        PROGRAM, "bench", "--models", "transformer", "--optimizer", "adamw", "--batches", arguments.batch,
        "--threads", arguments.threads, "--seconds", arguments.seconds, "--json",
        "--data", ROOT / "www/public/data/shakespeare/training.txt.gz", "--context", CONTEXT,
    ))["rows"]
    with_test, without = (CONTEXT * row[f"samples_per_second_{which}_test"] for which in ("with", "without"))
    return {"ours": with_test, "ours, no test": without, "with ÷ without": row["with_over_without"]}


def peers(arguments):
    printed = call(
        sys.executable, FOLDER / "native.py", "--models", "transformer", "--libraries", arguments.libraries,
        "--batches", arguments.batch, "--threads", arguments.threads, "--seconds", arguments.seconds, "--turns", 1,
    )
    lines = map(json.loads, printed.splitlines())
    return {line["library"]: CONTEXT * line["samples_per_second"] for line in lines}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--libraries", default="torch,torch-norms")
    arguments = parser.parse_args()
    rounds = []
    for _ in range(arguments.rounds):
        found = {**ours(arguments), **peers(arguments)}
        for library in arguments.libraries.split(","):
            found[f"ours ÷ {library}"] = found["ours"] / found[library]
        rounds.append(found)
        print(json.dumps({name: round(value, 3) for name, value in found.items()}, ensure_ascii=False), flush=True)
    for name in rounds[0]:
        values = [found[name] for found in rounds]
        digits = 2 if "÷" in name else 0
        least, median, greatest = (f"{of(values):,.{digits}f}" for of in (min, statistics.median, max))
        print(f"{name:>20}: {median} ({least} to {greatest})")


if __name__ == "__main__":
    main()
