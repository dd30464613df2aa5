"""Priors against their moments."""

import keras
import numpy as np
import pytest

from adversarial_autoencoder import priors


def test_gaussian_has_mean_0_and_the_given_standard_deviation():
    z = priors.draw(priors.Gaussian(std=5.0), 100_000, 2)
    assert z.shape == (100_000, 2)
    assert np.abs(z.mean(axis=0)).max() < 0.08  # five standard errors
    assert np.abs(z.std(axis=0) - 5.0).max() < 0.06
    assert abs(np.corrcoef(z.T)[0, 1]) < 0.02


def test_a_seed_gives_the_same_samples_and_another_seed_others():
    prior = priors.Gaussian()
    assert np.array_equal(priors.draw(prior, 10, 3, seed=1), priors.draw(prior, 10, 3, seed=1))
    assert not np.array_equal(priors.draw(prior, 10, 3, seed=1), priors.draw(prior, 10, 3, seed=2))


@pytest.mark.parametrize("std", [0, -1, float("nan")])
def test_gaussian_refuses_a_standard_deviation_that_is_none(std):
    with pytest.raises(ValueError, match=f"Received: std={std}"):
        priors.Gaussian(std)


def test_moments_are_exact_for_a_gaussian_and_estimated_for_the_users_own():
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
