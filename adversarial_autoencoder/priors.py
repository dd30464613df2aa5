"""Prior distributions p(z) and p(y): samplers in the TensorFlow graph.

A prior is any callable `(n, dim, seed) -> tensor of shape (n, dim)`. `seed` is an integer tensor of
shape (2,), as the `tf.random.stateless_*` functions take it: the same seed gives the same samples,
so a resumed training goes on with the noise that it would have had.

A prior made of one component for each class also takes `labels`, an integer tensor of shape (n,):
sample i is then drawn from the component of class `labels[i]`, or, where that is negative
("unlabelled"), from the whole prior.
"""

import math

import keras
import numpy as np
import tensorflow as tf


class Prior:
    """A prior that Keras can save: its config is the arguments of its constructor."""

    # Whether it has a component for each class, and takes labels.
    has_components = False

    def __call__(self, n, dim, seed):
        raise NotImplementedError

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def _register(cls):
    return keras.saving.register_keras_serializable("adversarial_autoencoder")(cls)


@_register
class Gaussian(Prior):
    """Independent normal distributions N(0, std^2), the same in every dimension.

    Example:

    >>> Gaussian(std=5.0)(n=100, dim=2, seed=(0, 0)).shape
    TensorShape([100, 2])

    Args:
        std: Standard deviation, > 0.
    """

    def __init__(self, std=5.0):
        self.std = _positive("std", std)

    def __call__(self, n, dim, seed):
        return tf.random.stateless_normal((n, dim), seed, stddev=self.std)

    def get_config(self):
        return {"std": self.std}


@_register
class Uniform(Prior):
    """Independent uniform distributions on [-std * sqrt(3), std * sqrt(3)].

    Args:
        std: Standard deviation, > 0.
    """

    def __init__(self, std=5.0):
        self.std = _positive("std", std)

    def __call__(self, n, dim, seed):
        limit = self.std * math.sqrt(3.0)
        return tf.random.stateless_uniform((n, dim), seed, -limit, limit)

    def get_config(self):
        return {"std": self.std}


@_register
class Laplace(Prior):
    """Independent Laplace distributions with mean 0.

    Args:
        std: Standard deviation, > 0; the scale is std / sqrt(2).
    """

    def __init__(self, std=5.0):
        self.std = _positive("std", std)

    def __call__(self, n, dim, seed):
        # The difference of two exponential distributions.
        u = tf.random.stateless_uniform((2, n, dim), seed, 1e-7, 1.0)
        return self.std / math.sqrt(2.0) * (tf.math.log(u[0]) - tf.math.log(u[1]))

    def get_config(self):
        return {"std": self.std}


@_register
class Gamma(Prior):
    """Independent gamma distributions, on the positive numbers.

    Args:
        shape: Shape, > 0; the mean is shape * scale, the standard deviation sqrt(shape) * scale.
        std: Standard deviation, > 0.
    """

    def __init__(self, shape=2.0, std=5.0):
        self.shape = _positive("shape", shape)
        self.std = _positive("std", std)

    def __call__(self, n, dim, seed):
        # Marsaglia and Tsang 2000, the first accepted of 12 proposals (each is accepted with a
        # probability above 0.95); TensorFlow's own sampler does not compile with XLA.
        shape = self.shape if self.shape >= 1 else self.shape + 1
        d = shape - 1 / 3
        x = tf.random.stateless_normal((12, n, dim), _fold(seed, 1))
        u = tf.random.stateless_uniform((12, n, dim), _fold(seed, 2), 1e-37, 1.0)
        v = (1 + x / math.sqrt(9 * d)) ** 3
        bound = 0.5 * x**2 + d * (1 - v + tf.math.log(tf.maximum(v, 1e-37)))
        accepted = (v > 0) & (tf.math.log(u) < bound)
        first = tf.one_hot(tf.argmax(accepted, axis=0, output_type="int32"), 12, axis=0)
        z = d * tf.reduce_sum(first * v, axis=0)
        if self.shape < 1:
            z *= tf.random.stateless_uniform((n, dim), _fold(seed, 3)) ** (1 / self.shape)
        return self.std / math.sqrt(self.shape) * z

    def get_config(self):
        return {"shape": self.shape, "std": self.std}


