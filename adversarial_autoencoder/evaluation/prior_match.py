"""How well the codes of the encoder follow the prior.

Measures of z take codes and samples of the prior, of the same shape (n, dim).
"""

import numpy as np
from scipy.stats import ks_2samp
from sklearn.neighbors import NearestNeighbors

from adversarial_autoencoder.evaluation import mmd
from adversarial_autoencoder.evaluation.checks import check_same_shape, check_same_width


def sliced_wasserstein(z, z_prior, num_projections=100, seed=0):
    """Sliced Wasserstein-1 distance between two samples, in prior standard deviations.

    The mean, over random directions, of the Wasserstein-1 distance between the two samples
    projected onto the direction (Bonneel et al. 2015), divided by the root mean variance of
    `z_prior`. Two samples of 10 000 from the same 2-D Gaussian lie about 0.016 apart: compare with
    this figure between two samples of the prior, not with 0.

    Args:
        z: Codes, shape (n, dim).
        z_prior: Samples of the prior, of the same shape.
        num_projections: Number of random directions.
        seed: Seed of the directions.

    Returns:
        The distance, >= 0.

    Raises:
        ValueError: If the shapes differ.
    """
    check_same_shape(z, z_prior)
    directions = np.random.default_rng(seed).normal(size=(z.shape[1], num_projections))
    directions = (directions / np.linalg.norm(directions, axis=0)).T
    directions = directions.astype(np.result_type(z, z_prior, "float32"))
    # Along rows, which lie in one piece of memory.
    difference = np.sort(directions @ z.T) - np.sort(directions @ z_prior.T)
    return float(np.mean(np.abs(difference)) / np.sqrt(np.mean(np.var(z_prior, axis=0))))


def maximum_mean_discrepancy(z, z_prior):
    """Unbiased estimate of MMD^2 with a mean of inverse multiquadric kernels C / (C + d^2).

    Tolstikhin et al. 2018 ("Wasserstein Auto-Encoders", arXiv 1711.01558), section 4: C is twice
    the total variance of the prior, times 0.1, 0.2, 0.5, 1, 2, 5 and 10.

    Returns:
        A number, 0 on average for two samples of one distribution, and so at times below 0.
    """
    check_same_shape(z, z_prior)
    variance = float(np.var(z_prior, axis=0, dtype="float64").sum())
    scales = [2 * variance * factor for factor in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)]

    def kernel(a, b):
        squared = np.square(a).sum(axis=1)[:, None] + np.square(b).sum(axis=1) - 2 * a @ b.T
        squared = np.maximum(squared, 0)
        return sum(scale / (scale + squared) for scale in scales) / len(scales)

    return mmd.maximum_mean_discrepancy(z, z_prior, kernel)


def kolmogorov_smirnov(z, z_prior):
    """Largest difference between the cumulative distributions of codes and prior, per dimension.

    Returns:
        An array of shape (dim,), with numbers in [0, 1].
    """
    check_same_width(z, z_prior)
    return np.array([ks_2samp(*pair).statistic for pair in zip(z.T, z_prior.T, strict=True)])


def nearest_distances(points, z):
    """Distance of each point to the nearest code.

    Args:
        points: Points in the space of z, shape (m, dim).
        z: Codes, shape (n, dim).

    Returns:
        An array of shape (m,), in units of z.
    """
    check_same_width(points, z)
    return NearestNeighbors(n_neighbors=1).fit(z).kneighbors(points)[0][:, 0]


def gaps(z, z_prior, radius):
    """The share of the prior's mass that is farther than `radius` from any code: empty regions.

    Args:
        z: Codes, shape (n, dim).
        z_prior: Samples of the prior, shape (m, dim).
        radius: A distance in units of z, > 0. `gap_radius` gives one that suits the prior.

    Returns:
        A share in [0, 1].
    """
    return float(np.mean(nearest_distances(z_prior, z) > radius))


def gap_radius(z_prior, other, share=0.01):
    """The radius at which two samples of the prior leave gaps of the size `share` between them.

    Args:
        z_prior: Samples of the prior, shape (m, dim).
        other: Samples of the prior, as many as there are codes, shape (n, dim).
        share: A share in (0, 1).

    Returns:
        The radius, in units of z.
    """
    return float(np.quantile(nearest_distances(z_prior, other), 1 - share))


def categorical_divergence(shares, prior_shares):
    """Kullback-Leibler divergence KL(q(y) || p(y)) of the shares of y from those of its prior.

    Args:
        shares: Mean over images of q(y|x), shape (k,), which sums to 1.
        prior_shares: Shares of the prior, above 0, shape (k,).

    Returns:
        The divergence in nats, >= 0; log k where one value of k that should be equal takes all.
    """
    check_same_shape(shares, prior_shares)
    used = shares > 0
    return float(np.sum(shares[used] * np.log(shares[used] / prior_shares[used])))


def perplexity(shares):
    """The number of values in use: the exponential of the entropy of their shares.

    Args:
        shares: Probabilities that sum to 1, shape (k,).

    Returns:
        A number from 1 (one value takes all) to k (all are used alike).
    """
    used = shares[shares > 0]
    return float(np.exp(-np.sum(used * np.log(used))))
