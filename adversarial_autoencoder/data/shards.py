"""Data sets larger than memory: training images in TFRecord files, read as they are needed.

A prepared folder holds `train-NNNNN.tfrecord` files, each record a `tf.train.Example` with the
"image" (its bytes, row by row) and its "index" among the training images; `arrays.npz` with the
labels and with the images for validation and test, which are few; and `dataset.json`.
"""

import contextlib
import dataclasses
import hashlib
import json
import math
import zipfile

import numpy as np

from adversarial_autoencoder.data.dataset import MAX_VALIDATION_IMAGES, Dataset
from adversarial_autoencoder.errors import InputError

DESCRIPTION = "dataset.json"
ARRAYS = "arrays.npz"
SHARD_BYTES = 64 * 2**20
MAX_SHARDS = 128  # All are open while they are written: macOS allows 256 open files at first.
HELD_OUT = ("x_validation", "y_validation", "x_test", "y_test", "y_train")


@dataclasses.dataclass(frozen=True)
class Shards:
    """Training images in files.

    Args:
        paths: The TFRecord files.
        shape: Shape of all images, (n, height, width, channels).
    """

    paths: tuple[str, ...]
    shape: tuple[int, ...]

    # Of each pixel.
    dtype = np.dtype("uint8")

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, index):
        """Reads one image, or those of a slice, into memory."""
        chosen = np.arange(len(self))[index]
        return self.take(chosen) if isinstance(index, slice) else self.take([chosen])[0]

    def examples(self, paths):
        """Reads the records of some of the files, in their order: a `tf.data.Dataset` of bytes."""
        import tensorflow as tf

        return tf.data.TFRecordDataset(paths, buffer_size=2**20)

    def parse(self, examples):
        """Parses a batch of records: uint8 images (batch, h, w, c) and their int64 indices."""
        import tensorflow as tf

        features = {
            "image": tf.io.FixedLenFeature((), tf.string),
            "index": tf.io.FixedLenFeature((), tf.int64),
        }
        parsed = tf.io.parse_example(examples, features)
        images = tf.io.decode_raw(parsed["image"], "uint8", fixed_length=math.prod(self.shape[1:]))
        return tf.reshape(images, (-1, *self.shape[1:])), parsed["index"]

    def take(self, indices, axis=0):
        """Reads some of the images into memory, in the order of `indices`, as an array's `take`."""
        wanted = np.full(len(self), -1, "int64")
        wanted[indices] = np.arange(len(indices))
        taken = np.empty((len(indices), *self.shape[1:]), "uint8")
        for batch in self.examples(list(self.paths)).batch(1000):
            images, found = self.parse(batch)
            places = wanted[found.numpy()]
            taken[places[places >= 0]] = images.numpy()[places >= 0]
        return taken


def is_prepared(folder):
    """Whether a folder is one that `write` has made."""
    return (folder / DESCRIPTION).is_file()


def write(folder, name, read_images, shape, y=None, class_names=()):
    """Writes a data set into a new folder.

    The images are put in a fixed pseudo-random order, that of any data set, and split: a sixth for
    test, but at most 10 000, which are held in memory, and the same of the others for validation.

    Args:
        folder: A `pathlib.Path` that does not exist yet, or is empty.
        name: Name of the data set.
        read_images: A function from indices, in the order wanted, to an iterator over the uint8
            images with these, of any number of channels that fits `shape`.
        shape: Shape of all of them, (n, height, width, channels).
        y: Their labels, integers of shape (n,), or None.
        class_names: One string for each class.

    Returns:
        The `Dataset`.
    """
    import tensorflow as tf

    n = shape[0]
    order = np.random.default_rng(0).permutation(n)
    num_test = max(min(n // 6, MAX_VALIDATION_IMAGES), 1)
    num_validation = max(min((n - num_test) // 6, MAX_VALIDATION_IMAGES), 1)
    num_train = n - num_test - num_validation
    places = {
        "train": slice(num_train),
        "validation": slice(num_train, n - num_test),
        "test": slice(n - num_test, n),
    }
    x_validation = np.empty((num_validation, *shape[1:]), "uint8")
    x_test = np.empty((num_test, *shape[1:]), "uint8")
    held_out = [*x_validation, *x_test]  # Views.
    num_shards = math.ceil(num_train * math.prod(shape[1:]) / SHARD_BYTES)
    num_shards = min(num_shards, MAX_SHARDS)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"train-{i:05d}.tfrecord" for i in range(num_shards)]
    digest = hashlib.sha256(f"uint8{tuple(shape)}".encode())
    with contextlib.ExitStack() as files:
        writers = [files.enter_context(tf.io.TFRecordWriter(str(path))) for path in paths]
        # In the random order, so that any piece of a file is a mixture of all images.
        for i, image in enumerate(read_images(order)):
            image = np.ascontiguousarray(np.broadcast_to(image, shape[1:]))
            digest.update(image.data)
            if i < num_train:
                writers[i % num_shards].write(_example(image, i))
            else:
                held_out[i - num_train][:] = image
    arrays = {"x_validation": x_validation, "x_test": x_test}
    if y is not None:
        y = np.asarray(y, "int64")[order]
        digest.update(y.data)
        arrays |= {f"y_{part}": y[place] for part, place in places.items()}
    np.savez(folder / ARRAYS, **arrays)
    description = {
        "name": name,
        "image_shape": list(shape[1:]),
        "training_images": num_train,
        "class_names": list(class_names),
        "checksum": f"sha256:{digest.hexdigest()}",
        "files": [path.name for path in paths],
        "bytes": {path.name: path.stat().st_size for path in (*paths, folder / ARRAYS)},
    }
    # Last: a folder without it is not a data set.
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=1) + "\n")
    return read(folder)


def read(folder):
    """Reads a prepared data set, but for its training images.

    Raises:
        InputError: If it is not as it was written.
    """
    try:
        description = json.loads((folder / DESCRIPTION).read_text())
        for name, size in description["bytes"].items():
            if (found := (folder / name).stat().st_size) != size:
                raise ValueError(f"{name} of {found} bytes instead of {size}")
        with np.load(folder / ARRAYS, allow_pickle=False) as file:
            arrays = {name: file.get(name) for name in HELD_OUT}
        shape = (description["training_images"], *description["image_shape"])
        return Dataset(
            name=description["name"],
            x_train=Shards(tuple(str(folder / name) for name in description["files"]), shape),
            class_names=tuple(description["class_names"]),
            checksum=description["checksum"],
            **arrays,
        )
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        EOFError,
        zipfile.BadZipFile,
    ) as error:
        raise InputError(
            f"{folder} must be as `--mode prepare` has written it. Received: {error}"
        ) from error


def _example(image, index):
    import tensorflow as tf

    def feature(**kwargs):
        return tf.train.Feature(**kwargs)

    image = feature(bytes_list=tf.train.BytesList(value=[image.tobytes()]))
    index = feature(int64_list=tf.train.Int64List(value=[int(index)]))
    features = tf.train.Features(feature={"image": image, "index": index})
    return tf.train.Example(features=features).SerializeToString()
