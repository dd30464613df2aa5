"""Losses that let a classifier learn from images without a label: q(y|x) shall not change nearby.

Each takes `logits_at`, the function from images to the logits of y; x, images in [0, 1] of shape
(batch, height, width, channels); `logits`, those at x; and `seed`, integers of shape (2,) for its
noise. It gives the mean over the images of KL(q(y|x) || q(y|x')) in nats, where x' lies near x.
Nothing is learned through q(y|x), which is the target.
"""

import math

import tensorflow as tf

from adversarial_autoencoder import distribution, losses

# Standard deviation, of each pixel, of the noise from which the direction is found. That of the
# paper is tiny; but near an image of which q(y|x) is sure it is flat: of one seed with 100 labels,
# 8 % of MNIST were named wrongly after 5 epochs with 0.29, and 16 % with 0.036. The norm of the
# noise, unlike that of the step, grows with the size of the images.
PROBE = 0.3

# The largest rotation, in degrees, and shift, as a share of the image's sides (2 pixels of MNIST).
MAX_ROTATION, MAX_SHIFT = 15.0, 1 / 14


def virtual_adversarial(logits_at, x, logits, seed, epsilon):
    """x' is the step of Euclidean length `epsilon` (of all pixels) that changes q(y|x) most.

    Virtual adversarial training, Miyato et al. 2017 (arXiv 1704.03976), algorithm 1, with one power
    iteration, but for the length at which it begins: see `PROBE`.
    """
    logits = tf.stop_gradient(logits)
    noise = distribution.own_rows(
        lambda n: tf.random.stateless_normal((n, *x.shape[1:]), seed, stddev=PROBE), tf.shape(x)[0]
    )
    with tf.GradientTape() as tape:
        tape.watch(noise)
        change = losses.categorical_kl(logits, logits_at(x + noise))
    direction = tf.stop_gradient(_unit(tape.gradient(change, noise)))
    return losses.categorical_kl(logits, logits_at(x + epsilon * direction))


def augmented(logits_at, x, logits, seed):
    """x' is x, shifted and rotated at random (Sajjadi et al. 2016, arXiv 1606.04586)."""
    moved = shifted_and_rotated(x, seed)
    return losses.categorical_kl(tf.stop_gradient(logits), logits_at(moved))


def shifted_and_rotated(x, seed):
    """Images rotated about their centre, then shifted, at random; what comes into view is black.

    Args:
        x: Images, shape (batch, height, width, channels).
        seed: Integers of shape (2,).
    """
    if x.shape.rank != 4:
        raise ValueError(
            "consistency augment needs images of shape (height, width, channels). "
            f"Received: {tuple(x.shape[1:])}"
        )
    n, (height, width) = tf.shape(x)[0], x.shape[1:3]
    u = distribution.own_rows(
        lambda n: tf.random.stateless_uniform((n, 3, 1, 1), seed, minval=-1.0, maxval=1.0), n
    )
    angle = u[:, 0] * (MAX_ROTATION * math.pi / 180)
    right, down = u[:, 1] * (MAX_SHIFT * width), u[:, 2] * (MAX_SHIFT * height)
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    # From the middle of the image to each pixel, before it was moved.
    column = tf.range(width, dtype="float32")[None, None, :] - middle_x - right
    row = tf.range(height, dtype="float32")[None, :, None] - middle_y - down
    from_column = tf.cos(angle) * column - tf.sin(angle) * row + middle_x
    from_row = tf.sin(angle) * column + tf.cos(angle) * row + middle_y
    return _bilinear(x, from_row, from_column)


def _bilinear(x, row, column):
    """Images at the points given, shape (batch, height, width), from the four pixels around each.

    TensorFlow has an operation for it that XLA cannot compile.
    """
    height, width, channels = x.shape[1:]
    pixels = tf.reshape(x, (-1, height * width, channels))
    above, left = tf.floor(row), tf.floor(column)
    total = 0.0
    for i in (above, above + 1.0):
        for j in (left, left + 1.0):
            inside = (i >= 0) & (i < height) & (j >= 0) & (j < width)
            weight = (1.0 - tf.abs(row - i)) * (1.0 - tf.abs(column - j))
            place = tf.where(inside, tf.cast(i * width + j, "int32"), 0)
            value = tf.gather(pixels, place, batch_dims=1)
            total += (weight * tf.cast(inside, weight.dtype))[..., None] * value
    return total


def _unit(x):
    """Images scaled to a Euclidean norm of 1."""
    axes = tuple(range(1, x.shape.rank))
    # By the largest pixel first: the squares of small gradients are not numbers of 32 bits.
    x /= tf.reduce_max(tf.abs(x), axis=axes, keepdims=True) + 1e-30
    return x * tf.math.rsqrt(tf.reduce_sum(tf.square(x), axis=axes, keepdims=True) + 1e-30)
