"""Priors p(z) that are made of one component for each class (section 2.3)."""

import math

import tensorflow as tf

from adversarial_autoencoder.priors.categorical import components_of, normalized
from adversarial_autoencoder.priors.prior import Prior, fold, positive, register


@register
class GaussianMixture(Prior):
    """A ring of 2-D Gaussians, each long along the ray from the origin (section 2.3, figure 4).

    In more than two dimensions, each pair of dimensions holds a ring; the component is the same in
    all of them.

    Args:
        num_components: Number of components, >= 1.
        radius: Distance of their means from the origin, > 0.
        std_along: Standard deviation along the ray, > 0.
        std_across: Standard deviation across it, > 0.
        weights: Probability of each component; None: all equal.
    """

    has_components = True

    def __init__(self, num_components=10, radius=8.0, std_along=2.5, std_across=0.6, weights=None):
        self.num_components = num_components
        self.radius = positive("radius", radius)
        self.std_along = positive("std_along", std_along)
        self.std_across = positive("std_across", std_across)
        self.weights = normalized(weights, num_components)

    def __call__(self, n, dim, seed, labels=None):
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
        return {
            "num_components": self.num_components,
            "radius": self.radius,
            "std_along": self.std_along,
            "std_across": self.std_across,
            "weights": self.weights,
        }


@register
class SwissRoll(Prior):
    """A 2-D Swiss roll: a spiral, divided into one arc for each class (section 2.3, figure 4).

    Args:
        num_components: Number of arcs, >= 1.
        radius: Distance of the outer end from the origin, > 0.
        turns: Number of turns, > 0.
        std: Standard deviation of the noise around the spiral, > 0.
        weights: Probability of each arc; None: all equal.
    """

    has_components = True

    def __init__(self, num_components=10, radius=10.0, turns=2.0, std=0.3, weights=None):
        self.num_components = num_components
        self.radius = positive("radius", radius)
        self.turns = positive("turns", turns)
        self.std = positive("std", std)
        self.weights = normalized(weights, num_components)

    def __call__(self, n, dim, seed, labels=None):
        if dim != 2:
            raise ValueError(f"A Swiss roll has two dimensions. Received: {dim}")
        arc = tf.cast(components_of(n, self.weights, fold(seed, 1), labels), "float32")
        within = tf.random.stateless_uniform((n,), fold(seed, 2))
        # The length of a spiral grows as the square of its angle.
        share = tf.sqrt((arc + within) / self.num_components)
        angle = 2 * math.pi * self.turns * share
        spiral = self.radius * share[:, None] * tf.stack([tf.cos(angle), tf.sin(angle)], axis=-1)
        return spiral + tf.random.stateless_normal((n, 2), fold(seed, 3), stddev=self.std)

    def get_config(self):
        return {
            "num_components": self.num_components,
            "radius": self.radius,
            "turns": self.turns,
            "std": self.std,
            "weights": self.weights,
        }
