"""The distance between codes and prior against closed forms."""

import numpy as np
import pytest

from adversarial_autoencoder.evaluation.prior_match import perplexity, sliced_wasserstein

rng = np.random.default_rng(0)
Z = rng.normal(0, 5, (10_000, 2))


def test_a_sample_is_at_distance_0_from_itself_in_any_order():
    assert sliced_wasserstein(Z, rng.permutation(Z)) == pytest.approx(0, abs=1e-12)


def test_two_samples_of_one_prior_lie_at_the_floor():
    assert 0.01 < sliced_wasserstein(rng.normal(0, 5, (10_000, 2)), Z) < 0.025


def test_a_shift_moves_each_projection_by_its_cosine():
    """The mean of |cos| over directions in the plane is 2 / pi; 3 is 0.6 standard deviations."""
    distance = sliced_wasserstein(Z + [3.0, 0.0], Z, num_projections=20_000)
    assert distance == pytest.approx(0.6 * 2 / np.pi, rel=0.02)


def test_a_scale_costs_the_mean_absolute_value():
    """W1 between N(0, 1) and N(0, 2^2) is E|x| = sqrt(2 / pi)."""
    assert sliced_wasserstein(2 * Z, Z) == pytest.approx(np.sqrt(2 / np.pi), rel=0.02)


def test_samples_of_other_sizes_are_refused():
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
