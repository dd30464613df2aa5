"""The standard streams of the program: what nobody can read any more does not end a training."""

import errno
import io
import os
import re
import signal
import sys

from adversarial_autoencoder.errors import print_warning

# Control characters except those of a progress bar: backspace, tabulator, line ends, and colours.
_CONTROL = re.compile(r"[\x00-\x07\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f]|\x1b(?!\[[\d;]*m)")


def prepare_streams() -> None:
    """Replaces stdout and stderr by streams to which the program can always write.

    - A stream that was closed before the program started goes nowhere.
    - A terminal that disappears goes nowhere from then on.
    - If the reader of stdout closes its pipe, the program ends as by SIGTERM.
    - If stdout is a file and the disk is full, the program warns and continues.
    - Characters that the encoding does not have, and control characters, are escaped.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # It takes the lowest free number. Otherwise the next file that is opened would.
            os.open(os.devnull, os.O_RDWR)
    sys.stdout, sys.stderr = _Text(1, sys.stdout), _Text(2, sys.stderr)


class _Text(io.TextIOWrapper):
    """A text stream that escapes control characters."""

    def __init__(self, number, before):
        raw = _Lasting(number)
        super().__init__(
            io.BufferedWriter(raw),
            encoding=getattr(before, "encoding", None) or "utf-8",
            errors="backslashreplace",
            line_buffering=number == 2 or raw.isatty(),
        )

    def write(self, text, /):
        return super().write(_CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text))


class _Lasting(io.FileIO):
    """A file descriptor that is replaced by the null device when it fails."""

    def __init__(self, number):
        super().__init__(number, "w", closefd=False)

    def write(self, data, /):
        try:
            return super().write(data)
        except OSError as error:
            self._lose(error)
            return memoryview(data).nbytes

    def _lose(self, error):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self.fileno())
        os.close(null)
        if self.fileno() == 2 or error.errno == errno.EIO:  # EIO: the terminal is gone.
            return
        if error.errno == errno.EPIPE:
            # Before a mode runs, and after it, there is nothing to end.
            if callable(signal.getsignal(signal.SIGTERM)):
                signal.raise_signal(signal.SIGTERM)
        else:
            print_warning(f"stdout cannot be written: {error.strerror}. The rest of it is lost.")
