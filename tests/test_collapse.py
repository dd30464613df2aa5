"""Warnings of a training that does not match the codes to the prior."""

import types

import numpy as np
import pytest
from helpers import built, config_of

from adversarial_autoencoder.phases import Regularization
from adversarial_autoencoder.training.callbacks import WarnOfCollapse

# A distance at its floor.
MATCHED = {"val_prior_distance": 0.02, "val_prior_distance_floor": 0.02}


@pytest.fixture(scope="module")
def warnings_of(dataset):
    """The warnings of a training with the same logs in every epoch, or with a list of logs."""
    config = config_of("semi_supervised_aae", z_dim=3, learning_rate_schedule="constant")
    model, _ = built(config, dataset)
    z = np.random.default_rng(0).normal(size=(500, 3))

    def warnings(
        epochs,
        logs,
        spread=1.0,
        rate=1e-3,
        samples=dataset.x_validation / 255,
        steps=1000,
        loss="non_saturating",
    ):
        for phase in model.phases:
            if isinstance(phase, Regularization):
                phase.adversarial_loss = loss
        model.optimizer.iterations.assign(steps)
        model.optimizer.steps["generator_z"].learning_rate = rate
        model.generate = lambda n: samples[:n]
        sample = types.SimpleNamespace(x=dataset.x_validation, z_prior=z, z=z * [1, spread, 1])
        received = []
        callback = WarnOfCollapse(sample, received.append)
        callback.set_model(model)
        callback.set_params({"epochs": epochs})
        callback.on_train_begin()
        for epoch in range(epochs):
            of_epoch = logs[epoch] if isinstance(logs, list) else logs
            callback.on_epoch_end(epoch, MATCHED | of_epoch)
        return received

    return warnings


def test_a_discriminator_that_has_won_gives_one_warning(warnings_of):
    logs = {"discriminator_accuracy_real_z": 1.0, "discriminator_accuracy_fake_z": 0.96}
    assert warnings_of(2, logs) == []
    (warning,) = warnings_of(20, logs)
    assert "metrics/discriminator_accuracy_real_z" in warning
    assert "for 3 epochs, up to epoch 3. Try a lower --discriminator_learning_rate" in warning
    (warning,) = warnings_of(200, logs)
    assert "for 10 epochs, up to epoch 10." in warning
    assert warnings_of(20, logs | {"discriminator_accuracy_fake_z": 0.94}) == []
    assert warnings_of(20, logs, rate=0.0) == []
    assert len(warnings_of(20, logs, loss="least_squares")) == 1
    # The logits of a critic have no threshold.
    assert warnings_of(20, logs, loss="wasserstein_gp") == []


def test_a_discriminator_of_y_may_tell_soft_from_one_hot_vectors(warnings_of):
    logs = {"discriminator_accuracy_real_y": 1.0, "discriminator_accuracy_fake_y": 0.96}
    assert warnings_of(20, logs) == []


def test_collapsed_codes_give_a_warning_with_their_figure(warnings_of):
    (warning,) = warnings_of(5, {"val_y_use": 0.12})
    assert "y has collapsed to 1.2 of its 10 values" in warning
    assert "images/cluster_grid" in warning
    assert warnings_of(5, {"val_y_use": 0.16}) == []
    (warning,) = warnings_of(5, {}, spread=0.01)
    assert "dimension 1 has 0.010 of the prior's spread" in warning
    assert "images/latent_scatter" in warning


def test_a_distance_that_stays_large_gives_a_warning(warnings_of):
    far = [{"val_prior_distance": distance} for distance in (0.9, 0.8, 0.81, 0.79, 0.8, 0.8)]
    (warning,) = warnings_of(6, far)
    assert "0.800, 40 times that between two samples" in warning
    assert "up to epoch 5." in warning


def test_a_distance_that_falls_or_is_small_gives_none(warnings_of):
    falling = [{"val_prior_distance": 2 * 0.9**epoch} for epoch in range(20)]
    assert warnings_of(20, falling) == []
    assert warnings_of(20, {"val_prior_distance": 0.19}) == []


@pytest.mark.parametrize("change", ["saturated", "grey", "bright"])
def test_samples_unlike_the_images_give_a_warning(warnings_of, dataset, change):
    x = (dataset.x_validation / 255).astype("float32")
    samples = {
        "saturated": np.random.default_rng(0).integers(0, 2, x.shape).astype("float32"),
        "grey": np.full_like(x, x.mean()),
        "bright": x + 0.4,
    }[change]
    (warning,) = warnings_of(5, {}, samples=samples)
    assert "do not resemble the images" in warning
    assert warnings_of(5, {}, samples=samples, steps=999) == []
