"""Writers of tables: CSV and Parquet files."""

import csv
import pathlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from adversarial_autoencoder.data.text_files import MISSING
from adversarial_autoencoder.runs.csv_files import csv_lines
from adversarial_autoencoder.tables.arrow import import_pyarrow


def flat(columns: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Divides columns of several numbers into one column for each.

    Args:
        columns: The columns by name, each of shape (n,) or (n, k).

    Yields:
        Name and values of a column. Those of the column z of shape (n, 2) are z0 and z1.
    """
    for name, values in columns.items():
        if getattr(values, "ndim", 1) == 2:
            yield from ((f"{name}{i}", part) for i, part in enumerate(values.T))
        else:
            yield name, values


class CsvWriter:
    """Writes a CSV file.

    Args:
        path: The file.
        main: Not used: all columns are written.
        types: Not used: the file has no types.
    """

    def __init__(self, path: pathlib.Path, main: str, types: Mapping[str, Any]) -> None:
        del main, types
        self.file = path.open("w", encoding="utf-8", newline="")
        self.begun = False

    def write(self, columns: Mapping[str, Any]) -> None:
        """Writes some rows.

        Args:
            columns: The columns by name.
        """
        names, values = zip(*flat(columns), strict=True)
        if not self.begun:
            self.file.write(csv_lines([names]))
            self.begun = True
        self.file.write(csv_lines(zip(*map(_cells, values), strict=True)))

    def finish(self) -> None:
        """Completes the file."""

    def close(self) -> None:
        """Closes the file."""
        self.file.close()


def changed_by_csv(texts: Iterable[Any]) -> list[str]:
    """Finds the texts that a CSV file does not give back.

    Args:
        texts: Categories of a column; those that are not texts are skipped.

    Returns:
        Texts that mean "missing", have spaces around them, or are marked because a spreadsheet
        would run them.
    """
    return [
        text
        for text in texts
        if isinstance(text, str)
        and (text.strip() in MISSING or next(csv.reader([csv_lines([[text]])])) != [text.strip()])
    ]


def _cells(values):
    """The values of a column as Python objects; None for a missing one."""
    if not isinstance(values, np.ndarray):
        return values
    if values.dtype.kind != "f":
        return values.tolist()
    # The shortest text of a float32 that is read as the same number.
    return [None if value != value else str(value) for value in values]


class ParquetWriter:
    """Writes a Parquet file.

    Args:
        path: The file.
        main: Not used: all columns are written.
        types: Arrow types of columns by name.

    Raises:
        InputError: If PyArrow is not installed.
    """

    def __init__(self, path: pathlib.Path, main: str, types: Mapping[str, Any]) -> None:
        del main
        self.pa = import_pyarrow(f"{path.suffix}")
        self.path, self.types = path, types
        self.file: Any = None

    def write(self, columns: Mapping[str, Any]) -> None:
        """Writes some rows.

        Args:
            columns: The columns by name.
        """
        import pyarrow.parquet as pq

        table = self.pa.table(
            {
                name: self.pa.array(values, self.types.get(name), from_pandas=True)
                for name, values in flat(columns)
            }
        )
        if self.file is None:
            self.file = pq.ParquetWriter(self.path, table.schema)
            # The values of a later part can fit several types.
            self.types = dict(zip(table.schema.names, table.schema.types, strict=True))
        self.file.write_table(table)

    def finish(self) -> None:
        """Completes the file."""

    def close(self) -> None:
        """Closes the file."""
        if self.file is not None:
            self.file.close()
