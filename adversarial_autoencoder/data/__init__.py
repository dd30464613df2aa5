"""Data sets for training: well-known sets, arrays, folders of image files, and tables."""

from adversarial_autoencoder.data.dataset import Dataset
from adversarial_autoencoder.data.inputs import open_input
from adversarial_autoencoder.data.known import NAMES
from adversarial_autoencoder.data.labels import (
    classes_of,
    keep_classes,
    known_labels,
    training_labels,
)
from adversarial_autoencoder.data.loading import load, load_of, prepare
from adversarial_autoencoder.data.tables import TableOptions

__all__ = [
    "NAMES",
    "Dataset",
    "TableOptions",
    "classes_of",
    "keep_classes",
    "known_labels",
    "load",
    "load_of",
    "open_input",
    "prepare",
    "training_labels",
]
