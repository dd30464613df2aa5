"""Opens an output: a writer for the format that its suffix names."""

import contextlib
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from adversarial_autoencoder.data.outputs import arrays, images, texts
from adversarial_autoencoder.data.outputs.target import check_output
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
    path: pathlib.Path,
    main: str = "",
    types: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Iterator[Writer]:
    """Opens an output, as a context manager.

    Args:
        path: A path that `check_output` returned.
        main: Name of the column of which an .npy file or a folder of PNG files consists.
        types: Arrow types of the columns of a Parquet file, by name; those that are not given
            follow from the values.
        overwrite: Whether an output that exists, now or at the end, is replaced.

    Yields:
        The `Writer`. The output appears when the `with` block ends without an error; otherwise
        nothing is left of it.

    Raises:
        InputError: If the output exists and must not be replaced, or is a folder with other files.
        OSError: If it cannot be written.
    """
    suffix = path.suffix.lower()
    path = check_output(path.absolute(), [suffix], overwrite)
    # A link stays a link, and its target is replaced.
    with (atomic if suffix else images.atomic_folder)(path.resolve(), overwrite) as temporary:
        writer = WRITERS[suffix](temporary, main, types or {})
        with contextlib.closing(writer):
            yield writer
            writer.finish()
        # Again, because files can have appeared there in the meantime.
        check_output(path, [suffix], overwrite)
