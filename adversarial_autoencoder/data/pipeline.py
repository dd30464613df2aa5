"""The stream of minibatches for training."""

import numpy as np
import tensorflow as tf

from adversarial_autoencoder.data.shards import Shards

# Bytes of images of a stream from files that are put in a random order together.
SHUFFLE_BYTES = 16 * 2**20


def training_batches(
    x, batch_size, seed, initial_epoch=0, labels=None, labelled_stream=False, worker=None
):
    """Streams shuffled minibatches without end.

    Each epoch is a permutation of the images that depends on the seed and the number of the epoch
    alone, so that a resumed training sees the order that it would have seen. An epoch has
    `len(x) // batch_size` full minibatches, as XLA compiles the step for one shape: less than one
    minibatch is left out, other images in each epoch.

    Args:
        x: Images, an array of shape (n, ...), of any dtype; or `Shards`. Of those the files are in
            a new order in each epoch, and the images are shuffled piece by piece.
        batch_size: Images in a minibatch, at most n.
        seed: Seed of the order.
        initial_epoch: Number of the first epoch.
        labels: int32 labels, shape (n,), negative for unlabelled images; or None.
        labelled_stream: Whether each minibatch also brings labelled images, `batch_size` or as many
            as there are, from a stream of their own that repeats while the epoch goes on.
        worker: The `tf.distribute.InputContext` of one of several workers. Each minibatch is
            divided into equal parts, one for each replica; this worker gets those of its replicas,
            one after the other. None: there is one replica.

    Returns:
        A `tf.data.Dataset` of images, shape (batch_size, ...); with labels, of dicts with the keys
        "x" and "y", and with a labelled stream "x_labelled" and "y_labelled" too.
    """
    if isinstance(x, Shards):
        return _from_files(x, batch_size, seed, initial_epoch, labels, labelled_stream, worker)
    images = tf.constant(x)
    first = initial_epoch * (len(x) // batch_size)
    main = _parts(_index_batches(len(x), batch_size, seed, first, stream=2), worker)
    if labels is None:
        return main.map(lambda i: tf.gather(images, i)).prefetch(4)
    labels, labelled = tf.constant(labels), np.flatnonzero(labels >= 0)

    def minibatch(i, j=None):
        batch = {"x": tf.gather(images, i), "y": tf.gather(labels, i)}
        if j is not None:
            j = tf.gather(labelled, j)
            batch |= {"x_labelled": tf.gather(images, j), "y_labelled": tf.gather(labels, j)}
        return batch

    if labelled_stream:
        size = min(batch_size, len(labelled))
        few = _parts(_index_batches(len(labelled), size, seed, first, stream=3), worker)
        main = tf.data.Dataset.zip(main, few)
    return main.map(minibatch).prefetch(4)


def _index_batches(n, batch_size, seed, first, stream):
    """Minibatches of indices below `n`, from minibatch number `first` on.

    Each pass over the indices is a permutation of its own; `stream` tells streams of one seed
    apart, and from the noise of any step.
    """
    steps = n // batch_size

    def one_pass(number):
        key = tf.random.fold_in(tf.stack([tf.constant(seed, "int64"), number]), stream)
        order = tf.random.experimental.stateless_shuffle(tf.range(n), key)
        batches = tf.reshape(order[: steps * batch_size], (steps, batch_size))
        return tf.data.Dataset.from_tensor_slices(batches)

    passes = tf.data.Dataset.range(first // steps, tf.int64.max)
    return passes.flat_map(one_pass).skip(first % steps)


def _parts(batches, worker):
    """The parts of each minibatch of indices that the replicas of a worker get, in their order."""
    if worker is None or worker.num_replicas_in_sync == 1:
        return batches
    replicas = worker.num_replicas_in_sync
    own = replicas // worker.num_input_pipelines
    first = worker.input_pipeline_id * own

    def split(indices):
        parts = tf.reshape(indices, (replicas, -1))[first : first + own]
        return tf.data.Dataset.from_tensor_slices(parts)

    return batches.flat_map(split)


def _from_files(x, batch_size, seed, initial_epoch, labels, labelled_stream, worker):
    """As `training_batches`, for `Shards`.

    The images of a labelled stream are in memory, but where all are labelled.
    """
    piece = max(SHUFFLE_BYTES // int(np.prod(x.shape[1:])), batch_size)

    def one_pass(number):
        key = tf.random.fold_in(tf.stack([tf.constant(seed, "int64"), number]), 2)
        paths = tf.random.experimental.stateless_shuffle(tf.constant(x.paths), key)
        pieces = x.examples(paths).batch(piece).enumerate()
        shuffled = pieces.map(
            lambda i, examples: tf.random.experimental.stateless_shuffle(
                examples, tf.random.fold_in(key, i)
            )
        )
        return shuffled.unbatch().batch(batch_size, drop_remainder=True)

    examples = tf.data.Dataset.range(initial_epoch, tf.int64.max).flat_map(one_pass)
    main = _parts(examples, worker).map(x.parse)
    if labels is None:
        return main.map(lambda images, i: images).prefetch(4)
    main = main.map(lambda images, i: {"x": images, "y": tf.gather(labels, i)})
    known = np.flatnonzero(labels >= 0)
    # Where all are labelled the minibatch itself is of labelled images.
    if labelled_stream and len(known) < len(x):
        few_x, few_y = tf.constant(x.take(known)), tf.constant(labels[known])
        first = initial_epoch * (len(x) // batch_size)
        size = min(batch_size, len(known))
        few = _parts(_index_batches(len(known), size, seed, first, stream=3), worker)
        few = few.map(
            lambda j: {"x_labelled": tf.gather(few_x, j), "y_labelled": tf.gather(few_y, j)}
        )
        main = tf.data.Dataset.zip(main, few).map(lambda batch, few: batch | few)
    return main.prefetch(4)
