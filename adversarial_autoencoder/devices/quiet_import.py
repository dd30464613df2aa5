"""Imports TensorFlow without the messages of its C++ library."""

import os
import pathlib


def import_tensorflow() -> None:
    """Imports TensorFlow without output on stderr.

    TF_CPP_MIN_LOG_LEVEL is not enough: the library writes messages before it reads this variable.
    They would hide the one-line errors of the program.
    """
    saved = os.dup(2)
    with pathlib.Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            import tensorflow
        finally:
            os.dup2(saved, 2)
            os.close(saved)
    # A strategy logs each collective operation at the level INFO.
    tensorflow.get_logger().setLevel("WARNING")
