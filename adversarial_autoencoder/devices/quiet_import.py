"""Imports TensorFlow without what its C++ library says while it is loaded."""

import os
import pathlib


def import_tensorflow():
    """Imports TensorFlow in silence.

    While it is loaded, its library writes to file descriptor 2 before it reads the log level of
    TF_CPP_MIN_LOG_LEVEL; that would drown the one line that an error is told in.
    """
    saved = os.dup(2)
    with pathlib.Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            import tensorflow
        finally:
            os.dup2(saved, 2)
            os.close(saved)
    # What a strategy tells of every exchange that it sets up.
    tensorflow.get_logger().setLevel("WARNING")
