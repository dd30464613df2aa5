"""What every prior has, and how a prior is sampled."""

import math

import keras
import numpy as np
import tensorflow as tf


class Prior:
    """A prior that Keras can save: its config is the arguments of its constructor."""

    # Whether it has a component for each class, and takes labels.
    has_components = False

    def __call__(self, n, dim, seed):
        raise NotImplementedError

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def register(cls):
    return keras.saving.register_keras_serializable("adversarial_autoencoder")(cls)


def draw(prior, n, dim, seed=0, labels=None):
    """Samples a prior outside of a graph.

    Args:
        prior: A callable `(n, dim, seed) -> tensor`.
        n: Number of samples, >= 1.
        dim: Dimensions of the code, >= 1.
        seed: Integer >= 0; the same seed gives the same samples.
        labels: The component of each sample, shape (n,), for a prior that has them; or None.

    Returns:
        A float32 array of shape (n, dim).
    """
    # Folded, so that it differs from the noise of any step of a training with the same seed.
    key = tf.random.fold_in(tf.constant([seed, 0], "int64"), 1)
    return np.asarray(sample(prior, n, dim, key, labels), "float32")


def sample(prior, n, dim, seed, labels=None):
    """Samples a prior in a graph, of the components of `labels` where it has components.

    A prior without them is the same for every label: conditioned on the labels too, the codes are
    then independent of them.

    Args:
        prior: A callable `(n, dim, seed) -> tensor`, or one that also takes `labels`.
        n: Number of samples.
        dim: Dimensions of the code.
        seed: Integers of shape (2,).
        labels: Integers of shape (n,), negative for "unlabelled"; or None.
    """
    if labels is None or not getattr(prior, "has_components", False):
        return prior(n, dim, seed)
    return prior(n, dim, seed, labels=labels)


def fold(seed, number):
    """A seed of its own for each use of randomness within a prior."""
    return tf.random.fold_in(seed, number)


def positive(name, value):
    if not (value > 0 and math.isfinite(value)):
        raise ValueError(f"{name} of a prior must be above 0. Received: {name}={value}")
    return float(value)
