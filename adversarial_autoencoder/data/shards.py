"""Data sets larger than memory, whose training images are streamed from TFRecord files.

A prepared folder contains these files:

- `train-NNNNN.tfrecord`: the training images. Every record is a `tf.train.Example`. Its "image"
  contains the bytes of an image row by row. Its "index" is the index of this training image.
- `arrays.npz`: the labels, and the images for validation and test, which fit in memory.
- `dataset.json`: the description of the data set, with the checksums of the other files.
"""

import contextlib
import dataclasses
import hashlib
import json
import math
import pathlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from adversarial_autoencoder.config.image_form import UNCHANGED, ImageForm
from adversarial_autoencoder.config.small_files import read_json
from adversarial_autoencoder.data.array_files import read_arrays
from adversarial_autoencoder.data.dataset import (
    MAX_VALIDATION_IMAGES,
    PARTS,
    Dataset,
    labels_or_none,
)
from adversarial_autoencoder.data.shard_checks import (
    ARRAYS,
    SHARD_NAME,
    check,
    file_checksum,
    seal,
)
from adversarial_autoencoder.devices.memory import max_data_bytes
from adversarial_autoencoder.errors import InputError, reading
from adversarial_autoencoder.runs.durable import atomic

DESCRIPTION = "dataset.json"
BYTES = np.dtype("uint8")
SHARD_BYTES = 64 * 2**20
MAX_SHARDS = 128  # All are open during writing, and macOS allows 256 open files by default.
HELD_OUT = ("x_validation", "y_validation", "x_test", "y_test", "y_train")


@dataclasses.dataclass(frozen=True)
class Shards:
    """Training images in TFRecord files, with the interface of an array where training needs it.

    Args:
        paths: Paths of the TFRecord files.
        shape: Shape of all images together, (n, height, width, channels).
        dtype: Data type of a pixel, uint8 or float32.

    Example:
        >>> import pathlib, tempfile
        >>> import numpy as np
        >>> from adversarial_autoencoder.data import shards
        >>> images = np.arange(10, dtype="uint8").repeat(4).reshape(10, 2, 2, 1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder)
        ...     dataset = shards.write(path, "grey", lambda i: iter(images[i]), images.shape)
        ...     print(len(dataset.x_train), dataset.x_train[:3].shape)
        8 (3, 2, 2, 1)
    """

    paths: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: np.dtype = BYTES

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any, /) -> np.ndarray:
        """Reads one image or a slice of the images into memory."""
        chosen = np.arange(len(self))[index]
        return self.take(chosen) if isinstance(index, slice) else self.take([chosen])[0]

    def examples(self, paths: Any):
        """Streams the records of some of the files.

        Args:
            paths: Paths of the files, a list or a string tensor.

        Returns:
            A `tf.data.Dataset` of scalar strings, one for each record, in the order of the files.
        """
        import tensorflow as tf

        return tf.data.TFRecordDataset(paths, buffer_size=2**20)

    def parse(self, examples: Any):
        """Parses a batch of records.

        Args:
            examples: Records, a string tensor of shape (batch,).

        Returns:
            Images, `dtype` of shape (batch, height, width, channels), and their indices, int64 of
            shape (batch,).
        """
        import tensorflow as tf

        features = {
            "image": tf.io.FixedLenFeature((), tf.string),
            "index": tf.io.FixedLenFeature((), tf.int64),
        }
        parsed = tf.io.parse_example(examples, features)
        size = math.prod(self.shape[1:]) * self.dtype.itemsize
        images = tf.io.decode_raw(parsed["image"], self.dtype.name, fixed_length=size)
        return tf.reshape(images, (-1, *self.shape[1:])), parsed["index"]

    def take(self, indices: Sequence[int] | np.ndarray, axis: int = 0) -> np.ndarray:
        """Reads some of the images into memory.

        Args:
            indices: Distinct indices of the images, integers of shape (m,).
            axis: Always 0. `numpy.ndarray.take` has the same argument.

        Returns:
            Images, `dtype` of shape (m, height, width, channels), in the order of the indices.

        Raises:
            InputError: If they need more than `max_data_bytes`.
        """
        size = len(indices) * math.prod(self.shape[1:]) * self.dtype.itemsize
        limit = max_data_bytes()
        if size > limit:
            raise InputError(
                f"At most {limit} bytes of prepared images fit in memory. Received: {len(indices)} "
                f"images of {size} bytes"
            )
        positions = np.full(len(self), -1, "int64")
        positions[indices] = np.arange(len(indices))
        taken = np.empty((len(indices), *self.shape[1:]), self.dtype)
        for batch in self.examples(list(self.paths)).batch(1000):
            images, found = self.parse(batch)
            places = positions[found.numpy()]
            taken[places[places >= 0]] = images.numpy()[places >= 0]
        return taken


