"""The spread: how much numbers of a table differ from the outputs of the decoder."""

import keras
import numpy as np
import tensorflow as tf

from adversarial_autoencoder.model.batch import unpack

# More rows hardly change a standard deviation.
MAX_ROWS = 10_000


class Spreading:
    """The part of `AdversarialAutoencoder` that measures the spread. Not for direct use."""

    def measure_spread(self, x, y=None):
        """Measures how much numbers of a table differ from the outputs of the decoder.

        Generated numbers then vary as much. `fit` does it after each epoch, except for data that
        it can read only once. A model of images has no spread.

        Args:
            x: Rows, shape (n, columns), or a DataFrame; at least one.
            y: Their labels, integers of shape (n,), if the model does not infer y.
        """
        x = self.observation.to_array(x)
        codes = self._infer_arrays(x, 0, 1000)
        codes = {name: tf.convert_to_tensor(code) for name, code in codes.items()}
        if self.codes.y is not None and not self.infers_y:
            y = None if y is None else self._checked_y(y, len(x))
            codes[self.codes.y.name] = self._given_y(y)
        outputs = self.decode_logits(codes, training=False)
        self.observation.measure(self.observation.prepare(x), outputs)


class MeasureSpread(keras.callbacks.Callback):
    """Calls `measure_spread` of the model after each epoch.

    It comes before callbacks that save the model.

    Args:
        x: Rows, an array of shape (n, columns).
        y: Their labels, integers of shape (n,), if the model does not infer y; or None.
    """

    def __init__(self, x, y=None):
        super().__init__()
        self.x, self.y = x, y

    def on_epoch_end(self, epoch, logs=None):
        """Measures the spread."""
        self.model.measure_spread(self.x, self.y)


def with_spread(given):
    """Adds a `MeasureSpread` to the callbacks of `fit`.

    It measures on the validation rows, or without them on training rows. A generator or a
    distributed data set cannot be read twice, so it is not measured.

    Args:
        given: The checked arguments of `keras.Model.fit` by name.

    Returns:
        The callbacks, as `keras.Model.fit` takes them.
    """
    callbacks = given.get("callbacks")
    rows = _rows(given)
    if rows is None:
        return callbacks
    own = MeasureSpread(*rows)
    if isinstance(callbacks, keras.callbacks.CallbackList):
        callbacks.append(own)
        return callbacks
    return [own, *tf.nest.flatten([] if callbacks is None else callbacks)]


def _rows(given):
    """Rows and labels to measure, or None."""
    x, y = given.get("x"), given.get("y")
    validation, share = given.get("validation_data"), given.get("validation_split")
    if validation is not None:
        x, y = validation if isinstance(validation, (tuple, list)) else (validation, None)
    if isinstance(x, tf.data.Dataset):
        x, y = _read(x)
    elif isinstance(x, keras.utils.PyDataset):
        x, y = _read(x[i] for i in range(x.num_batches or 1))
    elif isinstance(x, dict):
        x, y = x["x"], x.get("y")
    if not hasattr(x, "shape"):
        return None
    # Keras validates on the last rows.
    start = int(len(x) * (1 - share)) if share and validation is None else 0
    chosen = slice(start, start + MAX_ROWS)
    return np.asarray(x[chosen]), None if y is None else np.asarray(y[chosen])


def _read(elements):
    """The first rows of a data set and their labels, or None."""
    parts, n = [], 0
    for element in elements:
        part = unpack(element)
        parts.append((np.asarray(part["x"]), part.get("y")))
        n += len(part["x"])
        if n >= MAX_ROWS:
            break
    if not parts:
        return None, None
    x, y = zip(*parts, strict=True)
    return np.concatenate(x), None if y[0] is None else np.concatenate(list(map(np.asarray, y)))
