"""A minibatch as the phases see it."""

import math
import typing

import tensorflow as tf

from adversarial_autoencoder.observations.pixels import to_unit_interval

# Numbers of the images that are computed at once where there is a choice: as float32 64 MiB.
MAX_NUMBERS = 2**24


class Batch(typing.NamedTuple):
    """A minibatch.

    Args:
        x: Images in [0, 1], shape (batch, ...).
        seed: Seed of its noise, integers of shape (2,).
        labels: Classes, int32 of shape (batch,), negative for unlabelled images; or None.
        x_labelled: Images of the classification phase, in [0, 1]; or None.
        y_labelled: Their classes, in the form of `labels`.
        heads: The encoder's outputs for `x`, if they are known; or None. An evaluation computes
            them once for all phases.
    """

    x: tf.Tensor
    seed: tf.Tensor
    labels: tf.Tensor | None = None
    x_labelled: tf.Tensor | None = None
    y_labelled: tf.Tensor | None = None
    heads: dict | None = None

    def noise(self, number):
        """A separate seed for each use of noise in a phase.

        Args:
            number: Number of the use, an integer >= 0.

        Returns:
            Integers of shape (2,).
        """
        return tf.random.fold_in(self.seed, number)

    def for_phase(self, number):
        """The same minibatch with other noise, for the phase of this number."""
        return self._replace(seed=tf.random.fold_in(self.seed, 100 + number))


def make_batch(data, seed, prepare=to_unit_interval):
    """Makes a `Batch` of an element of a data set.

    Args:
        data: Images; a pair (images, labels); or a dict with the keys "x" and optionally "y",
            "x_labelled" and "y_labelled". Labels are integers, negative for "unlabelled". Without
            separate labelled images, the classification phase uses those of the minibatch.
        seed: Integers of shape (2,).
        prepare: Function from images to what the networks see; see `observations`.

    Returns:
        The `Batch`.

    Raises:
        ValueError: If there are sample weights, or labels that are not integers.
    """
    data = unpack(data)
    x, labels = prepare(data["x"]), _labels(data.get("y"))
    x_labelled, y_labelled = data.get("x_labelled"), _labels(data.get("y_labelled"))
    if x_labelled is None:
        x_labelled, y_labelled = x, labels
    else:
        x_labelled = prepare(x_labelled)
    return Batch(x, seed, labels, x_labelled, y_labelled)


def unpack(data):
    """Unpacks an element of a data set.

    Args:
        data: Images; a pair (images, labels); or a dict.

    Returns:
        A dict with the key "x" and optionally "y", "x_labelled" and "y_labelled".

    Raises:
        ValueError: If there are sample weights.
    """
    if isinstance(data, dict):
        return data
    x, *rest = data if isinstance(data, (tuple, list)) else (data,)
    if len(rest) > 1 and rest[1] is not None:
        raise ValueError("Sample weights are not supported. Received: sample_weight")
    return {"x": x, "y": rest[0] if rest else None}


def _labels(y):
    if y is None:
        return None
    y = tf.convert_to_tensor(y)
    if not y.dtype.is_integer or y.shape.rank not in (1, None):
        raise ValueError(
            "Labels must be integers of shape (batch,), negative for unlabelled images. "
            f"Received: {y.dtype.name} of shape {y.shape}"
        )
    return tf.cast(y, "int32")


def images_at_once(limit, image_shape):
    """Chooses how many images to compute at once, so that large ones do not need gigabytes.

    Args:
        limit: Largest number of images.
        image_shape: Shape of an image or a row; None stands for any size.

    Returns:
        The number, from 1 to `limit`.
    """
    return min(limit, max(MAX_NUMBERS // math.prod(side or 1 for side in image_shape), 1))
