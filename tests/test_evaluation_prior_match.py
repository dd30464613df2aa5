"""The distance between codes and prior against closed forms."""

import numpy as np
import pytest
import tensorflow as tf

from adversarial_autoencoder import losses
from adversarial_autoencoder.evaluation.prior_match import (
    categorical_divergence,
    gap_radius,
    gaps,
    kolmogorov_smirnov,
    maximum_mean_discrepancy,
    nearest_distances,
    perplexity,
    sliced_wasserstein,
)

rng = np.random.default_rng(0)
Z = rng.normal(0, 5, (10_000, 2))


def test_integer_codes_have_the_distance_of_their_values():
    z = np.arange(20).reshape(10, 2)
    expected = sliced_wasserstein(z.astype(float), z + 3.0)
    assert sliced_wasserstein(z, z + 3) == pytest.approx(expected)
    assert expected > 0.1


def test_a_sample_has_distance_0_to_itself_in_any_order():
    assert sliced_wasserstein(Z, rng.permutation(Z)) == pytest.approx(0, abs=1e-12)


def test_two_samples_of_one_prior_have_the_floor_as_distance():
    assert 0.01 < sliced_wasserstein(rng.normal(0, 5, (10_000, 2)), Z) < 0.025


def test_a_shift_moves_each_projection_by_its_cosine():
    """The mean of |cos| over directions in the plane is 2 / pi; 3 is 0.6 standard deviations."""
    distance = sliced_wasserstein(Z + [3.0, 0.0], Z, num_projections=5000)
    assert distance == pytest.approx(0.6 * 2 / np.pi, rel=0.02)


def test_the_distance_between_two_scales():
    """W1 between N(0, 1) and N(0, 2^2) is E|x| = sqrt(2 / pi)."""
    assert sliced_wasserstein(2 * Z, Z) == pytest.approx(np.sqrt(2 / np.pi), rel=0.02)


def test_samples_of_different_sizes_are_refused():
    with pytest.raises(ValueError, match="Received"):
        sliced_wasserstein(Z, Z[:100])


@pytest.mark.parametrize(
    ("shares", "used"),
    [
        ([0.25] * 4, 4),
        ([1, 0, 0, 0], 1),
        ([0.5, 0.5, 0, 0], 2),
        ([0.5, 0.25, 0.25, 0], 2**1.5),
    ],
)
def test_perplexity_is_the_number_of_values_in_use(shares, used):
    assert perplexity(np.array(shares)) == pytest.approx(used)


def test_mmd_equals_the_loss():
    z, z_prior = rng.normal(1, 1, (700, 3)), rng.normal(0, 1, (700, 3))
    found = maximum_mean_discrepancy(z, z_prior)
    expected = losses.maximum_mean_discrepancy(tf.constant(z), tf.constant(z_prior))
    assert found == pytest.approx(float(expected), rel=1e-9)
    assert abs(maximum_mean_discrepancy(rng.normal(0, 1, (700, 3)), z_prior)) < found / 20


def test_kolmogorov_smirnov_of_a_shifted_uniform_is_its_shift():
    uniform = rng.random((2, 20_000, 2))
    found = kolmogorov_smirnov(uniform[0] + [0.3, 0.0], uniform[1])
    assert found == pytest.approx([0.3, 0.0], abs=0.02)


def test_gaps_measure_the_empty_part_of_the_prior():
    """Codes fill the left half of a square; beyond the radius, no code is near."""
    z, square = rng.random((4000, 2)) * [0.5, 1], rng.random((20_000, 2))
    assert gaps(z, square, radius=0.1) == pytest.approx(0.4, abs=0.02)
    assert gaps(square, square, radius=1e-9) == 0


def test_the_radius_gives_the_wanted_share_of_gaps():
    z_prior, other, third = rng.normal(size=(3, 5000, 2))
    radius = gap_radius(z_prior, other, share=0.05)
    assert gaps(other, z_prior, radius) == pytest.approx(0.05, abs=1e-3)
    assert gaps(third, z_prior, radius) == pytest.approx(0.05, abs=0.02)


def test_nearest_distances_of_a_line():
    points, z = np.array([[0.0], [2.4], [9.0]]), np.array([[0.0], [2.0], [5.0]])
    assert nearest_distances(points, z) == pytest.approx([0, 0.4, 4])


@pytest.mark.parametrize(
    ("shares", "prior", "divergence"),
    [
        ([0.25] * 4, [0.25] * 4, 0),
        ([1, 0, 0, 0], [0.25] * 4, np.log(4)),
        ([0.5, 0.5], [0.9, 0.1], 0.5 * np.log(0.25 / 0.09)),
    ],
)
def test_divergence_from_a_categorical_prior(shares, prior, divergence):
    found = categorical_divergence(np.array(shares), np.array(prior))
    assert found == pytest.approx(divergence)
