"""Priors against their moments."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from adversarial_autoencoder import priors
from adversarial_autoencoder.config import Config


def test_constructor_defaults_are_the_defaults_of_the_flags():
    defaults = {field.name: field.default for field in dataclasses.fields(Config)}
    std, width = defaults["prior_std"], defaults["prior_width"]
    for prior in (priors.Gaussian, priors.Uniform, priors.Laplace):
        assert prior().get_config() == {"std": std}
    assert priors.Gamma().get_config() == {"shape": defaults["prior_shape"], "std": std}
    mixture, roll = priors.GaussianMixture(), priors.SwissRoll()
    assert (mixture.radius, mixture.std_across) == (defaults["prior_radius"], width)
    assert mixture.std_along == defaults["prior_length"]
    assert (roll.radius, roll.std) == (defaults["prior_radius"], width)
    assert roll.turns == defaults["prior_turns"]
    assert priors.Categorical().temperature == defaults["y_temperature"]


def test_gaussian_has_mean_0_and_the_given_standard_deviation():
    z = priors.draw(priors.Gaussian(std=5.0), 100_000, 2)
    assert z.shape == (100_000, 2)
    assert np.abs(z.mean(axis=0)).max() < 0.08  # Five standard errors.
    assert np.abs(z.std(axis=0) - 5.0).max() < 0.06
    assert abs(np.corrcoef(z.T)[0, 1]) < 0.02


def test_a_seed_gives_the_same_samples_and_another_seed_others():
    prior = priors.Gaussian()
    assert np.array_equal(priors.draw(prior, 10, 3, seed=1), priors.draw(prior, 10, 3, seed=1))
    assert not np.array_equal(priors.draw(prior, 10, 3, seed=1), priors.draw(prior, 10, 3, seed=2))


@pytest.mark.parametrize("std", [0, -1, float("nan")])
def test_gaussian_refuses_a_wrong_standard_deviation(std):
    with pytest.raises(ValueError, match=f"Received: std={std}"):
        priors.Gaussian(std)


def test_moments_are_exact_for_a_gaussian_and_estimated_for_a_users_prior():
    mean, std = priors.moments(priors.Gaussian(std=5.0), 3)
    assert mean.tolist() == [0, 0, 0]
    assert std.tolist() == [5, 5, 5]

    def exponential(n, dim, seed):
        return np.random.default_rng(abs(int(seed[0]))).exponential(2.0, (n, dim))

    mean, std = priors.moments(exponential, 3)
    assert np.abs(mean - 2).max() < 0.1
    assert np.abs(std - 2).max() < 0.2


def test_a_prior_survives_serialization():
    config = keras.saving.serialize_keras_object(priors.Gaussian(std=2.5))
    assert keras.saving.deserialize_keras_object(config).std == 2.5


@pytest.mark.parametrize(
    ("prior", "mean", "std", "kurtosis"),
    [
        (priors.Gaussian(3.0), 0.0, 3.0, 3.0),
        (priors.Uniform(3.0), 0.0, 3.0, 1.8),
        (priors.Laplace(3.0), 0.0, 3.0, 6.0),
        (priors.Gamma(4.0, 3.0), 6.0, 3.0, 4.5),
    ],
)
def test_a_prior_has_the_moments_of_its_distribution(prior, mean, std, kurtosis):
    z = priors.draw(prior, 400_000, 3)
    centred = z - z.mean(axis=0)
    assert z.mean(axis=0) == pytest.approx([mean] * 3, abs=0.03)
    assert z.std(axis=0) == pytest.approx([std] * 3, rel=0.01)
    measured = (centred**4).mean(axis=0) / z.std(axis=0) ** 4
    assert measured == pytest.approx([kurtosis] * 3, rel=0.05)
    assert np.abs(np.corrcoef(z.T) - np.eye(3)).max() < 0.01


def test_a_mixture_puts_each_label_on_its_component():
    prior = priors.GaussianMixture(5, radius=8.0, std_along=1.0, std_across=0.5)
    labels = np.repeat(np.arange(5), 20_000)
    z = prior(len(labels), 2, tf.constant([0, 0]), labels=labels).numpy()
    for k in range(5):
        ray = np.array([np.cos(2 * np.pi * k / 5), np.sin(2 * np.pi * k / 5)])
        component = z[labels == k]
        assert component.mean(axis=0) == pytest.approx(8 * ray, abs=0.05)
        assert (component @ ray).std() == pytest.approx(1.0, rel=0.03)
        assert (component @ [-ray[1], ray[0]]).std() == pytest.approx(0.5, rel=0.03)


def test_samples_without_a_label_use_all_components_by_their_weights():
    prior = priors.GaussianMixture(4, radius=50.0, weights=[1, 2, 3, 4])
    for labels in (None, np.full(50_000, -1)):
        z = prior(50_000, 2, tf.constant([3, 0]), labels=labels).numpy()
        component = np.round(np.arctan2(z[:, 1], z[:, 0]) / (np.pi / 2)).astype(int) % 4
        shares = np.bincount(component) / len(z)
        assert shares == pytest.approx([0.1, 0.2, 0.3, 0.4], abs=0.01)


def test_a_swiss_roll_follows_its_spiral_and_each_label_its_arc():
    prior = priors.SwissRoll(4, radius=10.0, turns=2.0, std=1e-4)
    labels = np.repeat(np.arange(4), 1000)
    z = prior(4000, 2, tf.constant([0, 0]), labels=labels).numpy()
    share = np.linalg.norm(z, axis=1) / 10
    angle = 4 * np.pi * share
    assert np.abs(z - 10 * share[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)).max() < 0.1
    assert (np.floor(np.clip(share, 0, 0.99999) ** 2 * 4) == labels).mean() > 0.99


def test_a_categorical_prior_gives_one_hot_vectors_with_its_weights():
    y = priors.draw(priors.Categorical(np.array([0.2, 0.8])), 50_000, 2)
    assert set(np.unique(y)) == {0.0, 1.0}
    assert (y.sum(axis=1) == 1).all()
    assert y.mean(axis=0) == pytest.approx([0.2, 0.8], abs=0.01)


@pytest.mark.parametrize("temperature", [1.0, 0.3])
def test_a_relaxed_categorical_prior_is_the_concrete_distribution(temperature):
    """In closed form: the odds of two classes are logistic, and the largest follows the weights.

    The log odds are log(p1 / p0) plus logistic noise, divided by the temperature. The variance of
    logistic noise is pi^2 / 3.
    """
    y = priors.draw(priors.Categorical([0.2, 0.8], temperature), 50_000, 2).astype("float64")
    assert y.sum(axis=1) == pytest.approx(1)
    assert (y.argmax(axis=1) == 1).mean() == pytest.approx(0.8, abs=0.01)
    odds = np.log(np.maximum(y[:, 1], 1e-30)) - np.log(np.maximum(y[:, 0], 1e-30))
    assert odds.mean() == pytest.approx(np.log(4) / temperature, rel=0.03)
    assert odds.std() == pytest.approx(np.pi / np.sqrt(3) / temperature, rel=0.03)


@pytest.mark.parametrize("temperature", [-0.1, 1e-39, np.nan, np.inf])
def test_a_temperature_without_probabilities_is_refused(temperature):
    with pytest.raises(ValueError, match="temperature of a prior must be 0 or at least 0.001"):
        priors.Categorical(temperature=temperature)


def test_a_users_samples_are_drawn_evenly():
    samples = np.arange(6, dtype="float32").reshape(3, 2)
    z = priors.draw(priors.Samples(samples), 30_000, 2)
    rows, counts = np.unique(z, axis=0, return_counts=True)
    assert np.array_equal(rows, samples)
    assert counts == pytest.approx([10_000] * 3, rel=0.05)


@pytest.mark.parametrize(
    ("prior", "dim"),
    [
        (priors.GaussianMixture(), 3),
        (priors.SwissRoll(), 4),
        (priors.Samples(np.zeros((5, 2))), 3),
    ],
)
def test_a_prior_refuses_a_wrong_dimension(prior, dim):
    with pytest.raises(ValueError, match=f"Received: {dim}"):
        priors.draw(prior, 2, dim)


@pytest.mark.parametrize(
    "prior",
    [
        priors.Uniform(2.0),
        priors.Laplace(2.0),
        priors.Gamma(3.0, 2.0),
        priors.GaussianMixture(3, weights=[1, 1, 2]),
        priors.SwissRoll(3, turns=1.5),
        priors.Samples(np.eye(2)),
    ],
    ids=lambda prior: type(prior).__name__,
)
def test_every_prior_survives_serialization(prior):
    config = keras.saving.serialize_keras_object(prior)
    again = keras.saving.deserialize_keras_object(config)
    assert np.array_equal(priors.draw(again, 10, 2), priors.draw(prior, 10, 2))


def test_a_prior_without_components_is_the_same_for_every_label():
    labels = np.arange(100) % 10
    for prior in (priors.Gaussian(), lambda n, dim, seed: tf.zeros((n, dim))):
        assert np.array_equal(priors.draw(prior, 100, 2, labels=labels), priors.draw(prior, 100, 2))
    mixture = priors.GaussianMixture()
    assert not np.array_equal(
        priors.draw(mixture, 100, 2, labels=labels), priors.draw(mixture, 100, 2)
    )


@pytest.mark.parametrize("shape", [0.5, 1.0])
def test_gamma_of_a_small_shape_has_its_moments_and_stays_above_0(shape):
    z = priors.draw(priors.Gamma(shape, 2.0), 400_000, 1)
    assert z.min() >= 0
    assert z.std() == pytest.approx(2.0, rel=0.01)
    assert z.mean() == pytest.approx(2.0 * np.sqrt(shape), rel=0.01)


@pytest.mark.parametrize("prior", [priors.GaussianMixture, priors.SwissRoll])
@pytest.mark.parametrize("weights", [[1, 2], [1, 2, 0], [1, 2, -1]])
def test_each_component_needs_a_weight_above_0(prior, weights):
    with pytest.raises(ValueError, match="must be 3 numbers above 0. Received: weights="):
        prior(3, weights=weights)


@pytest.mark.parametrize("samples", [np.zeros(5), np.zeros((0, 2)), np.array([[np.nan, 1.0]])])
def test_samples_that_cannot_be_a_prior_are_refused(samples):
    with pytest.raises(ValueError, match="finite numbers of shape .num_samples, dim.. Received"):
        priors.Samples(samples)


def test_a_mixture_of_four_dimensions_has_one_component_in_both_pairs():
    z = priors.draw(priors.GaussianMixture(4, radius=50.0), 1000, 4)
    angles = np.arctan2(z[:, 1::2], z[:, ::2])
    components = np.round(angles / (np.pi / 2)).astype(int) % 4
    assert np.array_equal(components[:, 0], components[:, 1])
    assert len(set(components[:, 0])) == 4
