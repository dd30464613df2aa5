"""A source of batches: what each reader makes of a file or a folder."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

# What the names of images and rows are: the path of a file relative to its folder, the index in an
# array from 0, or the number of a row of a table from 1.
FILE, INDEX, ROW = "file", "index", "row"

Names = Sequence[str] | np.ndarray


@dataclasses.dataclass
class Source:
    """Images or rows that are read in batches, once.

    Iterating over it gives pairs of the names, a list of texts or an int64 array, and the images or
    rows, an array of shape (n, ...): uint8 in 0..255 or float32 in [0, 1] for images, float32 of
    shape (n, columns) for rows.

    Args:
        key: What the names are: "file", "index" or "row".
        batches: The names, the images or rows, and the share that is read with them, in [0, 1].
        share: The share that is read so far.
    """

    key: str
    batches: Iterable[tuple[Names, np.ndarray, float]]
    share: float = 0.0

    def __iter__(self) -> Iterator[tuple[Names, np.ndarray]]:
        for names, x, share in self.batches:
            self.share = share
            yield names, x


def slices(n: int, size: int) -> Iterator[slice]:
    """Divides a number of items into batches.

    Args:
        n: Number of items.
        size: Largest number of items of a batch, >= 1.

    Yields:
        The slice of each batch.
    """
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))
