"""Normalization of the codes of an encoder to the mean and standard deviation of the prior."""

import keras
import numpy as np
from keras import layers

from adversarial_autoencoder import priors
from adversarial_autoencoder.devices import replicas

# The moving statistics average over about this share of the training so far.
SHARE = 1 / 40


def normalized_features(h):
    """Normalizes features over the minibatch to mean 0 and variance 1.

    Args:
        h: Features, a Keras tensor of shape (batch, units).

    Returns:
        A Keras tensor of the same shape.
    """
    layer = AveragedNormalization(
        center=False,
        scale=False,
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
class AveragedNormalization(layers.BatchNormalization):
    """Batch normalization whose moving statistics average over a share of the training so far.

    Early, when the inputs change fast, the statistics follow them. Late, they average over many
    minibatches: those of a few minibatches would shift and scale all codes at random, and the
    distance to the prior would vary from epoch to epoch. With the share s, the weight of a
    minibatch after t updates is 1 / (1 + s t), polynomial-decay averaging (Shamir and Zhang 2013,
    arXiv 1212.1824, section 4).

    Args:
        **kwargs: Arguments of `keras.layers.BatchNormalization`, except for `momentum`.
    """

    updates = None

    @property
    def momentum(self):
        """Weight of the old statistics in the next update."""
        return 0.0 if self.updates is None else 1.0 - 1.0 / (1.0 + SHARE * self.updates)

    @momentum.setter
    def momentum(self, value):
        pass  # The base class sets its default.

    def build(self, input_shape):
        """Makes the weights, with the number of updates."""
        super().build(input_shape)
        self.updates = self.add_weight(
            shape=(), name="updates", initializer="zeros", trainable=False, autocast=False
        )

    def call(self, inputs, training=None, mask=None):
        """Normalizes by the minibatch in training, and updates the moving statistics."""
        outputs = super().call(inputs, training=training, mask=mask)
        if training and self.trainable:
            self.updates.assign(self.updates + 1.0)
        return outputs

    def get_config(self):
        """The constructor's arguments."""
        config = super().get_config()
        del config["momentum"]
        return config


@keras.saving.register_keras_serializable("adversarial_autoencoder")
class RunningNormalization(AveragedNormalization):
    """Normalization by the moving statistics, in training too.

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