def is_prepared(folder: pathlib.Path) -> bool:
    """Returns whether `write` made a folder.

    Args:
        folder: Path of the folder.

    Returns:
        True if the folder contains the description of a prepared data set.
    """
    return (folder / DESCRIPTION).is_file()


def is_unfinished(folder: pathlib.Path) -> bool:
    """Returns whether a folder is empty or has only files of a `write` that was stopped.

    Args:
        folder: Path of the folder.

    Returns:
        True if `write` can write there, and replaces only its own files.
    """
    return all(_is_own(path) and path.is_file() for path in folder.iterdir())


def _is_own(path):
    """Whether `write` makes files of this name before the description."""
    is_temporary = path.name.startswith(f".{DESCRIPTION}.") and ".tmp" in path.name
    return path.name == ARRAYS or bool(SHARD_NAME.fullmatch(path.name)) or is_temporary


def write(
    folder: pathlib.Path,
    name: str,
    read_images: Callable[[np.ndarray], Iterable[np.ndarray]],
    shape: tuple[int, ...],
    y: np.ndarray | None = None,
    class_names: Sequence[str] = (),
    sizes: Mapping[str, int] | None = None,
    dtype: np.dtype = BYTES,
    form: ImageForm = UNCHANGED,
) -> Dataset:
    """Writes a data set into a new folder.

    The training images are put in the same fixed pseudo-random order as those of other data sets.
    If no test images are given, the last sixth, at most 10 000 images, becomes the test set. If no
    validation images are given, the last sixth of the remaining images, at most 10 000, becomes the
    validation set.

    Args:
        folder: Path of a folder that does not exist or `is_unfinished`.
        name: Short name of the data set.
        read_images: A function that takes the indices of all images in the new order and returns an
            iterator over these images. An image has the shape (height, width, c), where c is the
            number of channels or 1.
        shape: Shape of all images together, (n, height, width, channels). n is at least 3.
        y: Labels of the images, integers of shape (n,), -1 for an unlabelled image; or None.
        class_names: One string for each class. Empty if there are no labels.
        sizes: Numbers of training, validation and test images that are given, in this order: a dict
            from "train", "validation" and "test". None: all are training images.
        dtype: Data type of the images, uint8 or float32.
        form: The form into which the images were brought.

    Returns:
        The `Dataset`. Its training images are `Shards`.
    """
    import tensorflow as tf

    sizes = sizes or {"train": shape[0]}
    order, places = _split(sizes)
    num_train = places["train"].stop
    x_validation, x_test = (
        np.empty((places[part].stop - places[part].start, *shape[1:]), dtype)
        for part in ("validation", "test")
    )
    # These are views: to write to them fills the two arrays.
    held_out = [*x_validation, *x_test]
    num_shards = math.ceil(num_train * math.prod(shape[1:]) * dtype.itemsize / SHARD_BYTES)
    num_shards = min(num_shards, MAX_SHARDS)
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    paths = [folder / f"train-{i:05d}.tfrecord" for i in range(num_shards)]
    digest = hashlib.sha256(f"{dtype.name}{tuple(shape)}".encode())
    if len(sizes) > 1:
        digest.update(repr(dict(sizes)).encode())
    with contextlib.ExitStack() as files:
        writers = [files.enter_context(tf.io.TFRecordWriter(str(path))) for path in paths]
        # In random order, every piece of a file is a mixture of all classes.
        for i, image in enumerate(read_images(order)):
            image = np.ascontiguousarray(np.broadcast_to(image, shape[1:]), dtype.newbyteorder("<"))
            digest.update(image.data)
            if i < num_train:
                writers[i % num_shards].write(_example(image, i))
            else:
                held_out[i - num_train][:] = image
    arrays: dict[str, Any] = {"x_validation": x_validation, "x_test": x_test}
    if y is not None:
        y = np.asarray(y, "int64")[order]
        digest.update(y.data)
        labels = {f"y_{part}": labels_or_none(y[place]) for part, place in places.items()}
        arrays |= {name: part for name, part in labels.items() if part is not None}
    np.savez(folder / ARRAYS, **arrays)
    description = {
        "name": name,
        "image_shape": list(shape[1:]),
        "training_images": num_train,
        "class_names": list(class_names),
        "dtype": dtype.name,
        "form": form.settings(),
        "checksum": f"sha256:{digest.hexdigest()}",
        "files": {path.name: file_checksum(path) for path in (*paths, folder / ARRAYS)},
    }
    # This file comes last, because a folder with it counts as complete.
    with atomic(folder / DESCRIPTION) as path:
        path.write_text(json.dumps(description | {"seal": seal(description)}, indent=1) + "\n")
    return read(folder)


