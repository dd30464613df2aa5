"""The estimators of scikit-learn: adversarial autoencoders of tables."""

from adversarial_autoencoder.estimators.classifier import AAEClassifier
from adversarial_autoencoder.estimators.clusterer import AAEClusterer
from adversarial_autoencoder.estimators.detector import AAEDetector
from adversarial_autoencoder.estimators.sampler import AAESampler
from adversarial_autoencoder.estimators.transformer import AAETransformer

__all__ = ["AAEClassifier", "AAEClusterer", "AAEDetector", "AAESampler", "AAETransformer"]
