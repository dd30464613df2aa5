"""The name of the program, for the commands that it prints."""

import pathlib
import sys

# The file that Python runs -> what the user typed.
COMMANDS = {"aae": "aae", "__main__.py": "python -m adversarial_autoencoder"}


def program() -> str:
    """How the user started the program: "aae", "python run.py" or "python -m ..."."""
    return COMMANDS.get(pathlib.Path(sys.argv[0]).name, "python run.py")
