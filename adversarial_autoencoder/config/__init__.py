"""The settings of a training."""

from adversarial_autoencoder.config.config import Config

__all__ = ["Config"]
