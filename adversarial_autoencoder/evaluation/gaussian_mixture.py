"""A Gaussian mixture fitted to the codes, an alternative to the prior when generating.

After training, the codes follow the prior only approximately. The decoder has seen no codes in
regions that the encoder leaves empty, so samples of the prior from these regions give poor images.
The fitted mixture follows the codes more closely. It is fitted once, after training, and the model
does not change.

Ghosh et al. 2020 ("From Variational to Deterministic Autoencoders", arXiv 1903.12436), section 4.
The paper always uses 10 components. Here, held-out codes select the number of components.
"""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

# Candidates for the number of components.
COMPONENTS = (1, 3, 10, 30, 100)

# A candidate needs this many codes for each component and dimension, as covariances are full.
CODES_PER_DIMENSION = 10

# Maximum number of expectation-maximization steps.
MAX_STEPS = 25


def fit(z: np.ndarray, seed: int = 0) -> GaussianMixture:
    """Fits Gaussian mixtures with full covariances to codes and selects the best one.

    The function holds out a tenth of the codes. It fits one mixture for each number of components
    in `COMPONENTS` to the other codes, and returns the mixture with the highest log-likelihood of
    the held-out codes. Without enough codes (see `CODES_PER_DIMENSION`) it skips the large numbers.

    Args:
        z: Codes of training images, shape (n, dim), n >= 2.
        seed: Seed of the choice of held-out codes and of the fit.

    Returns:
        A fitted `sklearn.mixture.GaussianMixture`.

    Example:
        >>> import numpy as np
        >>> from adversarial_autoencoder.evaluation import gaussian_mixture
        >>> z = np.random.default_rng(0).normal([[-5, 0]] * 300 + [[5, 0]] * 300)
        >>> mixture = gaussian_mixture.fit(z)
        >>> gaussian_mixture.sample(mixture, 4).shape
        (4, 2)
    """
    z = np.random.default_rng(seed).permutation(np.asarray(z, "float64"))
    held_out, fitted = np.split(z, [len(z) // 10])
    max_components = len(fitted) / (CODES_PER_DIMENSION * z.shape[1])
    mixtures = [
        GaussianMixture(k, max_iter=MAX_STEPS, random_state=seed)
        for k in COMPONENTS
        if k == 1 or k <= max_components
    ]
    with warnings.catch_warnings():
        # scikit-learn warns after MAX_STEPS, or if there are fewer distinct codes than components.
        # Neither matters, because the held-out codes judge each mixture.
        warnings.simplefilter("ignore", ConvergenceWarning)
        for mixture in mixtures:
            mixture.fit(fitted)
    if len(mixtures) == 1:  # With fewer than 10 codes, none are held out to compute a score.
        return mixtures[0]
    return max(mixtures, key=lambda mixture: mixture.score(held_out))


def sample(mixture: GaussianMixture, n: int) -> np.ndarray:
    """Samples codes from a mixture that `fit` returned.

    Each call returns the same codes.

    Args:
        mixture: A fitted `sklearn.mixture.GaussianMixture` with an integer `random_state`.
        n: Number of samples, >= 1.

    Returns:
        A float32 array of shape (n, dim), in random order.
    """
    samples, _ = mixture.sample(n)
    # scikit-learn returns the samples sorted by component.
    return np.random.default_rng(0).permutation(samples).astype("float32")
