"""A prior that is the user's own function, imported by name."""

import contextlib
import importlib

import keras

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


@contextlib.contextmanager
def _users_code(expected, name):
    """Turns whatever the user's code raises into an InputError."""
    try:
        yield
    except Exception as error:
        raise InputError(f"{expected}. Received: {name} ({first_line(error)})") from error
