"""The Keras model: its training, its use, and its files."""

from adversarial_autoencoder.model.adversarial_autoencoder import AdversarialAutoencoder
from adversarial_autoencoder.model.loading import load_model

__all__ = ["AdversarialAutoencoder", "load_model"]
