"""The `tf.distribute` strategy of a training: one device, several devices, or several machines."""

import zlib

import tensorflow as tf

from adversarial_autoencoder.config import Config
from adversarial_autoencoder.devices import tf_config
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.systems import CLASSIFICATION, MMD


def make_strategy(config: Config) -> tf.distribute.Strategy:
    """Makes the strategy of a training. TensorFlow must not have computed anything before.

    Args:
        config: A `Config`, resolved for the data.

    Returns:
        A `tf.distribute.Strategy`. Build and compile the model under its `scope()`.

    Raises:
        InputError: If TF_CONFIG is needed but cannot be used, or a minibatch cannot be divided.
    """
    tf_config.task(config.strategy)
    strategy = {
        "none": tf.distribute.get_strategy,
        "mirrored": lambda: tf.distribute.MirroredStrategy(_local_devices()),
        "multi_worker": tf.distribute.MultiWorkerMirroredStrategy,
    }[config.strategy]()
    replicas = strategy.num_replicas_in_sync
    batch_size = config.batch_size or config.system.batch_size
    parts = {"batch_size": batch_size}
    num_labels = config.num_labels or batch_size  # 0: all images have a label.
    if config.has_phase(CLASSIFICATION) and num_labels < batch_size:
        # Then each minibatch has all labelled images.
        parts["num_labels"] = num_labels
    if config.has_phase(MMD) and batch_size < 2 * replicas:
        raise InputError(
            f"wae_mmd compares at least 2 images on each of the {replicas} replicas. "
            f"Received: batch_size={batch_size}"
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


def check_agreement(strategy: tf.distribute.Strategy, what: str) -> None:
    """Checks on every worker that all workers were given the same text.

    Workers with different settings, or at different epochs, would wait for each other forever, or
    train a model that no settings describe.

    Args:
        strategy: The strategy.
        what: A text that describes the training.

    Raises:
        InputError: If the texts differ; on all workers.
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
