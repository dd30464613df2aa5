"""Data sets for training: well-known sets, .npz archives and folders of image files."""

from adversarial_autoencoder.data.dataset import Dataset
from adversarial_autoencoder.data.known import NAMES
from adversarial_autoencoder.data.labels import known_labels, training_labels
from adversarial_autoencoder.data.loading import TABLES, load, load_images, load_of, prepare
from adversarial_autoencoder.data.tables import TableOptions, load_rows

__all__ = [
    "NAMES",
    "TABLES",
    "Dataset",
    "TableOptions",
    "known_labels",
    "load",
    "load_images",
    "load_of",
    "load_rows",
    "prepare",
    "training_labels",
]
