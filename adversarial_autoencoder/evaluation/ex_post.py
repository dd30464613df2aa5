"""A density fitted to the codes after the training, to sample from instead of the prior.

Ghosh et al. 2020 ("From Variational to Deterministic Autoencoders", arXiv 1903.12436), section 4,
with the number of Gaussians found on held-out codes rather than always 10.
"""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

# Numbers of Gaussians that are tried, one after the other.
COMPONENTS = 1, 3, 10, 30, 100


def fit(z, seed=0):
    """Fits a mixture of Gaussians with full covariances to codes.

    A tenth of them is held out: the number of Gaussians grows as long as that makes the held-out
    codes more likely, to `COMPONENTS[-1]` at most.

    Args:
        z: Codes of training images, shape (m, dim), m >= 2.
        seed: Seed of the choice of the held-out codes, and of the fit.

    Returns:
        The `sklearn.mixture.GaussianMixture`.
    """
    z = np.random.default_rng(seed).permutation(np.asarray(z, "float64"))
    held_out, fitted = np.split(z, [-(-len(z) // 10)])
    best, best_score = None, -np.inf
    for num_components in COMPONENTS:
        if num_components > len(fitted):
            break
        mixture = GaussianMixture(num_components, random_state=seed)
        with warnings.catch_warnings():
            # The held-out codes tell whether it was good enough.
            warnings.simplefilter("ignore", ConvergenceWarning)
            score = mixture.fit(fitted).score(held_out)
        if not score > best_score:
            break
        best, best_score = mixture, score
    return best


def sample(mixture, n, seed=0):
    """Samples codes of a fitted mixture.

    Args:
        mixture: A fitted `sklearn.mixture.GaussianMixture`, such as that of `fit`.
        n: Number of samples, >= 1.
        seed: Seed of their order; the samples are drawn with the mixture's own.

    Returns:
        A float32 array of shape (n, dim).
    """
    samples, _ = mixture.sample(n)
    # scikit-learn gives them component by component.
    return np.random.default_rng(seed).permutation(samples).astype("float32")
