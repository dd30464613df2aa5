"""The base class of the priors, and the functions that sample a prior."""

import math

import keras
import numpy as np
import tensorflow as tf


class Prior:
    """Base class of the priors that Keras can save with a model.

    A subclass implements `__call__` and `get_config`. A plain function `(n, dim, seed) -> tensor`
    is a prior too. To load a saved model, Keras needs to know your class or function: decorate it
    with `keras.saving.register_keras_serializable()`.

    Attributes:
        has_components: Whether the prior has one component for each class. `__call__` then also
            accepts `labels`.

    Example:
        >>> import tensorflow as tf
        >>> from adversarial_autoencoder import priors
        >>> class UnitCircle(priors.Prior):
        ...     def __call__(self, n, dim, seed):
        ...         z = tf.random.stateless_normal((n, dim), seed)
        ...         return z / tf.norm(z, axis=1, keepdims=True)
        >>> z = priors.draw(UnitCircle(), n=3, dim=2)
        >>> print((z**2).sum(axis=1).round(3))
        [1. 1. 1.]
    """

    has_components = False

    def __call__(self, n, dim, seed) -> tf.Tensor:
        """Draws samples.

        Args:
            n: Number of samples, an integer or an integer scalar tensor.
            dim: Number of dimensions of the code, >= 1.
            seed: Integer tensor of shape (2,).

        Returns:
            A float tensor of shape (n, dim).

        Raises:
            NotImplementedError: If the subclass does not implement this method.
        """
        raise NotImplementedError

    def get_config(self):
        """Returns the constructor's arguments, which Keras saves."""
        return {}

    @classmethod
    def from_config(cls, config):
        """Makes the prior from the result of `get_config`."""
        return cls(**config)


def register(cls):
    """Registers a class of this package for saving by Keras; a class decorator."""
    return keras.saving.register_keras_serializable("adversarial_autoencoder")(cls)


def draw(prior, n, dim, seed=0, labels=None):
    """Draws samples of a prior as a NumPy array.

    Args:
        prior: A `Prior` or a function `(n, dim, seed) -> tensor`.
        n: Number of samples, >= 1.
        dim: Number of dimensions of the code, >= 1.
        seed: Integer >= 0. The same seed gives the same samples.
        labels: Component of each sample, integers of shape (n,), negative for "unlabelled". None:
            draw from the whole prior. A prior without components ignores the labels.

    Returns:
        A float32 array of shape (n, dim).

    Example:
        >>> from adversarial_autoencoder import priors
        >>> priors.draw(priors.Gaussian(std=5.0), n=100, dim=2, seed=1).shape
        (100, 2)
    """
    # Folded, so that the samples differ from the noise of every training step with the same seed.
    key = tf.random.fold_in(tf.constant([seed, 0], "int64"), 1)
    return np.asarray(sample(prior, n, dim, key, labels), "float32")


def sample(prior, n, dim, seed, labels=None):
    """Draws samples of a prior in a graph.

    A prior without components ignores the labels. If the discriminator sees the labels, such a
    prior makes the codes independent of the labels.

    Args:
        prior: A `Prior` or a function `(n, dim, seed) -> tensor`.
        n: Number of samples, an integer or an integer scalar tensor.
        dim: Number of dimensions of the code, >= 1.
        seed: Integer tensor of shape (2,).
        labels: Component of each sample, integers of shape (n,), negative for "unlabelled"; or
            None.

    Returns:
        The result of the prior, a tensor of shape (n, dim).
    """
    if labels is None or not getattr(prior, "has_components", False):
        return prior(n, dim, seed)
    return prior(n, dim, seed, labels=labels)


def fold(seed, number):
    """Makes a separate seed for each use of randomness in a prior.

    Args:
        seed: Integer tensor of shape (2,).
        number: Number of the use, an integer.

    Returns:
        An integer tensor of shape (2,).
    """
    return tf.random.fold_in(seed, number)


def positive(name, value):
    """Checks an argument of a prior.

    Args:
        name: Name of the argument.
        value: A number.

    Returns:
        The value as a float.

    Raises:
        ValueError: If the value is not finite and above 0.
    """
    if not (value > 0 and math.isfinite(value)):
        raise ValueError(f"{name} of a prior must be above 0. Received: {name}={value}")
    return float(value)
