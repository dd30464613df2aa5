"""Losses as pure functions on tensors; each returns one scalar, the mean over the batch."""

import tensorflow as tf


def mean_squared_error(x, x_logits):
    """Mean squared error between images and reconstructions.

    Args:
        x: Images in [0, 1], shape (batch, ...).
        x_logits: The decoder's output, the logits of the reconstruction, of the same shape.

    Returns:
        The mean over batch and pixels, in [0, 1].
    """
    return tf.reduce_mean(tf.square(x - tf.sigmoid(x_logits)))


def binary_cross_entropy(x, x_logits):
    """Binary cross-entropy between images, read as probabilities, and reconstructions.

    Args:
        x: Images in [0, 1], shape (batch, ...).
        x_logits: The decoder's output, the logits of the reconstruction, of the same shape.

    Returns:
        The mean over batch and pixels, in nats.
    """
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=x_logits))


RECONSTRUCTION = {"mse": mean_squared_error, "bce": binary_cross_entropy}


def discriminator(real_logits, fake_logits):
    """L_D = -mean[log D(z') + log(1 - D(z))]; 2 log 2 = 1.386 when D cannot tell them apart.

    Goodfellow et al. 2014, equation 1; Makhzani et al. 2015, section 1.

    Args:
        real_logits: Logits of D on samples z' of the prior (target 1), shape (batch, 1).
        fake_logits: Logits of D on codes z of the encoder (target 0), shape (batch, 1).
    """
    return tf.reduce_mean(tf.nn.softplus(-real_logits)) + tf.reduce_mean(
        tf.nn.softplus(fake_logits)
    )


def generator(fake_logits):
    """L_G = -mean log D(z), the non-saturating loss of the encoder as a generator.

    Goodfellow et al. 2014, section 3.

    Args:
        fake_logits: Logits of D on codes z of the encoder, shape (batch, 1).
    """
    return tf.reduce_mean(tf.nn.softplus(-fake_logits))
