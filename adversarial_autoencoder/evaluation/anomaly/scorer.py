"""The score of an image or a row: `fit` makes a `Scorer`, `load` reads a saved one."""

import dataclasses
import functools
import hashlib
import math
import pathlib
from typing import Any

import numpy as np
import tensorflow as tf

from adversarial_autoencoder.data.array_files import read_arrays
from adversarial_autoencoder.errors import InputError, Mismatch, reading
from adversarial_autoencoder.evaluation import gaussian_mixture
from adversarial_autoencoder.evaluation.anomaly.checks import KINDS, check_arguments, check_model
from adversarial_autoencoder.model.batch import images_at_once
from adversarial_autoencoder.tables.column import MAX_NUMBER

# Expected fraction of normal items above the threshold, if the user does not give one.
CONTAMINATION = 0.01
# With fewer normal items, neither the scales nor the quantiles mean anything.
MIN_ITEMS = 10
# More codes hardly change the mixture; more errors hardly change their means.
MAX_ITEMS = 10_000
# Items whose errors are computed at once.
BATCH = 500
# A column whose mean error is a smaller fraction of the mean over all columns counts as if it had
# this one. Otherwise columns that are nearly constant would decide alone.
FLOOR = 0.1
# A missing value in a column that has none in the training has at least this error, in units of the
# mean error of the column. `prepare` gives a missing number the mean, whose error would be small.
UNSEEN = 100.0
# What an error or a code that is not finite counts as.
MAX_VALUE = float(np.finfo("float32").max)
# Added to the variance of an image, so that a constant one has a finite error.
MIN_VARIANCE = 1e-4


@dataclasses.dataclass(frozen=True, eq=False)
class Scorer:
    """Scores items by a trained model. `fit` makes it.

    Args:
        model: The `AdversarialAutoencoder`.
        scales: Mean error of each column of normal rows, or of all pixels of normal images,
            float64 of the shape of one x.
        mixture: The fitted `sklearn.mixture.GaussianMixture` of their codes.
        normal_parts: The two parts of the score of n normal items that trained neither the model
            nor the mixture, float64 of shape (n, 2): how bad the reconstruction is, and the
            negative log-density of the code in nats. For images, the first is the fraction of the
            variance of the pixels that the reconstruction does not explain, 1 - R^2; for rows, the
            mean error of the columns in units of `scales`, at least 100 for a value that is missing
            or unknown in a column without missing values in the training.
        kind: "reconstruction", "latent", or "both" for the sum of the two, in which 0 is the median
            of the normal items and 1 is the quantile 0.9. If these are the same, the unit is the
            standard deviation, or 1 if this is 0.
        contamination: Fraction of normal items above the threshold, in (0, 0.5].

    Raises:
        InputError: If `kind` or `contamination` is out of range.

    Example:
        >>> import numpy as np
        >>> from adversarial_autoencoder import AdversarialAutoencoder, networks
        >>> from adversarial_autoencoder.evaluation import anomaly
        >>> model = AdversarialAutoencoder(networks.encoder((8, 8, 1), 2, hidden_units=8),
        ...                                networks.decoder((8, 8, 1), 2, hidden_units=8))
        >>> x = np.random.default_rng(0).random((100, 8, 8, 1), "float32")
        >>> scorer = anomaly.fit(model, x)
        >>> scorer.score(x[:3]).shape, scorer.where(x[:3]).shape
        ((3,), (3, 8, 8))
    """

    model: Any
    scales: np.ndarray
    mixture: Any
    normal_parts: np.ndarray
    kind: str = "both"
    contamination: float = CONTAMINATION

    def __post_init__(self) -> None:
        check_arguments(self.kind, self.contamination)

    @functools.cached_property
    def normal_scores(self) -> np.ndarray:
        """Scores of the normal items in rising order, float64 of shape (n,)."""
        return np.sort(self._joined(self.normal_parts))

    @property
    def threshold(self) -> float:
        """The score that a fraction `contamination` of the normal items exceeds.

        For fewer than 1 / `contamination` items this is not possible: one of them exceeds it.
        """
        return float(np.quantile(self.normal_scores, 1 - self.contamination))

    def score(self, x: Any) -> np.ndarray:
        """Scores items.

        Args:
            x: Images or rows, as the model takes them, n of them.

        Returns:
            A float64 array of shape (n,). Larger scores are more anomalous.
        """
        return self._joined(_parts(self.model, x, self.scales, self.mixture))

    def p_values(self, scores: np.ndarray) -> np.ndarray:
        """Computes the probability that a normal item has at least these scores.

        (1 + r) / (1 + n) for the r of n normal items with at least this score: a conformal p-value
        (Bates et al. 2023, "Testing for outliers with conformal p-values", arXiv 2104.08279,
        equation 1).

        Args:
            scores: Scores, shape (m,).

        Returns:
            A float64 array of shape (m,), values in (0, 1].
        """
        n = len(self.normal_scores)
        return (1 + n - np.searchsorted(self.normal_scores, scores, side="left")) / (1 + n)

    def where(self, x: Any) -> np.ndarray:
        """Computes where items differ from their reconstructions.

        Args:
            x: Images or rows, as the model takes them, n of them.

        Returns:
            For images, the error of each pixel, the mean over channels, a float64 array of shape
            (n, height, width), in units of the mean over pixels and normal images. For rows, the
            error of each column, shape (n, columns), in units of the mean over normal rows.
        """
        errors = _scaled_errors(self.model, x, self.scales)
        return errors.mean(axis=-1) if errors.ndim == 4 else errors

    def save(self, path: pathlib.Path) -> None:
        """Saves everything but the model.

        Args:
            path: Path of the .npz file.
        """
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        arrays |= {name: getattr(self.mixture, name) for name in _MIXTURE}
        with path.open("wb") as file:
            np.savez_compressed(file, digest=_digest(self.model), **arrays)

    def _joined(self, parts):
        """The score: one part, or the sum of both in units of their spread over normal items.

        Quantiles describe the spread: heavy tails of one part do not hide it behind the other one.
        """
        if self.kind != "both":
            return parts[:, KINDS.index(self.kind) - 1]
        median, high = np.quantile(self.normal_parts, [0.5, 0.9], axis=0)
        # Both are the same if nearly all items are; rounding errors are no spread.
        tiny = 1e-6 * np.abs(median)
        spread = np.where(high - median > tiny, high - median, self.normal_parts.std(axis=0))
        return ((parts - median) / np.where(spread > tiny, spread, 1.0)).sum(axis=1)


