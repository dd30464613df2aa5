"""A density fitted to the codes after the training, to sample from instead of the prior.

Ghosh et al. 2020 ("From Variational to Deterministic Autoencoders", arXiv 1903.12436), section 4.
"""

import numpy as np
from sklearn.mixture import GaussianMixture


def sample(z, n, num_components=10, seed=0):
    """Samples of a mixture of Gaussians with full covariances, fitted to codes.

    Args:
        z: Codes of training images, shape (m, dim), m >= 2.
        n: Number of samples, >= 1.
        num_components: Number of Gaussians; no more than there are codes.
        seed: Seed of the fit and of the samples.

    Returns:
        A float32 array of shape (n, dim).
    """
    mixture = GaussianMixture(min(num_components, len(z)), random_state=seed)
    samples, _ = mixture.fit(np.asarray(z, "float64")).sample(n)
    # scikit-learn gives them component by component.
    return np.random.default_rng(seed).permutation(samples).astype("float32")
