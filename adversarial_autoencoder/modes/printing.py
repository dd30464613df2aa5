"""What the modes print: tables, numbers, the paths of figures, and the name of the program."""

import pathlib
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from adversarial_autoencoder import data, runs
from adversarial_autoencoder.errors import printable
from adversarial_autoencoder.tables import default_names

# The file that Python runs -> what the user typed.
COMMANDS = {"aae": "aae", "__main__.py": "python -m adversarial_autoencoder"}
# Metrics that programs compare. A person sees nothing in them.
NOT_IN_TABLES = ("feature_space",)
# More columns are summed up in a line.
MAX_COLUMNS = 40


def program() -> str:
    """How the user started the program: "aae", "python run.py" or "python -m ..."."""
    return COMMANDS.get(pathlib.Path(sys.argv[0]).name, "python run.py")


def print_table(rows: Iterable[Sequence[str]]) -> None:
    """Prints a table.

    Args:
        rows: Rows of strings, all of the same length.
    """
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(map(str.ljust, row, widths)).rstrip())


def format_number(value: float | None) -> str:
    """A number with at most four digits; "-" for None."""
    if value is None:
        return "-"
    return f"{value}" if isinstance(value, int) else f"{value:.4g}"


def print_columns(dataset: data.Dataset) -> None:
    """Prints what the columns of a table hold, and what is done with them.

    Args:
        dataset: The data set; nothing is printed for images.
    """
    if dataset.schema is None:
        return
    columns = dataset.schema.columns
    unnamed = dataset.schema.names == default_names(len(columns))
    note = ", which have no names" if unnamed else ""
    print(f"Columns of {dataset.name}{note}:")
    print_table(
        (f"  {' '.join(column.name.split())[:40]}", column.kind, column.describe())
        for column in columns[:MAX_COLUMNS]
    )
    if len(columns) > MAX_COLUMNS:
        print(f"  and {len(columns) - MAX_COLUMNS} more")
    if dataset.class_names:
        shown = ", ".join(dataset.class_names[:6])
        more = ", ..." if len(dataset.class_names) > 6 else ""
        print(f"Labels: {len(dataset.class_names)} classes: {shown}{more}")


def save_figure(run: runs.Run, figure: Any, name: str) -> None:
    """Writes a figure into the folder of a run, and prints its path.

    Args:
        run: The run.
        figure: A matplotlib Figure.
        name: Name of the file, without ".png".
    """
    print(f"Wrote {run.write_figure(figure, name)}")