# Bytes of the headers of the saved arrays, and of those that are no numbers.
MAX_HEADERS = 2**14
_ARRAYS = ("scales", "normal_parts", "kind", "contamination")
_MIXTURE = ("weights_", "means_", "covariances_", "precisions_cholesky_")


def fit(
    model: Any,
    x_normal: Any,
    kind: str = "both",
    contamination: float | None = None,
    x_train: Any = None,
) -> Scorer:
    """Fits a score to normal items.

    Args:
        model: A trained `AdversarialAutoencoder`.
        x_normal: Normal images or rows that did not train the model, as the model takes them, at
            least `MIN_ITEMS`, or twice as many without `x_train`. The threshold and the p-values
            come from them.
        kind: "reconstruction", "latent" or "both".
        contamination: Expected fraction of normal items above the threshold, in (0, 0.5]; None for
            `CONTAMINATION`.
        x_train: Normal items to whose codes the mixture is fitted, such as those that trained the
            model. None takes a random half of `x_normal`, and the threshold then comes from the
            other half. Of more than `MAX_ITEMS` items, so many random ones are used, the same ones
            each time.

    Returns:
        A `Scorer`.

    Raises:
        InputError: If an argument is out of range, or the model needs labels.
    """
    check_model(model)
    contamination = CONTAMINATION if contamination is None else contamination
    check_arguments(kind, contamination)
    x_normal = model.observation.to_array(x_normal)
    needed = MIN_ITEMS * (2 if x_train is None else 1)  # Without x_train, half are for the mixture.
    if len(x_normal) < needed:
        raise InputError(
            f"An anomaly score needs at least {needed} normal {model.observation.noun}s for its "
            f"threshold, such as validation {model.observation.noun}s. Received: {len(x_normal)}"
        )
    if x_train is None:
        train, normal = np.array_split(_shuffled(len(x_normal)), 2)
        x_train, x_normal = _taken(x_normal, train), _taken(x_normal, normal)
    else:
        x_train, x_normal = _taken(model.observation.to_array(x_train)), _taken(x_normal)
    mixture = gaussian_mixture.fit(model.represent(x_train))
    scales = _errors(model, x_normal).mean(axis=0)
    mean = scales.mean() + 1e-12
    # All pixels have one scale, so that a heat map shows the errors themselves.
    scales = np.maximum(scales, FLOOR * mean) if model.is_table else np.full_like(scales, mean)
    parts = _parts(model, x_normal, scales, mixture)
    return Scorer(model, scales, mixture, parts, kind, contamination)


