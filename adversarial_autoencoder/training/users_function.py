"""A prior that is the user's own function: imported by name, and tried before the training."""

import contextlib
import importlib

import keras
import tensorflow as tf

from adversarial_autoencoder.errors import InputError, first_line


def users_function(name):
    """Imports "module:function", and registers it so that Keras finds it in a saved model.

    Args:
        name: "module:function".

    Returns:
        The function.

    Raises:
        InputError: If it cannot be imported, or a saved model could not name it.
    """
    module, _, function = name.partition(":")
    with _users_code("prior must be the name of a function that can be imported", name):
        sampler = getattr(importlib.import_module(module), function)
    if keras.saving.get_registered_object(f"{module}>{function}") is None:
        keras.saving.register_keras_serializable(module, function)(sampler)
    try:
        config = keras.saving.serialize_keras_object(sampler)
        found = keras.saving.deserialize_keras_object(config)
    except (TypeError, ValueError):
        found = None
    if found is not sampler:
        raise InputError(
            f"prior must be a function made by def, which a saved model can name. Received: {name}"
        )
    return sampler


def try_function(sampler, name, dim):
    """Calls the user's function, eagerly and in a graph, as a training does.

    Args:
        sampler: A callable `(n, dim, seed) -> tensor`.
        name: Its name, for the error.
        dim: Number of dimensions of z.

    Raises:
        InputError: If it fails, whatever the reason.
    """

    def draw(n, seed):
        return tf.convert_to_tensor(sampler(n, dim, seed))

    seed = tf.constant([0, 0], "int64")
    with _users_code("prior must be a function (n, dim, seed) -> tensor that works", name):
        draw(2, seed)
        # In the graph of a training step the number of samples is a tensor.
        tf.function(draw)(tf.constant(2), seed)


@contextlib.contextmanager
def _users_code(expected, name):
    """Turns whatever the user's code raises into an InputError."""
    try:
        yield
    except Exception as error:
        raise InputError(f"{expected}. Received: {name} ({first_line(error)})") from error
