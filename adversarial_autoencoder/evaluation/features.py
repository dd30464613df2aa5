"""The feature space in which generated images are compared with real images.

Publications usually take the features from a layer of the Inception network. Its weights need a
download, and it was not trained on images such as digits. Here, the features come from a hidden
layer of a small classifier, trained on the labelled training images of the same data set with
`RECIPE`. The distances are therefore not comparable with publications. They compare models that
were measured with the same classifier.
"""

import hashlib
import json
import os
import zlib
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from adversarial_autoencoder.errors import MALFORMED
from adversarial_autoencoder.model import archive

# Together with the data, these settings determine the classifier. `cache_key` depends on them.
RECIPE: dict[str, Any] = {
    "filters": [32, 64],
    "units": 128,
    "dropout": 0.25,
    "steps": 1200,
    "batch_size": 128,
    "learning_rate": 2e-3,
    "seed": 0,
}

# Images in one call of the classifier, to limit the memory.
_BATCH = 500


class Features:
    """Computes features of images: the outputs of the last hidden layer of a classifier.

    The measures in `evaluation.generation` compare the features of real and generated images.

    Args:
        classifier: A Keras model from `train_classifier`, or another functional Keras model with a
            layer "features". It maps images in [0, 1], shape (batch, height, width, channels), to
            logits of classes, shape (batch, num_classes).

    Example:
        >>> import keras
        >>> import numpy as np
        >>> from adversarial_autoencoder.evaluation.features import Features
        >>> inputs = keras.Input((8, 8, 1))
        >>> hidden = keras.layers.Dense(16, name="features")(keras.layers.Flatten()(inputs))
        >>> classifier = keras.Model(inputs, keras.layers.Dense(10)(hidden))
        >>> features = Features(classifier)
        >>> images = np.zeros((3, 8, 8, 1), "float32")
        >>> features(images).shape
        (3, 16)
        >>> features.classify(images).shape
        (3,)
    """

    def __init__(self, classifier: keras.Model):
        self.classifier = classifier
        outputs = [classifier.get_layer("features").output, classifier.output]
        self._model = keras.Model(classifier.input, outputs)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Computes the features of images.

        Args:
            x: Images, shape (n, height, width, channels), floats in [0, 1], n >= 1.

        Returns:
            A float32 array of shape (n, units). `RECIPE` has 128 units.
        """
        return self._run(x)[0]

    def classify(self, x: np.ndarray) -> np.ndarray:
        """Predicts the classes of images.

        Args:
            x: Images, shape (n, height, width, channels), floats in [0, 1], n >= 1.

        Returns:
            The most probable classes, an integer array of shape (n,).
        """
        return self._run(x)[1].argmax(axis=1)

    @property
    def fingerprint(self) -> int:
        """A checksum of the weights, below 2^32, that identifies the feature space."""
        weights = b"".join(np.ascontiguousarray(w).tobytes() for w in self.classifier.get_weights())
        return zlib.crc32(weights)

    def _run(self, x):
        batches = [x[i : i + _BATCH] for i in range(0, len(x), _BATCH)]
        outputs = [self._model(np.asarray(batch, "float32")) for batch in batches]
        return [np.concatenate(parts) for parts in zip(*outputs, strict=True)]


def read_classifier(
    path: str | os.PathLike[str], image_shape: Sequence[int], num_classes: int
) -> keras.Model | None:
    """Reads a classifier from a file.

    Args:
        path: Path of a .keras file.
        image_shape: Shape of the images that it must take, (height, width, channels).
        num_classes: Number of classes that it must predict.

    Returns:
        The classifier, or None if the file does not exist, is not readable, or contains another
        model.
    """
    try:
        archive.check(path)
        classifier = keras.saving.load_model(path, compile=False)
        shape, classes = classifier.input.shape[1:], classifier.output.shape[1:]
        classifier.get_layer("features")
    except (*MALFORMED, tf.errors.OpError):
        return None
    return classifier if (shape, classes) == (tuple(image_shape), (num_classes,)) else None


def train_classifier(
    x: np.ndarray, y: np.ndarray, num_classes: int, recipe: dict[str, Any] = RECIPE
) -> keras.Model:
    """Trains the classifier that gives the features.

    The function sets the global random seed of Keras.

    Args:
        x: Images, shape (n, height, width, channels): uint8 in 0..255 or floats in [0, 1].
        y: Labels, integers of shape (n,) in 0..num_classes - 1.
        num_classes: Number of classes.
        recipe: Settings of the network and its training, with the same keys as `RECIPE`.

    Returns:
        A functional Keras model for `Features`.
    """
    # Keras layers draw their initial weights from the global seed.
    keras.utils.set_random_seed(recipe["seed"])
    image = inputs = keras.Input(x.shape[1:], name="x")
    for i, filters in enumerate(recipe["filters"]):
        image = layers.Conv2D(filters, 3, strides=2, padding="same", name=f"conv_{i}")(image)
        image = layers.ReLU(name=f"relu_{i}")(image)
    flat = layers.Dropout(recipe["dropout"])(layers.Flatten()(image))
    features = layers.Dense(recipe["units"], activation="relu", name="features")(flat)
    logits = layers.Dense(num_classes, name="logits")(features)
    classifier = keras.Model(inputs, logits, name="features")
    scale = 1 / 255 if x.dtype == np.uint8 else 1.0
    batches = (
        tf.data.Dataset.from_tensor_slices((x, y))
        .shuffle(len(x), seed=recipe["seed"])
        .repeat()
        .batch(recipe["batch_size"])
        .map(lambda x, y: (tf.cast(x, "float32") * scale, y))
    )
    classifier.compile(
        keras.optimizers.Adam(recipe["learning_rate"]),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    classifier.fit(batches, steps_per_epoch=recipe["steps"], shuffle=False, verbose=0)
    return classifier


def cache_key(checksum: str, recipe: dict[str, Any] = RECIPE) -> str:
    """Computes a file name for the classifier of a data set.

    The key changes with the data and with the recipe, so a saved classifier is never out of date.

    Args:
        checksum: Checksum of the data set, from `data.Dataset.checksum`.
        recipe: Settings of the classifier, with the same keys as `RECIPE`.

    Returns:
        A string of 16 hexadecimal digits.
    """
    text = json.dumps([checksum, recipe], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
