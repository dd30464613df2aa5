"""Trains adversarial autoencoders and shows what they have learned. It is the command `aae`."""

from adversarial_autoencoder.__main__ import run

if __name__ == "__main__":
    run()
