"""The parts of a training that know about replicas, the copies of a model on several devices.

Each replica computes the gradients of its equal part of every minibatch. The mean of the gradients
updates all replicas identically. The noise is drawn for the whole minibatch, and each replica takes
the rows of its images. So the weights equal those of a single process with the same batch size, up
to rounding.

Four things differ from a single process:

- Each replica draws the noise of Keras layers (dropout, input noise) from its own seeds.
- The maximum mean discrepancy compares the codes of one part only: it estimates the same quantity,
  with more variance.
- The mutual information between x and y is that of one part.
- If the parts had different numbers of labelled images, the mean of their classification losses
  would not be that of all images. `strategy.make_strategy` refuses this.
"""

import keras
import tensorflow as tf


def own_rows(draw, n):
    """Draws the noise of a whole minibatch, and takes the rows of this replica.

    Args:
        draw: Function from a number of rows to a tensor with as many rows; the same on every
            replica.
        n: Number of rows of this replica; the other replicas have as many.

    Returns:
        A tensor of n rows.
    """
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return draw(n)
    start = context.replica_id_in_sync_group * n
    return draw(context.num_replicas_in_sync * n)[start : start + n]


class ReplicaSeeds(keras.random.SeedGenerator):
    """Seeds for the noise of a layer that differ between replicas."""

    def next(self, ordered=True):
        """The next seed, integers of shape (2,)."""
        seed = super().next(ordered)
        context = tf.distribute.get_replica_context()
        if context is None or context.num_replicas_in_sync == 1:
            return seed
        replica = tf.cast(context.replica_id_in_sync_group, seed.dtype)
        return seed + tf.stack([replica, tf.zeros_like(replica)])


def seed_apart(model):
    """Gives the layers of a model seeds that differ between replicas; call it under a strategy.

    Args:
        model: A Keras model.
    """
    for layer in model._flatten_layers() if is_divided() else ():
        if type(getattr(layer, "seed_generator", None)) is keras.random.SeedGenerator:
            # Keras layers make their generators themselves, so their class is replaced.
            layer.seed_generator.__class__ = ReplicaSeeds


def is_divided():
    """Whether the current strategy divides a minibatch among several replicas."""
    return tf.distribute.get_strategy().num_replicas_in_sync > 1


def mean_weight():
    """The weight of one replica's loss in the mean over all; Keras optimizers sum the gradients."""
    return 1.0 / tf.distribute.get_strategy().num_replicas_in_sync


def as_log(value):
    """Converts a scalar to the shape that `train_step` must return.

    Over several workers Keras takes the mean along an axis, which a scalar does not have
    (github.com/keras-team/keras/issues/20585).

    Args:
        value: Scalar tensor.

    Returns:
        The scalar, or a tensor of shape (1,) over several workers.
    """
    strategy = tf.distribute.get_strategy()
    several = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
    # Keras's own condition.
    several = several and strategy.extended._in_multi_worker_mode()
    return tf.reshape(value, (1,)) if several else value
