"""Opens an output: a writer for the format that its suffix names."""

import contextlib
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from adversarial_autoencoder.data.outputs import arrays, images, texts
from adversarial_autoencoder.runs.durable import atomic


class Writer(Protocol):
    """What writes one format."""

    def write(self, columns: Mapping[str, Any]) -> None:
        """Writes some rows.

        Args:
            columns: The columns by name, the same ones in each call.
        """

    def finish(self) -> None:
        """Completes the file after the last row."""

    def close(self) -> None:
        """Closes what is open, also after an error."""


WRITERS: Mapping[str, Any] = {
    ".csv": texts.CsvWriter,
    ".parquet": texts.ParquetWriter,
    ".npy": arrays.NpyWriter,
    ".npz": arrays.NpzWriter,
    "": images.PngWriter,
}


@contextlib.contextmanager
def open_output(
    path: pathlib.Path, main: str = "", types: Mapping[str, Any] | None = None
) -> Iterator[Writer]:
    """Opens an output, as a context manager.

    Args:
        path: A path that `check_output` returned. An existing output is replaced.
        main: Name of the column of which an .npy file or a folder of PNG files consists.
        types: Arrow types of the columns of a Parquet file, by name; those that are not given
            follow from the values.

    Yields:
        The `Writer`. The output appears when the `with` block ends without an error; otherwise
        nothing is left of it.

    Raises:
        OSError: If it cannot be written.
    """
    suffix = path.suffix.lower()
    with (atomic if suffix else images.atomic_folder)(path) as temporary:
        writer = WRITERS[suffix](temporary, main, types or {})
        with contextlib.closing(writer):
            yield writer
            writer.finish()
