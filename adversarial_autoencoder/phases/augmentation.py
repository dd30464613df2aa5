"""Random shifts and rotations of images."""

import math

import tensorflow as tf

from adversarial_autoencoder.devices import replicas

# The largest rotation, in degrees, and the largest shift, as a fraction of the sides of the image
# (2 pixels of MNIST).
MAX_ROTATION, MAX_SHIFT = 15.0, 1 / 14


def shifted_and_rotated(x, seed):
    """Rotates images about their centre and shifts them, at random; new pixels are black.

    Args:
        x: Images, shape (batch, height, width, channels).
        seed: Integers of shape (2,).

    Returns:
        Images of the same shape.

    Raises:
        ValueError: If `x` has no channel axis.
    """
    if x.shape.rank != 4:
        raise ValueError(
            "consistency augment needs images of shape (height, width, channels). "
            f"Received: {tuple(x.shape[1:])}"
        )
    n, (height, width) = tf.shape(x)[0], x.shape[1:3]
    u = replicas.own_rows(
        lambda n: tf.random.stateless_uniform((n, 3, 1, 1), seed, minval=-1.0, maxval=1.0), n
    )
    angle = u[:, 0] * (MAX_ROTATION * math.pi / 180)
    right, down = u[:, 1] * (MAX_SHIFT * width), u[:, 2] * (MAX_SHIFT * height)
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    # Position of each pixel relative to the centre, before the movement.
    column = tf.range(width, dtype="float32")[None, None, :] - middle_x - right
    row = tf.range(height, dtype="float32")[None, :, None] - middle_y - down
    from_column = tf.cos(angle) * column - tf.sin(angle) * row + middle_x
    from_row = tf.sin(angle) * column + tf.cos(angle) * row + middle_y
    return _bilinear(x, from_row, from_column)


def _bilinear(x, row, column):
    """Interpolates images at the given points, shape (batch, height, width).

    XLA cannot compile TensorFlow's own operation.
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
