"""Runs TensorFlow without the messages of its libraries."""

import contextlib
import os
import pathlib
import sys
from collections.abc import Iterator

# Libraries that Keras imports if they are installed.
BY_KERAS = ("matplotlib", "pandas", "scipy", "sklearn")
_kept_out: set[str] = set()


@contextlib.contextmanager
def no_output(*streams: int) -> Iterator[None]:
    """Discards what is written to file descriptors, as a context manager.

    Libraries in C++ and their Python parts write to the descriptors, past `sys.stderr`.

    Args:
        *streams: File descriptors: 1 for stdout, 2 for stderr.
    """
    _flush()
    saved = {stream: os.dup(stream) for stream in streams}
    with pathlib.Path(os.devnull).open("wb") as nowhere:
        for stream in streams:
            os.dup2(nowhere.fileno(), stream)
        try:
            yield
        finally:
            _flush()
            for stream, copy in saved.items():
                os.dup2(copy, stream)
                os.close(copy)


def _flush():
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # Only the chief of several workers has a stdout.
            stream.flush()


@contextlib.contextmanager
def hidden(*modules: str) -> Iterator[None]:
    """Lets the import of modules that are not imported yet fail, as a context manager.

    Args:
        *modules: Names of modules.
    """
    new = [name for name in modules if name not in sys.modules]
    for name in new:
        sys.modules[name] = None  # type: ignore[assignment]  # ModuleNotFoundError.
    try:
        yield
    finally:
        for name in new:
            sys.modules.pop(name, None)


def hide_optional_libraries() -> None:
    """Keeps Keras from importing the libraries of `BY_KERAS` when it is imported later.

    Only the command line calls this, because the imports would take a quarter of the time until a
    picture is drawn. A user of the package may give Keras their objects, such as a DataFrame.
    """
    _kept_out.update(BY_KERAS)


def import_tensorflow() -> None:
    """Imports TensorFlow without output on stderr.

    TF_CPP_MIN_LOG_LEVEL is not enough: the library writes messages before it reads this variable.
    They would hide the one-line errors of the program.
    """
    with no_output(2), hidden(*_kept_out):
        import tensorflow
    # A strategy logs each collective operation, and a model of another run that it is traced again.
    tensorflow.get_logger().setLevel("ERROR")
