"""An autoencoder in use: images to codes, and codes to images."""

import keras
import numpy as np
import tensorflow as tf

from adversarial_autoencoder import priors
from adversarial_autoencoder.devices import replicas
from adversarial_autoencoder.model.batch import check_range, to_unit_interval
from adversarial_autoencoder.model.checks import by_name, check_networks, check_prior, code_dims
from adversarial_autoencoder.networks import CLUSTER_HEADS
from adversarial_autoencoder.posteriors import POSTERIORS


class Autoencoder(keras.Model):
    """The part of `AdversarialAutoencoder` that is used once it is trained; not made on its own.

    Args:
        encoder, decoder, prior, posterior, name: As for `AdversarialAutoencoder`.
    """

    def __init__(self, encoder, decoder, prior, posterior, name):
        super().__init__(name=name)
        if posterior not in POSTERIORS:
            raise ValueError(
                f"posterior must be one of {', '.join(POSTERIORS)}. "
                f"Received: posterior={posterior!r}"
            )
        check_networks(encoder, decoder, posterior)
        self._dims = code_dims(encoder, decoder, posterior)
        given = {} if prior is None else by_name(prior, "z")
        if unknown := set(given) - set(self._dims):
            raise ValueError(
                f"A prior must be of a code, {' or '.join(self._dims)}. "
                f"Received: {', '.join(sorted(unknown))}"
            )
        self.priors = _DEFAULT_PRIORS | given
        for code, dim in self._dims.items():
            check_prior(self.priors[code], dim)
        self.encoder = encoder
        self.decoder = decoder
        self.posterior = posterior

    @property
    def z_dim(self):
        """Dimensions of z."""
        return self._dims["z"]

    @property
    def num_classes(self):
        """Values of y, classes or clusters; 0: there is no y."""
        return self._dims.get("y", 0)

    @property
    def infers_y(self):
        """Whether the encoder infers y."""
        return isinstance(self.encoder.output, dict) and "y" in self.encoder.output

    @property
    def prior(self):
        """The prior p(z)."""
        return self.priors["z"]

    @property
    def prior_shares(self):
        """The probability of each value of y in its prior p(y), an array (num_classes,).

        Estimated where the prior is the user's own; a value that is never drawn keeps a share.
        """
        prior, k = self.priors["y"], self.num_classes
        if isinstance(prior, priors.Categorical):
            return prior.shares(k)
        with tf.init_scope():
            drawn = priors.draw(prior, min(100_000, 2**24 // k), k)
        counts = drawn.sum(axis=0, dtype="float64") + 1
        return (counts / counts.sum()).astype("float32")

    @property
    def cluster_heads(self):
        """The points of z that the values of y stand for, an array (num_classes, z_dim); or None.

        Makhzani et al. 2015, section 7.
        """
        names = [layer.name for layer in self.decoder.layers]
        if CLUSTER_HEADS not in names:
            return None
        return self.decoder.get_layer(CLUSTER_HEADS).kernel.numpy()

    def call(self, x, y=None, training=False):
        """Reconstructs images: (batch, ...) in [0, 1] or 0..255 -> the same shape in [0, 1].

        Args:
            x: Images.
            y: Labels, shape (batch,), where y is not inferred.
            training: As for any Keras model.
        """
        if y is not None and tf.executing_eagerly():
            y = self._checked_y(y, len(x))
        codes = self._codes(self.heads(to_unit_interval(x), None, training), None)
        return self._decoded(codes["z"], self._given_y(y, codes.get("y")), training)

    def encode(self, x, seed=None, batch_size=1000):
        """Encodes images.

        Args:
            x: Images, shape (n, ...): integers in 0..255 or floats in [0, 1].
            seed: An integer draws the codes from q(z|x); None takes its mean (of a Gaussian
                posterior) or the code at noise 0 (of a universal one).
            batch_size: Number of images encoded at once.

        Returns:
            Their codes z, a float32 array of shape (n, z_dim).
        """
        return self._infer_arrays(x, seed, batch_size)["z"]

    def classify(self, x, batch_size=1000):
        """Infers y, the class or cluster of images.

        Args:
            x: Images, shape (n, ...): integers in 0..255 or floats in [0, 1].
            batch_size: Number of images at once.

        Returns:
            Probabilities q(y|x), a float32 array of shape (n, num_classes).
        """
        if not self.infers_y:
            raise ValueError(f"A model must infer y to classify. Received: {self.name}")
        return self._infer_arrays(x, None, batch_size)["y"]

    def represent(self, x, seed=None, batch_size=1000):
        """The place of images in the space of z: z, and where there are cluster heads, theirs too.

        Args and returns: as for `encode`.
        """
        codes = self._infer_arrays(x, seed, batch_size)
        heads = self.cluster_heads
        return codes["z"] if heads is None else codes["z"] + codes["y"] @ heads

    def draw_representation(self, n, seed=0, labels=None):
        """What `represent` would give if the codes followed their priors, shape (n, z_dim).

        Args:
            n: Number of samples, >= 1.
            seed: Integer >= 0; the same seed gives the same samples.
            labels: The component of the prior of each sample, shape (n,); or None.
        """
        z = priors.draw(self.priors["z"], n, self.z_dim, seed, labels)
        heads = self.cluster_heads
        if heads is None:
            return z
        return z + priors.draw(self.priors["y"], n, self.num_classes, seed + 1) @ heads

    def decode(self, z, y=None, batch_size=1000):
        """Decodes codes.

        Args:
            z: Codes, shape (n, z_dim).
            y: Where there is a y, values of it, integers of shape (n,), or weights of the values,
                shape (n, num_classes).
            batch_size: Number of codes decoded at once.

        Returns:
            Images in [0, 1], a float32 array of shape (n, ...).
        """
        if y is None:
            return _in_batches(lambda z: self._decoded(z, self._given_y(None)), batch_size, z)
        y = self._checked_y(y, len(z))
        return _in_batches(lambda z, y: self._decoded(z, self._given_y(y)), batch_size, z, y)

    def generate(self, n, y=None, seed=0, z=None):
        """Decodes `n` samples of the prior into images in [0, 1], shape (n, ...).

        Args:
            n: Number of images, >= 1.
            y: Values of y, shape (n,); None: drawn from their prior, where there is a y.
            seed: Integer >= 0; the same seed gives the same images.
            z: Codes, shape (n, z_dim), such as those of `evaluation.ex_post.sample`; None: drawn
                from their prior.
        """
        if z is None:
            z = priors.draw(self.priors["z"], n, self.z_dim, seed)
        if y is None and self.num_classes:
            y = priors.draw(self.priors["y"], n, self.num_classes, seed + 1)
        return self.decode(z, y)

    # --- what these are made of

    def heads(self, x, seed, training=False, code=None):
        """Runs the encoder: a dict from the name of each code to its head.

        Args:
            x: Images in [0, 1], shape (batch, ...).
            seed: Seed of its noise inputs, integers of shape (2,); None: they are 0.
            training: As for any Keras model.
            code: The only code that is wanted, so that layers of the other alone do not run (a
                normalisation would, for its statistics); None: all.
        """
        inputs = x
        if isinstance(self.encoder.input, dict) and "noise" in self.encoder.input:
            n, dim = tf.shape(x)[0], self.encoder.input["noise"].shape[-1]
            noise = (
                tf.zeros((n, dim))
                if seed is None
                else replicas.own_rows(lambda n: tf.random.stateless_normal((n, dim), seed), n)
            )
            inputs = {"x": x, "noise": noise}
        encoder = self.encoder if code is None else self.encoder_of(code)
        return by_name(encoder(inputs, training=training), code or "z")

    def encoder_of(self, code):
        """The layers of the encoder that a code depends on: a model with its head as the output."""
        heads = by_name(self.encoder.output, "z")
        if code not in heads:
            raise ValueError(
                f"The encoder must have an output {code}. Received: {', '.join(heads)}"
            )
        return keras.Model(self.encoder.input, heads[code]) if len(heads) > 1 else self.encoder

    def decoder_input(self, codes):
        """What the decoder takes: z alone, or a dict of both codes."""
        return codes if isinstance(self.decoder.input, dict) else codes["z"]

    def _codes(self, heads, seed):
        codes = {}
        if "z" in heads:
            codes["z"] = POSTERIORS[self.posterior](heads["z"], seed)
        if "y" in heads:
            codes["y"] = tf.nn.softmax(heads["y"])
        return codes

    def _infer_arrays(self, x, seed, batch_size):
        """The codes that the encoder infers, a dict of arrays."""
        check_range(x)
        batches = [x[i : i + batch_size] for i in range(0, max(len(x), 1), batch_size)]
        parts = []
        for i, part in enumerate(batches):
            # Folded, so that it differs from the noise of any step and prior.
            seeds = None if seed is None else tf.random.fold_in(tf.constant([seed, i], "int64"), 4)
            # One for the noise inputs, one to draw from the posterior.
            noise, draw = (seeds if seeds is None else tf.random.fold_in(seeds, j) for j in (0, 1))
            parts.append(self._codes(self.heads(to_unit_interval(part), noise), draw))
        return {code: np.concatenate([part[code] for part in parts]) for code in parts[0]}

    def _checked_y(self, y, n):
        """The y of a user as an array: values of shape (n,), or weights of them."""
        y, k = np.asarray(y), self.num_classes
        if not k:
            raise ValueError("The model has no code y. Received: y")
        if y.shape == (n, k):
            return y.astype("float32")
        if y.shape != (n,) or y.dtype.kind not in "iu":
            raise ValueError(
                f"y must be integers of shape ({n},) or weights of shape ({n}, {k}). "
                f"Received: {y.dtype} of shape {y.shape}"
            )
        if n and not 0 <= y.min() <= y.max() < k:
            raise ValueError(f"y must lie in 0 to {k - 1}. Received: {y.min()} to {y.max()}")
        return y

    def _given_y(self, y, inferred=None):
        """The code y of labels or weights, or the inferred one; None where there is no y."""
        if y is None and inferred is None and self.num_classes:
            raise ValueError(
                f"The model needs a y, one of {self.num_classes} values for each image. "
                "Received: y=None"
            )
        if y is None:
            return inferred
        if not self.num_classes:
            raise ValueError("The model has no code y. Received: y")
        y = tf.convert_to_tensor(y)
        return tf.one_hot(y, self.num_classes) if y.dtype.is_integer else tf.cast(y, "float32")

    def _decoded(self, z, y, training=False):
        codes = {"z": tf.convert_to_tensor(z)} | ({} if y is None else {"y": y})
        return tf.sigmoid(self.decoder(self.decoder_input(codes), training=training))


_DEFAULT_PRIORS = {"z": priors.Gaussian(), "y": priors.Categorical()}


def _in_batches(function, batch_size, *arrays):
    starts = range(0, max(len(arrays[0]), 1), batch_size)
    batches = ([array[i : i + batch_size] for array in arrays] for i in starts)
    return np.concatenate([function(*batch).numpy() for batch in batches])
