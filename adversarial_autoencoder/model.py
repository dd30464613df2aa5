"""The engine: a Keras model that runs an ordered list of phases on every minibatch."""

import typing

import keras
import numpy as np
import tensorflow as tf

from adversarial_autoencoder import losses, phases, priors
from adversarial_autoencoder.optimizers import PhaseOptimizer


class Batch(typing.NamedTuple):
    """What a phase sees of a minibatch: images in [0, 1], and the seed of its noise, shape (2,)."""

    x: tf.Tensor
    seed: tf.Tensor


@keras.saving.register_keras_serializable("adversarial_autoencoder")
class AdversarialAutoencoder(keras.Model):
    """An autoencoder whose codes follow a prior of your choice, so that its decoder generates.

    Makhzani et al. 2015, "Adversarial Autoencoders", arXiv 1511.05644. For the discriminator, the
    samples of the prior are the *real* inputs (target 1) and the codes of the encoder the *fake*
    ones (target 0); the encoder is the generator of the adversarial game.

    Images are given as integers in 0..255 (scaled in the graph) or as floats in [0, 1].

    Example:

    >>> (x_train, _), (x_test, _) = keras.datasets.mnist.load_data()
    >>> model = AdversarialAutoencoder(
    ...     encoder=networks.encoder((28, 28), z_dim=2),
    ...     decoder=networks.decoder((28, 28), z_dim=2),
    ...     discriminator=networks.discriminator(z_dim=2),
    ...     prior=priors.Gaussian(std=5.0),
    ... )
    >>> model.compile("adam")
    >>> model.fit(x_train, batch_size=100, epochs=10)
    >>> z = model.encode(x_test)
    >>> images = model.generate(16)

    Args:
        encoder: Functional Keras model q(z|x), from images to codes of shape (batch, z_dim).
        decoder: Functional Keras model p(x|z), from codes to the *logits* of the images (a last
            layer without sigmoid).
        discriminator: Functional Keras model D_z, from codes to *logits* of shape (batch, 1). None:
            a plain autoencoder.
        prior: Prior p(z), a callable `(n, dim, seed) -> tensor`; see `priors`. Default: N(0, 5^2).
        reconstruction_loss: "mse" or "bce".
        phases: List of `phases.Phase`, run in this order on every minibatch. Default:
            reconstruction, then, where there is a discriminator, regularization.
        seed: Seed of the prior samples drawn in training, >= 0.
        name: Name of the model.

    Raises:
        ValueError: If the shapes of the networks do not fit each other.
    """

    def __init__(
        self,
        encoder,
        decoder,
        discriminator=None,
        *,
        prior=None,
        reconstruction_loss="mse",
        phases=None,
        seed=0,
        name="adversarial_autoencoder",
    ):
        super().__init__(name=name)
        _check_networks(encoder, decoder, discriminator)
        prior = priors.Gaussian() if prior is None else prior
        _check_prior(prior, encoder.output_shape[-1])
        if reconstruction_loss not in losses.RECONSTRUCTION:
            raise ValueError(
                f"reconstruction_loss must be one of {', '.join(losses.RECONSTRUCTION)}. "
                f"Received: reconstruction_loss={reconstruction_loss!r}"
            )
        self.encoder = encoder
        self.decoder = decoder
        self.discriminator = discriminator
        self.prior = prior
        self.reconstruction_loss = reconstruction_loss
        self.phases = tuple(phases or _default_phases(discriminator))
        self.seed = seed
        self._means = {
            metric: keras.metrics.Mean(name=metric)
            for metric in ("loss", *(metric for phase in self.phases for metric in phase.metrics))
        }
        self.built = True

    @property
    def z_dim(self):
        return self.encoder.output_shape[-1]

    @property
    def var_lists(self):
        """The variables that each step of the procedure updates: a dict from step to list."""
        var_lists = {}
        for phase in self.phases:
            for step, variables in phase.var_lists(self).items():
                if step in var_lists:
                    raise ValueError(f"Each step must be in one phase. Received: {step} in two")
                var_lists[step] = variables
        return var_lists

    @property
    def metrics(self):
        return list(self._means.values())

    def compile(
        self,
        optimizer="adam",
        *,
        run_eagerly=False,
        steps_per_execution=1,
        jit_compile="auto",
    ):
        """Sets up training: one optimizer for each step of the procedure.

        Args:
            optimizer: A Keras optimizer or its name, of which each step gets a copy; or a dict from
                the name of every step (the keys of `var_lists`) to one.
            run_eagerly, steps_per_execution, jit_compile: As for any Keras model.
        """
        steps = self.var_lists
        if not isinstance(optimizer, PhaseOptimizer):
            if not isinstance(optimizer, dict):
                optimizer = dict.fromkeys(steps, optimizer)
            optimizer = PhaseOptimizer.copies(optimizer)
        if set(optimizer.steps) != set(steps):
            raise ValueError(
                f"The optimizers must be those of the steps {', '.join(steps)}. "
                f"Received: {', '.join(optimizer.steps)}"
            )
        optimizer.build(steps)
        super().compile(
            optimizer=optimizer,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
        )

    # --- training

    def fit(self, x=None, *args, **kwargs):
        """As for any Keras model; `x` are the images, and there are no targets."""
        _check_range(x)
        return super().fit(x, *args, **kwargs)

    def evaluate(self, x=None, *args, **kwargs):
        """As for any Keras model; `x` are the images, and there are no targets."""
        _check_range(x)
        return super().evaluate(x, *args, **kwargs)

    def train_step(self, data):
        batch = self._batch(data, step=self.optimizer.iterations)
        logs = {}
        for phase in self.phases:
            logs |= phase.step(self, batch)
        self.optimizer.iterations.assign_add(1)
        return self._track(logs, batch)

    def test_step(self, data):
        batch = self._batch(data, step=-1)
        logs = {}
        for phase in self.phases:
            logs |= phase.evaluate(self, batch)
        return self._track(logs, batch)

    def update(self, step, tape, loss):
        """Has the optimizer of a step lower `loss`, as recorded on `tape`, over its var_list."""
        variables = self.var_lists[step]
        self.optimizer.update(step, tape.gradient(loss, variables), variables)

    def _batch(self, data, step):
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        if y is not None or sample_weight is not None:
            raise ValueError(
                "An autoencoder without labels takes images alone. "
                f"Received: {'y' if sample_weight is None else 'sample_weight'} beside x"
            )
        seed = tf.stack([tf.cast(self.seed, "int64"), tf.cast(step, "int64")])
        return Batch(to_unit_interval(x), seed)

    def _track(self, logs, batch):
        # Keras's callbacks look for a key "loss". It is that of the first phase, reconstruction: a
        # sum with adversarial losses, which rise as the model gets better, would mislead them.
        logs = {"loss": next(iter(logs.values())), **logs}
        for metric, value in logs.items():
            self._means[metric].update_state(value, sample_weight=tf.shape(batch.x)[0])
        return {metric: mean.result() for metric, mean in self._means.items()}

    # --- use

    def call(self, x, training=False):
        """Reconstructs images: (batch, ...) in [0, 1] or 0..255 -> the same shape in [0, 1]."""
        z = self.encoder(to_unit_interval(x), training=training)
        return tf.sigmoid(self.decoder(z, training=training))

    def encode(self, x, batch_size=1000):
        """Encodes images.

        Args:
            x: Images, shape (n, ...): integers in 0..255 or floats in [0, 1].
            batch_size: Number of images encoded at once.

        Returns:
            Their codes, a float32 array of shape (n, z_dim).
        """
        _check_range(x)
        return _in_batches(
            lambda x: self.encoder(to_unit_interval(x), training=False), x, batch_size
        )

    def decode(self, z, batch_size=1000):
        """Decodes codes.

        Args:
            z: Codes, shape (n, z_dim).
            batch_size: Number of codes decoded at once.

        Returns:
            Images in [0, 1], a float32 array of shape (n, ...).
        """
        return _in_batches(lambda z: tf.sigmoid(self.decoder(z, training=False)), z, batch_size)

    def generate(self, n, seed=0):
        """Decodes `n` samples of the prior into images in [0, 1], shape (n, ...)."""
        return self.decode(priors.draw(self.prior, n, self.z_dim, seed))

    # --- saving

    def save_own_variables(self, store):
        # Keras leaves the state of dropout's random generators out of its files; without it a
        # resumed training would repeat its noise.
        for i, state in enumerate(self._seed_states()):
            store[f"seed_{i}"] = state.numpy()

    def load_own_variables(self, store):
        for i, state in enumerate(self._seed_states()):
            state.assign(store[f"seed_{i}"])

    def _seed_states(self):
        return [variable for variable in self.variables if variable.name == "seed_generator_state"]

    def get_config(self):
        parts = {
            "encoder": self.encoder,
            "decoder": self.decoder,
            "discriminator": self.discriminator,
            "prior": self.prior,
            "phases": list(self.phases),
        }
        return {
            **{name: keras.saving.serialize_keras_object(part) for name, part in parts.items()},
            "reconstruction_loss": self.reconstruction_loss,
            "seed": self.seed,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**keras.saving.deserialize_keras_object(config, custom_objects))

    def get_compile_config(self):
        return {
            "optimizer": keras.saving.serialize_keras_object(self.optimizer),
            "run_eagerly": self.run_eagerly,
            "steps_per_execution": self.steps_per_execution,
            "jit_compile": self.jit_compile,
        }

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))


