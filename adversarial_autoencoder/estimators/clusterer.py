"""Clusters of rows."""

from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClusterMixin

from adversarial_autoencoder.estimators.base import AAEEstimator


class AAEClusterer(ClusterMixin, AAEEstimator):
    """Finds clusters of rows; the encoder then assigns further rows to them.

    Makhzani et al. 2015, "Adversarial Autoencoders", arXiv 1511.05644, section 6.

    Example:
        >>> import numpy as np
        >>> from adversarial_autoencoder.estimators import AAEClusterer
        >>> x = np.random.default_rng(0).normal(size=(100, 5))
        >>> clusterer = AAEClusterer(num_clusters=3, epochs=1, hidden_units=8, random_state=0)
        >>> clusterer.fit_predict(x).shape
        (100,)

    Args:
        z_dim: Dimensions of the code z, >= 1. None: 5 for "clustering_aae", otherwise 2.
        model: The system: "clustering_aae" or "dimensionality_reduction_aae". None: the first.
        num_clusters: Number of clusters, >= 2. None: 16 for "clustering_aae", otherwise 20.
        hidden_units: Units in each hidden layer, >= 1.
        prior_std: Standard deviation of the prior, > 0. None: 1.
        epochs: Passes over the training rows, >= 1. None: the default of the system, or enough for
            2000 minibatches.
        batch_size: Rows in a minibatch, at least `num_clusters`. None: a tenth of the rows, up to
            100.
        settings: Further settings of the training, a dict with the names of the flags of the
            command line, such as {"information_weight": 0.2}.
        random_state: An integer for reproducible results, a `RandomState`, or None.
        verbose: Whether to print the progress.

    Attributes:
        model_: The trained `AdversarialAutoencoder`.
        labels_: The clusters of the training rows, integers of shape (n,).
        n_features_in_: Number of columns.
        feature_names_in_: Names of the columns of a DataFrame.
    """

    MODELS: ClassVar[tuple[str, ...]] = ("clustering_aae", "dimensionality_reduction_aae")

    def __init__(
        self,
        z_dim: int | None = None,
        *,
        model: str | None = None,
        num_clusters: int | None = None,
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
        self.num_clusters = num_clusters

    def fit(self, X: Any, y: Any = None) -> "AAEClusterer":
        """Trains the model.

        Args:
            X: Numbers of shape (n, columns), NaN for missing ones; or a `pandas.DataFrame`, also
                with texts, categories and booleans.
            y: Not used.

        Returns:
            The estimator.

        Raises:
            ValueError: If the table or a parameter cannot be used.
        """
        rows = self._train(X)
        self.labels_ = self._clusters(rows)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Assigns rows to clusters.

        Args:
            X: A table with the columns of the training.

        Returns:
            Clusters, integers in 0 to num_clusters - 1, shape (n,).

        Raises:
            ValueError: If the columns do not fit.
        """
        return self._clusters(self._rows(X))

    def _clusters(self, rows):
        return self.model_.classify(rows).argmax(axis=1)
