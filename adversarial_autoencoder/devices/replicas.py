"""Trains on several devices or machines at once, by `tf.distribute`.

Each replica of the model computes the gradients of its equal part of every minibatch; their mean
over the replicas, which is the gradient of the whole minibatch, updates all of them alike. The
noise of a minibatch is drawn as a whole too, and each replica takes the rows of its images. So the
weights become those of a single process with the same batch size, up to rounding.

Four things differ from a single process. The noise of Keras's own layers (dropout, noise on an
input) is drawn by each replica, from seeds of its own. The maximum mean discrepancy compares the
codes of each part alone, an estimate of the same quantity with more variance; the mutual
information of x and y is that of each part, too. And where the parts
have different numbers of labelled images, which `make_strategy` refuses, the mean of their
classification losses is not that of the images.
"""

import keras
import tensorflow as tf


def own_rows(draw, n):
    """Draws the noise of a whole minibatch and takes the rows that belong to this replica.

    Args:
        draw: Function from a number of rows to a tensor with as many; the same on every replica.
        n: Rows of this replica; the other replicas have as many.

    Returns:
        A tensor of n rows.
    """
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return draw(n)
    start = context.replica_id_in_sync_group * n
    return draw(context.num_replicas_in_sync * n)[start : start + n]


class ReplicaSeeds(keras.random.SeedGenerator):
    """Seeds for the noise of a layer that differ between the replicas."""

    def next(self, ordered=True):
        seed = super().next(ordered)
        context = tf.distribute.get_replica_context()
        if context is None or context.num_replicas_in_sync == 1:
            return seed
        replica = tf.cast(context.replica_id_in_sync_group, seed.dtype)
        return seed + tf.stack([replica, tf.zeros_like(replica)])


def seed_apart(model):
    """Gives the layers of a model, which else draw the same noise on every replica, such seeds."""
    for layer in model._flatten_layers() if is_divided() else ():
        if type(getattr(layer, "seed_generator", None)) is keras.random.SeedGenerator:
            # Keras's layers make their generators themselves.
            layer.seed_generator.__class__ = ReplicaSeeds


def is_divided():
    """Whether a minibatch is divided, in the scope of a strategy, over several replicas."""
    return tf.distribute.get_strategy().num_replicas_in_sync > 1


def mean_weight():
    """The weight of the loss of one replica in the mean over all; Keras's optimizers add them."""
    return 1.0 / tf.distribute.get_strategy().num_replicas_in_sync


def as_log(value):
    """A scalar as `train_step` has to return it.

    Over several workers Keras takes the mean along an axis, which a scalar does not have
    (github.com/keras-team/keras/issues/20585).
    """
    strategy = tf.distribute.get_strategy()
    several = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
    # Keras's own condition.
    several = several and strategy.extended._in_multi_worker_mode()
    return tf.reshape(value, (1,)) if several else value
