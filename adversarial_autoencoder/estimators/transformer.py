"""Codes of rows as features: dimensionality reduction."""

from typing import Any

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted

from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.estimators.base import AAEEstimator


class AAETransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, AAEEstimator):
    """Reduces rows to the codes of an adversarial autoencoder, which follow its prior.

    Makhzani et al. 2015, "Adversarial Autoencoders", arXiv 1511.05644, section 2.

    Example:
        >>> import numpy as np
        >>> from adversarial_autoencoder.estimators import AAETransformer
        >>> x = np.random.default_rng(0).normal(size=(100, 5))
        >>> transformer = AAETransformer(2, epochs=1, hidden_units=8, random_state=0).fit(x)
        >>> transformer.transform(x).shape
        (100, 2)
        >>> transformer.inverse_transform([[0.0, 1.0]]).shape
        (1, 5)

    Args:
        z_dim: Dimensions of the code z, >= 1. None: 2.
        model: The system: "aae", "wae_mmd", "vae", "autoencoder" or "denoising_autoencoder".
            None: "aae".
        hidden_units: Units in each hidden layer, >= 1.
        prior_std: Standard deviation of the prior, > 0. None: the default of the system, 5 for
            "aae".
        epochs: Passes over the training rows, >= 1. None: 20, or enough for 2000 minibatches.
        batch_size: Rows in a minibatch, >= 2. None: a tenth of the rows, from 10 to 200.
        settings: Further settings of the training, a dict with the names of the flags of the
            command line, such as {"prior": "uniform"}.
        random_state: An integer for reproducible results, a `RandomState`, or None.
        verbose: Whether to print the progress.

    Attributes:
        model_: The trained `AdversarialAutoencoder`.
        n_features_in_: Number of columns.
        feature_names_in_: Names of the columns of a DataFrame.
    """

    def fit(self, X: Any, y: Any = None) -> "AAETransformer":
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
        self._train(X)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Encodes rows.

        Args:
            X: A table with the columns of the training.

        Returns:
            Codes, float32 of shape (n, z_dim).

        Raises:
            ValueError: If the columns do not fit.
        """
        rows = self._rows(X)
        return self.model_.encode(rows)

    def inverse_transform(self, X: Any) -> Any:
        """Decodes codes: the means of numbers, and the most probable categories.

        Args:
            X: Codes, shape (n, z_dim).

        Returns:
            Rows, an array of shape (n, columns), or a DataFrame if `fit` got one.

        Raises:
            ValueError: If the shape does not fit.
        """
        check_is_fitted(self, "model_")
        z = check_array(X, dtype="float32")
        if z.shape[1] != self.model_.z_dim:
            raise InputError(
                f"Codes must have the shape (n, {self.model_.z_dim}). Received: {z.shape}"
            )
        return self._named(self.model_.decode(z))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    @property
    def _n_features_out(self):
        return self.model_.z_dim
