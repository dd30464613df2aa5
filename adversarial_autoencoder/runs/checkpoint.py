"""The checkpoint of a run: the model after the last completed epoch, and the history up to it.

The archive model.keras contains both, so model and history always agree. An epoch is complete when
the new model.keras replaces the old one. history.csv is a copy for the user; the program does not
read it.
"""

import contextlib
import csv
import errno
import io
import itertools
import pathlib
import typing
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence

from adversarial_autoencoder.config.small_files import open_regular
from adversarial_autoencoder.config.training_groups import MAX_EPOCHS
from adversarial_autoencoder.errors import reading
from adversarial_autoencoder.runs.csv_files import to_csv
from adversarial_autoencoder.runs.durable import atomic, check_lock

MODEL, HISTORY = "model.keras", "history.csv"
# Enough for the 14 columns of a system in `MAX_EPOCHS` rows.
MAX_HISTORY_BYTES = 2**27
# The last row of a history is within so many bytes.
_LAST_BYTES = 2**16


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
        TrainingError: If the folder is not the one that this process has locked.
    """
    history = _to_text(rows)
    if len(history) > MAX_HISTORY_BYTES:
        raise OSError(errno.EFBIG, f"a history of more than {MAX_HISTORY_BYTES} bytes", HISTORY)
    check_lock(folder)
    with atomic(folder / MODEL) as path:
        save(path)
        # If zipfile cannot open a path to append, it empties the file.
        with path.open("r+b") as file, zipfile.ZipFile(file, "a") as archive:
            archive.writestr(HISTORY, history)
        with zipfile.ZipFile(path) as archive:
            if damaged := archive.testzip():
                raise OSError(errno.EIO, f"{damaged} cannot be read back", str(path))
        _write_copy(folder, history)


def read_history(path: pathlib.Path) -> list[dict[str, float]]:
    """Reads the history from the checkpoint.

    Args:
        path: The file model.keras in the run's folder.

    Returns:
        One dict for each completed epoch, from the names of the columns to numbers. Empty if there
        is no checkpoint.

    Raises:
        InputError: If model.keras cannot be read or contains no history.
    """
    with _reading(path) as stream:
        return [] if stream is None else _rows(stream.read().decode())
    return []


def read_last(path: pathlib.Path) -> dict[str, float]:
    """Reads the last row of the history from the checkpoint.

    Args:
        path: The file model.keras in the run's folder, or a snapshot of it.

    Returns:
        The row of the last completed epoch, as in `read_history`; its "epoch" is the number of
        completed epochs. Empty if there is no checkpoint.

    Raises:
        InputError: If model.keras cannot be read or contains no history.
    """
    with _reading(path) as stream:
        if stream is None:
            return {}
        header = stream.readline(_LAST_BYTES)
        stream.seek(max(stream.seek(0, io.SEEK_END) - _LAST_BYTES, len(header)))
        row = stream.read().splitlines()[-1]
        (last,) = _rows(f"{header.decode()}{row.decode()}")
        return last
    return {}


def restore_copy(folder: pathlib.Path) -> None:
    """Writes history.csv again from the checkpoint, if there is one.

    A killed process can leave a history.csv that does not match model.keras.

    Args:
        folder: The run's folder.

    Raises:
        InputError: If the history cannot be read.
    """
    if rows := read_history(folder / MODEL):
        _write_copy(folder, _to_text(rows))


@contextlib.contextmanager
def _reading(path: pathlib.Path) -> Iterator[typing.IO[bytes] | None]:
    """Opens the history in the checkpoint; None if there is no checkpoint."""
    folder = path.parent
    with (
        reading(f"The run {folder.name} must have a readable {MODEL}", folder=folder),
        contextlib.ExitStack() as opened,
    ):
        try:
            file = opened.enter_context(open_regular(path))
        except FileNotFoundError:
            yield None
            return
        archive = opened.enter_context(zipfile.ZipFile(file))
        member = archive.getinfo(HISTORY)
        # A packed member can unpack to any size. Keras and `write` do not pack.
        if member.compress_type != zipfile.ZIP_STORED or member.file_size > MAX_HISTORY_BYTES:
            raise ValueError
        yield opened.enter_context(archive.open(member))


def _rows(text):
    """Parses a history, which has the columns `epoch` (1, 2, ...) and measures."""
    reader = csv.reader(io.StringIO(text), strict=True)
    header, rows = next(reader, [""]), list(itertools.islice(reader, MAX_EPOCHS + 1))
    if header[0] != "epoch" or not 1 <= len(rows) <= MAX_EPOCHS:
        raise ValueError
    return [
        {"epoch": int(row[0])} | dict(zip(header[1:], map(float, row[1:]), strict=True))
        for row in rows
    ]


def _write_copy(folder, text):
    with atomic(folder / HISTORY) as path:
        path.write_text(text, encoding="utf-8", newline="")


def _to_text(rows):
    return to_csv(rows[0], ([row[name] for name in rows[0]] for row in rows))
