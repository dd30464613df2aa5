"""The parts of modes that work on the rows of a table."""

from typing import TYPE_CHECKING

import numpy as np

from adversarial_autoencoder.modes.select_run import Shown
from adversarial_autoencoder.modes.tables import print_table
from adversarial_autoencoder.tables.text import rows_as_text

if TYPE_CHECKING:
    from adversarial_autoencoder.modes.command import Command

# Columns whose distances are printed: the worst ones.
SHOWN = 10


def sample_rows(command: "Command", shown: Shown, z: np.ndarray | None = None) -> None:
    """Writes rows that a model generates to samples.csv.

    Args:
        command: The `Command`.
        shown: The run.
        z: Codes to decode, shape (num_rows, z_dim); None for samples of the prior.
    """
    model, n = shown.model, command.num_rows
    header, schema = model.observation.schema.names, model.observation.schema
    y, label = None, shown.config.label_column or "label"
    if model.num_classes:
        y = model.codes.y.sample_prior(n, 1).argmax(axis=1)
    rows = rows_as_text(model.generate_array(n, y, z=z), schema)
    if y is not None and not shown.config.infers_clusters:
        names = np.array(shown.run.read_classes()[1])
        header, rows = (*header, label), _with_labels(rows, names[y])
    print(f"Wrote {shown.run.write_rows('samples', [header, *rows])}")


def _with_labels(rows, labels):
    """Appends a label to each row."""
    for row, label in zip(rows, labels, strict=True):
        yield (*row, label)


def measure_columns(shown: Shown, sampler: str) -> None:
    """Compares each column of generated rows with test rows, and writes columns.csv.

    Args:
        shown: The run, with its data.
        sampler: Source of the codes: "prior" or "gaussian_mixture".
    """
    from adversarial_autoencoder.evaluation import report, rows

    model, dataset = shown.model, shown.dataset
    n = min(len(dataset.x_test), report.MAX_IMAGES)
    z = report.mixture_sample(model, dataset, n) if sampler == "gaussian_mixture" else None
    x, schema = dataset.x_test[:n], model.observation.schema
    distances = rows.column_distances(x, model.generate_array(n, z=z), schema)
    floors = rows.column_distances(x, dataset.x_validation[:n], schema)
    lines = [
        (column.name, column.kind, f"{distance:.4f}", f"{floor:.4f}")
        for column, distance, floor in zip(schema.columns, distances, floors, strict=True)
    ]
    lines.sort(key=lambda line: float(line[2]), reverse=True)
    header = ("column", "kind", "generated and test rows", "validation and test rows")
    print("Distances of the columns (Kolmogorov-Smirnov, or total variation of categories):")
    print_table([header, *lines[:SHOWN]])
    if len(lines) > SHOWN:
        print(f"and {len(lines) - SHOWN} smaller ones")
    print(f"Wrote {shown.run.write_rows('columns', [header, *lines])}")
