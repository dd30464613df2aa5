"""Paths as users write them."""

import os
import pathlib

from adversarial_autoencoder.errors import InputError


def expand_home(path: str | os.PathLike[str], name: str) -> pathlib.Path:
    """Replaces `~` or `~user` at the start of a path by the home folder.

    A shell does this only for a word that starts with `~`, and not in `--data_dir=~/data`.

    Args:
        path: A path.
        name: Name of the setting or argument, for the error message.

    Returns:
        The path with the home folder. It is unchanged if it does not start with `~`.

    Raises:
        InputError: If there is no such user.

    Example:
        >>> from adversarial_autoencoder.config.paths import expand_home
        >>> expand_home("~/data", "data_dir") == pathlib.Path.home() / "data"
        True
    """
    if not os.fspath(path).startswith("~"):  # pathlib takes ./~ for ~.
        return pathlib.Path(path)
    try:
        return pathlib.Path(path).expanduser()
    except (RuntimeError, ValueError) as error:  # ValueError: a null byte in the name of the user.
        raise InputError(
            f"{name} must start with the home folder of a user that exists, or with ./~ for a name "
            f"that starts with ~. Received: {name}={str(path)!r}"
        ) from error
