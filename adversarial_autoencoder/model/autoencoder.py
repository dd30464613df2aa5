"""An autoencoder in use: from images to codes, and from codes to images."""

import keras
import numpy as np
import tensorflow as tf

from adversarial_autoencoder.errors import check_choice
from adversarial_autoencoder.model.batch import images_at_once
from adversarial_autoencoder.model.checks import (
    check_discriminators,
    check_networks,
    check_prior,
    check_separate,
    warn_of_unregistered,
)
from adversarial_autoencoder.model.codes import Codes, by_name
from adversarial_autoencoder.model.inputs import checked_arguments, with_plain_errors
from adversarial_autoencoder.model.saving import Saving
from adversarial_autoencoder.model.spread import Spreading
from adversarial_autoencoder.networks import CLUSTER_HEADS
from adversarial_autoencoder.posteriors import POSTERIORS
from adversarial_autoencoder.systems import Z


class Autoencoder(Saving, Spreading):
    """The part of `AdversarialAutoencoder` that a trained model needs. Not for direct use.

    Args:
        encoder: Functional Keras model q(z|x) or q(z, y|x).
        decoder: Functional Keras model p(x|z) or p(x|z, y).
        discriminators: Dict from the name of a code to its discriminator.
        prior: Prior p(z), a dict from the name of a code to its prior, or None.
        posterior: "deterministic" or "gaussian".
        observation: The `observations.Observation`.
        name: Name of the model.
    """

    def __init__(self, encoder, decoder, discriminators, prior, posterior, observation, name):
        super().__init__(name=name)
        if keras.config.floatx() != "float32":
            raise ValueError(
                "Keras must compute in float32: call keras.config.set_floatx('float32') first. "
                f"Received: floatx {keras.config.floatx()}"
            )
        check_choice("posterior", posterior, POSTERIORS)
        check_networks(encoder, decoder, posterior)
        given = {} if prior is None else by_name(prior, Z)
        self.codes = Codes(encoder, decoder, discriminators, given, posterior)
        names = [code.name for code in self.codes]
        if unknown := set(given) - set(names):
            raise ValueError(
                f"A prior must belong to a code, {' or '.join(names)}. "
                f"Received: {', '.join(sorted(unknown))}"
            )
        for code in self.codes:
            check_prior(code.prior, code.size)
            warn_of_unregistered(code.prior)
        check_discriminators(discriminators, self.codes)
        check_separate([encoder, decoder, *discriminators.values()])
        self.encoder = encoder
        self.decoder = decoder
        self.discriminators = dict(discriminators)
        self.posterior = posterior
        self.observation = observation
        _ = self.image_shape  # It checks that encoder and observation fit.

    @property
    def input_shape_of_x(self):
        """Shape of what the encoder sees of one image or row."""
        return by_name(self.encoder.input, "x")["x"].shape[1:]

    @property
    def image_shape(self):
        """Shape of one image, such as (height, width, channels), or of one row, (columns,)."""
        return self.observation.shape(self.input_shape_of_x)

    def check_x(self, x, warn=True):
        """Checks images or rows: an array or an eager tensor; anything else passes."""
        self.observation.check(x, self.input_shape_of_x, warn)

    @property
    def z_dim(self):
        """Number of dimensions of z."""
        return self.codes.z.size

    @property
    def num_classes(self):
        """Number of values of y, classes or clusters; 0 if there is no y."""
        return self.codes.y.size if self.codes.y else 0

    @property
    def infers_y(self):
        """Whether the encoder infers y."""
        return self.codes.y is not None and self.codes.y.inferred

    @property
    def priors(self):
        """The priors, a dict from the name of each code."""
        return {code.name: code.prior for code in self.codes}

    @property
    def prior(self):
        """The prior p(z)."""
        return self.codes.z.prior

    @property
    def discriminator(self):
        """The discriminator of z, or None."""
        return self.codes.z.discriminator

    @property
    def cluster_heads(self):
        """The points of z that the values of y stand for (Makhzani et al. 2015, section 7).

        A float32 array of shape (num_classes, z_dim); None if the decoder has no cluster heads.
        """
        names = [layer.name for layer in self.decoder.layers]
        if CLUSTER_HEADS not in names:
            return None
        return self.decoder.get_layer(CLUSTER_HEADS).kernel.numpy()

    def call(self, x, y=None, training=False):
        """Reconstructs images.

        Args:
            x: Images, shape (batch, ...): integers in 0..255 or floats in [0, 1].
            y: Labels, integers of shape (batch,), if the model does not infer y.
            training: Whether dropout and noise are on.

        Returns:
            Reconstructions in [0, 1], of the shape of `x`.
        """
        if tf.executing_eagerly():
            self.check_x(x)
            y = None if y is None else self._checked_y(y, len(x))
        heads = self.codes.heads(self.observation.prepare(x), None, training)
        codes = self.codes.from_heads(heads, None)
        inferred = codes[self.codes.y.name] if self.infers_y else None
        return self._decoded(codes[self.codes.z.name], self._given_y(y, inferred), training)

    @with_plain_errors
    def predict(self, x, *args, **kwargs):
        """Reconstructs images in batches, like `keras.Model.predict`.

        Args:
            x: Images, shape (n, ...): integers in 0..255 or floats in [0, 1]; or a data set.
            *args: Further arguments of `keras.Model.predict`.
            **kwargs: Further arguments of `keras.Model.predict`.

        Returns:
            Reconstructions in [0, 1], a float32 array of shape (n, ...).

        Raises:
            ValueError: If the images do not fit the model.
        """
        bound = checked_arguments(keras.Model.predict, self, x, *args, **kwargs)
        return self.observation.to_user(super().predict(*bound.args[1:], **bound.kwargs))

    def encode(self, x, seed=None, batch_size=1000):
        """Encodes images.

        Args:
            x: Images, shape (n, ...): integers in 0..255 or floats in [0, 1].
            seed: Integer that draws the codes from q(z|x). None takes the mean of a Gaussian
                posterior, or the code at noise 0 of a universal one.
            batch_size: Largest number of images encoded at once.

        Returns:
            The codes z, a float32 array of shape (n, z_dim).
        """
        return self._infer_arrays(x, seed, batch_size)[self.codes.z.name]

    def classify(self, x, batch_size=1000):
        """Infers y, the class or cluster of images.

        Args:
            x: Images, shape (n, ...): integers in 0..255 or floats in [0, 1].
            batch_size: Largest number of images at once.

        Returns:
            Probabilities q(y|x), a float32 array of shape (n, num_classes).

        Raises:
            ValueError: If the model does not infer y.
        """
        if not self.infers_y:
            raise ValueError(f"A model must infer y to classify. Received: {self.name}")
        return self._infer_arrays(x, None, batch_size)[self.codes.y.name]

    def represent(self, x, seed=None, batch_size=1000):
        """The position of images in the latent space: z, plus the cluster heads if there are any.

        Args:
            x: Images, shape (n, ...): integers in 0..255 or floats in [0, 1].
            seed: Integer that draws the codes from q(z|x), or None for the mean.
            batch_size: Largest number of images encoded at once.

        Returns:
            A float32 array of shape (n, z_dim).
        """
        codes, heads = self._infer_arrays(x, seed, batch_size), self.cluster_heads
        z = codes[self.codes.z.name]
        return z if heads is None else z + codes[self.codes.y.name] @ heads

    def draw_representation(self, n, seed=0, labels=None):
        """Samples what `represent` returns if the codes follow their priors.

        Args:
            n: Number of samples, >= 1.
            seed: Integer >= 0; the same seed gives the same samples.
            labels: Component of the prior of each sample, shape (n,); or None.

        Returns:
            A float32 array of shape (n, z_dim).
        """
        z, heads = self.codes.z.sample_prior(n, seed, labels), self.cluster_heads
        return z if heads is None else z + self.codes.y.sample_prior(n, seed + 1) @ heads

    def decode(self, z, y=None, batch_size=1000, seed=None):
        """Decodes codes.

        Args:
            z: Codes, shape (n, z_dim).
            y: Values of y, integers of shape (n,), or weights of the values, shape
                (n, num_classes), if the model has a y.
            batch_size: Largest number of codes decoded at once.
            seed: Integer >= 0 that draws the rows of a table; None for the means of numbers and the
                most probable categories. It does not change images.

        Returns:
            Images in [0, 1], a float32 array of shape (n, ...). For a table, its rows.

        Raises:
            ValueError: If `y` does not fit, or is missing.
        """
        return self.observation.to_user(self.decode_array(z, y, batch_size, seed))

    def decode_array(self, z, y=None, batch_size=1000, seed=None):
        """Decodes codes, like `decode`, to an array also if the user gets DataFrames."""
        y = None if y is None else self._checked_y(y, len(z))
        batch_size = images_at_once(batch_size, self.image_shape)
        parts = []
        for i in range(0, max(len(z), 1), batch_size):
            own = None if seed is None else tf.random.fold_in(tf.constant([seed, i], "int64"), 5)
            given = self._given_y(None if y is None else y[i : i + batch_size])
            parts.append(self._decoded(z[i : i + batch_size], given, seed=own).numpy())
        return np.concatenate(parts)

    def generate(self, n, y=None, seed=0, z=None):
        """Decodes samples of the prior.

        Args:
            n: Number of images, >= 1.
            y: Values of y, shape (n,); None draws them from their prior, if there is a y.
            seed: Integer >= 0; the same seed gives the same images.
            z: Codes to decode instead, shape (n, z_dim), such as those of
                `evaluation.gaussian_mixture.sample`; None draws them from their prior.

        Returns:
            Images in [0, 1], a float32 array of shape (n, ...).

        Raises:
            ValueError: If `n` is below 1, or `y` or `z` does not fit.
        """
        return self.observation.to_user(self.generate_array(n, y, seed, z))

    def generate_array(self, n, y=None, seed=0, z=None):
        """Decodes samples of the prior, like `generate`, to an array also for DataFrames."""
        if n < 1:
            raise ValueError(f"n must be at least 1. Received: n={n}")
        if z is None:
            z = self.codes.z.sample_prior(n, seed)
        elif len(z) != n:
            raise ValueError(f"z must be {n} codes, one for each image. Received: {len(z)} codes")
        if y is None and self.codes.y:
            y = self.codes.y.sample_prior(n, seed + 1)
        return self.decode_array(z, y, seed=seed)

    def loss_of(self, x, z, y=None):
        """The reconstruction loss of images or rows whose codes are known.

        Args:
            x: Images or rows, an array of shape (n, ...).
            z: Their codes, shape (n, z_dim).
            y: Values of y, as in `decode`.

        Returns:
            A scalar.
        """
        codes = {self.codes.z.name: tf.convert_to_tensor(z)}
        if (y := self._given_y(None if y is None else self._checked_y(y, len(z)))) is not None:
            codes[self.codes.y.name] = y
        outputs = self.decode_logits(codes, training=False)
        return float(self.observation.loss(self.observation.prepare(x), outputs))

    def _infer_arrays(self, x, seed, batch_size):
        x = self.observation.to_array(x)
        self.check_x(x)
        batch_size = images_at_once(batch_size, self.image_shape)
        return self.codes.infer_arrays(x, seed, self.observation.prepare, batch_size)

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
            raise ValueError(f"y must be in 0 to {k - 1}. Received: {y.min()} to {y.max()}")
        return y

    def _given_y(self, y, inferred=None):
        """The code y from labels or weights, or the inferred one; None if there is no y."""
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

    def _decoded(self, z, y, training=False, seed=None):
        codes = {self.codes.z.name: tf.convert_to_tensor(z)}
        if y is not None:
            codes[self.codes.y.name] = y
        return self.observation.restore(self.decode_logits(codes, training), seed)

    def decode_logits(self, codes, training):
        """Runs the decoder, in the graph too. Phases call it.

        Args:
            codes: Dict from the name of each code to the code, shape (batch, size).
            training: Whether dropout is on.

        Returns:
            Logits of the images, float32 of shape (batch, ...).
        """
        logits = self.decoder(self.codes.decoder_input(codes), training=training)
        return tf.cast(logits, "float32")
