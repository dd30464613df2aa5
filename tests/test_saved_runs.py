"""Runs that an older version saved, before modules moved, load and resume."""

import csv
import json
import pathlib
import shutil

import keras
import numpy as np
import pytest

from adversarial_autoencoder import data, runs, training
from adversarial_autoencoder.modes import MODES
from adversarial_autoencoder.modes.command import Command

SAVED = pathlib.Path(__file__).parent / "saved_runs"


@pytest.mark.parametrize("name", ["aae", "semi", "wae_mmd"])
def test_a_saved_run_loads_and_generates(name):
    model = training.load(runs.Run(SAVED / name))
    digits = data.load("digits")
    assert model.generate(3).shape == (3, 8, 8, 1)
    assert np.isfinite(model.encode(digits.x_test)).all()
    if name == "semi":
        assert model.infers_y and model.num_classes == 10


def test_a_saved_model_of_the_library_continues_its_training(digits):
    """It was compiled with the default rates, whose schedule then saved its plan too."""
    model = keras.saving.load_model(SAVED / "compiled.keras")
    rate = model.optimizer.steps["reconstruction"].learning_rate
    assert float(rate) == pytest.approx(2.2e-3), "constant until fit plans it"
    history = model.fit(digits[:100], batch_size=20, epochs=2, verbose=0)
    assert np.isfinite(history.history["reconstruction_loss"]).all()


@pytest.mark.parametrize("name", ["aae", "semi"])
def test_a_saved_run_resumes_with_the_same_history(name, tmp_path):
    """Two more epochs give the history of a training that was not interrupted.

    On the machine that trained it the history is equal to the last bit. Another processor rounds
    differently.
    """
    folder = tmp_path / name
    shutil.copytree(SAVED / name, folder)
    # config.json of earlier versions has a size of the minibatch, never null.
    assert json.loads((folder / "config.json").read_text())["config"]["batch_size"]
    command = Command(results_dir=str(tmp_path), run=name, resume=True)
    MODES["train"](command, {"epochs": 4})
    with (folder / "history_of_4_epochs.csv").open() as file:
        expected = list(csv.DictReader(file))
    rows = runs.Run(folder).read_history()
    assert len(rows) == 4
    for row, other in zip(rows, expected, strict=True):
        for key, value in other.items():
            assert row[key] == pytest.approx(float(value), rel=2e-2, abs=2e-3), key
