"""Text files of tables: their header, delimiter and encoding."""

import codecs
import csv
import pathlib
import re
from collections.abc import Sequence

import numpy as np

from adversarial_autoencoder.config.texts import is_number
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.tables.schema import default_names

# Texts that mean "missing".
MISSING = ("", "?", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "None", "<NA>")
DELIMITERS = (",", ";", "\t", "|")
_HEAD_BYTES = 2**20


def read_numbers(path: pathlib.Path) -> tuple[np.ndarray, list[str]] | None:
    """Reads a CSV file of numbers without PyArrow.

    Args:
        path: Path of the file.

    Returns:
        The numbers, float64 of shape (n, columns), and the names of the columns; None if the file
        has other values.

    Raises:
        InputError: If the file is not readable.
    """
    names, header, delimiter = head(path)
    try:
        x = np.loadtxt(path, delimiter=delimiter, skiprows=header, ndmin=2, encoding="utf-8-sig")
    except ValueError:
        return None
    return (x, names) if x.size and x.shape[1] == len(names) else None


def check_last_quote(path: pathlib.Path, last: str) -> None:
    """Checks that the last value has an end: an open quote would hide all lines after it.

    Args:
        path: Path of the file.
        last: The last value of the last row.

    Raises:
        InputError: If its quote is open.
    """
    if "\n" not in last:
        return
    with path.open("rb") as file:
        file.seek(-min(path.stat().st_size, 1000), 2)
        closed = file.read().rstrip().endswith(b'"')
    if not closed:
        raise InputError(
            f"{path} must close each quote. Received: an open quote before {last[:40]!r}"
        )


def head(path: pathlib.Path) -> tuple[list[str], int, str]:
    """Reads the start of a text file.

    Args:
        path: Path of the file.

    Returns:
        Three values: the names of the columns, the number of lines up to the header, or 0 without a
        header, and the delimiter.

    Raises:
        InputError: If the file is not the text of a table.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_HEAD_BYTES)
    except OSError as error:
        raise InputError(f"{path} must be a readable file. Received: {error}") from error
    if not start.strip():
        raise InputError(f"{path} must contain rows. Received: an empty file")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in start:
        kind = "a byte 0" if b"\0" in start[2:] and start[0] < 0xFE else "UTF-16"
        raise InputError(f"{path} must be a text file in UTF-8. Received: {kind}")
    try:
        # A character can be cut at the end.
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(start)
    except UnicodeDecodeError:
        check_utf8(path)
        raise
    if not text.strip():
        raise InputError(f"{path} must contain rows. Received: an empty file")
    first = re.sub('"[^"]*"', "", text.strip("\ufeff\r\n ").splitlines()[0])
    delimiter = max(DELIMITERS, key=first.count)
    if path.suffix.lower() == ".tsv" and "\t" in first:
        delimiter = "\t"
    try:
        # The second line is not cut if there is a third one.
        rows = csv.reader(text.splitlines(True), delimiter=delimiter)
        empty, row = next((i, row) for i, row in enumerate(rows) if row)
    except csv.Error as error:
        raise InputError(f"{path} must be a readable table. Received: {error}") from error
    row, names = [value.strip() for value in row], list(default_names(len(row)))
    # A name may be empty, as that of the index that pandas writes.
    if not any(row) or any(is_number(value) or value in MISSING[1:] for value in row):
        return names, 0, delimiter
    names = [name or default for name, default in zip(row, names, strict=True)]
    check_names(path, names)
    return names, empty + 1, delimiter


def check_names(path: pathlib.Path, names: Sequence[str]) -> None:
    """Checks the names of the columns of a file.

    Args:
        path: Path of the file.
        names: The names.

    Raises:
        InputError: If there are none, or two are equal.
    """
    if not names:
        raise InputError(f"{path} must have columns. Received: none")
    for name in names:
        if names.count(name) > 1:
            raise InputError(
                f"The columns of {path} must have different names. Received: {name} twice"
            )


def check_utf8(path: pathlib.Path) -> None:
    """Checks that a file is encoded in UTF-8.

    Args:
        path: Path of the file.

    Raises:
        InputError: If it is not. It names the first byte that is wrong.
    """
    data = path.read_bytes()
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path} must be encoded in UTF-8. To convert Latin-1: iconv -f latin1 -t utf-8 FILE. "
            f"Received: the byte 0x{data[error.start]:02x} in line {line}"
        ) from error
