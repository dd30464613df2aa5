"""Measures what a user waits for beside the steps: start-up, callbacks, memory.

python benchmarks/overheads.py [--epochs 40]

It trains a default model on MNIST, in a temporary folder, for the number of epochs given.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parent.parent


def timed(*flags):
    """Runs a command; returns its seconds."""
    start = time.perf_counter()
    subprocess.run([sys.executable, ROOT / "run.py", *flags], check=True, capture_output=True)
    return time.perf_counter() - start


def peak_mib(process):
    """The peak resident memory of a running process, in MiB."""
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


# Tells when the first steps are done, and what share of the time is not training.
TIMED_TRAINING = """
import sys, time
sys.argv = sys.argv[1:]
from adversarial_autoencoder import command_line
import keras
from adversarial_autoencoder import training
from adversarial_autoencoder.training import callbacks

class Clock(keras.callbacks.Callback):
    steps = 0.0
    def on_epoch_begin(self, epoch, logs=None):
        self.begin = time.perf_counter()
        self.whole = getattr(self, "whole", self.begin)
    def on_train_batch_end(self, batch, logs=None):
        if not hasattr(self, "first"):
            self.first = True
            print("first steps", flush=True)
        self.last = time.perf_counter()
    def on_epoch_end(self, epoch, logs=None):
        if epoch:
            self.steps += self.last - self.begin
        else:
            self.rest = time.perf_counter()
            Checkpoint.seconds = 0.0
    def on_train_end(self, logs=None):
        rest = time.perf_counter() - self.rest - self.steps - Checkpoint.seconds
        print("overhead", rest / self.steps, Checkpoint.seconds / self.steps, flush=True)

class Checkpoint(callbacks.Checkpoint):
    seconds = 0.0
    def on_epoch_end(self, epoch, logs=None):
        start = time.perf_counter()
        super().on_epoch_end(epoch, logs)
        Checkpoint.seconds += time.perf_counter() - start
callbacks.Checkpoint = Checkpoint

train = training.train
def timed_train(*args, further_callbacks=()):
    return train(*args, further_callbacks=[*further_callbacks, Clock()])
training.train = timed_train
command_line.define_flags()
command_line.app.run(command_line.main, flags_parser=command_line.parse_flags)
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=40)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        where = (f"--results_dir={folder}", "--run_name=measured", "--dataset=mnist")
        flags = ("run.py", "--mode=train", f"--epochs={args.epochs}", *where)
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-c", TIMED_TRAINING, *flags],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        rows, memory = {}, 0.0
        for line in process.stdout:
            memory = max(memory, peak_mib(process))
            if line.startswith("first steps"):
                rows["from the command to the end of the first 50 steps, s"] = (
                    time.perf_counter() - start
                )
            if line.startswith("overhead"):
                shares = [100 * float(share) for share in line.split()[1:]]
                rows["validation, TensorBoard and figures, % of the steps"] = shares[0]
                rows["checkpoints, each read back, % of the steps"] = shares[1]
        if process.wait():
            sys.exit(1)
        rows["a whole training, minutes"] = (time.perf_counter() - start) / 60
        rows["peak memory of the training, MiB"] = memory
        rows["--mode latent_grid, s"] = timed("--mode=latent_grid", *where[:1], "--run=measured")
        rows["--mode list, s"] = timed("--mode=list", *where[:1])
        rows["--help, s"] = timed("--help")
    print("| what | measured |\n|---|---|")
    for name, value in rows.items():
        print(f"| {name} | {value:.2f} |")


if __name__ == "__main__":
    main()
