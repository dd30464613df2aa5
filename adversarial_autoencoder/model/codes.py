"""The codes of a model: what stands between its encoder and its decoder."""

import dataclasses
import functools
import typing

import keras
import numpy as np
import tensorflow as tf

from adversarial_autoencoder import priors
from adversarial_autoencoder.devices import replicas
from adversarial_autoencoder.model.noise_free import NoiseFree
from adversarial_autoencoder.posteriors import POSTERIORS
from adversarial_autoencoder.systems import Y, Z

DEFAULT_PRIORS = {Z: priors.Gaussian(), Y: priors.Categorical()}


@dataclasses.dataclass(frozen=True, eq=False)
class Code:
    """One code: the style code z, or the class or cluster code y.

    Args:
        name: "z" or "y", its name in the networks' inputs and outputs.
        size: Number of dimensions of z, or number of values of y.
        prior: The distribution that it follows, a callable `(n, dim, seed) -> tensor`.
        posterior: Function from the encoder's output for this code, shape (batch, k), and a seed to
            the code, shape (batch, size).
        discriminator: Functional Keras model that tells samples of the prior from codes, or None.
        encoder: Functional Keras model with only the layers that this code needs, whose output is
            the head of this code; None if the code is given as a label.
    """

    name: str
    size: int
    prior: typing.Callable
    posterior: typing.Callable
    discriminator: keras.Model | None
    encoder: keras.Model | None

    @property
    def inferred(self):
        """Whether the encoder infers it; if not, the user gives it as a label."""
        return self.encoder is not None

    @property
    def categorical(self):
        """Whether its values are classes or clusters."""
        return self.name == Y

    @property
    def conditioned(self):
        """Whether its discriminator also sees the label (section 2.3)."""
        return self.discriminator is not None and "label" in by_name(
            self.discriminator.input, "code"
        )

    @property
    def num_label_classes(self):
        """Number of classes that its discriminator sees, without "unlabelled"; 0 for none."""
        return self.discriminator.input["label"].shape[-1] - 1 if self.conditioned else 0

    @functools.cached_property
    def noise_free_encoder(self):
        """`encoder` without dropout and input noise; it leaves moving statistics unchanged."""
        return NoiseFree(self.encoder)

    def draw_prior(self, n, seed, labels=None):
        """Samples the prior in the graph; each replica gets the rows of its images.

        Args:
            n: Number of samples on this replica.
            seed: Integers of shape (2,).
            labels: Component of each sample, shape (n,), negative for any; None for any.

        Returns:
            Samples, shape (n, size).
        """

        def draw(rows):
            # Each replica draws the samples of all: another replica's labels do not change its
            # rows.
            given = None if labels is None else tf.tile(labels, (rows // tf.maximum(n, 1),))
            return priors.sample(self.prior, rows, self.size, seed, given)

        return replicas.own_rows(draw, n)

    def sample_prior(self, n, seed=0, labels=None):
        """Samples the prior outside of a graph.

        Args:
            n: Number of samples, >= 1.
            seed: Integer >= 0; the same seed gives the same samples.
            labels: Component of each sample, shape (n,), for a prior with components; or None.

        Returns:
            A float32 array of shape (n, size).
        """
        return priors.draw(self.prior, n, self.size, seed, labels)

    @property
    def prior_shares(self):
        """Probability of each value in the prior, an array (size,); of a categorical code.

        A user's own prior is sampled to estimate it. A value that is never drawn gets a small
        share.
        """
        if isinstance(self.prior, priors.Categorical):
            return self.prior.shares(self.size)
        with tf.init_scope():
            drawn = self.sample_prior(min(100_000, 2**24 // self.size))
        counts = drawn.sum(axis=0, dtype="float64") + 1
        return (counts / counts.sum()).astype("float32")

    def one_hot_labels(self, labels):
        """Labels as a conditioned discriminator sees them: one-hot, the last class is "unlabelled".

        Args:
            labels: Integers of shape (batch,), negative for "unlabelled".

        Returns:
            A tensor of shape (batch, num_label_classes + 1).
        """
        unlabelled = self.num_label_classes
        return tf.one_hot(tf.where(labels < 0, unlabelled, labels), unlabelled + 1)

    def discriminate(self, codes, labels=None, training=False):
        """Runs the discriminator.

        Args:
            codes: Codes or samples of the prior, shape (k * batch, size): several for each image.
            labels: Integers of shape (batch,), which a conditioned discriminator needs.
            training: Whether its noise is on.

        Returns:
            Logits, shape (k * batch, 1), positive for "sample of the prior".
        """
        if not self.conditioned:
            inputs = {"code": codes} if isinstance(self.discriminator.input, dict) else codes
            return tf.cast(self.discriminator(inputs, training=training), "float32")
        labels = self.one_hot_labels(labels)
        # A replica may get no image of a last minibatch.
        repeats = tf.shape(codes)[0] // tf.maximum(tf.shape(labels)[0], 1)
        labels = tf.tile(labels, (repeats, 1))
        logits = self.discriminator({"code": codes, "label": labels}, training=training)
        return tf.cast(logits, "float32")


class Codes:
    """All codes of a model, and the way from images to codes.

    Args:
        encoder: Functional Keras model from images to the head of z, or to a dict of the heads of
            "z" and "y".
        decoder: Functional Keras model from codes to the logits of the images.
        discriminators: Dict from the name of a code to its discriminator.
        given_priors: Dict from the name of a code to its prior; the others get `DEFAULT_PRIORS`.
        posterior: Form of q(z|x), a key of `posteriors.POSTERIORS`.

    Attributes:
        z: The style code, a `Code`.
        y: The class or cluster code, a `Code`; None if there is none.
    """

    def __init__(self, encoder, decoder, discriminators, given_priors, posterior):
        self._encoder, self._decoder = encoder, decoder
        heads = by_name(encoder.output, Z)
        posteriors = {Z: POSTERIORS[posterior], Y: _probabilities}
        codes = {
            name: Code(
                name,
                size,
                (DEFAULT_PRIORS | given_priors)[name],
                posteriors[name],
                discriminators.get(name),
                _encoder_of(encoder, name) if name in heads else None,
            )
            for name, size in code_sizes(encoder, decoder, posterior).items()
        }
        self.z, self.y = codes[Z], codes.get(Y)

    def __iter__(self):
        return iter([self.z] if self.y is None else [self.z, self.y])

    def __getitem__(self, name):
        for code in self:
            if code.name == name:
                return code
        raise ValueError(f"The model must have a code {name}. Received: {self.z.name} only")

    @property
    def needs_y(self):
        """Whether each image needs a y: the decoder takes one that the encoder does not infer."""
        return self.y is not None and not self.y.inferred

    def heads(self, x, seed, training=False, code=None, noise_free=False):
        """Runs the encoder.

        Args:
            x: Images in [0, 1], shape (batch, ...).
            seed: Seed of the noise inputs of a universal posterior, integers of shape (2,); None
                sets them to 0.
            training: Whether dropout and noise are on, and normalization uses the minibatch.
            code: The only `Code` that is needed, so that layers of the other code do not run; None
                for all inferred codes.
            noise_free: Whether to run `Code.noise_free_encoder` of `code`.

        Returns:
            A dict from the name of each code to its head, shape (batch, k).
        """
        inputs = x
        if isinstance(self._encoder.input, dict) and "noise" in self._encoder.input:
            n, dim = tf.shape(x)[0], self._encoder.input["noise"].shape[-1]
            noise = (
                tf.zeros((n, dim))
                if seed is None
                else replicas.own_rows(lambda n: tf.random.stateless_normal((n, dim), seed), n)
            )
            inputs = {"x": x, "noise": noise}
        if code is None:
            heads = by_name(self._encoder(inputs, training=training), Z)
        else:
            encoder = code.noise_free_encoder if noise_free else code.encoder
            heads = {code.name: encoder(inputs, training=training)}
        # Your own networks can end in another precision.
        return {name: tf.cast(head, "float32") for name, head in heads.items()}

    def from_heads(self, heads, seed):
        """Draws the codes from their posteriors.

        Args:
            heads: Dict from the name of a code to its head.
            seed: Integers of shape (2,); None takes the means.

        Returns:
            A dict from the name of each code to the code, shape (batch, size).
        """
        return {name: self[name].posterior(head, seed) for name, head in heads.items()}

    def infer(self, batch, training, code=None):
        """Infers the codes of a minibatch.

        Args:
            batch: The `Batch`.
            training: Whether the encoder runs in training mode.
            code: The only `Code` that is needed; None for all.

        Returns:
            Two dicts from the names of the codes: the heads of the encoder, and the codes.
        """
        heads = batch.heads or self.heads(batch.x, batch.noise(0), training, code)
        codes = self.from_heads(heads, batch.noise(1))
        if self.needs_y:
            codes[self.y.name] = tf.one_hot(batch.labels, self.y.size)
        return heads, codes

    def decoder_input(self, codes):
        """What the decoder takes: the only code, or the dict of both codes."""
        return codes if isinstance(self._decoder.input, dict) else codes[self.z.name]

    def infer_arrays(self, x, seed, to_images, batch_size):
        """Infers the codes of many images.

        Args:
            x: Images, an array of shape (n, ...).
            seed: Integer that draws the codes from their posteriors, or None for the means.
            to_images: Function that scales a part of `x` to [0, 1].
            batch_size: Number of images at once.

        Returns:
            A dict from the name of each inferred code to a float32 array of shape (n, size).
        """
        batches = [x[i : i + batch_size] for i in range(0, max(len(x), 1), batch_size)]
        parts = []
        for i, part in enumerate(batches):
            # Folded, so that it differs from the noise of a training step and from prior samples.
            seeds = None if seed is None else tf.random.fold_in(tf.constant([seed, i], "int64"), 4)
            # One seed for the noise inputs, one for the posterior.
            noise, draw = (seeds if seeds is None else tf.random.fold_in(seeds, j) for j in (0, 1))
            parts.append(self.from_heads(self.heads(to_images(part), noise), draw))
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def by_name(tensors, name):
    """The inputs or outputs of a network as a dict; `name` is the key of a single tensor."""
    return tensors if isinstance(tensors, dict) else {name: tensors}


def code_sizes(encoder, decoder, posterior):
    """The sizes of the codes of two networks.

    Args:
        encoder: Functional Keras model.
        decoder: Functional Keras model.
        posterior: Form of q(z|x), a key of `posteriors.POSTERIORS`.

    Returns:
        A dict from the name of each code to its size, z first.
    """
    heads = by_name(encoder.output, Z)
    sizes = {Z: heads[Z].shape[-1] // (2 if posterior == "gaussian" else 1)}
    y = heads.get(Y, by_name(decoder.input, Z).get(Y))
    if y is not None:
        sizes[Y] = y.shape[-1]
    return sizes


def _encoder_of(encoder, name):
    """The layers of the encoder that the head `name` depends on, as a model with that output."""
    heads = by_name(encoder.output, Z)
    return keras.Model(encoder.input, heads[name]) if len(heads) > 1 else encoder


def _probabilities(head, seed=None):
    """The posterior q(y|x): the probabilities themselves are the code, not a sample of them."""
    del seed
    return tf.nn.softmax(head)
