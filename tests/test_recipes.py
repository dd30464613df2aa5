"""Every recipe names its source, parses, and trains a short epoch."""

import pathlib

import numpy as np
import pytest
from absl.testing import flagsaver

import run
from adversarial_autoencoder import data, runs, training
from adversarial_autoencoder.config import Config

RECIPES = sorted((pathlib.Path(run.__file__).parent / "recipes").glob("*.flags"))
SMALL = ["--dataset=digits", "--hidden_units=16", "--batch_size=200", "--epochs=1"]


@pytest.fixture(scope="module", autouse=True)
def flags():
    if "mode" not in run.FLAGS:
        run.define_flags()


def settings_of(*flags):
    """The settings that run.py would train with."""
    with flagsaver.flagsaver():
        run.FLAGS.unparse_flags()
        run.parse_flags(["run.py", *flags])
        return Config.of(**run.given(Config))


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_names_its_source_and_trains(recipe, tmp_path):
    assert recipe.read_text().startswith("# ")
    config = settings_of(f"--flagfile={recipe}")
    assert config.dataset == "mnist"
    few = ["--num_labels=200"] if config.num_labels else []
    # The rates of the paper's SGD are for the sum over the 784 pixels of MNIST.
    few += ["--reconstruction_learning_rate=0.1"] if config.optimizer == "sgd" else []
    config = settings_of(f"--flagfile={recipe}", *SMALL, *few)
    training.train(config, data.load("digits"), created := runs.create(tmp_path, "run"))
    (row,) = created.read_history()
    assert all(np.isfinite(value) for value in row.values())
