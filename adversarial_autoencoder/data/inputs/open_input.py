"""Opens a user's file or folder for a trained model."""

import pathlib
from collections.abc import Callable, Collection

from adversarial_autoencoder.config.image_form import UNCHANGED, ImageForm
from adversarial_autoencoder.config.paths import expand_home
from adversarial_autoencoder.data.inputs import images, rows
from adversarial_autoencoder.data.inputs.source import Source
from adversarial_autoencoder.errors import InputError, print_warning
from adversarial_autoencoder.tables import Schema


def open_input(
    path: str | pathlib.Path,
    *,
    shape: tuple[int, ...] = (),
    schema: Schema | None = None,
    form: ImageForm = UNCHANGED,
    unused: Collection[str] = (),
    batch_size: int = 1000,
    warn: Callable[[str], object] = print_warning,
) -> Source:
    """Opens a file or folder, and checks what can be checked before all of it is read.

    Args:
        path: For images a folder, an .npz, .mat or .npy file; for rows a CSV, TSV, Parquet, .npy,
            .npz or .mat file. Of the arrays in a file, x_train is read.
        shape: Shape of an image that the model takes, (height, width, channels).
        schema: The schema of the rows that the model takes, or None for images.
        form: The form of the images of the training, with their range of values. "auto" counts as
            "dtype", because a few images do not show the range.
        unused: Names of columns that the training left out: they are ignored without a word.
        batch_size: Largest number of images or rows of a batch.
        warn: Function that is called with the text of a warning.

    Returns:
        A `Source`. While it is read, it raises InputError at the first image or row that the model
        cannot take.

    Raises:
        InputError: If the path does not exist, or its content does not fit.
    """
    path = check_path(path, is_table=schema is not None)
    if schema is not None:
        return rows.open_rows(path, schema, unused, batch_size, warn)
    return images.open_images(path, shape, form, batch_size, warn)


def check_path(path: str | pathlib.Path, is_table: bool | None = None) -> pathlib.Path:
    """Checks that an input exists and has a form that is known.

    Args:
        path: The file or folder.
        is_table: Whether the model takes rows; None if it is not known yet.

    Returns:
        The path, with the home folder instead of `~`.

    Raises:
        InputError: If the path does not exist, or is of another kind.
    """
    path = expand_home(path, "input")
    try:
        is_folder, exists = path.is_dir(), path.is_dir() or path.is_file()
    except (OSError, ValueError) as error:
        raise InputError(f"input must be a readable path. Received: {error}") from error
    if not exists:
        raise InputError(f"input must be a file or a folder that exists. Received: {path}")
    kind = "folder" if is_folder else path.suffix.lower()
    what, suffixes = {
        True: ("a table, as in training, a file", rows.SUFFIXES),
        False: ("images, as in training, a folder or a file", images.SUFFIXES),
        None: ("a folder of images or a file", (*images.SUFFIXES, *rows.SUFFIXES)),
    }[is_table]
    if kind not in suffixes:
        shown = ", ".join(suffix for suffix in dict.fromkeys(suffixes) if suffix != "folder")
        raise InputError(f"input must be {what} {shown}. Received: {path}")
    return path
