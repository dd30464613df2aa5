"""Priors p(z) with independent, identically distributed dimensions."""

import math

import tensorflow as tf

from adversarial_autoencoder.priors.prior import Prior, fold, positive, register


@register
class Gaussian(Prior):
    """A normal distribution N(0, std^2) in every dimension.

    This is the prior of the first experiments of Makhzani et al. 2015 (arXiv 1511.05644, section 2
    and section 3), with a standard deviation of 5.

    Args:
        std: Standard deviation, > 0.

    Raises:
        ValueError: If `std` is not finite and above 0.

    Example:
        >>> from adversarial_autoencoder import priors
        >>> z = priors.draw(priors.Gaussian(std=5.0), n=10_000, dim=2)
        >>> print(z.shape, f"{z.std():.1f}")
        (10000, 2) 5.0
    """

    def __init__(self, std=5.0):
        self.std = positive("std", std)

    def __call__(self, n, dim, seed):
        """Draws n samples; `seed` is an integer tensor of shape (2,)."""
        return tf.random.stateless_normal((n, dim), seed, stddev=self.std)

    def get_config(self):
        """Returns the constructor's arguments, which Keras saves."""
        return {"std": self.std}


@register
class Uniform(Prior):
    """A uniform distribution on [-std * sqrt(3), std * sqrt(3)] in every dimension.

    Args:
        std: Standard deviation, > 0.

    Raises:
        ValueError: If `std` is not finite and above 0.

    Example:
        >>> from adversarial_autoencoder import priors
        >>> z = priors.draw(priors.Uniform(std=1.0), n=1000, dim=2)
        >>> print(f"{z.min():.1f} {z.max():.1f}")
        -1.7 1.7
    """

    def __init__(self, std=5.0):
        self.std = positive("std", std)

    def __call__(self, n, dim, seed):
        """Draws n samples; `seed` is an integer tensor of shape (2,)."""
        limit = self.std * math.sqrt(3.0)
        return tf.random.stateless_uniform((n, dim), seed, -limit, limit)

    def get_config(self):
        """Returns the constructor's arguments, which Keras saves."""
        return {"std": self.std}


@register
class Laplace(Prior):
    """A Laplace distribution with mean 0 and scale std / sqrt(2) in every dimension.

    Args:
        std: Standard deviation, > 0.

    Raises:
        ValueError: If `std` is not finite and above 0.

    Example:
        >>> from adversarial_autoencoder import priors
        >>> z = priors.draw(priors.Laplace(std=5.0), n=10_000, dim=2)
        >>> print(z.shape, f"{z.std():.1f}")
        (10000, 2) 5.0
    """

    def __init__(self, std=5.0):
        self.std = positive("std", std)

    def __call__(self, n, dim, seed):
        """Draws n samples; `seed` is an integer tensor of shape (2,)."""
        # The difference of two exponential variables has a Laplace distribution.
        u = tf.random.stateless_uniform((2, n, dim), seed, 1e-7, 1.0)
        return self.std / math.sqrt(2.0) * (tf.math.log(u[0]) - tf.math.log(u[1]))

    def get_config(self):
        """Returns the constructor's arguments, which Keras saves."""
        return {"std": self.std}


@register
class Gamma(Prior):
    """A gamma distribution, on the positive numbers, in every dimension.

    The scale is std / sqrt(shape), so the mean is std * sqrt(shape).

    Args:
        shape: Shape parameter, > 0.
        std: Standard deviation, > 0.

    Raises:
        ValueError: If `shape` or `std` is not finite and above 0.

    Example:
        >>> from adversarial_autoencoder import priors
        >>> z = priors.draw(priors.Gamma(shape=4.0, std=1.0), n=10_000, dim=2)
        >>> print(f"{z.mean():.0f} {z.std():.0f}")
        2 1
    """

    def __init__(self, shape=2.0, std=5.0):
        self.shape = positive("shape", shape)
        self.std = positive("std", std)

    def __call__(self, n, dim, seed):
        """Draws n samples; `seed` is an integer tensor of shape (2,)."""
        # The rejection sampler of Marsaglia and Tsang 2000, "A Simple Method for Generating Gamma
        # Variables", because TensorFlow's own sampler does not compile with XLA. Each proposal is
        # accepted with a probability above 0.95, so 12 proposals are enough.
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
        """Returns the constructor's arguments, which Keras saves."""
        return {"shape": self.shape, "std": self.std}
