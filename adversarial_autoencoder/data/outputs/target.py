"""Where results go: checked before anything is computed."""

import os
import pathlib
from collections.abc import Collection

from adversarial_autoencoder.config.paths import expand_home
from adversarial_autoencoder.errors import InputError

# Formats of results by suffix; a folder has none.
TEXTS, ARRAYS, FOLDER = (".csv", ".parquet"), (".npz", ".npy"), ("",)
_PNG = ".png"


def check_output(
    path: str | pathlib.Path,
    suffixes: Collection[str] = (*TEXTS, *ARRAYS),
    overwrite: bool = False,
    source: str | pathlib.Path | None = None,
) -> pathlib.Path:
    """Checks that results can be written to a file or folder.

    Args:
        path: The file, or the folder of PNG files.
        suffixes: The formats that fit; "" is a folder of PNG files.
        overwrite: Whether an existing output is replaced.
        source: The input, which must not change; or None.

    Returns:
        The path, with the home folder instead of `~`.

    Raises:
        InputError: If the suffix does not fit, the folder does not exist, the output exists and
            must not be replaced, or it is the input or in it.
    """
    path = expand_home(path, "output")
    suffix = path.suffix.lower()
    received = f"Received: {path}"
    if suffix not in suffixes or not path.name:
        shown = ", ".join(suffix for suffix in suffixes if suffix)
        folder = ", or a folder of PNG images, without a suffix" if "" in suffixes else ""
        raise InputError(f"output must be a file {shown}{folder}. {received}")
    try:
        exists, is_folder, has_parent = path.exists(), path.is_dir(), path.parent.is_dir()
        if source is not None:
            _check_apart(path, expand_home(source, "input"))
        if not has_parent:
            raise InputError(f"output must be in a folder that exists. {received}")
        if not os.access(path.parent, os.W_OK):
            raise InputError(f"output must be in a folder that can be written to. {received}")
        exists = exists or path.is_symlink()  # Also a link to nothing.
        if exists and is_folder != (suffix == ""):
            wanted = "a folder" if suffix == "" else "a file"
            raise InputError(f"output must be {wanted}. {received}")
        if exists and not overwrite and not (is_folder and not any(path.iterdir())):
            raise InputError(f"output must not exist; --overwrite replaces it. {received}")
        if is_folder and (other := _other_file(path)):
            raise InputError(
                "output must be a folder of PNG images only, because --overwrite removes it. "
                f"Received: {other}"
            )
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"output must be a path that can be written. Received: {error}") from error
    return path


def _check_apart(path, source):
    """Checks that the output is not the input, and that neither is in the other."""
    path, source = path.resolve(), source.resolve()
    if path == source:
        raise InputError(f"output must be another file than input. Received: {path}")
    if path.is_relative_to(source):
        raise InputError(f"output must not be inside the folder of input. Received: {path}")
    if source.is_relative_to(path):
        raise InputError(f"output must not contain input. Received: {path}")


def _other_file(folder):
    """A file that is no PNG image of results, or None."""
    for parent, _, names in os.walk(folder):
        for name in names:
            if pathlib.Path(name).suffix.lower() != _PNG:
                return pathlib.Path(parent, name)
    return None
