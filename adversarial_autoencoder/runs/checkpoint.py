"""The checkpoint of a run: the model after the last completed epoch, and the history up to it.

The archive model.keras contains both, so model and history always agree. An epoch is complete when
the new model.keras replaces the old one. history.csv is a copy for the user; the program does not
read it.
"""

import csv
import errno
import io
import pathlib
import zipfile
from collections.abc import Callable, Mapping, Sequence

from adversarial_autoencoder.errors import MALFORMED, InputError
from adversarial_autoencoder.runs.durable import atomic

MODEL, HISTORY = "model.keras", "history.csv"
# A damaged archive can contain a text of any size.
MAX_HISTORY_BYTES = 2**26


def write(
    folder: pathlib.Path,
    save: Callable[[pathlib.Path], object],
    rows: Sequence[Mapping[str, float]],
) -> None:
    """Replaces the checkpoint and the copy of the history.

    The old checkpoint is kept until the new one is completely written and read back.

    Args:
        folder: The run's folder.
        save: Function that saves the model as a .keras file at a given path.
        rows: The history: one dict for each epoch, all with the same keys. Not empty.

    Raises:
        OSError: If the checkpoint cannot be written or read back.
    """
    history = _to_csv(rows)
    with atomic(folder / MODEL) as path:
        save(path)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(HISTORY, history)
        with zipfile.ZipFile(path) as archive:
            if damaged := archive.testzip():
                raise OSError(errno.EIO, f"{damaged} cannot be read back", str(path))
        _write_copy(folder, history)


def read_history(folder: pathlib.Path) -> list[dict[str, float]]:
    """Reads the history from the checkpoint.

    Args:
        folder: The run's folder.

    Returns:
        One dict for each completed epoch, from the names of the columns to numbers. Empty if there
        is no checkpoint.

    Raises:
        InputError: If model.keras cannot be read or contains no history.
    """
    try:
        with zipfile.ZipFile(folder / MODEL) as archive, archive.open(HISTORY) as stream:
            text = stream.read(MAX_HISTORY_BYTES).decode()
        return [
            {name: int(value) if name == "epoch" else float(value) for name, value in row.items()}
            for row in csv.DictReader(io.StringIO(text))
        ]
    except FileNotFoundError:
        return []
    except MALFORMED as error:
        raise InputError(
            f"The run {folder.name} must have a readable {MODEL}. "
            f"Received: {type(error).__name__} in {folder}"
        ) from error


def restore_copy(folder: pathlib.Path) -> None:
    """Writes history.csv again from the checkpoint, if there is one.

    A killed process can leave a history.csv that does not match model.keras.

    Args:
        folder: The run's folder.

    Raises:
        InputError: If the history cannot be read.
    """
    if rows := read_history(folder):
        _write_copy(folder, _to_csv(rows))


def _write_copy(folder, text):
    with atomic(folder / HISTORY) as path:
        path.write_text(text)


def _to_csv(rows):
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
