"""The checkpoint of a run: the model after the last finished epoch, and the history up to it.

The archive model.keras holds the history too, so that the two cannot contradict each other: an
epoch is finished when this one file takes the place of the one before. history.csv is a copy to
look at.
"""

import csv
import errno
import io
import zipfile
import zlib

from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.runs.durable import atomic

MODEL, HISTORY = "model.keras", "history.csv"
MAX_HISTORY_BYTES = 2**26

# What json, csv and zipfile raise on malformed files.
MALFORMED = (
    EOFError,
    KeyError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    csv.Error,
    zipfile.BadZipFile,
    zlib.error,
)


def write(folder, save, rows):
    """Replaces the checkpoint; the one before is kept until the new one has been read back.

    Args:
        folder: The run's folder.
        save: Saves the model to a path.
        rows: The history, a list of dicts, one for each epoch, all with the same keys.

    Raises:
        OSError: If it cannot be written, or not be read back.
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


def read_history(folder):
    """Returns the rows of the history as dicts of numbers; none where there is no epoch yet.

    Args:
        folder: The run's folder.

    Raises:
        InputError: If it cannot be read.
    """
    source = MODEL
    try:
        text = _history_of_model(folder)
        if text is None:
            source = HISTORY
            text = (folder / HISTORY).read_text()
        return [
            {name: int(value) if name == "epoch" else float(value) for name, value in row.items()}
            for row in csv.DictReader(io.StringIO(text))
        ]
    except FileNotFoundError:
        return []
    except MALFORMED as error:
        raise InputError(
            f"The run {folder.name} must have a readable {source}. "
            f"Received: {type(error).__name__} in {folder}"
        ) from error


def restore_copy(folder):
    """Writes history.csv anew; InputError if the history cannot be read."""
    if rows := read_history(folder):
        _write_copy(folder, _to_csv(rows))


def _history_of_model(folder):
    """The text of the history in model.keras; None: there is none, as in older versions."""
    if not (folder / MODEL).exists():
        return None
    with zipfile.ZipFile(folder / MODEL) as archive:
        if HISTORY not in archive.namelist():
            return None
        with archive.open(HISTORY) as stream:
            return stream.read(MAX_HISTORY_BYTES).decode()


def _write_copy(folder, text):
    with atomic(folder / HISTORY) as path:
        path.write_text(text)


def _to_csv(rows):
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
