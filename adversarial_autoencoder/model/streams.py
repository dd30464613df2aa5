"""Checks each element of a data set while it is read, not only the first one."""

import keras
import tensorflow as tf

from adversarial_autoencoder.model.batch import unpack
from adversarial_autoencoder.observations.observation import expect


def checked_dataset(dataset, num_classes, needs_labels, check_x):
    """Adds a check of images and labels to a data set, in the graph of its input pipeline.

    The check runs where the elements are prepared, so that it does not slow down the training step.

    Args:
        dataset: A `tf.data.Dataset`, whose elements `batch.make_batch` takes.
        num_classes: Number of classes, or 0 if labels are not limited.
        needs_labels: Whether each label must be at least 0.
        check_x: `Observation.check_in_graph` of the model.

    Returns:
        A `tf.data.Dataset` with the same elements. An element that is out of range raises an error
        that `inputs.with_plain_errors` converts.
    """
    parts = unpack(dataset.element_spec).items()
    names = [name for name, spec in parts if isinstance(spec, tf.TensorSpec)]

    def check(*element):
        element = element[0] if len(element) == 1 else element
        parts = unpack(element)
        for name in names:
            if name.startswith("x"):
                check_x(parts[name])
            else:
                _expect_labels(parts[name], num_classes, needs_labels)
        return element

    return dataset.map(check)


class CheckedPyDataset(keras.utils.PyDataset):
    """A `keras.utils.PyDataset` whose minibatches are checked.

    Args:
        dataset: The `keras.utils.PyDataset`.
        check: A function of a minibatch, which raises ValueError if it is out of range.
    """

    def __init__(self, dataset, check):
        names = ("workers", "use_multiprocessing", "max_queue_size")
        super().__init__(**{name: getattr(dataset, name) for name in names})
        self.dataset = dataset
        self.check = check

    def __getitem__(self, index):
        element = self.dataset[index]
        self.check(element)
        return element

    @property
    def num_batches(self):
        """Number of minibatches, or None if there is no end."""
        return self.dataset.num_batches

    def on_epoch_begin(self):
        """Passes the begin of an epoch on."""
        self.dataset.on_epoch_begin()

    def on_epoch_end(self):
        """Passes the end of an epoch on."""
        self.dataset.on_epoch_end()


def _expect_labels(y, num_classes, needs_labels):
    if num_classes:
        expect(
            tf.reduce_all(y < num_classes),
            f"Labels must be below {num_classes}. Received: labels from",
            y,
        )
    if needs_labels:
        expect(
            tf.reduce_all(y >= 0),
            "Every image must have a label, because the model does not infer y. "
            "Received: labels from",
            y,
        )
