"""Data sets for training: well-known sets, .npz archives and folders of image files."""

from adversarial_autoencoder.data.dataset import Dataset
from adversarial_autoencoder.data.known import NAMES
from adversarial_autoencoder.data.labels import known_labels, training_labels
from adversarial_autoencoder.data.loading import load, load_images, prepare

__all__ = ["NAMES", "Dataset", "known_labels", "load", "load_images", "prepare", "training_labels"]
