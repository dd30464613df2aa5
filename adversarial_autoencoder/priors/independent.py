"""Priors p(z) whose dimensions are independent and alike."""

import math

import tensorflow as tf

from adversarial_autoencoder.priors.prior import Prior, fold, positive, register


@register
class Gaussian(Prior):
    """Independent normal distributions N(0, std^2), the same in every dimension.

    Example:

    >>> Gaussian(std=5.0)(n=100, dim=2, seed=(0, 0)).shape
    TensorShape([100, 2])

    Args:
        std: Standard deviation, > 0.
    """

    def __init__(self, std=5.0):
        self.std = positive("std", std)

    def __call__(self, n, dim, seed):
        return tf.random.stateless_normal((n, dim), seed, stddev=self.std)

    def get_config(self):
        return {"std": self.std}


@register
class Uniform(Prior):
    """Independent uniform distributions on [-std * sqrt(3), std * sqrt(3)].

    Args:
        std: Standard deviation, > 0.
    """

    def __init__(self, std=5.0):
        self.std = positive("std", std)

    def __call__(self, n, dim, seed):
        limit = self.std * math.sqrt(3.0)
        return tf.random.stateless_uniform((n, dim), seed, -limit, limit)

    def get_config(self):
        return {"std": self.std}


@register
class Laplace(Prior):
    """Independent Laplace distributions with mean 0.

    Args:
        std: Standard deviation, > 0; the scale is std / sqrt(2).
    """

    def __init__(self, std=5.0):
        self.std = positive("std", std)

    def __call__(self, n, dim, seed):
        # The difference of two exponential distributions.
        u = tf.random.stateless_uniform((2, n, dim), seed, 1e-7, 1.0)
        return self.std / math.sqrt(2.0) * (tf.math.log(u[0]) - tf.math.log(u[1]))

    def get_config(self):
        return {"std": self.std}


@register
class Gamma(Prior):
    """Independent gamma distributions, on the positive numbers.

    Args:
        shape: Shape, > 0; the mean is shape * scale, the standard deviation sqrt(shape) * scale.
        std: Standard deviation, > 0.
    """

    def __init__(self, shape=2.0, std=5.0):
        self.shape = positive("shape", shape)
        self.std = positive("std", std)

    def __call__(self, n, dim, seed):
        # Marsaglia and Tsang 2000, the first accepted of 12 proposals (each is accepted with a
        # probability above 0.95); TensorFlow's own sampler does not compile with XLA.
        shape = self.shape if self.shape >= 1 else self.shape + 1
        d = shape - 1 / 3
        x = tf.random.stateless_normal((12, n, dim), fold(seed, 1))
        u = tf.random.stateless_uniform((12, n, dim), fold(seed, 2), 1e-37, 1.0)
        v = (1 + x / math.sqrt(9 * d)) ** 3
        bound = 0.5 * x**2 + d * (1 - v + tf.math.log(tf.maximum(v, 1e-37)))
        accepted = (v > 0) & (tf.math.log(u) < bound)
        first = tf.one_hot(tf.argmax(accepted, axis=0, output_type="int32"), 12, axis=0)
        z = d * tf.reduce_sum(first * v, axis=0)
        if self.shape < 1:
            z *= tf.random.stateless_uniform((n, dim), fold(seed, 3)) ** (1 / self.shape)
        return self.std / math.sqrt(self.shape) * z

    def get_config(self):
        return {"shape": self.shape, "std": self.std}
