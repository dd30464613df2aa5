"""Classification of rows from few labels."""

from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from adversarial_autoencoder.data.checks import UNLABELLED
from adversarial_autoencoder.errors import InputError, counted
from adversarial_autoencoder.estimators.base import AAEEstimator


class AAEClassifier(ClassifierMixin, AAEEstimator):
    """Classifies rows, and learns from rows without a label too.

    The encoder infers a class y and a style z. Makhzani et al. 2015, "Adversarial Autoencoders",
    arXiv 1511.05644, section 5.

    Example:
        >>> import numpy as np
        >>> from adversarial_autoencoder.estimators import AAEClassifier
        >>> x = np.random.default_rng(0).normal(size=(100, 5))
        >>> y = np.where(np.arange(100) < 30, x[:, 0] > 0, -1)
        >>> classifier = AAEClassifier(epochs=1, hidden_units=8, random_state=0).fit(x, y)
        >>> classifier.classes_.tolist(), classifier.predict_proba(x).shape
        ([0, 1], (100, 2))

    Args:
        z_dim: Dimensions of the code z, >= 1. None: 10 for "semi_supervised_aae", otherwise 2.
        model: The system: "semi_supervised_aae" or "dimensionality_reduction_aae". None: the first.
        hidden_units: Units in each hidden layer, >= 1.
        prior_std: Standard deviation of the prior, > 0. None: 1.
        epochs: Passes over the training rows, >= 1. None: the default of the system, or enough for
            2000 minibatches.
        batch_size: Rows in a minibatch, >= 2. None: a tenth of the rows, from 10 to 100.
        settings: Further settings of the training, a dict with the names of the flags of the
            command line, such as {"vat_epsilon": 1.0}.
        random_state: An integer for reproducible results, a `RandomState`, or None.
        verbose: Whether to print the progress.

    Attributes:
        model_: The trained `AdversarialAutoencoder`.
        classes_: The classes in rising order.
        n_features_in_: Number of columns.
        feature_names_in_: Names of the columns of a DataFrame.
    """

    MODELS: ClassVar[tuple[str, ...]] = ("semi_supervised_aae", "dimensionality_reduction_aae")

    def fit(self, X: Any, y: Any) -> "AAEClassifier":
        """Trains the model.

        Args:
            X: Numbers of shape (n, columns), NaN for missing ones; or a `pandas.DataFrame`, also
                with texts, categories and booleans.
            y: Classes of shape (n,), numbers or texts. -1 means unlabelled, also as a
                text.

        Returns:
            The estimator.

        Raises:
            ValueError: If the table, the labels or a parameter cannot be used.
        """
        if y is None:
            raise InputError(
                "AAEClassifier requires y to be passed, but the target y is None; -1 in y means "
                "unlabelled. Received: y=None"
            )
        y = column_or_1d(check_array(y, ensure_2d=False, dtype=None), warn=True)
        check_consistent_length(X, y)
        # In a list with texts, NumPy makes a text of the number too.
        unlabelled = (UNLABELLED, f"{UNLABELLED}", f"{UNLABELLED}".encode())
        if None in y.tolist():
            raise InputError(
                "y must have a class, or -1 for unlabelled, for each row. Received: None"
            )
        known = np.array([label not in unlabelled for label in y.tolist()])
        check_classification_targets(y[known])
        self.classes_, index = np.unique(y[known], return_inverse=True)
        if len(self.classes_) < 2:
            raise InputError(
                "y must have at least 2 classes, and -1 for unlabelled rows. "
                f"Received: {counted(len(self.classes_), 'class')}"
            )
        labels = np.full(len(y), UNLABELLED, "int32")
        labels[known] = index
        self._train(X, labels, (np.bincount(index) / len(index)).tolist(), num_labels=0)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Infers the probabilities of the classes.

        Args:
            X: A table with the columns of the training.

        Returns:
            Probabilities in the order of `classes_`, float64 of shape (n, classes).

        Raises:
            ValueError: If the columns do not fit.
        """
        rows = self._rows(X)
        shares = self.model_.classify(rows).astype("float64")
        return shares / shares.sum(axis=1, keepdims=True)

    def predict(self, X: Any) -> np.ndarray:
        """Infers the most probable classes.

        Args:
            X: A table with the columns of the training.

        Returns:
            Classes, shape (n,).

        Raises:
            ValueError: If the columns do not fit.
        """
        shares = self.predict_proba(X)
        return self.classes_[shares.argmax(axis=1)]
