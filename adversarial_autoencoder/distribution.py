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

import zlib

import keras
import tensorflow as tf

from adversarial_autoencoder import cluster
from adversarial_autoencoder.errors import InputError


def make_strategy(config):
    """Makes the strategy of a configuration. TensorFlow may not have computed anything before.

    Args:
        config: A `Config`.

    Returns:
        A `tf.distribute.Strategy`, under whose `scope()` the model is built and compiled.

    Raises:
        InputError: If TF_CONFIG is needed and cannot be used, or a minibatch cannot be divided.
    """
    _, workers = cluster.task(config.strategy)
    strategy = {
        "none": tf.distribute.get_strategy,
        "mirrored": lambda: tf.distribute.MirroredStrategy(_local_devices()),
        "multi_worker": tf.distribute.MultiWorkerMirroredStrategy,
    }[config.strategy]()
    replicas = strategy.num_replicas_in_sync
    parts = {"batch_size": config.batch_size}
    if "classification" in config.phases and config.num_labels < config.batch_size:
        # So few are all in each minibatch.
        parts["num_labels"] = config.num_labels
    local = replicas // workers
    if local > 1 and config.consistency != "none" and config.batch_norm:
        # The replicas of a process are traced in turns, and share the layers whose noise and
        # statistics the pass for consistency switches off.
        raise InputError(
            "With several devices in a process, consistency needs batch_norm=False. "
            f"Received: batch_norm=True, {local} devices"
        )
    if "mmd" in config.phases and config.batch_size < 2 * replicas:
        raise InputError(
            f"wae_mmd compares at least 2 images on each of the {replicas} replicas. "
            f"Received: batch_size={config.batch_size}"
        )
    for name, images in parts.items():
        if images % replicas:
            raise InputError(
                f"{name} must be a multiple of the {replicas} replicas. Received: {name}={images}"
            )
    return strategy


def _local_devices():
    """The devices of this machine that a model is mirrored over: its GPUs, else its CPUs."""
    kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    return [device.name for device in tf.config.list_logical_devices(kind)]


def check_agreement(strategy, what):
    """Raises InputError, on all workers, unless all were given the same text.

    Workers with different settings, or at different epochs, would wait for each other without end,
    or train a model that no settings describe.

    Args:
        strategy: The strategy.
        what: Text.
    """
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return
    own = strategy.run(lambda: tf.constant([zlib.crc32(what.encode())], "int64"))
    received = strategy.gather(own, axis=0).numpy()
    if len(set(received)) > 1:
        raise InputError(
            "All workers must have the same settings and data, and a results_dir that they share. "
            f"Received: {len(set(received))} different ones on {len(received)} replicas"
        )


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


def bytes_per_step(model, workers):
    """Bytes that each of several workers sends in one step of the training.

    Each step of the procedure adds up the gradients of the variables that it updates. A ring
    all-reduce sends and receives 2 (n - 1) / n times their size (Patarasuk and Yuan 2009).

    Args:
        model: An `AdversarialAutoencoder`.
        workers: Number of workers n, >= 1, with one replica each.

    Returns:
        A dict from the name of each step of the procedure to bytes.
    """
    share = 2 * (workers - 1) / workers
    return {
        step: share * sum(4 * variable.shape.num_elements() for variable in variables)
        for step, variables in model.var_lists.items()
    }
