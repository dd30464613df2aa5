"""Measures after each epoch how well the codes follow the prior."""

import math

import keras
import numpy as np

from adversarial_autoencoder.evaluation.clustering import name_by_majority, named_error
from adversarial_autoencoder.evaluation.prior_match import perplexity, sliced_wasserstein
from adversarial_autoencoder.training.callbacks.safeguards import not_finite

# Pixels encoded at once: 5000 images of MNIST. Smaller parts take longer in total, because each
# part converts the weights to bfloat16 again.
ENCODED_PIXELS = 5000 * 28 * 28


class PriorDistance(keras.callbacks.Callback):
    """Encodes a fixed set of images after every epoch, and compares the codes with the prior.

    It adds to the logs:

    - `val_prior_distance`: sliced Wasserstein distance of the codes to the prior;
    - `val_prior_distance_floor`: the same distance between two samples of the prior;
    - `val_y_use`, if the model infers y: the fraction of the values of y in use (the exponential of
      the entropy of their shares, divided by their number);
    - `val_clusters_in_use`, if y is a cluster: the number of clusters of at least one image;
    - `val_cluster_error`, if there are labels too: the error if each cluster stands for the most
      frequent class of its images.

    It comes before the callbacks that report these logs.

    Args:
        x: Images, shape (n, height, width, channels).
        labels: Their labels, integers of shape (n,), negative for unlabelled images; or None.
        are_clusters: Whether the values of y are clusters.
        run: The `runs.Run` that a `Checkpoint` saves, or None.

    Attributes:
        z: Codes of the images after the last epoch, shape (n, z_dim).
        z_prior: Samples of the prior, shape (n, z_dim).
        y: Most probable values of y, integers of shape (n,), if the model infers y.
        y_prior: Samples of the prior of y, integers of shape (n,), if the model infers y.
    """

    def __init__(self, x, labels=None, are_clusters=False, run=None):
        super().__init__()
        self.x = x
        self.labels = labels
        self.are_clusters = are_clusters
        self.run = run

    def on_train_begin(self, logs=None):
        """Samples the priors."""
        codes, n = self.model.codes, len(self.x)
        self.z_prior, other = (codes.z.sample_prior(n, seed) for seed in (0, 1))
        self.floor = sliced_wasserstein(other, self.z_prior)
        if self.model.infers_y:
            self.y_prior = codes.y.sample_prior(n).argmax(axis=1)

    def on_epoch_end(self, epoch, logs=None):
        """Encodes the images and adds the measures to the logs."""
        # Codes are drawn from the posterior: the prior describes all codes together.
        batch_size = max(ENCODED_PIXELS // math.prod(self.x.shape[1:]), 1)
        self.z = self.model.encode(self.x, seed=0, batch_size=batch_size)
        if not np.isfinite(self.z).all():
            raise not_finite("The codes", f"epoch {epoch + 1}", self.run)
        logs["val_prior_distance"] = sliced_wasserstein(self.z, self.z_prior)
        logs["val_prior_distance_floor"] = self.floor
        if self.model.infers_y:
            self.y = self.model.classify(self.x).argmax(axis=1)
            shares = np.bincount(self.y, minlength=self.model.num_classes) / len(self.y)
            logs["val_y_use"] = perplexity(shares) / self.model.num_classes
            if self.are_clusters:
                logs["val_clusters_in_use"] = int(np.count_nonzero(shares))
                self._measure_error(logs)

    def _measure_error(self, logs):
        if self.labels is None:
            return
        known = self.labels >= 0
        labels, clusters = self.labels[known], self.y[known]
        names = name_by_majority(labels, clusters, self.model.num_classes)
        logs["val_cluster_error"] = named_error(labels, clusters, names)
