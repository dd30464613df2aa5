"""Mistakes of other implementations that belong to no other test file."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import assert_equal_models

from adversarial_autoencoder import AdversarialAutoencoder, losses, networks, runs, training
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.data.labels import training_labels
from adversarial_autoencoder.phases import Reconstruction
from adversarial_autoencoder.training.build import make_prior


def test_noise_is_added_to_the_input_and_not_to_the_target(digits):
    """The target of the loss is the clean image."""
    x = tf.constant(digits[:50] / 255.0, "float32")
    encoder = networks.encoder((8, 8, 1), 2, hidden_units=8, input_noise=0.9)
    model = AdversarialAutoencoder(encoder, networks.decoder((8, 8, 1), 2, hidden_units=8))
    seen = {}

    def loss(target, x_logits):
        seen["target"] = target
        return tf.reduce_mean(x_logits)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(losses.RECONSTRUCTION, "mse", loss)
        Reconstruction().loss_and_metrics(model, model._batch(x, step=0), training=True)
    assert np.array_equal(seen["target"], x)
    noisy = [encoder(x, training=True).numpy() for _ in range(2)]
    assert not np.allclose(*noisy)


def test_the_codes_of_classes_must_be_logits():
    """A softmax before a cross-entropy on logits would silently slow the training down."""
    x = keras.Input((8, 8, 1))
    flat = keras.layers.Flatten()(x)
    heads = {
        "z": keras.layers.Dense(2)(flat),
        "y": keras.layers.Dense(10, activation="softmax")(flat),
    }
    decoder = networks.decoder((8, 8, 1), 2, num_classes=10, hidden_units=8)
    with pytest.raises(ValueError, match="encoder's output y must end in logits"):
        AdversarialAutoencoder(keras.Model(x, heads), decoder)


def test_a_conditioned_prior_has_the_class_proportions_of_the_data(dataset):
    few = dataset.y_train != 3
    few |= np.arange(len(few)) < 300
    uneven = dataclasses.replace(
        dataset, x_train=dataset.x_train[few], y_train=dataset.y_train[few]
    )
    config = Config.of(prior="gaussian_mixture", condition_prior_on_labels=True, dataset="digits")
    _, shares = training_labels(config, uneven)
    assert shares == pytest.approx(np.bincount(uneven.y_train) / len(uneven.y_train))
    assert shares[3] < 0.05
    prior = make_prior(config, shares)
    z = np.asarray(prior(100_000, 2, tf.constant([0, 0])))
    component = np.round(np.arctan2(z[:, 1], z[:, 0]) / (2 * np.pi / 10)).astype(int) % 10
    assert np.bincount(component) / len(z) == pytest.approx(shares, abs=0.01)


@pytest.mark.usefixtures("eager")
def test_the_test_set_is_never_trained_on(dataset, tmp_path):
    """Another test set gives the same weights."""
    config = Config.of(
        model="semi_supervised_aae", dataset="digits", hidden_units=16, batch_size=200, epochs=1
    )
    other = dataclasses.replace(
        dataset, x_test=255 - dataset.x_test, y_test=(dataset.y_test + 1) % 10
    )
    models = [
        training.train(config, data_, runs.create(tmp_path, name))
        for name, data_ in (("a", dataset), ("b", other))
    ]
    assert_equal_models(*models)
