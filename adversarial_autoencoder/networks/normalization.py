"""Normalization of the codes of an encoder to the mean and standard deviation of the prior."""

import keras
import numpy as np
from keras import layers

from adversarial_autoencoder import priors
from adversarial_autoencoder.devices import replicas

# Of the moving statistics: the features of an encoder change faster than those of a classifier.
MOMENTUM = 0.98


def normalized_features(h):
    """Normalizes features over the minibatch to mean 0 and variance 1.

    Args:
        h: Features, a Keras tensor of shape (batch, units).

    Returns:
        A Keras tensor of the same shape.
    """
    layer = layers.BatchNormalization(
        center=False,
        scale=False,
        momentum=MOMENTUM,
        synchronized=replicas.is_divided(),
        dtype="float32",
        name="encoder_z_features",
    )
    return layer(h)


def normalized_codes(z, prior):
    """Shifts and scales codes to the mean and standard deviation of the prior in each dimension.

    Args:
        z: Codes, a Keras tensor of shape (batch, z_dim).
        prior: The prior of z.

    Returns:
        A Keras tensor of the same shape.
    """
    normalization = RunningNormalization(
        center=False,
        scale=False,
        epsilon=1e-6,
        momentum=MOMENTUM,
        synchronized=replicas.is_divided(),
        dtype="float32",
        name="encoder_z_normalized",
    )
    mean, std = finite_moments(prior, z.shape[-1])
    rescaling = layers.Rescaling(
        std.tolist(), mean.tolist(), dtype="float32", name="encoder_z_scaled"
    )
    return rescaling(normalization(z))


def finite_moments(prior, dim):
    """The mean and standard deviation of a prior, which must be finite and not 0.

    Args:
        prior: A prior of z.
        dim: Number of dimensions of the code.

    Returns:
        Two float32 arrays of shape (dim,).

    Raises:
        ValueError: If the mean is not finite, or a standard deviation is 0 or not finite.
    """
    mean, std = priors.moments(prior, dim)
    if not (np.isfinite(mean).all() and np.isfinite(std).all() and std.min() > 0):
        raise ValueError(
            "The prior must have a finite mean and, in each dimension, a standard deviation above 0"
            f". Received: standard deviation {std}"
        )
    return mean, std


@keras.saving.register_keras_serializable("adversarial_autoencoder")
class RunningNormalization(layers.BatchNormalization):
    """Batch normalization that uses the moving statistics in training too.

    The statistics of a single minibatch would add noise to the codes. The gradient is that of batch
    normalization: it does not change the mean and the scale of the inputs, which have no effect.
    Without a gradient through the statistics, each step would also shift and scale the inputs. The
    scale would drift, and with it the effective learning rate.

    Batch renormalization (Ioffe 2017, arXiv 1702.03275) also scales the gradient by the ratio of
    both standard deviations, which is near 1 when the moving statistics have settled.
    """

    def call(self, inputs, training=None, mask=None):
        """Updates the moving statistics in training, and normalizes with them."""
        if not training:
            return super().call(inputs, training=False, mask=mask)
        by_minibatch = super().call(inputs, training=True, mask=mask)
        moving = super().call(inputs, training=False, mask=mask)
        return by_minibatch + keras.ops.stop_gradient(moving - by_minibatch)