def load(path: pathlib.Path, model: Any) -> Scorer:
    """Loads what `Scorer.save` saved.

    Args:
        path: Path of the .npz file.
        model: The model that the score was fitted with.

    Returns:
        A `Scorer`.

    Raises:
        InputError: If the file cannot be read, or is larger than one of this model.
        Mismatch: If the model has changed since.
    """
    from sklearn.mixture import GaussianMixture

    with reading(f"{path} must be a file that --mode score wrote"):
        arrays = read_arrays(path, ("digest", *_ARRAYS, *_MIXTURE), _max_bytes(model))
        if str(arrays.pop("digest")) != _digest(model):
            raise Mismatch(f"{path} must belong to the model. Received: the score of another model")
        scales, parts, kind, contamination = (arrays[name] for name in _ARRAYS)
        shapes = _shapes(model, len(parts), len(arrays["weights_"]))
        received = {name: arrays[name].shape for name in shapes}
        if received != shapes or any(arrays[name].dtype != "float64" for name in shapes):
            raise ValueError(f"arrays of the shapes {received}")
        mixture = GaussianMixture(len(arrays["weights_"]))
        for name in _MIXTURE:
            setattr(mixture, name, arrays[name])
        return Scorer(model, scales, mixture, parts, str(kind), float(contamination))


def _shapes(model, items, components):
    """The shapes of the saved arrays of numbers, for so many normal items and components."""
    dim = model.z_dim
    of_mixture = [(components,), (components, dim), *[(components, dim, dim)] * 2]
    shapes = {"scales": tuple(model.image_shape), "normal_parts": (items, 2)}
    return shapes | dict(zip(_MIXTURE, of_mixture, strict=True))


def _max_bytes(model):
    """The largest size of the saved arrays, with their headers."""
    shapes = _shapes(model, MAX_ITEMS, max(gaussian_mixture.COMPONENTS))
    return 8 * sum(map(math.prod, shapes.values())) + MAX_HEADERS


def _shuffled(n):
    """The indices of n items in random order, the same each time: files are often sorted."""
    return np.random.default_rng(0).permutation(n)


def _taken(x, indices=None):
    """At most `MAX_ITEMS` of the items with these indices, or of all, in the order of x."""
    indices = _shuffled(len(x)) if indices is None else indices
    x = x if hasattr(x, "take") else np.asarray(x)  # Images of shards are not in memory.
    return x.take(np.sort(indices[:MAX_ITEMS]), axis=0)


def _errors(model, x):
    """The errors of items, float64 of the form of x."""
    observation, batch = model.observation, images_at_once(BATCH, model.image_shape)
    x = observation.to_array(x)
    model.check_x(x)
    parts = []
    for i in range(0, max(len(x), 1), batch):
        part = x[i : i + batch]
        codes = model.codes.infer_arrays(part, None, observation.prepare, batch)
        codes = {name: tf.convert_to_tensor(code) for name, code in codes.items()}
        outputs = model.decode_logits(codes, training=False)
        parts.append(observation.errors(observation.prepare(part), outputs).numpy())
    return _finite(np.concatenate(parts, dtype="float64"))


def _finite(values):
    """The values within those of float32: squares of numbers such as 1e20 are infinite or NaN."""
    return np.nan_to_num(values, nan=MAX_VALUE, posinf=MAX_VALUE, neginf=-MAX_VALUE)


def _scaled_errors(model, x, scales):
    """The errors in units of the scales, where values of an unseen kind have at least `UNSEEN`."""
    errors = _errors(model, x) / scales
    if not model.is_table:
        return errors
    columns = model.observation.schema.columns
    values = np.asarray(model.observation.to_array(x), "float32")
    unseen = np.isnan(values) & [not column.missing for column in columns]
    # The unit of a constant column makes each value 0 for the networks.
    for i, column in enumerate(columns):
        if column.numeric and column.unit == MAX_NUMBER:
            unseen[:, i] |= (values[:, i] != column.low) & ~np.isnan(values[:, i])
    return np.where(unseen, np.maximum(errors, UNSEEN), errors)


def _parts(model, x, scales, mixture):
    """The two parts of the score, float64 of shape (n, 2)."""
    codes = _finite(model.represent(x).astype("float64"))
    return np.stack([_badness(model, x, scales), -mixture.score_samples(codes)], axis=1)


def _badness(model, x, scales):
    """How bad the reconstruction of each item is, float64 of shape (n,)."""
    if model.is_table:
        return _scaled_errors(model, x, scales).mean(axis=1)
    errors = _errors(model, x)
    # Images with few bright pixels, such as a thin line, have small errors whatever they show.
    pixels = model.observation.prepare(x).numpy().reshape(len(x), -1).astype("float64")
    return errors.reshape(len(x), -1).mean(axis=1) / (pixels.var(axis=1) + MIN_VARIANCE)


def _digest(model):
    """Identifies the weights of a model."""
    digest = hashlib.sha256()
    for network in (model.encoder, model.decoder):
        for weight in network.weights:
            digest.update(np.ascontiguousarray(weight, "float32").data)
    return digest.hexdigest()
