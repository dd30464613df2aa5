"""Prior distributions p(z): samplers in the TensorFlow graph.

A prior is any callable `(n, dim, seed) -> tensor of shape (n, dim)`. `seed` is an integer tensor of
shape (2,), as the `tf.random.stateless_*` functions take it: the same seed gives the same samples,
so a resumed training goes on with the noise that it would have had.
"""

import keras
import numpy as np
import tensorflow as tf


class Prior:
    """A prior that Keras can save: its config is the arguments of its constructor."""

    def __call__(self, n, dim, seed):
        raise NotImplementedError

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


@keras.saving.register_keras_serializable("adversarial_autoencoder")
class Gaussian(Prior):
    """Independent normal distributions N(0, std^2), the same in every dimension.

    Example:

    >>> Gaussian(std=5.0)(n=100, dim=2, seed=(0, 0)).shape
    TensorShape([100, 2])

    Args:
        std: Standard deviation, > 0.
    """

    def __init__(self, std=5.0):
        if not std > 0:
            raise ValueError(f"The prior's standard deviation must be above 0. Received: std={std}")
        self.std = float(std)

    def __call__(self, n, dim, seed):
        return tf.random.stateless_normal((n, dim), seed, stddev=self.std)

    def get_config(self):
        return {"std": self.std}


def draw(prior, n, dim, seed=0):
    """Samples a prior outside of a graph.

    Args:
        prior: A callable `(n, dim, seed) -> tensor`.
        n: Number of samples, >= 1.
        dim: Dimensions of the code, >= 1.
        seed: Integer >= 0; the same seed gives the same samples.

    Returns:
        A float32 array of shape (n, dim).
    """
    # Folded, so that it differs from the noise of any step of a training with the same seed.
    key = tf.random.fold_in(tf.constant([seed, 0], "int64"), 1)
    return np.asarray(prior(n, dim, key), "float32")


def moments(prior, dim, n=10000):
    """Mean and standard deviation of a prior in each dimension.

    Args:
        prior: A callable `(n, dim, seed) -> tensor`.
        dim: Dimensions of the code, >= 1.
        n: Number of samples to estimate them from, where the prior does not know them.

    Returns:
        Two float32 arrays of shape (dim,).
    """
    if isinstance(prior, Gaussian):
        return np.zeros(dim, "float32"), np.full(dim, prior.std, "float32")
    z = draw(prior, n, dim)
    return z.mean(axis=0), z.std(axis=0)
