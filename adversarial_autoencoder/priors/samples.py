"""A prior p(z) that is given by samples."""

import numpy as np
import tensorflow as tf

from adversarial_autoencoder.priors.prior import Prior, register


@register
class Samples(Prior):
    """The empirical distribution of given samples, drawn with replacement.

    Use it for a prior that is known only from a file, or that is slow to sample.

    Args:
        samples: Finite numbers, array of shape (num_samples, dim).

    Raises:
        ValueError: If `samples` has another shape, is empty or is not finite.

    Example:
        >>> from adversarial_autoencoder import priors
        >>> corners = priors.Samples([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
        >>> z = priors.draw(corners, n=100, dim=2)
        >>> z.shape, sorted(set(z.flatten().tolist()))
        ((100, 2), [0.0, 1.0])
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
        """Draws samples.

        Args:
            n: Number of samples, an integer or an integer scalar tensor.
            dim: Number of dimensions of the code; must be that of the given samples.
            seed: Integer tensor of shape (2,).

        Returns:
            A float32 tensor of shape (n, dim).

        Raises:
            ValueError: If the samples have another number of dimensions.
        """
        if dim != self.samples.shape[1]:
            raise ValueError(
                f"The samples of the prior have {self.samples.shape[1]} dimensions. Received: {dim}"
            )
        indices = tf.random.stateless_uniform((n,), seed, 0, len(self.samples), "int32")
        return tf.gather(self.samples, indices)

    def get_config(self):
        """Returns the constructor's arguments, which Keras saves."""
        return {"samples": self.samples.tolist()}
