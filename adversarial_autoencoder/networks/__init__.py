"""Functional Keras models for the encoder q(z, y|x), the decoder p(x|z, y) and the discriminators.

You can use your own functional models with the same inputs and outputs. With one code, the code is
a tensor. With two codes, it is a dict with the keys "z" and "y".

"Section" refers to Makhzani et al. 2015, "Adversarial Autoencoders", arXiv 1511.05644.
"""

from adversarial_autoencoder.networks.decoders import CLUSTER_HEADS, Margin, decoder
from adversarial_autoencoder.networks.discriminators import discriminator
from adversarial_autoencoder.networks.encoders import encoder
from adversarial_autoencoder.networks.hidden import Hidden, check_network

__all__ = [
    "CLUSTER_HEADS",
    "Hidden",
    "Margin",
    "check_network",
    "decoder",
    "discriminator",
    "encoder",
]
