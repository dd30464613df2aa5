"""Trains adversarial autoencoders and shows what they have learned. It is the command `aae`."""

import signal

if __name__ == "__main__":
    # Until a mode runs, Ctrl-C ends the process without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from adversarial_autoencoder import command_line

if __name__ == "__main__":
    command_line.run()
