"""Errors that the program reports in one line, and helpers for their messages."""

import contextlib
import csv
import difflib
import pathlib
import struct
import sys
import tokenize
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator

MAX_LENGTH = 1000  # Characters. An error can quote what it received, which has no limit.

# What csv, gzip, json, struct, zipfile and the .npy parser of NumPy raise on damaged files. JSON of
# the wrong structure also causes AttributeError, LookupError and TypeError where it is used. A
# caller that uses another library adds the exceptions of that library.
MALFORMED: tuple[type[Exception], ...] = (
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    csv.Error,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


# Categories of Unicode that are no text: control characters, single surrogates (bytes of file names
# that are not UTF-8), and separators of lines. Marks of direction can reverse what a reader sees.
_NO_TEXT = ("Cc", "Cs", "Zl", "Zp")
_DIRECTIONS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


class InputError(ValueError):
    """Input that cannot be used, such as a setting, a file or an array.

    The message is one line. It says what was expected, then "Received: " and the value.

    Args:
        message: The message. Line breaks become spaces, and control characters are escaped. A text
            of more than `MAX_LENGTH` characters is cut.

    Example:
        >>> from adversarial_autoencoder.errors import InputError
        >>> raise InputError("z_dim must be at least 1. Received: z_dim=0")
        Traceback (most recent call last):
            ...
        adversarial_autoencoder.errors.InputError: z_dim must be at least 1. Received: z_dim=0
    """

    def __init__(self, message: str):
        message = one_line(message)
        super().__init__(message if len(message) <= MAX_LENGTH else f"{message[:MAX_LENGTH]}...")


class Mismatch(InputError):
    """A run exists, but its settings differ from the given settings.

    Args:
        message: The message, as in `InputError`: one line of at most `MAX_LENGTH` characters.
    """


class TrainingError(RuntimeError):
    """A training that cannot continue.

    The message is one line. It says what happened and which checkpoint is kept.
    """


class ExportError(RuntimeError):
    """A model that cannot be exported, or whose file differs from it. No file is left.

    The message is one line. It says what happened.
    """


@contextlib.contextmanager
def reading(
    expected: str, *others: type[Exception], folder: pathlib.Path | None = None
) -> Iterator[None]:
    """Turns what a damaged file raises into an `InputError`, as a context manager.

    An `InputError` stays as it is, because it already says what was expected.

    Args:
        expected: What was expected, a sentence without its period.
        *others: Exceptions of the library that reads the file, in addition to `MALFORMED`.
        folder: The folder of a file that the program wrote. The error then names the folder and the
            kind of the exception, because its text means nothing to a user.

    Raises:
        InputError: If the block raises one of `MALFORMED` or of `others`.

    Example:
        >>> from adversarial_autoencoder.errors import reading
        >>> with reading("config.json must be readable"):
        ...     raise EOFError("no more")
        Traceback (most recent call last):
            ...
        adversarial_autoencoder.errors.InputError: config.json must be readable. Received: no more
    """
    try:
        yield
    except InputError:
        raise
    except (*others, *MALFORMED) as error:
        received = first_line(error) if folder is None else f"{type(error).__name__} in {folder}"
        raise InputError(f"{expected}. Received: {received}") from error


def first_line(error: object) -> str:
    """Returns the first line of a text or of an exception's message.

    Args:
        error: An exception or a text.

    Returns:
        The first line, or the name of the exception's class if the message is empty.
    """
    return str(error).strip().split("\n")[0] or type(error).__name__


def printable(text: object) -> str:
    r"""Escapes the characters of a text that are not printable, or are not valid UTF-8.

    Names of files and contents of files from elsewhere can contain line breaks, commands for the
    terminal, and bytes that are not UTF-8.

    Args:
        text: A text, or an object with a text.

    Returns:
        The text in one line, which every terminal and every file can hold.

    Example:
        >>> print(printable("café\n"), printable("\x1b[31m"), printable("\udcff"))
        café\n \x1b[31m \udcff
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(
        c.encode("unicode_escape").decode()
        if unicodedata.category(c) in _NO_TEXT or c in _DIRECTIONS
        else c
        for c in text
    )


def one_line(text: object) -> str:
    """Joins the lines of a text by spaces, and escapes what is not printable.

    Args:
        text: A text or an exception.

    Returns:
        One line.
    """
    return printable(" ".join(str(text).splitlines()))


def print_warning(message: str) -> None:
    """Prints a warning on stderr.

    Args:
        message: The text, without the prefix "Warning: ".
    """
    print(f"Warning: {one_line(message)}", file=sys.stderr, flush=True)


def did_you_mean(value: object, choices: Iterable[object]) -> str:
    """Suggests the valid choice that is most similar to an invalid value.

    Args:
        value: The invalid value.
        choices: The valid choices.

    Returns:
        " Did you mean X?" with a leading space, or an empty string if no choice is similar.

    Example:
        >>> did_you_mean("fashion-mnist", ["mnist", "fashion_mnist"])
        ' Did you mean fashion_mnist?'
    """
    close = difflib.get_close_matches(str(value), [str(choice) for choice in choices], n=1)
    return f" Did you mean {close[0]}?" if close else ""


def check_choice(name: str, value: object, choices: Iterable[str]) -> None:
    """Checks that an argument is one of the values that it can have.

    Args:
        name: Name of the argument.
        value: Its value.
        choices: The values that it can have.

    Raises:
        InputError: If it is none of them.

    Example:
        >>> check_choice("kind", "c", ["a", "b"])
        Traceback (most recent call last):
            ...
        adversarial_autoencoder.errors.InputError: kind must be one of a, b. Received: kind='c'
    """
    choices = tuple(choices)
    if value not in choices:
        raise InputError(
            f"{name} must be one of {', '.join(choices)}.{did_you_mean(value, choices)} "
            f"Received: {name}={value!r}"
        )


def counted(number: int, noun: str) -> str:
    """Writes a number of things in words.

    Args:
        number: How many, >= 0.
        noun: What, in the singular.

    Returns:
        The number and the noun, in the singular for 1 and in the plural otherwise.

    Example:
        >>> counted(1, "epoch"), counted(0, "epoch"), counted(12, "class")
        ('1 epoch', '0 epochs', '12 classes')
    """
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"
