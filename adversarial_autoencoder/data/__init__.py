"""The images to train on: known sets, .npz archives and folders of image files."""

from adversarial_autoencoder.data.dataset import Dataset
from adversarial_autoencoder.data.loading import load

__all__ = ["Dataset", "load"]
