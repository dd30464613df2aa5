"""Measures after each epoch how well the codes follow the prior."""

import math

import keras
import numpy as np

from adversarial_autoencoder import priors
from adversarial_autoencoder.errors import TrainingError
from adversarial_autoencoder.evaluation.prior_match import perplexity, sliced_wasserstein

# Pixels encoded at once, 5000 images of MNIST: fewer take longer in all, as the weights are
# converted to bfloat16 anew each time.
ENCODED_PIXELS = 5000 * 28 * 28


class PriorDistance(keras.callbacks.Callback):
    """Encodes a fixed sample of images after every epoch and measures how it follows the prior.

    Adds `val_prior_distance` to the logs, and `val_prior_distance_floor`, the same between two
    samples of the prior; where y is inferred also `val_y_use`, how many values of y are in use
    (the exponential of the entropy of their shares), as a share of all. So it stands
    before the callbacks that report them.

    Args:
        x: Images, shape (n, height, width, channels).
    """

    def __init__(self, x):
        super().__init__()
        self.x = x

    def on_train_begin(self, logs=None):
        self.z_prior, other = (
            priors.draw(self.model.prior, len(self.x), self.model.z_dim, seed) for seed in (0, 1)
        )
        self.floor = sliced_wasserstein(other, self.z_prior)
        if self.model.infers_y:
            y = priors.draw(self.model.priors["y"], len(self.x), self.model.num_classes)
            self.y_prior = y.argmax(axis=1)

    def on_epoch_end(self, epoch, logs=None):
        # Drawn from the posterior: it is all codes together that follow the prior.
        batch_size = max(ENCODED_PIXELS // math.prod(self.x.shape[1:]), 1)
        self.z = self.model.encode(self.x, seed=0, batch_size=batch_size)
        if not np.isfinite(self.z).all():
            raise TrainingError(
                f"The codes are not finite any more in epoch {epoch + 1}; the epoch before is kept."
                " Lower learning rates may help."
            )
        logs["val_prior_distance"] = sliced_wasserstein(self.z, self.z_prior)
        logs["val_prior_distance_floor"] = self.floor
        if self.model.infers_y:
            self.y = self.model.classify(self.x).argmax(axis=1)
            shares = np.bincount(self.y, minlength=self.model.num_classes) / len(self.y)
            logs["val_y_use"] = perplexity(shares) / self.model.num_classes
