"""Measures how the speed of a training grows: one table for each size that is varied.

python benchmarks/growth.py [--json FILE]

Random images, a 2-D adversarial autoencoder, the choices for this machine; no
callbacks but Keras's. In a table one size varies and the others are those of MNIST: batch 100, two
hidden layers of 1000 units, z_dim 2, 28x28 pixels, 50 000 images.
"""

import argparse
import json
import os
import pathlib
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

import keras
import numpy as np

from adversarial_autoencoder import training
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.data.pipeline import training_batches
from adversarial_autoencoder.devices import hardware
from adversarial_autoencoder.training import build

TABLES = {
    "batch_size": (100, 250, 500, 1000, 2000, 4000),
    "hidden_units": (250, 500, 1000, 2000, 3000),
    "z_dim": (2, 8, 32, 128, 256),
    "image_size": (8, 16, 28, 32, 64),
    "images": (10_000, 30_000, 60_000, 120_000, 240_000),
}
SECONDS = 6  # Of measuring, about.


class Clock(keras.callbacks.Callback):
    """Stops when enough steps are timed, behind a first group of them."""

    def on_train_batch_end(self, batch, logs=None):
        now = time.perf_counter()
        if not hasattr(self, "start"):
            self.first, self.start = batch, now
        self.steps, self.seconds = batch - self.first, now - self.start
        if self.seconds > SECONDS:
            self.model.stop_training = True


def measure(varied, size):
    sizes = {
        "image_size": 28,
        "images": 50_000,
        "hidden_units": 1000,
        "hidden_layers": 2,
        "batch_size": 100,
        varied: size,
    }
    n, side = sizes.pop("images"), sizes.pop("image_size")
    config = hardware.choose(Config(epochs=1, **sizes).for_data(n))
    whole_epoch = varied == "images"
    x = np.random.default_rng(0).integers(256, size=(n, side, side, 1), dtype="uint8")
    model = build(config, x.shape[1:])
    group = 10
    model.compile(
        training.make_optimizer(config, model.steps, n // config.batch_size),
        jit_compile=config.jit_compile == "true",
        steps_per_execution=group,
    )
    batches = training_batches(x, config.batch_size, seed=0)
    if whole_epoch:
        model.fit(batches, steps_per_epoch=group, epochs=1, verbose=0, shuffle=False)
        start = time.perf_counter()
        steps = n // config.batch_size
        model.fit(batches, steps_per_epoch=steps, epochs=1, verbose=0, shuffle=False)
        seconds = time.perf_counter() - start
    else:
        clock = Clock()
        model.fit(
            batches, steps_per_epoch=10**6, epochs=1, verbose=0, shuffle=False, callbacks=[clock]
        )
        steps, seconds = clock.steps, clock.seconds
    return {
        varied: size,
        "steps_per_second": round(steps / seconds, 1),
        "images_per_second": round(steps / seconds * config.batch_size),
        "seconds_per_epoch": round(n / config.batch_size * seconds / steps, 1),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", type=pathlib.Path, help="also write the tables as data")
    parser.add_argument("--only", choices=TABLES, nargs="+", default=list(TABLES))
    args = parser.parse_args()
    results = {}
    for varied in args.only:
        print(f"\n| {varied} | steps/s | images/s | seconds an epoch |\n|---|---|---|---|")
        results[varied] = []
        for size in TABLES[varied]:
            row = measure(varied, size)
            keras.backend.clear_session()
            results[varied].append(row)
            print(f"| {' | '.join(map(str, row.values()))} |", flush=True)
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
