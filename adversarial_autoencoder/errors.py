"""The errors that are told in one line: of the input, and of a training that failed."""

import difflib
import sys

MAX_LENGTH = 1000  # characters of an error, which may quote what it received


class InputError(ValueError):
    """Input that cannot be used; one line: what was expected, then `Received:` what came."""

    def __init__(self, message):
        # File names and the messages of other libraries, which are quoted, may have line breaks.
        message = " ".join(str(message).splitlines())
        super().__init__(message if len(message) <= MAX_LENGTH else f"{message[:MAX_LENGTH]}...")


class Mismatch(InputError):
    """A run that is there, but has other settings than those given."""


class TrainingError(RuntimeError):
    """A training that cannot go on; one line: what happened, and what is kept."""


def first_line(error):
    """The first line of what an exception says, or its name where it says nothing."""
    return str(error).strip().split("\n")[0] or type(error).__name__


def print_warning(message):
    """Prints a warning on stderr."""
    print(f"Warning: {message}", file=sys.stderr, flush=True)


def did_you_mean(value, choices):
    """Returns " Did you mean X?" where a choice is close to `value`, else an empty string."""
    close = difflib.get_close_matches(str(value), [str(choice) for choice in choices], n=1)
    return f" Did you mean {close[0]}?" if close else ""
