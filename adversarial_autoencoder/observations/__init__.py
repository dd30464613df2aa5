"""What a model encodes and reconstructs: images, or the rows of a table."""

from adversarial_autoencoder.observations.columns import Columns
from adversarial_autoencoder.observations.observation import Observation
from adversarial_autoencoder.observations.pixels import Pixels

__all__ = ["Columns", "Observation", "Pixels"]