def to_unit_interval(x):
    """Scales images in the graph: integers in 0..255 to [0, 1]; floats are taken as they are."""
    x = tf.convert_to_tensor(x)
    if x.dtype.is_integer:
        return tf.cast(x, "float32") / 255.0
    return tf.cast(x, "float32")


def _check_range(x):
    """Raises ValueError for an array that is not of images, such as floats that are not scaled."""
    if isinstance(x, np.ndarray) and x.dtype != np.uint8 and x.size:
        low, high = x.min(), x.max()
        if not (low >= 0 and high <= (1 if x.dtype.kind == "f" else 255)):
            raise ValueError(
                "Images must be integers in 0..255 or floats in [0, 1]. "
                f"Received: {x.dtype} from {low} to {high}"
            )


def _in_batches(function, inputs, batch_size):
    starts = range(0, max(len(inputs), 1), batch_size)
    return np.concatenate([function(inputs[i : i + batch_size]).numpy() for i in starts])


def _default_phases(discriminator):
    if discriminator is None:
        return [phases.Reconstruction()]
    return [phases.Reconstruction(), phases.Regularization()]


def _check_networks(encoder, decoder, discriminator):
    """Raises ValueError where shapes do not fit, or where an output is no logit."""

    def expect(shape, expected, what):
        if tuple(shape) != tuple(expected):
            raise ValueError(f"{what} must have the shape {tuple(expected)}. Received: {shape}")

    networks = {"encoder": encoder, "decoder": decoder}
    if discriminator is not None:
        networks["discriminator"] = discriminator
    for name, network in networks.items():
        if not isinstance(network, keras.Model) or len(getattr(network, "inputs", None) or ()) != 1:
            raise ValueError(
                f"The {name} must be a functional Keras model with one input. Received: {network!r}"
            )
    if len(encoder.output_shape) != 2:
        raise ValueError(
            "The encoder's output must have the shape (batch, z_dim). "
            f"Received: {encoder.output_shape}"
        )
    expect(decoder.input_shape, encoder.output_shape, "The decoder's input")
    expect(decoder.output_shape, encoder.input_shape, "The decoder's output")
    _expect_logits(decoder, "decoder")
    if discriminator is not None:
        expect(discriminator.input_shape, encoder.output_shape, "The discriminator's input")
        expect(discriminator.output_shape, (None, 1), "The discriminator's output")
        _expect_logits(discriminator, "discriminator")


def _check_prior(prior, z_dim):
    if not callable(prior):
        raise ValueError(
            f"The prior must be a callable (n, dim, seed) -> tensor. Received: {prior!r}"
        )
    shape = priors.draw(prior, 2, z_dim).shape
    if shape != (2, z_dim):
        raise ValueError(
            f"The prior must give samples of the shape (n, dim), here (2, {z_dim}). "
            f"Received: {shape}"
        )


def _expect_logits(network, name):
    last = network.output._keras_history.operation
    while isinstance(last, (keras.layers.Reshape, keras.layers.Flatten)):
        last = last.input._keras_history.operation
    activation = getattr(last, "activation", None)
    if activation in (keras.activations.sigmoid, keras.activations.softmax):
        raise ValueError(
            f"The {name} must end in logits, without an activation. "
            f"Received: activation={activation.__name__}"
        )
