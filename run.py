"""Trains adversarial autoencoders and shows what they have learned. It is the command `aae`."""

from adversarial_autoencoder import command_line

if __name__ == "__main__":
    command_line.run()
