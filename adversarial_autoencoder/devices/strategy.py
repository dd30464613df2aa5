"""The `tf.distribute` strategy of a training: one device, several devices, or several machines."""

import zlib

import tensorflow as tf

from adversarial_autoencoder.devices import tf_config
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
    _, workers = tf_config.task(config.strategy)
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
