"""The packages of the extra `tables`, which are imported only where they are needed."""

import importlib
import typing

from adversarial_autoencoder.errors import InputError, first_line


def import_extra(name: str, what: str) -> typing.Any:
    """Imports a module of pandas or PyArrow.

    Args:
        name: Name of the module.
        what: What needs it, for the error.

    Returns:
        The module.

    Raises:
        InputError: If it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(
            f"{what} needs pandas and PyArrow: pip install 'adversarial-autoencoder[tables]'. "
            f"Received: {first_line(error)}"
        ) from error
