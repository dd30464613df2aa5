"""The program: `aae`, `python run.py` and `python -m adversarial_autoencoder`."""

import signal


def run():
    """Runs the program and exits with its status."""
    # Until a mode runs, Ctrl-C ends the process without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from adversarial_autoencoder import command_line

    command_line.run()


if __name__ == "__main__":
    run()
