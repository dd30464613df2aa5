"""The images to train on: known sets, .npz archives and folders of image files."""

from adversarial_autoencoder.data.dataset import Dataset
from adversarial_autoencoder.data.known import NAMES
from adversarial_autoencoder.data.loading import load

__all__ = ["NAMES", "Dataset", "load"]
