"""The name of the program, for the commands that it prints."""

import pathlib
import sys


def program() -> str:
    """How the user started the program: "aae", or "python run.py"."""
    return "aae" if pathlib.Path(sys.argv[0]).name == "aae" else "python run.py"
