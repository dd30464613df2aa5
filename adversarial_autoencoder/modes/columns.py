"""Prints the columns of a table."""

from adversarial_autoencoder import data
from adversarial_autoencoder.modes.tables import print_table
from adversarial_autoencoder.tables import default_names

# More columns are summed up in a line.
MAX_COLUMNS = 40


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