@_register
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
        self.radius = _positive("radius", radius)
        self.std_along = _positive("std_along", std_along)
        self.std_across = _positive("std_across", std_across)
        self.weights = _weights(weights, num_components)

    def __call__(self, n, dim, seed, labels=None):
        if dim % 2:
            raise ValueError(f"A mixture of 2-D Gaussians needs an even dimension. Received: {dim}")
        component = _components(n, self.weights, _fold(seed, 1), labels)
        noise = tf.random.stateless_normal((n, dim // 2, 2), _fold(seed, 2))
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


@_register
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
        self.radius = _positive("radius", radius)
        self.turns = _positive("turns", turns)
        self.std = _positive("std", std)
        self.weights = _weights(weights, num_components)

    def __call__(self, n, dim, seed, labels=None):
        if dim != 2:
            raise ValueError(f"A Swiss roll has two dimensions. Received: {dim}")
        arc = tf.cast(_components(n, self.weights, _fold(seed, 1), labels), "float32")
        within = tf.random.stateless_uniform((n,), _fold(seed, 2))
        # The length of a spiral grows as the square of its angle.
        share = tf.sqrt((arc + within) / self.num_components)
        angle = 2 * math.pi * self.turns * share
        spiral = self.radius * share[:, None] * tf.stack([tf.cos(angle), tf.sin(angle)], axis=-1)
        return spiral + tf.random.stateless_normal((n, 2), _fold(seed, 3), stddev=self.std)

    def get_config(self):
        return {
            "num_components": self.num_components,
            "radius": self.radius,
            "turns": self.turns,
            "std": self.std,
            "weights": self.weights,
        }


@_register
class Categorical(Prior):
    """The prior p(y) of a class or cluster code: one-hot vectors (section 5), or nearly so.

    An encoder that is sure of y gets no gradient from the discriminator, and can neither leave a
    cluster nor enter an empty one. Above a temperature of 0 the samples are relaxed (Maddison et
    al. 2017, "The Concrete Distribution", arXiv 1611.00712): probabilities, the largest of which is
    that of class k as often as its weight says, so that the encoder need never be quite sure.

    Args:
        weights: Probability of each class; None: all equal.
        temperature: 0: one-hot vectors; the higher, the more alike are the probabilities.
    """

    def __init__(self, weights=None, temperature=0.0):
        if temperature and not 1e-3 <= temperature < math.inf:
            raise ValueError(
                "temperature of a prior must be 0 or at least 0.001. "
                f"Received: temperature={temperature}"
            )
        self.weights = None if weights is None else _weights(weights, len(weights))
        self.temperature = temperature

    def shares(self, dim):
        """The probability of each class, an array of shape (dim,)."""
        return np.array(_weights(self.weights, dim), "float32")

    def __call__(self, n, dim, seed):
        if not self.temperature:
            return tf.one_hot(_components(n, _weights(self.weights, dim), seed), dim)
        tiny = np.finfo("float32").tiny
        gumbel = -tf.math.log(-tf.math.log(tf.random.stateless_uniform((n, dim), seed, tiny)))
        return tf.nn.softmax((np.log(self.shares(dim)) + gumbel) / self.temperature)

    def get_config(self):
        return {"weights": self.weights, "temperature": self.temperature}


@_register
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


def draw(prior, n, dim, seed=0, labels=None):
    """Samples a prior outside of a graph.

    Args:
        prior: A callable `(n, dim, seed) -> tensor`.
        n: Number of samples, >= 1.
        dim: Dimensions of the code, >= 1.
        seed: Integer >= 0; the same seed gives the same samples.
        labels: The component of each sample, shape (n,), for a prior that has them; or None.

    Returns:
        A float32 array of shape (n, dim).
    """
    # Folded, so that it differs from the noise of any step of a training with the same seed.
    key = tf.random.fold_in(tf.constant([seed, 0], "int64"), 1)
    return np.asarray(sample(prior, n, dim, key, labels), "float32")


def moments(prior, dim, n=10000):
    """Mean and standard deviation of a prior in each dimension.

    Args:
        prior: A callable `(n, dim, seed) -> tensor`.
        dim: Dimensions of the code, >= 1.
        n: Number of samples to estimate them from, where the prior does not know them.

    Returns:
        Two float32 arrays of shape (dim,).
    """
    if isinstance(prior, (Gaussian, Uniform, Laplace)):
        return np.zeros(dim, "float32"), np.full(dim, prior.std, "float32")
    z = draw(prior, n, dim)
    return z.mean(axis=0), z.std(axis=0)


def sample(prior, n, dim, seed, labels=None):
    """Samples a prior in a graph, of the components of `labels` where it has components.

    A prior without them is the same for every label: conditioned on the labels too, the codes are
    then independent of them.

    Args:
        prior: A callable `(n, dim, seed) -> tensor`, or one that also takes `labels`.
        n: Number of samples.
        dim: Dimensions of the code.
        seed: Integers of shape (2,).
        labels: Integers of shape (n,), negative for "unlabelled"; or None.
    """
    if labels is None or not getattr(prior, "has_components", False):
        return prior(n, dim, seed)
    return prior(n, dim, seed, labels=labels)


def _components(n, weights, seed, labels=None):
    """The component of each sample: that of its label, else one drawn by the weights."""
    # By hand, as TensorFlow's categorical sampler does not compile with XLA.
    bounds = tf.constant(np.cumsum(weights)[:-1], "float32")
    uniform = tf.random.stateless_uniform((n,), seed)
    drawn = tf.reduce_sum(tf.cast(uniform[:, None] >= bounds, "int32"), axis=1)
    if labels is None:
        return drawn
    labels = tf.cast(labels, "int32")
    return tf.where(labels >= 0, labels, drawn)


def _fold(seed, number):
    """A seed of its own for each use of randomness within a prior."""
    return tf.random.fold_in(seed, number)


def _weights(weights, num_components):
    """Probabilities of components, which sum to 1; all equal where none are given."""
    if weights is None:
        return [1 / num_components] * num_components
    weights = [float(weight) for weight in weights]
    if len(weights) != num_components or not all(weight > 0 for weight in weights):
        raise ValueError(
            f"The weights must be {num_components} numbers above 0. Received: weights={weights}"
        )
    return [weight / sum(weights) for weight in weights]


def _positive(name, value):
    if not (value > 0 and math.isfinite(value)):
        raise ValueError(f"{name} of a prior must be above 0. Received: {name}={value}")
    return float(value)
