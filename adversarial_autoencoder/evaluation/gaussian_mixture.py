"""A density fitted to the codes after the training, to sample from instead of the prior.

Ghosh et al. 2020 ("From Variational to Deterministic Autoencoders", arXiv 1903.12436), section 4,
which has always 10 Gaussians; here held-out codes tell how many.
"""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

# Numbers of Gaussians that are tried, while each has so many codes for each of its dimensions.
COMPONENTS, CODES_PER_DIMENSION = (1, 3, 10, 30, 100), 10

# Steps of expectation and maximization, at most.
MAX_STEPS = 25


def fit(z, seed=0):
    """Fits mixtures of Gaussians with full covariances to codes, and chooses one.

    A tenth of the codes is held out. The mixture is the one of those with `COMPONENTS` Gaussians,
    fitted to the others, in which the held-out codes are the most likely.

    Args:
        z: Codes of training images, shape (m, dim), m >= 2.
        seed: Seed of the choice of the held-out codes, and of the fit.

    Returns:
        A `sklearn.mixture.GaussianMixture`.
    """
    z = np.random.default_rng(seed).permutation(np.asarray(z, "float64"))
    held_out, fitted = np.split(z, [len(z) // 10])
    enough = len(fitted) / (CODES_PER_DIMENSION * z.shape[1])
    mixtures = [
        GaussianMixture(k, max_iter=MAX_STEPS, random_state=seed)
        for k in COMPONENTS
        if k == 1 or k <= enough
    ]
    with warnings.catch_warnings():
        # Of too few steps, or fewer distinct codes than Gaussians: the held-out codes judge that.
        warnings.simplefilter("ignore", ConvergenceWarning)
        for mixture in mixtures:
            mixture.fit(fitted)
    if len(mixtures) == 1:  # Of less than 10 codes none is held out.
        return mixtures[0]
    return max(mixtures, key=lambda mixture: mixture.score(held_out))


def sample(mixture, n):
    """Samples codes of a fitted mixture, the same in each call.

    Args:
        mixture: A fitted `sklearn.mixture.GaussianMixture`, such as that of `fit`.
        n: Number of samples, >= 1.

    Returns:
        A float32 array of shape (n, dim).
    """
    samples, _ = mixture.sample(n)
    # scikit-learn gives them component by component.
    return np.random.default_rng(0).permutation(samples).astype("float32")
