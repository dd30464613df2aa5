"""Measures the spread: how much numbers of a table differ from the outputs of the decoder."""

import keras
import numpy as np
import tensorflow as tf

from adversarial_autoencoder.model.batch import images_at_once, unpack
from adversarial_autoencoder.model.inputs import num_trained
from adversarial_autoencoder.observations import Columns

# More rows hardly change a standard deviation.
MAX_ROWS = 10_000


class Spreading:
    """The part of `AdversarialAutoencoder` for tables alone. Not for direct use."""

    @property
    def is_table(self):
        """Whether x are the rows of a table."""
        return isinstance(self.observation, Columns)

    def measure_spread(self, x, y=None):
        """Measures how much numbers of a table differ from the outputs of the decoder.

        Generated numbers then vary as much. `fit` does it after each epoch, except for data that
        it may be able to read only once. A model of images has no spread.

        Args:
            x: Rows, shape (n, columns), or a DataFrame; at least one. Only the first 10,000 count.
            y: Their labels, integers of shape (n,), if the model does not infer y.
        """
        if self.codes.needs_y and y is not None:
            y = self._checked_y(y, len(x))[:MAX_ROWS]
        x = self.observation.to_array(x[:MAX_ROWS])
        codes = self._infer_arrays(x, 0, 1000)
        if self.codes.needs_y:
            codes[self.codes.y.name] = self._given_y(y)
        rows_at_once = images_at_once(1000, self.input_shape_of_x)

        def parts():
            for i in range(0, len(x), rows_at_once):
                chosen = slice(i, i + rows_at_once)
                part = {name: tf.convert_to_tensor(code[chosen]) for name, code in codes.items()}
                outputs = self.decode_logits(part, training=False)
                yield self.observation.prepare(x[chosen]), outputs

        self.observation.measure(parts())


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
        self.measure()

    def measure(self):
        """Measures the spread."""
        self.model.measure_spread(self.x, self.y)


def add_measurement(given):
    """Adds a `MeasureSpread` to the callbacks of `fit`, as the first one.

    It measures on the validation rows, or without them on training rows. Data that may be readable
    only once is not measured: generators, distributed data sets, and a `tf.data.Dataset` of
    training rows.

    Args:
        given: The checked arguments of `keras.Model.fit` by name, whose callbacks are changed.

    Returns:
        The `MeasureSpread`, or None.
    """
    rows = _rows(given)
    own = None if rows is None else MeasureSpread(*rows)
    first, callbacks = [own] if own else [], given.get("callbacks")
    if isinstance(callbacks, keras.callbacks.CallbackList):
        # It can have that of an earlier call of `fit`.
        others = [one for one in callbacks.callbacks if not isinstance(one, MeasureSpread)]
        callbacks.callbacks[:] = first + others
    else:
        given["callbacks"] = first + tf.nest.flatten([] if callbacks is None else callbacks)
    if own:
        own.set_model(given["self"])
    return own


def _rows(given):
    """Rows and labels to measure, or None."""
    x, y = given.get("x"), given.get("y")
    validation = given.get("validation_data")
    if validation is not None:
        x, y = validation if isinstance(validation, (tuple, list)) else (validation, None)
    if isinstance(x, tf.data.Dataset):
        # Keras reads validation data once an epoch.
        x, y = (None, None) if validation is None else _read(x)
    elif isinstance(x, keras.utils.PyDataset):
        x, y = _read(x[i] for i in range(x.num_batches or 1))
    elif isinstance(x, dict):
        x, y = x["x"], x.get("y")
    if not hasattr(x, "shape"):
        return None
    # Of a split the rows for validation.
    trained = num_trained(given, len(x))
    start = trained if trained < len(x) else 0
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
