"""One contract for every system: it trains, saves and goes on as the settings say."""

import keras
import numpy as np
import pytest

from adversarial_autoencoder import data, runs, training
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.variants import VARIANTS


@pytest.fixture(scope="module")
def dataset():
    return data.load("digits")


def config_of(model, **settings):
    small = {"hidden_units": 16, "batch_size": 200, "epochs": 2, "dataset": "digits"}
    return Config(model=model, **small | settings)


@pytest.mark.parametrize("model", VARIANTS)
@pytest.mark.parametrize("loss", ["mse", "bce"])
def test_a_variant_trains_on_real_digits(model, loss, dataset, tmp_path):
    run = runs.create(tmp_path, "run")
    trained = training.train(config_of(model, reconstruction_loss=loss, z_dim=3), dataset, run)
    rows = run.read_history()
    assert [row["epoch"] for row in rows] == [1, 2]
    assert rows[1]["val_reconstruction_loss"] < rows[0]["val_reconstruction_loss"]
    for step, variables in trained.var_lists.items():
        assert int(trained.optimizer.steps[step].iterations) == 2 * (len(dataset.x_train) // 200)
        assert variables, step

    loaded = training.load(run)
    assert np.array_equal(loaded.encode(dataset.x_test), trained.encode(dataset.x_test))
    assert np.array_equal(loaded.generate(5), trained.generate(5))
    assert loaded.generate(5).shape == (5, 8, 8, 1)


@pytest.mark.parametrize("model", VARIANTS)
def test_training_in_two_goes_equals_training_in_one(model, dataset, tmp_path):
    def config(epochs):
        return config_of(model, epochs=epochs, dropout=0.1, learning_rate_schedule="constant")

    whole = training.train(config(2), dataset, runs.create(tmp_path, "whole"))
    run = runs.create(tmp_path, "two")
    training.train(config(1), dataset, run)
    two = training.train(config(2), dataset, run)
    for a, b in zip(whole.variables, two.variables, strict=True):
        assert np.array_equal(a, b), a.path


def test_a_file_that_lacks_optimizer_state_is_refused(dataset, tmp_path):
    """Keras only warns; the training would go on without its moments."""
    run = runs.create(tmp_path, "run")
    training.train(config_of("aae", epochs=1), dataset, run)
    other = config_of("aae", learning_rate_schedule="constant")
    with pytest.raises(InputError, match="readable model.keras"):
        training.train(other, dataset, run)


def test_the_cosine_lets_the_discriminator_keep_its_rate(dataset, tmp_path):
    model = training.train(config_of("aae"), dataset, runs.create(tmp_path, "run"))
    rates = {step: float(o.learning_rate) for step, o in model.optimizer.steps.items()}
    assert rates["reconstruction"] == pytest.approx(0, abs=1e-9)
    assert rates["generator"] == pytest.approx(0, abs=1e-9)
    assert rates["discriminator"] == pytest.approx(Config().discriminator_learning_rate)


def test_codes_that_are_not_finite_stop_the_training_and_keep_the_last_model(dataset, tmp_path):
    run = runs.create(tmp_path, "run")
    training.train(config_of("aae", epochs=1), dataset, run)
    before = run.model_path.read_bytes()
    bad = config_of("aae", epochs=30, reconstruction_learning_rate=1e30)
    with pytest.raises(FloatingPointError, match="not finite any more in epoch"):
        training.train(bad, dataset, run)
    keras.saving.load_model(run.model_path)
    assert np.isfinite(training.load(run).encode(dataset.x_test)).all()
    assert len(run.model_path.read_bytes()) == len(before)
