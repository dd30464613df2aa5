"""The file metrics.json of a run: the results of --mode evaluate."""

import json
import math
import pathlib
from collections.abc import Mapping

from adversarial_autoencoder.config.small_files import read_json
from adversarial_autoencoder.errors import reading
from adversarial_autoencoder.runs.durable import atomic

METRICS = "metrics.json"


def write(folder: pathlib.Path, metrics: Mapping[str, float]) -> pathlib.Path:
    """Writes metrics.json.

    Args:
        folder: The run's folder.
        metrics: Finite numbers by name.

    Returns:
        The path of the file.

    Raises:
        ValueError: If a number is not finite.
    """
    path = folder / METRICS
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(metrics, indent=2, allow_nan=False) + "\n")
    return path


def read(folder: pathlib.Path) -> dict[str, float]:
    """Reads metrics.json.

    Args:
        folder: The run's folder.

    Returns:
        Numbers by name. Empty if the file does not exist.

    Raises:
        InputError: If the file cannot be read, or a value is not a finite number.
    """
    with reading(f"The run {folder.name} must have a readable {METRICS}", folder=folder):
        try:
            metrics = read_json(folder / METRICS)
        except FileNotFoundError:
            return {}
        if not all(math.isfinite(value) for value in metrics.values()):
            raise ValueError
        return {name: value + 0 for name, value in metrics.items()}
