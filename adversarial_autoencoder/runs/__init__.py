"""Run folders: where each training keeps its settings, its checkpoint and its results."""

from adversarial_autoencoder.runs.demos import copied, find_demo
from adversarial_autoencoder.runs.results import check_name, create, default_name, find, list_runs
from adversarial_autoencoder.runs.run import Run
from adversarial_autoencoder.runs.settings import noun_of

__all__ = [
    "Run",
    "check_name",
    "copied",
    "create",
    "default_name",
    "find",
    "find_demo",
    "list_runs",
    "noun_of",
]
