"""Our side of the checks: the program, and gpu/examples/peer.rs. Build both first:

    cargo build --release -p adadagrad-gpu --bin adadagrad --example peer

BUILT names another folder than target/release, such as target/debug.
"""

import gzip
import json
import os
import pathlib
import re
import subprocess
import tempfile

from torch_networks import COLOUR, NETWORKS, TEXT, VOCABULARY, classes, shape_text

ROOT = pathlib.Path(__file__).parent.parent.parent
BUILT = pathlib.Path(os.environ.get("BUILT", ROOT / "target/release")).resolve()
MNIST = ROOT / "www/public/data/mnist"
#: Bytes of an image in CIFAR-10's files, with its label.
RECORD = 3073


def call(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.stderr}"
    return done.stdout


def program(*arguments):
    return call(BUILT / "adadagrad", *arguments)


def train(name, data, checkpoint):
    """A few steps, so that every tensor has changed, and a memory as large as the parameters is in the file."""
    program(
        "train", "--model", name, "--data", data, "--initial-batch", 32, "--max-batch", 64, "--sample-budget", 96,
        "--optimizer", "adam", "--learning-rate", 0.001, "--evaluate-every", 10**6, "--threads", 1, "--quiet",
        "--save", checkpoint,
    )


def export(checkpoint, file):
    program("export", "--load", checkpoint, "--output", file)


def parameters(name):
    listed = program("networks", name, "--shape", shape_text(name), "--classes", classes(name))
    total = re.search(r"^total +([0-9,]+) ", listed, re.MULTILINE)
    return int(total[1].replace(",", ""))


def initial(name, seed, file):
    call(BUILT / "examples/peer", "initial", name, shape_text(name), classes(name), seed, file)


def logits(name, file, pixels):
    with tempfile.NamedTemporaryFile() as images:
        images.write(pixels)
        images.flush()
        return json.loads(call(BUILT / "examples/peer", "logits", name, shape_text(name), classes(name), file, images.name))


class Data:
    """Real images, as bytes, and an invented text."""

    def __init__(self, mnist, cifar):
        self.mnist, self.cifar = mnist, cifar

    def folder(self, name, work):
        """Data to train on. Of CIFAR-10, only the first images of each file: a run tests on all test images at its end,
        which takes ResNet-18 minutes. A text has every character of the vocabulary, each often."""
        if NETWORKS[name][1] == TEXT:
            file = work / "text.txt"
            file.write_bytes(self.text(200 * TEXT[2]))
            return file
        if NETWORKS[name][1] != COLOUR:
            return self.mnist
        small = work / "cifar"
        small.mkdir()
        for file in self.cifar.glob("*.bin"):
            with file.open("rb") as whole:
                (small / file.name).write_bytes(whole.read(100 * RECORD))
        (small / "batches.meta.txt").write_bytes((self.cifar / "batches.meta.txt").read_bytes())
        return small

    def text(self, count, first=ord("0")):
        """Character k is number k·(k div n + 1) mod n of the n of the vocabulary, counted from `first`."""
        return bytes(first + k * (k // VOCABULARY + 1) % VOCABULARY for k in range(count))

    def samples(self, name, count):
        if NETWORKS[name][1] == TEXT:
            return self.text(count * TEXT[2], first=0)
        if NETWORKS[name][1] == COLOUR:
            records = (self.cifar / "test_batch.bin").read_bytes()
            return b"".join(records[RECORD * k + 1:RECORD * (k + 1)] for k in range(count))
        file = self.mnist / "t10k-images-idx3-ubyte"
        bytes = file.read_bytes() if file.is_file() else gzip.open(f"{file}.gz").read()
        return bytes[16:16 + 784 * count]
