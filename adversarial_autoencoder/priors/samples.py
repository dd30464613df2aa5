"""A prior p(z) given by samples."""

import numpy as np
import tensorflow as tf

from adversarial_autoencoder.priors.prior import Prior, register


@register
class Samples(Prior):
    """Draws, with replacement, from samples that the user gives.

    Args:
        samples: Array of shape (num_samples, dim).
    """

    def __init__(self, samples):
        samples = np.asarray(samples, "float32")
        if samples.ndim != 2 or not samples.size or not np.isfinite(samples).all():
            raise ValueError(
                "Samples of a prior must be finite numbers of shape (num_samples, dim). "
                f"Received: shape {samples.shape}"
            )
        self.samples = samples

    def __call__(self, n, dim, seed):
        if dim != self.samples.shape[1]:
            raise ValueError(
                f"The samples of the prior have {self.samples.shape[1]} dimensions. Received: {dim}"
            )
        indices = tf.random.stateless_uniform((n,), seed, 0, len(self.samples), "int32")
        return tf.gather(self.samples, indices)

    def get_config(self):
        return {"samples": self.samples.tolist()}
