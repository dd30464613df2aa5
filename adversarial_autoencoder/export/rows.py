"""The layers before the encoder and behind the decoder of a table, of Keras operations alone."""

import math

import numpy as np
from keras import layers, ops

ROW = "row"
# Above it, sqrt(u^2 + 1) is u in float32, and u^2 could overflow.
LARGE = 1e4


class Rows:
    """Prepares and restores rows as `observations.Columns`, with operations that each format has.

    Rows are float32 arrays of shape (n, columns): numbers, and the indices of categories. NaN is a
    missing value.

    Args:
        schema: The `tables.Schema`.

    Attributes:
        dtype: Data type of the rows.
        units: Size of each output of the decoder: the range of a number, 1 for a probability.
    """

    dtype = "float32"

    def __init__(self, schema):
        self.schema = schema
        self.numeric, self.categorical = (schema.indices(numeric) for numeric in (True, False))
        numbers = [schema.columns[i] for i in self.numeric]
        self.missing = [i for i, column in enumerate(numbers) if column.missing]
        self.frequent = [i for i, column in enumerate(numbers) if column.frequent is not None]
        self.constants = {
            name: np.array([[getattr(column, name) for column in numbers]], "float32")
            for name in ("centre", "unit", "mean", "std", "low", "high")
        }
        self.heavy = np.array([[float(column.heavy) for column in numbers]], "float32")
        self.places = [numbers[i].frequent for i in self.frequent]
        ranges = [max(column.high - column.low, 1e-30) for column in numbers]
        self.units = np.ones(schema.width, "float32")
        self.units[: len(ranges)] = ranges

    def prepare(self, x):
        """What the encoder sees of rows."""
        parts = []
        if self.numeric:
            numbers = ops.take(x, self.numeric, axis=1)
            missing = ops.isnan(numbers)
            u = (self._scaled(numbers) - self.constants["mean"]) / self.constants["std"]
            parts.append(ops.where(missing, 0.0, u))
            if self.missing:
                parts.append(ops.cast(ops.take(missing, self.missing, axis=1), "float32"))
            if self.frequent:
                same = ops.equal(
                    ops.take(numbers, self.frequent, axis=1), np.array([self.places], "float32")
                )
                parts.append(ops.cast(same, "float32"))
        for i in self.categorical:
            index, column = ops.take(x, [i], axis=1), self.schema.columns[i]
            known = np.arange(len(column.categories), dtype="float32")[None]
            parts.append(ops.cast(ops.equal(index, known), "float32"))
            if column.missing:
                parts.append(ops.cast(ops.isnan(index), "float32"))
        return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=1)

    def restore(self, outputs):
        """Numbers and probabilities, from the outputs of the decoder."""
        numbers, missing, frequent, categories = self._groups(outputs)
        parts = [self._unscaled(numbers)] if self.numeric else []
        parts += [ops.sigmoid(part) for part in (missing, frequent) if part is not None]
        parts += [ops.softmax(part, axis=-1) for part in categories]
        row = parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=1)
        return layers.Identity(name=ROW)(row)

    def score(self, x, outputs):
        """The loss of each row, the mean over its columns."""
        x_numbers, x_missing, x_frequent, x_categories = self._groups(x)
        numbers, missing, frequent, categories = self._groups(outputs)
        terms = []
        if self.numeric:
            error = ops.square(numbers - x_numbers)
            if self.missing:
                place = np.eye(len(self.numeric), dtype="float32")[self.missing]
                error = error * (1.0 - ops.matmul(x_missing, place))
            terms.append(ops.sum(error, axis=1))
        for labels, logits in ((x_missing, missing), (x_frequent, frequent)):
            if logits is not None:
                terms.append(ops.sum(ops.softplus(logits) - labels * logits, axis=1))
        for labels, logits in zip(x_categories, categories, strict=True):
            terms.append(-ops.sum(labels * ops.log_softmax(logits, axis=-1), axis=1))
        return sum(terms[1:], terms[0]) / float(len(self.schema.columns))

    def describe(self) -> dict:
        """What a program must know of the columns, as JSON.

        Returns:
            A dict with the columns in the order of the inputs. "outputs" are the places of the
            column in the output of the decoder.
        """
        columns, place = [], len(self.numeric)
        outputs: dict[int, dict] = {i: {"number": k} for k, i in enumerate(self.numeric)}
        for name, places in (("missing", self.missing), ("frequent", self.frequent)):
            for k in places:
                outputs[self.numeric[k]][name] = place
                place += 1
        for i in self.categorical:
            width = self.schema.columns[i].width
            outputs[i] = {"probabilities": list(range(place, place + width))}
            place += width
        for i, column in enumerate(self.schema.columns):
            described = {"name": column.name, "kind": column.kind, "type": column.dtype}
            if column.numeric:
                described |= {"low": column.low, "high": column.high}
                described |= {"whole": column.integer, "frequent": column.frequent}
            else:
                # None, the last one, is a missing value, which is NaN in the input.
                described["categories"] = list(column.values)
            columns.append(described | {"outputs": outputs[i]})
        return {"columns": columns, "width": self.schema.width}

    def _groups(self, outputs):
        """Numbers, both kinds of indicators, and a list of the other columns; None for none."""
        sizes = [len(self.numeric), len(self.missing), len(self.frequent)]
        sizes += [self.schema.columns[i].width for i in self.categorical]
        ends = np.cumsum(sizes).tolist()
        parts = [
            ops.take(outputs, list(range(end - size, end)), axis=1) if size else None
            for size, end in zip(sizes, ends, strict=True)
        ]
        return *parts[:3], parts[3:]

    def _scaled(self, numbers):
        u = (numbers - self.constants["centre"]) / self.constants["unit"]
        return u if not self.heavy.any() else _arcsinh(u) * self.heavy + u * (1 - self.heavy)

    def _unscaled(self, numbers):
        c = self.constants
        u = numbers * c["std"] + c["mean"]
        low, high = (_numpy_scaled(c[name], c, self.heavy) for name in ("low", "high"))
        u = ops.minimum(ops.maximum(u, low), high)
        if self.heavy.any():
            # The other columns would overflow.
            inner = u * self.heavy
            sinh = (ops.exp(inner) - ops.exp(-inner)) / 2.0
            u = sinh + u * (1 - self.heavy)
        return ops.minimum(ops.maximum(u * c["unit"] + c["centre"], c["low"]), c["high"])


def _arcsinh(u):
    """The inverse of sinh by logarithms, which LiteRT has."""
    size = ops.absolute(u)
    small = ops.minimum(size, LARGE)
    near = ops.log(small + ops.sqrt(small * small + 1.0))
    far = ops.log(ops.maximum(size, LARGE)) + math.log(2)
    return ops.sign(u) * ops.where(size < LARGE, near, far)


def _numpy_scaled(numbers, constants, heavy):
    u = (numbers - constants["centre"]) / constants["unit"]
    return np.where(heavy > 0, np.arcsinh(u), u).astype("float32")
