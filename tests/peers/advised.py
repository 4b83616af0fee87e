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

from ours import BUILT
from torch_task import Task

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=pathlib.Path, required=True, help="folder with MNIST")
parser.add_argument("--samples", type=int, default=120_000, help="samples to train on")
arguments, flags = parser.parse_known_args()

task = Task(arguments.data, learning_rate=0.1)
advisor = subprocess.Popen([BUILT / "adadagrad", "advise", *flags], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
seen, timed, chosen = 0, {}, task.draw(64)
while seen < arguments.samples:
    begun = time.perf_counter()
    says, means = task.statistics(chosen)
    print(json.dumps(says | timed), file=advisor.stdin, flush=True)
    advice = json.loads(advisor.stdout.readline())
    if "error" in advice:
        raise SystemExit(advice["error"])
    if more := advice.get("extend_by", 0):  # Big Batch SGD: a larger batch before its step.
        chosen = torch.cat([chosen, task.draw(more)])
        continue
    task.step(means)
    seen += len(chosen)
    print(f"{seen:>8} samples  batch {len(chosen):>5}  loss {says['loss']:.3f}  next {advice['next_batch']:>5}")
    task.scale_learning_rate(advice["learning_rate_scale"])  # From the next step on.
    chosen, timed = task.draw(advice["next_batch"]), {"seconds": time.perf_counter() - begun}
