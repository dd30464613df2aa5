"""The estimators of scikit-learn: adversarial autoencoders of tables."""

from adversarial_autoencoder.estimators.transformer import AAETransformer

__all__ = ["AAETransformer"]
