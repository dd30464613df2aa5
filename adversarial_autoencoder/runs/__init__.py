"""The folder of a run, and the folder of all runs."""

from adversarial_autoencoder.runs.results import check_name, create, default_name, find, list_runs
from adversarial_autoencoder.runs.run import Run

__all__ = ["Run", "check_name", "create", "default_name", "find", "list_runs"]
