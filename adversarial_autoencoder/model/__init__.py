"""The Keras model: its training and its use."""

from adversarial_autoencoder.model.adversarial_autoencoder import AdversarialAutoencoder

__all__ = ["AdversarialAutoencoder"]
