"""The stream of minibatches for training."""

import tensorflow as tf


def training_batches(x, batch_size, seed, initial_epoch=0):
    """Streams shuffled minibatches without end.

    Each epoch is a permutation of the images that depends on the seed and the number of the epoch
    alone, so that a resumed training sees the order that it would have seen. An epoch has
    `len(x) // batch_size` full minibatches: XLA compiles the step for one shape, and what one
    epoch leaves out the next ones bring.

    Args:
        x: Images, shape (n, ...), of any dtype.
        batch_size: Images in a minibatch, at most n.
        seed: Seed of the order.
        initial_epoch: Number of the first epoch.

    Returns:
        A `tf.data.Dataset` of tensors of shape (batch_size, ...).
    """
    steps = len(x) // batch_size
    images = tf.constant(x)

    def epoch(number):
        # Folded, so that it differs from the noise of any step with the same seed.
        key = tf.random.fold_in(tf.stack([tf.constant(seed, "int64"), number]), 2)
        order = tf.random.experimental.stateless_shuffle(tf.range(len(x)), key)
        batches = tf.reshape(order[: steps * batch_size], (steps, batch_size))
        return tf.data.Dataset.from_tensor_slices(batches)

    epochs = tf.data.Dataset.range(initial_epoch, tf.int64.max)
    batches = epochs.flat_map(epoch).map(lambda indices: tf.gather(images, indices))
    return batches.prefetch(4)
