"""What all estimators share: from parameters and a table to a trained model."""

import contextlib
import dataclasses
import pathlib
import random
import tempfile
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from adversarial_autoencoder.config import Config, rules
from adversarial_autoencoder.config.model_groups import DataSettings
from adversarial_autoencoder.devices.quiet_import import import_tensorflow
from adversarial_autoencoder.errors import InputError, check_choice, did_you_mean
from adversarial_autoencoder.estimators.rows import convert, learn
from adversarial_autoencoder.tables import Schema

# Settings that need images, files or several devices.
NOT_OF_ESTIMATORS = {field.name for field in dataclasses.fields(DataSettings)} | {
    "network",
    "strategy",
    "num_labels",
    "seed",
}
# The file of the model in a pickled estimator.
MODEL_FILE = "model.keras"
# What the progress shows.
METRICS = ("reconstruction_loss", "classification_accuracy")


class AAEEstimator(BaseEstimator):
    """Base of the estimators: it trains a model on a table in memory. Not for direct use.

    Args:
        z_dim: Dimensions of the code z, >= 1. None: the default of the system.
        model: The system to train, one of `MODELS`. None: the first one.
        hidden_units: Units in each hidden layer, >= 1.
        prior_std: Standard deviation of the prior, > 0. None: the default of the system.
        epochs: Passes over the training rows, >= 1. None: the default of the system, or enough for
            2000 minibatches.
        batch_size: Rows in a minibatch, >= 2. None: a tenth of the rows, from 10 to 200
            (100 with a y).
        settings: Further settings of the training, a dict with the names of the flags of the
            command line.
        random_state: An integer for reproducible results, a `RandomState`, or None.
        verbose: Whether to print the progress.
    """

    # The systems of which an estimator trains one. The first one is the default.
    MODELS: ClassVar[tuple[str, ...]] = (
        "aae",
        "wae_mmd",
        "vae",
        "autoencoder",
        "denoising_autoencoder",
    )
    # The names of the columns of the DataFrame of `fit`; None for an array.
    _names: list[Any] | None = None
    # Defaults that differ from those of the system.
    DEFAULTS: ClassVar[dict[str, Any]] = {}

    def __init__(
        self,
        z_dim: int | None = None,
        *,
        model: str | None = None,
        hidden_units: int = 200,
        prior_std: float | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        settings: dict[str, Any] | None = None,
        random_state: Any = None,
        verbose: int | bool = 0,
    ):
        self.z_dim = z_dim
        self.model = model
        self.hidden_units = hidden_units
        self.prior_std = prior_std
        self.epochs = epochs
        self.batch_size = batch_size
        self.settings = settings
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def __getstate__(self):
        state = super().__getstate__().copy()
        if "model_" in state:
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder) / MODEL_FILE
                state["model_"].save(path)
                state["model_"] = path.read_bytes()
        return state

    def __setstate__(self, state):
        state = dict(state)
        if "model_" in state:
            from adversarial_autoencoder.model import load_model

            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder) / MODEL_FILE
                path.write_bytes(state["model_"])
                state["model_"] = load_model(path, compile=False)
        super().__setstate__(state)

    def _config(self, **fixed):
        """The settings of the training, without those that follow from the data."""
        known = {field.name for field in dataclasses.fields(Config)}
        own, given = known & set(self.get_params()), self.settings or {}
        if not isinstance(given, Mapping):
            raise InputError(
                f"settings must be a dict from names of settings to values. Received: {given!r}"
            )
        given = {name: _number(value) for name, value in given.items()}
        allowed = known - own - NOT_OF_ESTIMATORS
        for name in given:
            if name not in allowed:
                is_own = f" {name} is a parameter of {type(self).__name__}."
                hint = is_own if name in own else did_you_mean(name, allowed)
                raise InputError(
                    f"settings must be settings of a training on tables.{hint} Received: {name}"
                )
        parameters = {name: _number(getattr(self, name)) for name in sorted(own)}
        parameters = {name: value for name, value in parameters.items() if value is not None}
        model = self.MODELS[0] if self.model is None else self.model
        check_choice("model", model, self.MODELS)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        values = self.DEFAULTS | parameters | given | fixed | {"model": model, "seed": seed}
        config = Config(**values)
        rules.check_given(config, given)
        rules.check_given_for_table(given, "X")
        return config

    def _train(
        self,
        x: Any,
        labels: np.ndarray | None = None,
        class_shares: list[float] | None = None,
        min_rows: int = 2,
        **fixed: Any,
    ) -> np.ndarray:
        """Trains `model_` on a table; returns its rows."""
        config = self._config(**fixed)
        rows, schema = learn(self, x, min_rows)
        self.model_ = _trained(config, rows, schema, labels, class_shares, self.verbose)
        return rows

    @property
    def _schema(self) -> Schema:
        return self.model_.observation.schema

    def _named(self, rows):
        """Rows with the names of the columns of the DataFrame of `fit`, which need not be texts."""
        return rows if self._names is None else rows.set_axis(self._names, axis=1)

    def _rows(self, x):
        """The rows of a table that a method of a fitted estimator takes."""
        check_is_fitted(self, "model_")
        return convert(self, x, self._schema)


def _trained(config, rows, schema, labels, class_shares, verbose):
    """Trains a model on rows in memory."""
    import_tensorflow()
    import tensorflow as tf

    from adversarial_autoencoder.devices import hardware
    from adversarial_autoencoder.training import callbacks
    from adversarial_autoencoder.training import fit as engine

    # In float32 the code of a row hardly depends on the other rows that are encoded with it.
    if config.precision == "auto":
        config = dataclasses.replace(config, precision="float32")
    config = hardware.choose(config.for_data(len(rows), is_table=True))
    engine.check_batch_size(config, class_shares)
    steps, epochs = len(rows) // config.batch_size, config.epochs
    shown = [callbacks.Progress(metrics=METRICS)] if verbose else []
    with _same_random_numbers():
        model = engine.compiled(config, (len(schema.columns),), steps, class_shares, schema)
        if not verbose:  # One long epoch has the same steps.
            steps, epochs = steps * epochs, 1
        engine.fit(
            model,
            config,
            rows,
            labels,
            steps,
            tf.distribute.get_strategy(),
            epochs=epochs,
            callbacks=[callbacks.StopOnFault(), *shown],
        )
    model.measure_spread(rows)
    return model


@contextlib.contextmanager
def _same_random_numbers():
    """Restores the global generators of Python and NumPy, which a training sets to its seed."""
    states = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


def _number(value):
    """A number of NumPy, as a search over parameters gives it, as one of Python."""
    return value.item() if isinstance(value, np.generic) else value
