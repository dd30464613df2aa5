"""The stream of minibatches for training."""

import math

import numpy as np
import tensorflow as tf

from adversarial_autoencoder.data.dataset import TrainingImages
from adversarial_autoencoder.data.shards import Shards

# Images in files are shuffled in pieces of this size in bytes.
SHUFFLE_BYTES = 16 * 2**20

# Keys of the random streams. They differ from the keys of the random numbers in training steps.
_IMAGES, _LABELLED_IMAGES = 2, 3


def training_batches(
    x: TrainingImages,
    batch_size: int,
    seed: int,
    initial_epoch: int = 0,
    labels: np.ndarray | None = None,
    labelled_stream: bool = False,
    worker: tf.distribute.InputContext | None = None,
) -> tf.data.Dataset:
    """Streams shuffled minibatches without end.

    Every epoch is a new permutation of the images. It depends only on the seed and the index of
    the epoch. Therefore a resumed training sees the same minibatches as an uninterrupted training.

    An epoch has `len(x) // batch_size` minibatches. All have the same size, because XLA compiles
    the training step for one shape. The remaining images are left out. They differ from epoch to
    epoch.

    Args:
        x: Images, an array of shape (n, ...) and any dtype, or `Shards`. For `Shards`, the order of
            the files is a permutation, and the images are shuffled in pieces of `SHUFFLE_BYTES`.
        batch_size: Images in a minibatch, 1 to n.
        seed: Seed of the order.
        initial_epoch: Index of the first epoch, from 0.
        labels: Labels, int32 of shape (n,), negative for unlabelled images. None: the stream
            contains images only.
        labelled_stream: Whether every minibatch also contains labelled images: `batch_size` of
            them, or all if there are fewer. They come from an independent stream that can repeat
            several times in an epoch. `Shards` whose images are all labelled have no such stream.
        worker: Input context of one of several workers. A minibatch is divided into equal parts,
            one for each replica. The worker gets the parts of its replicas, one after the other.
            None: there is one replica.

    Returns:
        A `tf.data.Dataset`. Without labels, its elements are images, shape (batch_size, ...). With
        labels, they are dicts with the images "x" and the labels "y". With a labelled stream, the
        dicts also contain "x_labelled" and "y_labelled".

    Example:
        >>> import numpy as np
        >>> x, labels = np.zeros((20, 8, 8, 1), "uint8"), np.zeros(20, "int32")
        >>> batches = training_batches(x, batch_size=5, seed=0, labels=labels)
        >>> batch = next(batches.as_numpy_iterator())
        >>> batch["x"].shape, batch["y"].shape
        ((5, 8, 8, 1), (5,))
    """
    if isinstance(x, Shards):
        return _from_shards(x, batch_size, seed, initial_epoch, labels, labelled_stream, worker)
    images = tf.constant(x)
    first = initial_epoch * (len(x) // batch_size)
    indices = _replica_parts(_index_batches(len(x), batch_size, seed, first, _IMAGES), worker)
    if labels is None:
        return indices.map(lambda i: tf.gather(images, i)).prefetch(4)
    labelled = np.flatnonzero(labels >= 0)
    labels = tf.constant(labels)

    def minibatch(i, j=None):
        batch = {"x": tf.gather(images, i), "y": tf.gather(labels, i)}
        if j is not None:
            j = tf.gather(labelled, j)
            batch |= {"x_labelled": tf.gather(images, j), "y_labelled": tf.gather(labels, j)}
        return batch

    if labelled_stream:
        size = min(batch_size, len(labelled))
        labelled_indices = _index_batches(len(labelled), size, seed, first, _LABELLED_IMAGES)
        indices = tf.data.Dataset.zip(indices, _replica_parts(labelled_indices, worker))
    return indices.map(minibatch).prefetch(4)


def _index_batches(n, batch_size, seed, first, stream):
    """Streams minibatches of indices below `n`, from minibatch number `first` on.

    Every pass over the indices is a new permutation. Streams with one seed and different numbers
    `stream` are independent.
    """
    steps = n // batch_size

    def one_pass(number):
        key = tf.random.fold_in(tf.stack([tf.constant(seed, "int64"), number]), stream)
        order = tf.random.experimental.stateless_shuffle(tf.range(n), key)
        batches = tf.reshape(order[: steps * batch_size], (steps, batch_size))
        return tf.data.Dataset.from_tensor_slices(batches)

    passes = tf.data.Dataset.range(first // steps, tf.int64.max)
    return passes.flat_map(one_pass).skip(first % steps)


def _replica_parts(batches, worker):
    """Divides minibatches among the replicas and keeps the parts of the worker's replicas."""
    if worker is None or worker.num_replicas_in_sync == 1:
        return batches
    replicas = worker.num_replicas_in_sync
    own = replicas // worker.num_input_pipelines
    first = worker.input_pipeline_id * own

    def split(batch):
        parts = tf.reshape(batch, (replicas, -1))[first : first + own]
        return tf.data.Dataset.from_tensor_slices(parts)

    return batches.flat_map(split)


def _from_shards(x, batch_size, seed, initial_epoch, labels, labelled_stream, worker):
    """Implements `training_batches` for `Shards`. A labelled stream keeps its images in memory."""
    piece = max(SHUFFLE_BYTES // (math.prod(x.shape[1:]) * x.dtype.itemsize), batch_size)

    def one_pass(number):
        key = tf.random.fold_in(tf.stack([tf.constant(seed, "int64"), number]), _IMAGES)
        paths = tf.random.experimental.stateless_shuffle(tf.constant(x.paths), key)
        pieces = x.examples(paths).batch(piece).enumerate()
        shuffled = pieces.map(
            lambda i, examples: tf.random.experimental.stateless_shuffle(
                examples, tf.random.fold_in(key, i)
            )
        )
        return shuffled.unbatch().batch(batch_size, drop_remainder=True)

    examples = tf.data.Dataset.range(initial_epoch, tf.int64.max).flat_map(one_pass)
    batches = _replica_parts(examples, worker).map(x.parse)
    if labels is None:
        return batches.map(lambda images, i: images).prefetch(4)
    batches = batches.map(lambda images, i: {"x": images, "y": tf.gather(labels, i)})
    labelled = np.flatnonzero(labels >= 0)
    # If all images are labelled, "x" and "y" already contain labelled images.
    if labelled_stream and len(labelled) < len(x):
        x_labelled, y_labelled = tf.constant(x.take(labelled)), tf.constant(labels[labelled])
        first = initial_epoch * (len(x) // batch_size)
        size = min(batch_size, len(labelled))
        indices = _index_batches(len(labelled), size, seed, first, _LABELLED_IMAGES)
        labelled_batches = _replica_parts(indices, worker).map(
            lambda j: {
                "x_labelled": tf.gather(x_labelled, j),
                "y_labelled": tf.gather(y_labelled, j),
            }
        )
        batches = tf.data.Dataset.zip(batches, labelled_batches).map(
            lambda batch, further: batch | further
        )
    return batches.prefetch(4)
