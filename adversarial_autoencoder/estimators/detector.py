"""Anomalous rows."""

import dataclasses
from typing import Any

import numpy as np
from sklearn.base import OutlierMixin
from sklearn.utils.validation import check_is_fitted

from adversarial_autoencoder.devices.quiet_import import import_tensorflow
from adversarial_autoencoder.estimators.base import AAEEstimator


class AAEDetector(OutlierMixin, AAEEstimator):
    """Scores how anomalous rows are, by their reconstruction and by the density of their codes.

    Schreyer et al. 2019, "Detection of Accounting Anomalies in the Latent Space using Adversarial
    Autoencoder Neural Networks", arXiv 1908.00734, section 3; see `evaluation.anomaly`.

    Example:
        >>> import numpy as np
        >>> from adversarial_autoencoder.estimators import AAEDetector
        >>> x = np.random.default_rng(0).normal(size=(100, 5))
        >>> detector = AAEDetector(2, epochs=1, hidden_units=8, random_state=0).fit(x)
        >>> detector.predict([[50.0] * 5])
        array([-1])

    Args:
        z_dim: Dimensions of the code z, >= 1. None: 2.
        model: The system: "aae", "wae_mmd", "vae", "autoencoder" or "denoising_autoencoder".
            None: "aae".
        kind: What the score measures: "reconstruction", "latent", or "both".
        contamination: Fraction of the training rows that count as anomalous, in (0, 0.5].
        hidden_units: Units in each hidden layer, >= 1.
        prior_std: Standard deviation of the prior, > 0. None: the default of the system, 5 for
            "aae".
        epochs: Passes over the training rows, >= 1. None: 20, or enough for 2000 minibatches.
        batch_size: Rows in a minibatch, >= 2. None: a tenth of the rows, from 10 to 200.
        settings: Further settings of the training, a dict with the names of the flags of the
            command line.
        random_state: An integer for reproducible results, a `RandomState`, or None.
        verbose: Whether to print the progress.

    Attributes:
        model_: The trained `AdversarialAutoencoder`.
        scorer_: The `evaluation.anomaly.Scorer`.
        offset_: The score of `score_samples` below which a row is anomalous.
        n_features_in_: Number of columns.
        feature_names_in_: Names of the columns of a DataFrame.
    """

    def __init__(
        self,
        z_dim: int | None = None,
        *,
        model: str | None = None,
        kind: str = "both",
        contamination: float = 0.01,
        hidden_units: int = 200,
        prior_std: float | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        settings: dict[str, Any] | None = None,
        random_state: Any = None,
        verbose: int | bool = 0,
    ):
        super().__init__(
            z_dim,
            model=model,
            hidden_units=hidden_units,
            prior_std=prior_std,
            epochs=epochs,
            batch_size=batch_size,
            settings=settings,
            random_state=random_state,
            verbose=verbose,
        )
        self.kind = kind
        self.contamination = contamination

    def fit(self, X: Any, y: Any = None) -> "AAEDetector":
        """Trains the model and fits the score.

        Args:
            X: Mostly normal rows, at least 10: numbers of shape (n, columns), NaN for missing ones;
                or a `pandas.DataFrame`, also with texts, categories and booleans.
            y: Not used.

        Returns:
            The estimator.

        Raises:
            ValueError: If the table or a parameter cannot be used.
        """
        import_tensorflow()
        from adversarial_autoencoder.evaluation import anomaly

        anomaly.check_arguments(self.kind, self.contamination)
        rows = self._train(X, min_rows=anomaly.MIN_ITEMS)
        self.scorer_ = anomaly.fit(
            self.model_, rows, self.kind, float(self.contamination), x_train=rows
        )
        # The threshold of the scorer is that of at most `anomaly.MAX_ITEMS` rows.
        self.offset_ = -float(np.quantile(self.scorer_.score(rows), 1 - self.contamination))
        return self

    def score_samples(self, X: Any) -> np.ndarray:
        """Scores rows.

        Args:
            X: A table with the columns of the training.

        Returns:
            Scores, float64 of shape (n,). Lower scores are more anomalous.

        Raises:
            ValueError: If the columns do not fit.
        """
        check_is_fitted(self, "scorer_")
        return -self.scorer_.score(self._rows(X))

    def decision_function(self, X: Any) -> np.ndarray:
        """Scores rows relative to the threshold.

        Args:
            X: A table with the columns of the training.

        Returns:
            Scores, float64 of shape (n,), negative for anomalous rows.

        Raises:
            ValueError: If the columns do not fit.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> np.ndarray:
        """Decides which rows are anomalous.

        Args:
            X: A table with the columns of the training.

        Returns:
            -1 for anomalous rows and 1 for normal ones, integers of shape (n,).

        Raises:
            ValueError: If the columns do not fit.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def __getstate__(self):
        state = super().__getstate__()
        if "scorer_" in state:  # It gets the model again, which is saved once.
            state["scorer_"] = dataclasses.replace(state["scorer_"], model=None)
        return state

    def __setstate__(self, state):
        super().__setstate__(state)
        if "scorer_" in state:
            self.scorer_ = dataclasses.replace(self.scorer_, model=self.model_)
