"""Measures of images, reconstructed and generated, against closed forms."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from adversarial_autoencoder.evaluation import generation, parzen, reconstruction

rng = np.random.default_rng(0)
IMAGES = rng.random((6, 14, 12, 1)).astype("float32")


def test_errors_of_a_constant_offset():
    half = np.full_like(IMAGES, 0.5)
    assert reconstruction.mean_squared_error(half, half + 0.1) == pytest.approx(0.01, rel=1e-5)
    ratio = reconstruction.peak_signal_to_noise_ratio(half, half + 0.1)
    assert ratio == pytest.approx(20, rel=1e-5)


def test_signal_to_noise_is_averaged_in_decibels():
    x = np.zeros((2, 2, 2, 1))
    reconstructed = x + np.array([0.1, 0.01]).reshape(2, 1, 1, 1)
    assert reconstruction.peak_signal_to_noise_ratio(x, reconstructed) == pytest.approx(30)
    assert reconstruction.peak_signal_to_noise_ratio(x, x) == np.inf


def test_cross_entropy_is_in_nats_and_finite():
    x = np.ones((1, 2, 2, 1), "float32")
    assert reconstruction.binary_cross_entropy(x, x * 0.5) == pytest.approx(np.log(2))
    mixed = np.array([0.0, 1.0]).reshape(1, 2, 1, 1)
    assert reconstruction.binary_cross_entropy(mixed, mixed) == pytest.approx(0, abs=1e-6)
    assert reconstruction.binary_cross_entropy(x, x * 0) == pytest.approx(-np.log(1e-7), rel=1e-3)


def direct_ssim(x, y):
    """Wang et al. 2004, equation 13, for one window of 11 x 11 pixels."""
    offsets = np.arange(11) - 5
    window = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * 1.5**2))
    window /= window.sum()
    mean_x, mean_y = (window * x).sum(), (window * y).sum()
    var_x, var_y = (window * (x - mean_x) ** 2).sum(), (window * (y - mean_y) ** 2).sum()
    covariance = (window * (x - mean_x) * (y - mean_y)).sum()
    c1, c2 = 0.01**2, 0.03**2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return luminance * (2 * covariance + c2) / (var_x + var_y + c2)


def test_structural_similarity_equals_its_formula():
    x, y = rng.random((2, 1, 11, 11, 1))
    found = reconstruction.structural_similarity(x, (x + y) / 2)
    assert found == pytest.approx(direct_ssim(x[0, ..., 0], (x + y)[0, ..., 0] / 2), abs=1e-4)


@pytest.mark.parametrize("size", [(14, 12), (8, 8), (2, 30)])
def test_equal_images_of_any_size_have_similarity_1(size):
    x = rng.random((3, *size, 3))
    assert reconstruction.structural_similarity(x, x) == pytest.approx(1, abs=1e-6)
    assert reconstruction.structural_similarity(x, 1 - x) < 0.5


@pytest.mark.parametrize(
    "measure",
    [
        reconstruction.mean_squared_error,
        reconstruction.binary_cross_entropy,
        reconstruction.peak_signal_to_noise_ratio,
        reconstruction.structural_similarity,
    ],
)
def test_images_that_do_not_fit_are_refused(measure):
    with pytest.raises(ValueError, match="Received"):
        measure(IMAGES, IMAGES[:3])


def test_parzen_with_one_sample_is_the_gaussian_density():
    x, center, sigma = rng.normal(size=(5, 3)), rng.normal(size=(1, 3)), 0.7
    squared = np.square(x - center).sum(axis=1)
    expected = -squared / (2 * sigma**2) - 1.5 * np.log(2 * np.pi * sigma**2)
    assert parzen.parzen_log_likelihoods(x, center, [sigma])[0] == pytest.approx(expected)


def test_parzen_with_many_samples_is_the_smoothed_density():
    """N(0, 1) with a kernel of width 0.5 is N(0, 1.25); the mean is minus its entropy."""
    samples, x = rng.normal(size=(20_000, 1)), rng.normal(0, 1.25**0.5, size=(4000, 1))
    mean, error = parzen.parzen(x, samples, 0.5)
    assert mean == pytest.approx(-0.5 * np.log(2 * np.pi * np.e * 1.25), abs=0.04)
    assert error == pytest.approx(0.5**0.5 / 4000**0.5, rel=0.1)


def test_parzen_does_not_underflow_far_from_every_sample():
    (value,) = parzen.parzen_log_likelihoods(np.full((1, 100), 50.0), np.zeros((3, 100)), [0.1])[0]
    expected = -(50**2 * 100) / (2 * 0.01) - 50 * np.log(2 * np.pi * 0.01)
    assert value == pytest.approx(expected)


def test_parzen_is_the_same_in_blocks(monkeypatch):
    x, samples = rng.normal(size=(300, 2)), rng.normal(size=(200, 2))
    whole = parzen.parzen_log_likelihoods(x, samples, [0.2, 1.0])
    monkeypatch.setattr(parzen, "_MEMORY", 0.05)  # 32 rows of distances
    assert np.allclose(parzen.parzen_log_likelihoods(x, samples, [0.2, 1.0]), whole)


def test_the_best_sigma_completes_the_distribution():
    """With one sample at the mean of N(0, 0.4^2), the best kernel is the distribution itself."""
    x = rng.normal(0, 0.4, size=(5000, 2))
    sample = np.zeros((1, 2))
    assert parzen.choose_sigma(x, sample, (0.1, 0.2, 0.4, 0.8)) == pytest.approx(0.4)
    # The geometric mean of two candidates is tried as well.
    assert parzen.choose_sigma(x, sample, (0.1, 0.25, 0.75, 2.0)) == pytest.approx(0.1875**0.5)
    # The candidates themselves remain possible.
    assert parzen.choose_sigma(x, sample, (0.001, 0.4, 10.0)) == pytest.approx(0.4)
    assert parzen.choose_sigma(x, sample, (0.7,)) == pytest.approx(0.7)


def test_frechet_distance_of_two_gaussians():
    a, b = rng.normal(size=(2, 3, 3))
    shift = np.array([1.0, -2.0, 0.5])
    real, generated = rng.normal(size=(2, 40_000, 3))
    found = generation.frechet_distance(real @ a, generated @ b + shift)
    c_a, c_b = a.T @ a, b.T @ b
    expected = shift @ shift + np.trace(c_a + c_b - 2 * np.real(sqrtm(c_a @ c_b)))
    assert found == pytest.approx(expected, rel=0.03)


def test_frechet_distance_along_one_feature():
    """Between N(0, 1) and N(3, 2^2): 3^2 + (2 - 1)^2."""
    x = rng.normal(size=(50_000, 1))
    assert generation.frechet_distance(x, 2 * x + 3) == pytest.approx(10, rel=0.03)
    assert generation.frechet_distance(x, x) == pytest.approx(0, abs=1e-9)


def test_kernel_distance_equals_its_definition():
    """All pairs of different points, one by one."""
    a, b = rng.normal(size=(5, 2)), rng.normal(1, 1, size=(4, 2))

    def kernel(p, q):
        return (p @ q / 2 + 1) ** 3

    within = [
        np.mean([kernel(p, q) for i, p in enumerate(s) for j, q in enumerate(s) if i != j])
        for s in (a, b)
    ]
    expected = sum(within) - 2 * np.mean([kernel(p, q) for p in a for q in b])
    assert generation.kernel_distance(a, b) == pytest.approx(expected)


def test_kernel_distance_of_one_distribution_is_0_on_average():
    distances = [generation.kernel_distance(*rng.normal(size=(2, 50, 2))) for _ in range(200)]
    assert np.mean(distances) == pytest.approx(0, abs=4 * np.std(distances) / 200**0.5)
    assert min(distances) < 0
    assert generation.kernel_distance(*rng.normal([[0]], [[[1]], [[2]]], (2, 700, 2))) > 1


def test_precision_and_recall_measure_wrong_and_missing_images():
    """One of two modes is generated, and half of the generated points are elsewhere."""
    real = np.concatenate([rng.random((500, 2)), rng.random((500, 2)) + 10])
    generated = np.concatenate([rng.random((500, 2)), rng.random((500, 2)) + 20])
    precision, recall = generation.precision_and_recall(real, generated)
    assert precision == pytest.approx(0.5, abs=0.03)
    assert recall == pytest.approx(0.5, abs=0.03)
    precision, recall = generation.precision_and_recall(real, real[:500])
    assert precision == 1
    assert recall == pytest.approx(0.5, abs=0.03)


def test_precision_uses_the_distance_to_the_kth_neighbour():
    """The second neighbours of 0, 1 and 3 on a line have the distances 3, 2 and 3."""
    real = np.array([[0.0], [1.0], [3.0]])
    generated = np.array([[6.0], [6.1], [-3.0], [-3.1]])
    assert generation.precision_and_recall(real, generated, k=2)[0] == 0.5


def test_features_of_different_widths_are_refused():
    for measure in (generation.frechet_distance, generation.kernel_distance):
        with pytest.raises(ValueError, match="Received"):
            measure(np.zeros((9, 2)), np.zeros((9, 3)))
