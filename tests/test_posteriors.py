"""The forms of q(z|x)."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from adversarial_autoencoder import AdversarialAutoencoder, networks, posteriors

MEAN, STD = np.array([1.0, -4.0]), np.array([0.5, 2.0])
N = 100_000
HEAD = np.tile(np.concatenate([MEAN, 2 * np.log(STD)]), (N, 1)).astype("float32")


def test_a_deterministic_posterior_is_its_head():
    for seed in (None, tf.constant([0, 1])):
        assert np.array_equal(posteriors.deterministic(HEAD, seed), HEAD)


def test_a_gaussian_posterior_has_the_mean_and_standard_deviation_of_its_head():
    z = posteriors.gaussian(HEAD, tf.constant([0, 1])).numpy()
    assert z.shape == (N, 2)
    assert (z - MEAN).mean(axis=0) / STD == pytest.approx([0, 0], abs=5 / np.sqrt(N))
    assert z.std(axis=0) == pytest.approx(STD, rel=0.02)
    assert abs(np.corrcoef(z.T)[0, 1]) < 0.02


def test_a_gaussian_posterior_without_a_seed_is_its_mean():
    assert np.array_equal(posteriors.gaussian(HEAD[:3]), HEAD[:3, :2])


def test_a_seed_gives_the_same_sample_and_another_seed_another():
    one, again, other = (
        posteriors.gaussian(HEAD[:10], tf.constant([7, step])).numpy() for step in (1, 1, 2)
    )
    assert np.array_equal(one, again)
    assert not np.any(one == other)


def test_samples_have_gradients_to_mean_and_variance():
    """Reparameterization: dz/dmean = 1 and dz/dlog variance = (z - mean) / 2."""
    head = tf.constant(HEAD[:5])
    with tf.GradientTape() as tape:
        tape.watch(head)
        z = posteriors.gaussian(head, tf.constant([0, 1]))
    gradients = tape.gradient(z, head).numpy()
    assert gradients[:, :2] == pytest.approx(1)
    assert gradients[:, 2:] == pytest.approx((z.numpy() - MEAN) / 2, rel=1e-4)


def built(posterior="deterministic", noise_dim=0):
    keras.utils.set_random_seed(3)
    return AdversarialAutoencoder(
        networks.encoder((8, 8, 1), 2, posterior=posterior, noise_dim=noise_dim, hidden_units=32),
        networks.decoder((8, 8, 1), 2, hidden_units=32),
        posterior=posterior,
    )


def test_a_universal_posterior_samples_its_codes_with_the_noise(digits):
    model, x = built(noise_dim=10), digits[:50]
    one, again, other = (model.encode(x, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.any(one == other)
    assert np.array_equal(model.encode(x), model.encode(x))
    silent = model.encoder({"x": x / 255.0, "noise": np.zeros((50, 10))})
    assert np.allclose(model.encode(x), silent, atol=1e-5)


def test_a_gaussian_model_encodes_to_the_mean_or_to_a_sample(digits):
    model, x = built("gaussian"), digits[:1].repeat(20_000, axis=0)
    mean, log_variance = np.split(model.encoder(digits[:1] / 255.0).numpy()[0], 2)
    assert np.allclose(model.encode(digits[:1])[0], mean, atol=1e-5)
    z = model.encode(x, seed=1)
    std = np.exp(log_variance / 2)
    assert (z.mean(axis=0) - mean) / std == pytest.approx([0, 0], abs=0.04)
    assert z.std(axis=0) == pytest.approx(std, rel=0.03)
    assert len(np.unique(z, axis=0)) == len(z)  # Also between batches.


def test_a_deterministic_model_needs_no_seed(digits):
    model = built()
    assert np.array_equal(model.encode(digits[:9], seed=1), model.encode(digits[:9]))


def test_input_noise_and_posterior_noise_are_independent(digits):
    """The mean of the head is the noise input, its variance is 1, so z has the variance 2."""
    inputs = {"x": keras.Input((8, 8, 1), name="x"), "noise": keras.Input((2,), name="noise")}
    flat = keras.layers.Flatten()(inputs["x"])
    zeros = keras.layers.Dense(2, kernel_initializer="zeros")(flat)
    mean = keras.layers.Add()([zeros, inputs["noise"]])
    encoder = keras.Model(inputs, keras.layers.Concatenate()([mean, zeros]))
    model = AdversarialAutoencoder(
        encoder, networks.decoder((8, 8, 1), 2, hidden_units=8), posterior="gaussian"
    )
    x = digits[:1].repeat(5000, axis=0)
    assert model.encode(x, seed=1).var() == pytest.approx(2, rel=0.05)
    batch = model._batch(tf.constant(x), step=0)
    codes = model.codes.infer(batch, training=True)[1]
    assert codes["z"].numpy().var() == pytest.approx(2, rel=0.05)