def read(folder: pathlib.Path) -> Dataset:
    """Opens a prepared data set. The training images stay in their files.

    It reads all files once, to compare their checksums.

    Args:
        folder: Path of the folder that `write` made.

    Returns:
        The `Dataset`. Its training images are `Shards`.

    Raises:
        InputError: If a file is missing or has another content than `write` gave it.
    """
    with reading(f"{folder} must be unchanged since `--mode prepare` wrote it"):
        description = read_json(folder / DESCRIPTION)
        if description.pop("seal") != seal(description):
            raise ValueError(f"another {DESCRIPTION}")
        for name, expected in description["files"].items():
            if file_checksum(folder / name) != expected:
                raise ValueError(f"another {name}")
        arrays = read_arrays(folder / ARRAYS, HELD_OUT)
        check(folder, description, arrays)
        shape = (description["training_images"], *description["image_shape"])
        names = sorted(set(description["files"]) - {ARRAYS})
        return Dataset(
            name=description["name"],
            x_train=Shards(
                tuple(str(folder / name) for name in names), shape, np.dtype(description["dtype"])
            ),
            class_names=tuple(description["class_names"]),
            checksum=description["checksum"],
            form=ImageForm.of(**description["form"]),
            **arrays,
        )


def _split(sizes: Mapping[str, int]) -> tuple[np.ndarray, dict[str, slice]]:
    """Returns the indices of the images in their new order, and the place of each part in it."""
    ends = np.cumsum(list(sizes.values()))
    parts = {
        part: np.arange(end - size, end)
        for (part, size), end in zip(sizes.items(), ends, strict=True)
    }
    parts["train"] = np.random.default_rng(0).permutation(sizes["train"])
    for part in ("test", "validation"):
        if part not in parts:
            size = max(min(len(parts["train"]) // 6, MAX_VALIDATION_IMAGES), 1)
            parts["train"], parts[part] = np.split(parts["train"], [-size])
    order = np.concatenate([parts[part] for part in PARTS])
    ends = np.cumsum([len(parts[part]) for part in PARTS])
    return order, {
        part: slice(int(end) - len(parts[part]), int(end))
        for part, end in zip(PARTS, ends, strict=True)
    }


def _example(image: np.ndarray, index: int) -> bytes:
    import tensorflow as tf

    def feature(**kwargs):
        return tf.train.Feature(**kwargs)

    pixels = feature(bytes_list=tf.train.BytesList(value=[image.tobytes()]))
    number = feature(int64_list=tf.train.Int64List(value=[int(index)]))
    features = tf.train.Features(feature={"image": pixels, "index": number})
    return tf.train.Example(features=features).SerializeToString()
