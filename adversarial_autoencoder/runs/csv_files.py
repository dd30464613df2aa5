"""The text of CSV files that people open in a spreadsheet.

A spreadsheet computes a cell that starts with =, +, - or @, and such a formula can start programs.
Names of files and classes can come from someone else, so `to_csv` marks such text as text.
"""

import csv
import io
from collections.abc import Iterable

from adversarial_autoencoder.config.texts import is_number
from adversarial_autoencoder.errors import printable

_FORMULA = ("=", "+", "-", "@")


def to_csv(header: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    r"""Writes a table as CSV (RFC 4180).

    Args:
        header: Names of the columns.
        rows: The cells of each row. A text that would be a formula starts with an apostrophe in the
            file. Line breaks, other control characters and bytes that are not UTF-8 are escaped.

    Returns:
        The text of the file, with "\r\n" at the ends of lines. Encode it in UTF-8.

    Example:
        >>> from adversarial_autoencoder.runs.csv_files import to_csv
        >>> to_csv(["image", "change"], [("=1+1.png", -0.5)])
        "image,change\r\n'=1+1.png,-0.5\r\n"
    """
    return csv_lines([header]) + csv_lines(rows)


def csv_lines(rows: Iterable[Iterable[object]]) -> str:
    """Writes rows as lines of a CSV file, as `to_csv`.

    Args:
        rows: The cells of each row.

    Returns:
        The lines.
    """
    text = io.StringIO(newline="")
    csv.writer(text).writerows(map(_cell, row) for row in rows)
    return text.getvalue()


def _cell(value):
    """A cell without a formula and without characters that do not print."""
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) and not is_number(text) else text
