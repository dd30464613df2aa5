"""Checks of the images and labels that a user gives, in any form that Keras takes."""

import functools
import inspect
import math
import types

import keras
import tensorflow as tf

from adversarial_autoencoder.model.batch import unpack
from adversarial_autoencoder.model.streams import CheckedPyDataset, checked_dataset
from adversarial_autoencoder.observations.observation import as_array, in_stream, message_in


def checked_arguments(method, model, *args, **kwargs):
    """Checks the arguments of `fit`, `evaluate` or `predict`, before Keras sees them.

    Images that are also given as targets, as for other autoencoders, are accepted.

    Args:
        method: The method of `keras.Model`.
        model: The model.
        *args: Its arguments.
        **kwargs: Its keyword arguments.

    Returns:
        The arguments for `method`, an `inspect.BoundArguments`.

    Raises:
        ValueError: If images or labels do not fit the model, or an argument has no effect.
    """
    bound = inspect.signature(method).bind(model, *args, **kwargs)
    given = bound.arguments
    for name in ("sample_weight", "class_weight"):
        if given.get(name) is not None:
            raise ValueError(f"{name} is not supported: all images count equally. Received: {name}")
    given["x"], given["y"] = _checked_pair(given.get("x"), given.get("y"), model)
    if "y" not in inspect.signature(method).parameters:
        del given["y"]
    validation = given.get("validation_data")
    if isinstance(validation, (tuple, list)):
        if len(validation) > 2:
            raise ValueError(
                "validation_data must be x or (x, y): sample_weight is not supported. "
                f"Received: {len(validation)} parts"
            )
        x, y = (*validation, None)[:2]
        x, y = _checked_pair(x, y, model)
        given["validation_data"] = x if y is None else (x, y)
    elif validation is not None:
        given["validation_data"], _ = _checked_pair(validation, None, model)
    return bound


def with_plain_errors(method):
    """Converts the errors of checks inside data sets into a ValueError of one line.

    Args:
        method: A method that reads data sets.

    Returns:
        The method with this conversion.
    """

    @functools.wraps(method)
    def converted(*args, **kwargs):
        try:
            return method(*args, **kwargs)
        # Keras reads the first elements by itself, without TensorFlow.
        except (ValueError, tf.errors.InvalidArgumentError) as error:
            message = message_in(error)
            if message is None:
                raise
        raise ValueError(message)

    return converted


def steps_of_fit(given):
    """The training steps of a call of `fit`.

    Args:
        given: The arguments of `keras.Model.fit` by name.

    Returns:
        The number of steps that `initial_epoch` leaves out, and that of all epochs together;
        0 and infinite if the data does not tell its length.
    """
    x, steps = given.get("x"), given.get("steps_per_epoch")
    if isinstance(x, dict):
        x = x.get("x")
    if steps is None and isinstance(x, tf.data.Dataset):
        steps = int(x.cardinality())
    elif steps is None and isinstance(x, keras.utils.PyDataset):
        steps = x.num_batches
    elif steps is None and hasattr(x, "shape"):
        steps = math.ceil(num_trained(given, x.shape[0]) / (given.get("batch_size") or 32))
    if not steps or steps < 0:
        return 0, math.inf
    return steps * given.get("initial_epoch", 0), steps * max(given.get("epochs", 1), 1)


def num_trained(given, n):
    """The number of images that `fit` trains on; Keras validates on the ones after them.

    Args:
        given: The arguments of `keras.Model.fit` by name.
        n: Number of images in x.

    Returns:
        A number from 0 to n.
    """
    share = given.get("validation_split")
    return math.floor(n * (1 - share)) if share and given.get("validation_data") is None else n


def _checked_pair(x, y, model):
    """Checks images and labels, or a data set; returns them, without targets that are images."""
    if y is not None and y is x:
        y = None
    if isinstance(x, dict):
        _check_element(x, model)
    elif isinstance(x, tf.data.Dataset):
        for element in x.take(1):
            _check_element(element, model)
        labels = _num_classes(model.codes), model.codes.needs_y
        x = checked_dataset(x, *labels, check_x=model.observation.check_in_graph)
    elif isinstance(x, keras.utils.PyDataset):
        _check_element(x[0], model)
        x = CheckedPyDataset(x, functools.partial(_check_later, model=model))
    elif isinstance(x, types.GeneratorType):
        if (first := next(x, None)) is not None:
            _check_element(first, model)
        x = _resumed(first, x, model)
    else:
        x = model.observation.to_array(x)
        model.check_x(x)
        check_labels(y, model.codes, model.image_shape)
    return x, y


def _check_element(element, model, warn=True):
    """Checks an element of a data set."""
    parts = unpack(element)
    for name in ("x", "x_labelled"):
        model.check_x(parts.get(name), warn)
    for name in ("y", "y_labelled"):
        check_labels(parts.get(name), model.codes, model.image_shape)


def _check_later(element, model):
    """Checks an element that Keras reads; `with_plain_errors` converts the error."""
    try:
        _check_element(element, model, warn=False)
    except ValueError as error:
        raise ValueError(in_stream(error)) from error


def _resumed(first, rest, model):
    """A generator that yields its first element again; Keras takes no other iterators."""
    if first is not None:
        yield first
    for element in rest:
        _check_later(element, model)
        yield element


def check_labels(y, codes, image_shape) -> None:
    """Checks that labels are classes that the model has.

    Args:
        y: Labels, integers of shape (n,), an array or an eager tensor; anything else passes.
        codes: The `Codes` of the model.
        image_shape: Shape of one image.

    Raises:
        ValueError: If `y` are images or not of shape (n,), a label is too large, or a label is
            negative although the model needs all labels.
    """
    y = as_array(y)
    if y is None:
        return
    if y.ndim > 1 and y.shape[1:] == tuple(image_shape):
        raise ValueError(
            "An adversarial autoencoder needs no targets: give the images alone, fit(x). "
            f"Received: y of shape {y.shape}"
        )
    if y.ndim != 1 or y.dtype.kind not in "iu":
        hint = ": give y.argmax(axis=1)" if y.ndim == 2 and y.shape[1] > 1 else ""
        raise ValueError(
            "Labels must be integers of shape (n,), negative for unlabelled images. "
            f"Received: {y.dtype} of shape {y.shape}{hint}"
        )
    if not y.size:
        return
    k = _num_classes(codes)
    if k and y.max() >= k:
        raise ValueError(f"Labels must be below {k}. Received: labels up to {y.max()}")
    if codes.needs_y and y.min() < 0:
        raise ValueError(
            "Every image must have a label, because the model does not infer y. "
            f"Received: {y.min()}"
        )


def _num_classes(codes):
    """Number of classes that labels can have, or 0 if it is not limited."""
    sizes = [c.num_label_classes for c in codes] + ([codes.y.size] if codes.y is not None else [])
    return min((size for size in sizes if size), default=0)
