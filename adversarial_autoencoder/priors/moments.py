"""Mean and standard deviation of a prior."""

import numpy as np

from adversarial_autoencoder.priors.independent import Gaussian, Laplace, Uniform
from adversarial_autoencoder.priors.prior import draw


def moments(prior, dim, n=10000):
    """Mean and standard deviation of a prior in each dimension.

    Args:
        prior: A callable `(n, dim, seed) -> tensor`.
        dim: Dimensions of the code, >= 1.
        n: Number of samples to estimate them from, where the prior does not know them.

    Returns:
        Two float32 arrays of shape (dim,).
    """
    if isinstance(prior, (Gaussian, Uniform, Laplace)):
        return np.zeros(dim, "float32"), np.full(dim, prior.std, "float32")
    z = draw(prior, n, dim)
    return z.mean(axis=0), z.std(axis=0)
