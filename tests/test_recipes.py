"""Every recipe names its source, is valid, and trains on small digits."""

import dataclasses
import re

import numpy as np
import pytest
from absl.testing import flagsaver

from adversarial_autoencoder import command_line, runs, training
from adversarial_autoencoder.config import Config, recipes, rules
from adversarial_autoencoder.evaluation.clustering import name_by_majority, named_error
from adversarial_autoencoder.evaluation.parzen import choose_sigma, parzen
from adversarial_autoencoder.systems import PRIORS

RECIPES = sorted(recipes.FOLDER.glob("*.flags"))
# The recipes of this project, whose results are measured, and those of publications.
OWN = [path for path in RECIPES if path.stem.startswith("mnist_")]
PUBLISHED = [path for path in RECIPES if path not in OWN]
LIKELIHOOD = next(path for path in OWN if path.stem == "mnist_likelihood")
# One recipe for each combination of phases, networks and labels.
LEARNING = [
    path
    for path in OWN
    if path.stem.removeprefix("mnist_")
    in ("100_labels", "100_labels_conv", "clustering_16", "reduction_100", "reduction_none")
]
SMALL = ["--dataset=digits", "--hidden_units=16", "--batch_size=200", "--epochs=1"]

pytestmark = pytest.mark.usefixtures("program")


def settings_of(*flags):
    """The settings that run.py would train with."""
    with flagsaver.flagsaver():
        command_line.FLAGS.unparse_flags()
        command_line.parse_flags(["run.py", *flags])
        return Config.of(**command_line.given(Config))


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_names_its_source_and_is_valid_for_mnist(recipe):
    source = "# .*(Makhzani|Nagabushan|Ducau)" if recipe in PUBLISHED else "# "
    assert re.match(source, recipe.read_text())
    assert settings_of(f"--flagfile={recipe}").dataset == "mnist"


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_does_not_change_with_the_defaults(recipe):
    """It gives each setting whose default depends on the system, the prior or the length."""
    config, text = settings_of(f"--flagfile={recipe}"), recipe.read_text()
    names = {*config.system.defaults, *PRIORS[config.prior].defaults, "y_start", "vat_warmup"}
    names |= {"normalize_codes", "discriminator_noise", "input_noise", "hidden_units"}
    if config.num_labels is None:
        names |= {*config.system.defaults_without_labels}
    with_effect = {name for name in names if not rules.unmet_needs(config, name)}
    assert not {name for name in with_effect if not re.search(f"^--(no)?{name}\\b", text, re.M)}


@pytest.mark.long
@pytest.mark.parametrize(
    "recipe",
    [path for path in RECIPES if path not in (*LEARNING, LIKELIHOOD)],
    ids=lambda path: path.stem,
)
def test_a_recipe_trains(recipe, dataset, tmp_path):
    config = settings_of(f"--flagfile={recipe}")
    few = ["--num_labels=200"] if config.num_labels else []
    # The learning rates of the paper's SGD are for a sum over the 784 pixels of MNIST.
    few += ["--reconstruction_learning_rate=0.1"] if config.optimizer == "sgd" else []
    few += ["--y_start=1"] if config.y_start else []
    config = settings_of(f"--flagfile={recipe}", *SMALL, *few)
    training.train(config, dataset, created := runs.create(tmp_path, "run"))
    (row,) = created.read_history()
    assert all(np.isfinite(value) for value in row.values())


@pytest.mark.long
def test_the_recipe_for_the_likelihood_learns_small_digits(dataset, tmp_path):
    """After 240 minibatches digits are more likely near its samples than near their mean image.

    The difference is 7.5 nats, and 4.8 nats without the generator step.
    """
    config = settings_of(
        f"--flagfile={LIKELIHOOD}", "--dataset=digits", "--hidden_units=64", "--epochs=20"
    )
    model = training.train(config, dataset, runs.create(tmp_path, "run"))
    x = dataset.x_validation.reshape(len(dataset.x_validation), -1) / 255
    mean = dataset.x_train.mean(axis=0).reshape(1, -1) / 255

    def likelihood(samples):
        return parzen(x, samples, choose_sigma(x, samples))[0]

    assert likelihood(model.generate(1000, seed=1).reshape(1000, -1)) > likelihood(mean) + 6


@pytest.mark.long
@pytest.mark.parametrize("recipe", LEARNING, ids=lambda path: path.stem)
def test_a_recipe_of_this_project_learns_the_classes_of_small_digits(recipe, dataset, tmp_path):
    """Its parts work together for 180 minibatches; guessing has an error of 0.9.

    Without labels, each cluster takes the class of most of its images.
    """
    for_mnist = settings_of(f"--flagfile={recipe}")
    # Convolutional layers have a sixteenth of the units as filters, or half of that.
    units = 256 if for_mnist.network == "conv" else 64
    flags = ["--dataset=digits", f"--hidden_units={units}", "--epochs=15"]
    if for_mnist.consistency == "vat":
        # For images of 64 pixels.
        flags += ["--vat_epsilon=0.5", "--vat_warmup=90"]
    if for_mnist.y_start:
        flags += ["--y_start=60"]
    config = settings_of(f"--flagfile={recipe}", *flags)
    if config.num_labels and config.num_labels > 100:
        config = dataclasses.replace(config, num_labels=200)
    model = training.train(config, dataset, created := runs.create(tmp_path, "run"))
    first, *_, last = created.read_history()
    if config.infers_clusters:
        clusters = model.classify(dataset.x_validation).argmax(axis=1)
        names = name_by_majority(dataset.y_validation, clusters, config.num_clusters)
        error = named_error(dataset.y_validation, clusters, names)
        assert error < 0.5  # An untrained encoder has 0.6 or more.
    else:
        assert 1 - last["val_classification_accuracy"] < 0.3
    assert last["val_reconstruction_loss"] < first["val_reconstruction_loss"]
    assert ("vat_loss" in last) == (config.consistency == "vat")
    assert ("information_loss" in last) == (config.information_weight > 0)
