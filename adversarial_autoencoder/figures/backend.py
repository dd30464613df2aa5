"""Imports Matplotlib, whatever backend MPLBACKEND names.

A notebook sets this variable for all programs that it starts. If the backend is not installed in
the environment of the program, `import matplotlib` fails. The figures of this package need no
backend, so they ignore a backend that Matplotlib does not know.
"""

import contextlib
import os
import sys


def import_matplotlib() -> None:
    """Imports Matplotlib with the backend that MPLBACKEND names, or without one if it fails."""
    if "matplotlib" in sys.modules:
        return
    backend = os.environ.pop("MPLBACKEND", None)
    try:
        import matplotlib
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend
    if backend:
        with contextlib.suppress(ValueError):
            matplotlib.rcParams["backend"] = backend


import_matplotlib()
