"""Synthetic rows."""

import copy
import numbers
from typing import Any, ClassVar

from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from adversarial_autoencoder.errors import InputError, check_choice
from adversarial_autoencoder.estimators.base import AAEEstimator

# Where the codes of synthetic rows come from.
SAMPLERS = ("gaussian_mixture", "prior")


class AAESampler(AAEEstimator):
    """Learns the distribution of rows, and draws synthetic rows from it.

    Makhzani et al. 2015, "Adversarial Autoencoders", arXiv 1511.05644, section 2. With a Gaussian
    mixture that is fitted to the codes: Ghosh et al. 2020, "From Variational to Deterministic
    Autoencoders", arXiv 1903.12436, section 4.

    Example:
        >>> import numpy as np
        >>> from adversarial_autoencoder.estimators import AAESampler
        >>> x = np.random.default_rng(0).normal(size=(100, 5))
        >>> sampler = AAESampler(2, epochs=1, hidden_units=8, random_state=0).fit(x)
        >>> sampler.sample(7, random_state=0).shape
        (7, 5)

    Args:
        z_dim: Dimensions of the code z, >= 1. None: 8.
        model: The system: "aae", "wae_mmd", "vae", "autoencoder" or "denoising_autoencoder".
            None: "aae".
        sampler: Where the codes come from: "gaussian_mixture", fitted to the codes of the training
            rows, or "prior".
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
        mixture_: The `sklearn.mixture.GaussianMixture` of the codes, if `sampler` is
            "gaussian_mixture".
        n_features_in_: Number of columns.
        feature_names_in_: Names of the columns of a DataFrame.
    """

    DEFAULTS: ClassVar[dict[str, Any]] = {"z_dim": 8}

    def __init__(
        self,
        z_dim: int | None = None,
        *,
        model: str | None = None,
        sampler: str = "gaussian_mixture",
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
        self.sampler = sampler

    def fit(self, X: Any, y: Any = None) -> "AAESampler":
        """Trains the model.

        Args:
            X: Numbers of shape (n, columns), NaN for missing ones; or a `pandas.DataFrame`, also
                with texts, categories and booleans. A column can be the class.
            y: Not used.

        Returns:
            The estimator.

        Raises:
            ValueError: If the table or a parameter cannot be used.
        """
        check_choice("sampler", self.sampler, SAMPLERS)
        rows = self._train(X)
        self.__dict__.pop("mixture_", None)  # That of an earlier fit is one of another model.
        if self.sampler == "gaussian_mixture":
            from adversarial_autoencoder.evaluation import gaussian_mixture

            self.mixture_ = gaussian_mixture.fit(self.model_.encode(rows, seed=0), self.model_.seed)
        return self

    def sample(self, n_samples: int = 1, random_state: Any = None) -> Any:
        """Draws synthetic rows.

        Args:
            n_samples: Number of rows, >= 1.
            random_state: An integer for reproducible rows, a `RandomState`, or None.

        Returns:
            Rows, a float32 array of shape (n_samples, columns); or a DataFrame with the names,
            types and categories of that of `fit`.

        Raises:
            ValueError: If `n_samples` is no whole number of at least 1, or `sampler` was changed to
                "gaussian_mixture" after `fit`.
        """
        check_is_fitted(self, "model_")
        check_choice("sampler", self.sampler, SAMPLERS)
        if self.sampler == "gaussian_mixture" and not hasattr(self, "mixture_"):
            raise InputError(
                "sampler='gaussian_mixture' needs a fit with it. Received: a fit with another one"
            )
        if not isinstance(n_samples, numbers.Integral) or n_samples < 1:
            raise InputError(
                f"n_samples must be a whole number of at least 1. Received: n_samples={n_samples!r}"
            )
        seed = int(check_random_state(random_state).randint(2**31 - 1))
        z = None
        if self.sampler == "gaussian_mixture":
            from adversarial_autoencoder.evaluation import gaussian_mixture

            mixture = copy.copy(self.mixture_).set_params(random_state=seed)
            z = gaussian_mixture.sample(mixture, n_samples)
        return self._named(self.model_.generate(n_samples, seed=seed, z=z))
