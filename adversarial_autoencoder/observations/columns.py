"""Rows of a table: numeric and categorical columns."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from adversarial_autoencoder.config.training_groups import MMD_WEIGHT_OF_TABLES, VAT_STEP_OF_TABLES
from adversarial_autoencoder.observations.observation import Observation, as_array, expect
from adversarial_autoencoder.tables import Schema, check_rows


@keras.saving.register_keras_serializable("adversarial_autoencoder")
class Columns(Observation):
    """The rows of a table.

    The networks see the numeric columns first, in standard deviations; then the indicators of
    missing numbers and of frequent ones; then each categorical column, one-hot. The outputs of the
    decoder have the same groups: numbers, logits of the indicators, and logits of the categories.

    The decoder outputs the mean of a number. `fit` measures how much real numbers differ from it,
    so that generated numbers vary as much as real ones.

    Args:
        schema: The `tables.Schema` of the rows.
        spread: Standard deviation of the numbers around the outputs of the decoder, in standard
            deviations of the column, for each numeric column; >= 0. None: not measured, all 0.

    Raises:
        ValueError: If the spread has another shape, or a number that is negative or not finite.
    """

    noun = "row"
    mmd_weight = MMD_WEIGHT_OF_TABLES
    vat_step = VAT_STEP_OF_TABLES

    def __init__(self, schema, spread=None):
        self.schema = schema
        columns = schema.columns
        self._numeric, self._categorical = (schema.indices(numeric) for numeric in (True, False))
        numeric = [columns[i] for i in self._numeric]
        # Places of the columns with indicators among the numeric columns.
        self._absent = np.flatnonzero([column.missing for column in numeric]).astype("int32")
        frequent = [column.frequent for column in numeric]
        self._often = np.flatnonzero([number is not None for number in frequent]).astype("int32")
        self._frequent = np.array([np.nan if n is None else n for n in frequent], "float32")
        self.spread = np.zeros(len(numeric), "float32")
        if spread is not None:
            self.spread = np.asarray(spread, "float32")
            if self.spread.shape != (len(numeric),):
                raise ValueError(
                    f"spread must have the shape ({len(numeric)},), one number for each numeric "
                    f"column. Received: {self.spread.shape}"
                )
            if not (np.isfinite(self.spread) & (self.spread >= 0)).all():
                raise ValueError(f"spread must be finite and at least 0. Received: {self.spread}")
        self._depths = [columns[i].width for i in self._categorical]

        def constants(name, dtype="float32"):
            return np.array([getattr(column, name) for column in numeric], dtype)

        self._centre, self._unit, self._low, self._high = map(
            constants, ("centre", "unit", "low", "high")
        )
        self._heavy, self._integer = (constants(name, "bool") for name in ("heavy", "integer"))
        moments = {"mean": constants("mean"), "variance": np.square(constants("std"))}
        self._normalize = layers.Normalization(**moments, dtype="float32")
        self._denormalize = layers.Normalization(**moments, invert=True, dtype="float32")
        for layer in (self._normalize, self._denormalize) if numeric else ():
            layer.build((None, len(numeric)))
        self._encoders = [
            layers.CategoryEncoding(depth, output_mode="one_hot", dtype="float32")
            for depth in self._depths
        ]

    @classmethod
    def of(cls, frame, kinds=None):
        """Makes the observation model of a DataFrame.

        Args:
            frame: A `pandas.DataFrame` of training rows.
            kinds: "numeric" or "categorical" for columns whose inferred kind is wrong, by name.

        Returns:
            A `Columns`. Models with it take and give DataFrames.

        Raises:
            InputError: If a column can be no column of a table.
        """
        from adversarial_autoencoder.tables.frames import infer_frame

        return cls(infer_frame(frame, kinds))

    def to_array(self, x):
        """Converts a DataFrame to rows."""
        if not hasattr(x, "columns"):
            return x
        from adversarial_autoencoder.tables.frames import frame_to_array

        return frame_to_array(x, self.schema)

    def to_user(self, x):
        """Converts rows to a DataFrame, if the schema comes from one."""
        if not self.schema.frame:
            return x
        from adversarial_autoencoder.tables.frames import array_to_frame

        return array_to_frame(x, self.schema)

    def check(self, x, shape, warn=True):
        """Checks the shape of rows, and that their categories exist."""
        del shape, warn
        x = as_array(x)
        if x is not None and x.dtype.kind in "biuf":
            check_rows(x, self.schema)

    def check_in_graph(self, x):
        """Checks that the numbers are finite or missing, and that the categories exist."""
        x = tf.cast(x, "float32")
        expect(
            ~tf.reduce_any(tf.math.is_inf(x)),
            "An infinite number is no value of a table. Received:",
            x,
        )
        for i in self._categorical:
            index, column = x[:, i], self.schema.columns[i]
            known = tf.boolean_mask(index, ~tf.math.is_nan(index))
            k = len(column.categories)
            expect(
                tf.reduce_all((known >= 0) & (known < k) & (known == tf.round(known))),
                f"Column {column.name} must hold the indices of its {k} categories, or NaN. "
                "Received:",
                known,
            )

    def shape(self, shape):
        """The shape of one row: its number of columns."""
        if tuple(shape) != (self.schema.width,):
            raise ValueError(
                f"The encoder's input must have the shape (batch, {self.schema.width}), the width "
                f"of the schema. Received: {(None, *shape)}"
            )
        return (len(self.schema.columns),)

    def prepare(self, x):
        """Standardizes the numeric columns and encodes the categorical ones."""
        x = tf.cast(x, "float32")
        parts = []
        if self._numeric:
            numbers = tf.gather(x, self._numeric, axis=1)
            missing, frequent = tf.math.is_nan(numbers), numbers == self._frequent
            u = self._normalize(self._scaled(numbers))
            parts.append(tf.where(missing, 0.0, u))
            for indicated, places in ((missing, self._absent), (frequent, self._often)):
                parts.append(tf.gather(tf.cast(indicated, "float32"), places, axis=1))
        for i, encode, depth in zip(self._categorical, self._encoders, self._depths, strict=True):
            index = x[:, i]
            # A missing category is the last one, or none if the column has no missing values.
            absent = depth - 1 if self.schema.columns[i].missing else -1
            index = tf.where(tf.math.is_nan(index), float(absent), index)
            parts.append(encode(tf.cast(index, "int32")))
        return tf.concat(parts, axis=1)

    def loss(self, x, outputs):
        """The mean of `losses` over the rows."""
        return tf.reduce_mean(self.losses(x, outputs))

    def losses(self, x, outputs):
        """The loss of each row: the mean of `errors` over its columns.

        Args:
            x: What `prepare` returns.
            outputs: Outputs of the decoder, same shape.

        Returns:
            The mean over the columns of each row, shape (batch,).
        """
        return tf.reduce_sum(self._errors(x, outputs), axis=1) / len(self.schema.columns)

    def errors(self, x, outputs):
        """The squared error of a number, or the cross-entropy of a category, for each column.

        Squared errors are in standard deviations, cross-entropies in nats. A missing number counts
        by the cross-entropy of its indicator, a frequent one by both. A category that the training
        did not have counts as the least likely one.
        """
        return self._errors(x, outputs, unseen=True)

    def _errors(self, x, outputs, unseen=False):
        """The same. In the loss (`unseen` is False), categories that are none of the column are 0.

        They say nothing about the weights.
        """
        x_numeric, x_missing, x_frequent, x_categories = self._groups(x)
        numeric, missing, frequent, categories = self._groups(outputs)
        known = 1.0 - self._of_all(x_missing, self._absent)
        numbers = known * tf.square(numeric - x_numeric)
        for labels, logits, places in (
            (x_missing, missing, self._absent),
            (x_frequent, frequent, self._often),
        ):
            own = tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)
            numbers += self._of_all(own, places)
        entropies = []
        for labels, logits in zip(x_categories, categories, strict=True):
            own = tf.nn.softmax_cross_entropy_with_logits(labels, logits)
            if unseen:
                worst = -tf.reduce_min(tf.nn.log_softmax(logits), axis=1)
                own = tf.where(tf.reduce_any(labels > 0, axis=1), own, worst)
            entropies.append(own[:, None])
        order = np.argsort([*self._numeric, *self._categorical])
        return tf.gather(tf.concat([numbers, *entropies], axis=1), order, axis=1)

    def measure(self, parts):
        """Measures the spread of the numbers around the outputs of the decoder."""
        total = count = np.zeros(len(self._numeric))
        for x, outputs in parts:
            x_numeric, missing, frequent, _ = self._groups(x)
            numeric = self._groups(outputs)[0]
            # `restore` draws missing and frequent values by their indicators, without the spread.
            left_out = self._of_all(missing, self._absent) + self._of_all(frequent, self._often)
            others = 1.0 - left_out
            total = total + tf.reduce_sum(others * tf.square(numeric - x_numeric), axis=0).numpy()
            count = count + tf.reduce_sum(others, axis=0).numpy()
        spread = np.sqrt(total / np.maximum(count, 1)).astype("float32")
        if np.isfinite(spread).all():  # That of a model that diverged would draw no numbers.
            self.spread = spread

    def terms(self, x):
        """The number of columns."""
        del x
        return len(self.schema.columns)

    def distribution(self, outputs):
        """What the outputs mean: numbers, and probabilities.

        Args:
            outputs: Outputs of the decoder, shape (batch, width).

        Returns:
            Numbers in the unit of their column, not rounded, and the probabilities of indicators
            and categories, a float32 tensor of the same shape.
        """
        numeric, missing, frequent, categories = self._groups(tf.cast(outputs, "float32"))
        indicators = tf.sigmoid(missing), tf.sigmoid(frequent)
        shares = [tf.nn.softmax(logits) for logits in categories]
        numbers = [self._unscaled(numeric)] if self._numeric else []
        return tf.concat([*numbers, *indicators, *shares], axis=1)

    def restore(self, outputs, seed=None):
        """The rows: numbers in the range of the column, and indices of categories."""
        numeric, missing, frequent, categories = self._groups(tf.cast(outputs, "float32"))
        if seed is not None:
            seeds = [tf.random.fold_in(seed, i) for i in range(3 + len(categories))]
            missing += _logistic_noise(tf.shape(missing), seeds[0])
            frequent += _logistic_noise(tf.shape(frequent), seeds[1])
            numeric += self.spread * tf.random.stateless_normal(tf.shape(numeric), seeds[2])
            categories = [
                logits + _gumbel_noise(tf.shape(logits), own)
                for logits, own in zip(categories, seeds[3:], strict=True)
            ]
        columns = {}
        if self._numeric:
            is_frequent = self._of_all(frequent, self._often) > 0
            numbers = self._unscaled(numeric)
            numbers = tf.where(self._integer, tf.round(numbers), numbers)
            numbers = tf.where(is_frequent, self._frequent, numbers)
            numbers = tf.where(self._of_all(missing, self._absent) > 0, np.nan, numbers)
            columns |= dict(zip(self._numeric, tf.unstack(numbers, axis=1), strict=True))
        for i, logits in zip(self._categorical, categories, strict=True):
            index = tf.argmax(logits, axis=1)
            known = len(self.schema.columns[i].categories)
            columns[i] = tf.where(index < known, tf.cast(index, "float32"), np.nan)
        return tf.stack([columns[i] for i in range(len(columns))], axis=1)

    def _scaled(self, numbers):
        u = (numbers - self._centre) / self._unit
        return tf.where(self._heavy, tf.asinh(u), u)

    def _unscaled(self, numeric):
        u = self._denormalize(numeric)
        # Within the range before the inverse of arcsinh, which would overflow.
        u = tf.clip_by_value(u, self._scaled(self._low), self._scaled(self._high))
        numbers = tf.where(self._heavy, tf.sinh(u), u) * self._unit + self._centre
        return tf.clip_by_value(numbers, self._low, self._high)

    def _groups(self, outputs):
        """Splits outputs: numbers, both kinds of indicators, and a list of the other columns."""
        sizes = [len(self._numeric), len(self._absent), len(self._often), *self._depths]
        numeric, missing, frequent, *categories = tf.split(outputs, sizes, axis=1)
        return numeric, missing, frequent, categories

    def _of_all(self, indicators, places):
        """Indicators of all numeric columns; columns without one have zeros."""
        return indicators @ tf.one_hot(places, len(self._numeric))

    def get_config(self):
        """The constructor's arguments, for saving."""
        return {"schema": self.schema.get_config(), "spread": self.spread.tolist()}

    @classmethod
    def from_config(cls, config):
        """Makes the object that `get_config` describes."""
        return cls(Schema.from_config(config["schema"]), config["spread"])


def _gumbel_noise(shape, seed):
    """Noise whose addition to logits makes the largest one a sample of their probabilities."""
    u = tf.random.stateless_uniform(shape, seed, minval=1e-20)
    return -tf.math.log(-tf.math.log(u))


def _logistic_noise(shape, seed):
    """Noise whose addition to a logit makes it positive with its probability."""
    u = tf.random.stateless_uniform(shape, seed, minval=1e-6, maxval=1 - 1e-6)
    return tf.math.log(u) - tf.math.log1p(-u)
