"""Priors p(z) with one component for each class.

The paper pairs each labelled image with the component of its class (Makhzani et al. 2015, arXiv
1511.05644, section 2.3 and figure 4). See `condition_prior_on_labels`.
"""

import math

import tensorflow as tf

from adversarial_autoencoder.priors.categorical import components_of, normalized
from adversarial_autoencoder.priors.prior import Prior, fold, positive, register


@register
class GaussianMixture(Prior):
    """A mixture of 2-D Gaussians on a circle, each elongated in the radial direction.

    If the code has more than two dimensions, each pair of dimensions has its own circle. A sample
    has the same component in all pairs.

    Args:
        num_components: Number of components, >= 1.
        radius: Distance of the means from the origin, > 0.
        std_along: Standard deviation in the radial direction, > 0.
        std_across: Standard deviation perpendicular to it, > 0.
        weights: Probability of each component, numbers > 0. They are scaled to the sum 1. None: all
            components are equally probable.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> from adversarial_autoencoder import priors
        >>> mixture = priors.GaussianMixture(num_components=4, radius=8.0)
        >>> z = priors.draw(mixture, n=1000, dim=2, labels=[1] * 1000)
        >>> print(abs(z.mean(axis=0)).round())  # component 1 is above the origin
        [0. 8.]
    """

    has_components = True

    def __init__(self, num_components=10, radius=8.0, std_along=2.0, std_across=0.5, weights=None):
        self.num_components = num_components
        self.radius = positive("radius", radius)
        self.std_along = positive("std_along", std_along)
        self.std_across = positive("std_across", std_across)
        self.weights = normalized(weights, num_components)

    def __call__(self, n, dim, seed, labels=None):
        """Draws samples.

        Args:
            n: Number of samples, an integer or an integer scalar tensor.
            dim: Number of dimensions of the code, an even number.
            seed: Integer tensor of shape (2,).
            labels: Component of each sample, integers of shape (n,), negative for "unlabelled"; or
                None.

        Returns:
            A float32 tensor of shape (n, dim).

        Raises:
            ValueError: If `dim` is odd.
        """
        if dim % 2:
            raise ValueError(f"A mixture of 2-D Gaussians needs an even dimension. Received: {dim}")
        component = components_of(n, self.weights, fold(seed, 1), labels)
        noise = tf.random.stateless_normal((n, dim // 2, 2), fold(seed, 2))
        angle = tf.cast(component, "float32")[:, None] * (2 * math.pi / self.num_components)
        along = self.radius + self.std_along * noise[..., 0]
        across = self.std_across * noise[..., 1]
        cos, sin = tf.cos(angle), tf.sin(angle)
        z = tf.stack([along * cos - across * sin, along * sin + across * cos], axis=-1)
        return tf.reshape(z, (n, dim))

    def get_config(self):
        """Returns the constructor's arguments, which Keras saves."""
        return {
            "num_components": self.num_components,
            "radius": self.radius,
            "std_along": self.std_along,
            "std_across": self.std_across,
            "weights": self.weights,
        }


@register
class SwissRoll(Prior):
    """A 2-D Swiss roll: a noisy spiral, cut into segments of equal length, one for each class.

    Args:
        num_components: Number of segments, >= 1.
        radius: Distance of the outer end from the origin, > 0.
        turns: Number of turns, > 0.
        std: Standard deviation of the noise around the spiral, > 0.
        weights: Probability of each segment, numbers > 0. They are scaled to the sum 1. None: all
            segments are equally probable.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> import numpy as np
        >>> from adversarial_autoencoder import priors
        >>> roll = priors.SwissRoll(num_components=2, radius=8.0)
        >>> z = priors.draw(roll, n=1000, dim=2, labels=np.arange(1000) % 2)
        >>> distance = np.linalg.norm(z, axis=1)
        >>> print(f"{distance[::2].mean():.0f} {distance[1::2].mean():.0f}")  # inner, outer
        4 7
    """

    has_components = True

    def __init__(self, num_components=10, radius=8.0, turns=2.0, std=0.5, weights=None):
        self.num_components = num_components
        self.radius = positive("radius", radius)
        self.turns = positive("turns", turns)
        self.std = positive("std", std)
        self.weights = normalized(weights, num_components)

    def __call__(self, n, dim, seed, labels=None):
        """Draws samples.

        Args:
            n: Number of samples, an integer or an integer scalar tensor.
            dim: Number of dimensions of the code; must be 2.
            seed: Integer tensor of shape (2,).
            labels: Segment of each sample, integers of shape (n,), negative for "unlabelled"; or
                None.

        Returns:
            A float32 tensor of shape (n, 2).

        Raises:
            ValueError: If `dim` is not 2.
        """
        if dim != 2:
            raise ValueError(f"A Swiss roll has two dimensions. Received: {dim}")
        segment = tf.cast(components_of(n, self.weights, fold(seed, 1), labels), "float32")
        within = tf.random.stateless_uniform((n,), fold(seed, 2))
        # The length of a spiral grows with the square of the angle, up to a small error near the
        # origin. The square root makes the samples uniform along the length.
        share = tf.sqrt((segment + within) / self.num_components)
        angle = 2 * math.pi * self.turns * share
        spiral = self.radius * share[:, None] * tf.stack([tf.cos(angle), tf.sin(angle)], axis=-1)
        return spiral + tf.random.stateless_normal((n, 2), fold(seed, 3), stddev=self.std)

    def get_config(self):
        """Returns the constructor's arguments, which Keras saves."""
        return {
            "num_components": self.num_components,
            "radius": self.radius,
            "turns": self.turns,
            "std": self.std,
            "weights": self.weights,
        }
