"""A space of features in which generated images are compared with real ones.

Usually that is a layer of Inception, whose weights need a download and which has never seen digits.
Here it is a layer of a small classifier, trained by the recipe below on the data set's own labelled
training images. The distances are therefore not those of publications: they compare models that
were measured with the same classifier.
"""

import hashlib
import json
import zipfile
import zlib

import keras
import numpy as np
import tensorflow as tf
from keras import layers

# Everything that the classifier depends on beside the data.
RECIPE = {
    "filters": [32, 64],
    "units": 128,
    "dropout": 0.25,
    "steps": 1200,
    "batch_size": 128,
    "learning_rate": 2e-3,
    "seed": 0,
}

# Images whose features are computed at once.
_BATCH = 500


class Features:
    """The features of images: what the last hidden layer of a classifier gives.

    Args:
        classifier: A Keras model from images in [0, 1], (batch, height, width, channels), to logits
            of classes, with a layer "features".
    """

    def __init__(self, classifier):
        self.classifier = classifier
        outputs = [classifier.get_layer("features").output, classifier.output]
        self._model = keras.Model(classifier.input, outputs)

    def __call__(self, x):
        """Features of images.

        Args:
            x: Images, shape (n, height, width, channels), floats in [0, 1].

        Returns:
            A float32 array of shape (n, 128).
        """
        return self._run(x)[0]

    def classify(self, x):
        """The most probable classes of images (see `__call__`), integers of shape (n,)."""
        return self._run(x)[1].argmax(axis=1)

    @property
    def fingerprint(self):
        """A number, below 2^32, that is the same only for classifiers with the same weights."""
        weights = b"".join(np.ascontiguousarray(w).tobytes() for w in self.classifier.get_weights())
        return zlib.crc32(weights)

    def _run(self, x):
        batches = [x[i : i + _BATCH] for i in range(0, len(x), _BATCH)]
        outputs = [self._model(np.asarray(batch, "float32")) for batch in batches]
        return [np.concatenate(parts) for parts in zip(*outputs, strict=True)]


def read_classifier(path):
    """The classifier in a file; None where there is none that can be read."""
    try:
        return keras.saving.load_model(path, compile=False)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return None


def train_classifier(x, y, num_classes, recipe=RECIPE):
    """Trains the classifier.

    Args:
        x: Images, shape (n, height, width, channels): uint8 in 0..255 or floats in [0, 1].
        y: Their labels, integers of shape (n,).
        num_classes: Number of classes.
        recipe: As `RECIPE`.

    Returns:
        A Keras model, as `Features` takes it.
    """
    # Ordinary layers draw their weights from Keras's global seed.
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


def cache_key(checksum, recipe=RECIPE):
    """A short name for the classifier of a data set, which changes with the data and the recipe.

    Args:
        checksum: Checksum of the data set, a string.
        recipe: As `RECIPE`.

    Returns:
        16 hexadecimal digits.
    """
    text = json.dumps([checksum, recipe], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
