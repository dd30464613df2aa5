"""The mean and the standard deviation of a prior."""

import numpy as np

from adversarial_autoencoder.priors.independent import Gaussian, Laplace, Uniform
from adversarial_autoencoder.priors.prior import draw


def moments(prior, dim, n=10000):
    """Computes the mean and the standard deviation of a prior in each dimension.

    They are exact for `Gaussian`, `Uniform` and `Laplace`, and estimated from samples for any other
    prior.

    Args:
        prior: A `Prior` or a function `(n, dim, seed) -> tensor`.
        dim: Number of dimensions of the code, >= 1.
        n: Number of samples of the estimate.

    Returns:
        Mean and standard deviation, two float32 arrays of shape (dim,).

    Example:
        >>> from adversarial_autoencoder import priors
        >>> mean, std = priors.moments(priors.Laplace(std=5.0), dim=2)
        >>> mean.tolist(), std.tolist()
        ([0.0, 0.0], [5.0, 5.0])
    """
    if type(prior) in (Gaussian, Uniform, Laplace):
        return np.zeros(dim, "float32"), np.full(dim, prior.std, "float32")
    z = draw(prior, n, dim)
    return z.mean(axis=0), z.std(axis=0)
