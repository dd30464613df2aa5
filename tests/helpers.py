"""Functions that several test files use: processes, run folders and weights."""

import contextlib
import csv
import json
import os
import pathlib
import re
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

from adversarial_autoencoder import data, training
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.data.pipeline import training_batches
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.systems import CLASSIFICATION
from adversarial_autoencoder.training import callbacks

ROOT = pathlib.Path(__file__).parent.parent

# The flags of small trainings: the first is an adversarial autoencoder, the second the fastest.
SMALL = ["--dataset=digits", "--hidden_units=32", "--batch_size=200", "--dropout=0.1"]
QUICK = ["--dataset=digits", "--model=wae_mmd", "--hidden_units=8", "--hidden_layers=1"]
QUICK += ["--epochs=1"]

# Seconds after which a process counts as stuck. No test expects it to be fast.
PATIENCE = 600


def shortened(code, epochs):
    """The text of a program whose trainings have at most this many epochs."""
    return re.sub(r"\bepochs=(\d+)", lambda found: f"epochs={min(int(found[1]), epochs)}", code)


DRAW = {name: getattr(callbacks.Pictures, name) for name in ("on_epoch_end", "on_train_end")}


def draw_last(self, epoch, logs=None):
    """Draws the pictures of the last epoch only: each time takes seconds."""
    if epoch + 1 == self.params["epochs"]:
        DRAW["on_epoch_end"](self, epoch, logs)


@contextlib.contextmanager
def pictures(**methods):
    """Trainings call these methods of `Pictures`, and leave the other ones out."""
    with pytest.MonkeyPatch.context() as patch:
        for name in DRAW:
            method = methods.get(name, lambda self, *_, **__: None)
            patch.setattr(callbacks.Pictures, name, method)
        yield


def start_process(*flags, results, **kwargs):
    """Starts run.py in a process of its own."""
    # Users do not set this variable; the output must be clean without it.
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    return subprocess.Popen(
        [sys.executable, ROOT / "run.py", "--results_dir", results, *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **kwargs,
    )


def run_process(*flags, results, status=0, **kwargs):
    """Runs run.py in a process of its own, checks its exit status; returns stdout and stderr."""
    process = start_process(*flags, results=results, **kwargs)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == status, err
    return out, err


def wait_for(path, *processes):
    """Waits until a file exists, while all processes run."""
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        for process in processes:
            assert process.poll() is None, process.communicate()
        if time.monotonic() > deadline:
            raise TimeoutError(f"{path} does not appear")
        time.sleep(0.01)


def read_history(path):
    """The rows of history.csv in a run folder, as text."""
    with (path / "history.csv").open() as file:
        return list(csv.DictReader(file))


def tree(folder):
    """Every file in a folder with its content, except lock files."""
    return {
        path: path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
        if path.name != ".lock"
    }


def data_refused(*args, **kwargs):
    """The message of the InputError that `data.load` raises."""
    with pytest.raises(InputError) as error:
        data.load(*args, **kwargs)
    message = str(error.value)
    assert "Received: " in message
    assert len(message.splitlines()) == 1
    return message


def weights_of(model):
    """The values of all variables of a model."""
    return [variable.numpy() for variable in model.variables]


def optimizer_state(model):
    """The values of all variables of each step's optimizer."""
    return {
        step: [variable.numpy() for variable in optimizer.variables]
        for step, optimizer in model.optimizer.steps.items()
    }


def equal(a, b):
    """Whether two lists of arrays are equal to the last bit."""
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def assert_equal_models(a, b):
    """Checks that two models have equal variables; names the first that differs."""
    for one, other in zip(a.variables, b.variables, strict=True):
        assert np.array_equal(one, other), one.path


def assert_equal_runs(path, other):
    """Checks that two run folders hold the same weights and the same optimizer state."""
    one, two = (keras.saving.load_model(folder / "model.keras") for folder in (path, other))
    assert_equal_models(one, two)
    for step, state in optimizer_state(one).items():
        assert equal(state, optimizer_state(two)[step]), step


# Settings under which one device and several train to the same weights.
DIVIDED = {
    "dataset": "digits",
    "hidden_units": 16,
    "hidden_layers": 1,
    "batch_size": 100,
    "epochs": 2,
    "precision": "float32",
    "jit_compile": "false",
    # Adam would turn the rounding of a gradient near 0 into steps of full size.
    "optimizer": "sgd",
    # Each replica draws the noise of its layers from its own seeds.
    "input_noise": 0.0,
    "discriminator_noise": 0.0,
}


def train_on_devices(settings, strategy=None):
    """Trains the digits with `DIVIDED` and `settings`; returns the model and its logs."""
    config = Config.of(**DIVIDED | settings)
    dataset = data.load("digits")
    labels, shares = data.training_labels(config, dataset)
    strategy = strategy or tf.distribute.get_strategy()
    with strategy.scope():
        model = training.build(config, dataset.image_shape, shares)
        model.compile(training.make_optimizer(config, model.steps, 12), jit_compile=False)

    def batches(worker):
        return training_batches(
            dataset.x_train,
            config.batch_size,
            config.seed,
            labels=labels,
            labelled_stream=config.has_phase(CLASSIFICATION),
            worker=worker,
        )

    batches = strategy.distribute_datasets_from_function(batches)
    logs = model.fit(
        batches, shuffle=False, steps_per_epoch=12, epochs=config.epochs, verbose=0
    ).history
    return model, logs


def assert_close(a, b, tolerance):
    """Checks that the arrays of two lists differ by at most `tolerance`."""
    for u, v in zip(a, b, strict=True):
        np.testing.assert_allclose(np.asarray(u), np.asarray(v), rtol=0, atol=tolerance)


# Systems with settings that change how they train, by a short name.
SPECIAL = {
    "detached": {"model": "semi_supervised_aae", "detach_y": True},
    "separate": {
        "model": "clustering_aae",
        "separate_y": True,
        "detach_y": True,
        "consistency": "vat",
        "information_weight": 0.1,
    },
    "late": {"model": "semi_supervised_aae", "detach_y": True, "y_start": 4},
    "labelled_reduction": {"model": "dimensionality_reduction_aae", "num_labels": 100},
    "conditioned": {
        "model": "aae",
        "prior": "gaussian_mixture",
        "condition_prior_on_labels": True,
        "num_labels": 300,
        "z_dim": 2,
    },
}

# Minibatches of 200 in an epoch of the digits.
STEPS = 6


def config_of(model, **settings):
    """A small configuration of a system, or of a name in `SPECIAL`."""
    small = {"hidden_units": 16, "batch_size": 200, "epochs": 2, "dataset": "digits"}
    return Config.of(**small | SPECIAL.get(model, {"model": model}) | settings)


def built(config, dataset):
    """A compiled model, and a function from an epoch to its training batches."""
    labels, shares = data.training_labels(config, dataset)
    model = training.build(config, dataset.image_shape, shares)
    model.compile(training.make_optimizer(config, model.steps, STEPS), jit_compile=False)

    def batches(epoch):
        classify = config.has_phase(CLASSIFICATION)
        return training_batches(dataset.x_train, 200, config.seed, epoch, labels, classify)

    return model, batches


def content_of(page):
    """What a page contains, as Python objects."""
    text = re.search(r'<script type="application/json" id="content">(.*?)</script>', page, re.S)[1]
    return json.loads(text)
