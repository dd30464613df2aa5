"""Distances between the codes of the encoder and samples of the prior.

A distance between two finite samples is rarely 0, even if both come from the prior. Compare the
distance of the codes with the distance between two samples of the prior.
"""

import numpy as np

from adversarial_autoencoder.evaluation import mmd
from adversarial_autoencoder.evaluation.checks import check_same_shape, check_same_width


def sliced_wasserstein(
    z: np.ndarray, z_prior: np.ndarray, num_projections: int = 100, seed: int = 0
) -> float:
    """Computes the sliced Wasserstein-1 distance between two samples.

    Bonneel et al. 2015 ("Sliced and Radon Wasserstein Barycenters of Measures"). The function
    projects both samples onto random directions. It averages the Wasserstein-1 distances of the
    projections, then divides by the standard deviation of `z_prior` (root mean variance over the
    dimensions). Two samples of 10 000 points from the same 2-D Gaussian have a distance of about
    0.016.

    Args:
        z: Codes, shape (n, dim).
        z_prior: Samples of the prior, shape (n, dim).
        num_projections: Number of random directions, >= 1.
        seed: Seed of the directions.

    Returns:
        The distance, >= 0, in standard deviations of the prior.

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> import numpy as np
        >>> from adversarial_autoencoder.evaluation.prior_match import sliced_wasserstein
        >>> z, z_prior = np.random.default_rng(0).normal(size=(2, 1000, 2))
        >>> sliced_wasserstein(z, z_prior) < 0.1 < sliced_wasserstein(z + 1, z_prior)
        True
    """
    check_same_shape(z, z_prior)
    directions = np.random.default_rng(seed).normal(size=(z.shape[1], num_projections))
    directions = (directions / np.linalg.norm(directions, axis=0)).T
    directions = directions.astype(np.result_type(z, z_prior, "float32"))
    # One row for each direction: sorting contiguous rows is faster than sorting columns.
    difference = np.sort(directions @ z.T) - np.sort(directions @ z_prior.T)
    # One point has no standard deviation; its distance is in units of z.
    scale = np.sqrt(np.mean(np.var(z_prior, axis=0))) or 1.0
    return float(np.mean(np.abs(difference)) / scale)


def maximum_mean_discrepancy(z: np.ndarray, z_prior: np.ndarray) -> float:
    """Computes the unbiased squared MMD with the mean of inverse multiquadric kernels.

    Tolstikhin et al. 2018 ("Wasserstein Auto-Encoders", arXiv 1711.01558), section 4. The kernels
    are C / (C + d^2), where d is the distance between two points. The scales C are twice the total
    variance of the prior, multiplied by 0.1, 0.2, 0.5, 1, 2, 5 and 10.

    Args:
        z: Codes, shape (n, dim), n >= 2.
        z_prior: Samples of the prior, shape (n, dim).

    Returns:
        The estimate. Its mean is 0 for two samples of the same distribution, so it can be negative.

    Raises:
        ValueError: If the shapes differ.
    """
    check_same_shape(z, z_prior)
    variance = float(np.var(z_prior, axis=0, dtype="float64").sum())
    scales = [2 * variance * factor for factor in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)]

    def kernel(a, b):
        squared = np.square(a).sum(axis=1)[:, None] + np.square(b).sum(axis=1) - 2 * a @ b.T
        squared = np.maximum(squared, 0)
        return sum(scale / (scale + squared) for scale in scales) / len(scales)

    return mmd.maximum_mean_discrepancy(z, z_prior, kernel)


def kolmogorov_smirnov(z: np.ndarray, z_prior: np.ndarray) -> np.ndarray:
    """Computes the two-sample Kolmogorov-Smirnov statistic of each dimension.

    The statistic is the largest difference between the cumulative distributions of the codes and
    of the prior samples.

    Args:
        z: Codes, shape (n, dim).
        z_prior: Samples of the prior, shape (m, dim).

    Returns:
        A float array of shape (dim,), values in [0, 1].

    Raises:
        ValueError: If the arrays are not two-dimensional or their row lengths differ.
    """
    check_same_width(z, z_prior)
    from scipy.stats import ks_2samp

    return np.array([ks_2samp(*pair).statistic for pair in zip(z.T, z_prior.T, strict=True)])


def nearest_distances(points: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Computes the distance of each point to its nearest code.

    Args:
        points: Points in the latent space, shape (m, dim).
        z: Codes, shape (n, dim).

    Returns:
        A float array of shape (m,), in units of z.

    Raises:
        ValueError: If the arrays are not two-dimensional or their row lengths differ.
    """
    check_same_width(points, z)
    from sklearn.neighbors import NearestNeighbors

    return NearestNeighbors(n_neighbors=1).fit(z).kneighbors(points)[0][:, 0]


def gaps(z: np.ndarray, z_prior: np.ndarray, radius: float) -> float:
    """Computes the fraction of prior samples in gaps, the regions without codes.

    A prior sample is in a gap if no code is within `radius`.

    Args:
        z: Codes, shape (n, dim).
        z_prior: Samples of the prior, shape (m, dim).
        radius: A distance above 0, in units of z. `gap_radius` computes a suitable radius.

    Returns:
        The fraction, in [0, 1].

    Raises:
        ValueError: If the arrays are not two-dimensional or their row lengths differ.
    """
    return float(np.mean(nearest_distances(z_prior, z) > radius))


def gap_radius(z_prior: np.ndarray, other: np.ndarray, share: float = 0.01) -> float:
    """Computes the radius for which `gaps` of two samples of the prior is equal to `share`.

    Args:
        z_prior: Samples of the prior, shape (m, dim).
        other: Other samples of the prior, shape (n, dim), with as many points as there are codes.
        share: The fraction of samples in gaps, in (0, 1).

    Returns:
        The radius, in units of z.

    Raises:
        ValueError: If the arrays are not two-dimensional or their row lengths differ.
    """
    return float(np.quantile(nearest_distances(z_prior, other), 1 - share))


def categorical_divergence(shares: np.ndarray, prior_shares: np.ndarray) -> float:
    """Computes the Kullback-Leibler divergence KL(q(y) || p(y)) of y from its prior.

    Args:
        shares: q(y), the mean of q(y|x) over the images, shape (k,), with sum 1.
        prior_shares: p(y), shape (k,), all above 0, with sum 1.

    Returns:
        The divergence in nats, >= 0. It is log k if p(y) is uniform and all images have the same y.

    Raises:
        ValueError: If the shapes differ.
    """
    check_same_shape(shares, prior_shares)
    used = shares > 0
    return float(np.sum(shares[used] * np.log(shares[used] / prior_shares[used])))


def perplexity(shares: np.ndarray) -> float:
    """Computes the perplexity, the effective number of values of y in use.

    The perplexity is the exponential of the entropy.

    Args:
        shares: Probabilities of the values, shape (k,), with sum 1.

    Returns:
        A number in [1, k]: 1 if one value has probability 1, k if all values are equally probable.

    Example:
        >>> import numpy as np
        >>> from adversarial_autoencoder.evaluation.prior_match import perplexity
        >>> round(perplexity(np.array([0.5, 0.5, 0.0, 0.0])), 6)
        2.0
    """
    used = shares[shares > 0]
    return float(np.exp(-np.sum(used * np.log(used))))
