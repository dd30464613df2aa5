"""The engine: a Keras model that runs an ordered list of phases on every minibatch."""

import keras
import numpy as np
import tensorflow as tf

from adversarial_autoencoder import distribution, losses, phases, priors
from adversarial_autoencoder.batch import check_range, make_batch, to_unit_interval
from adversarial_autoencoder.finite_steps import FiniteSteps
from adversarial_autoencoder.network_checks import (
    by_name,
    check_networks,
    check_prior,
    code_shapes,
)
from adversarial_autoencoder.networks import CLUSTER_HEADS
from adversarial_autoencoder.optimizers import PhaseOptimizer
from adversarial_autoencoder.posteriors import POSTERIORS


@keras.saving.register_keras_serializable("adversarial_autoencoder")
class AdversarialAutoencoder(keras.Model):
    """An autoencoder whose codes follow a prior of your choice, so that its decoder generates.

    Makhzani et al. 2015, "Adversarial Autoencoders", arXiv 1511.05644. For a discriminator, the
    samples of the prior are the *real* inputs (target 1) and the codes of the encoder the *fake*
    ones (target 0); the encoder is the generator of the adversarial game.

    Images are given as integers in 0..255 (scaled in the graph) or as floats in [0, 1].

    The log "loss", which Keras's callbacks look for, is the first number of the first phase, of
    reconstruction; a KL divergence or a discrepancy has a name of its own.

    There is always a style code z. A class or cluster code y is there when the decoder has an input
    "y": the encoder infers it when it has an output "y" too; else it is the label that is given.

    Example:

    >>> (x_train, _), (x_test, _) = keras.datasets.mnist.load_data()
    >>> model = AdversarialAutoencoder(
    ...     encoder=networks.encoder((28, 28), z_dim=2),
    ...     decoder=networks.decoder((28, 28), z_dim=2),
    ...     discriminator=networks.discriminator(2),
    ...     prior=priors.Gaussian(std=5.0),
    ... )
    >>> model.compile("adam")
    >>> model.fit(x_train, batch_size=100, epochs=10)
    >>> z = model.encode(x_test)
    >>> images = model.generate(16)

    Args:
        encoder: Functional Keras model q(z|x), from images to the head of z, of shape
            (batch, z_dim), or (batch, 2 * z_dim) with a Gaussian posterior. With an output dict of
            "z" and "y" it is q(z, y|x), where "y" are the *logits* of y; with an input dict of "x"
            and "noise" it is a universal approximator.
        decoder: Functional Keras model p(x|z) or p(x|z, y), from codes ("z" and "y" in a dict) to
            the *logits* of the images (a last layer without sigmoid).
        discriminator: Functional Keras model D_z, from codes to *logits* of shape (batch, 1), or a
            dict from "z" and "y" to one each. With an input dict of "code" and "label" it also sees
            the label, one-hot, with one more class for "unlabelled". None: no adversarial game.
        prior: Prior p(z), a callable `(n, dim, seed) -> tensor`, or a dict from "z" and "y" to one
            each; see `priors`. Default: N(0, 5^2) for z and equal shares for y.
        posterior: "deterministic" or "gaussian".
        reconstruction_loss: "mse" or "bce".
        phases: List of `phases.Phase`, run in this order on every minibatch. Default:
            reconstruction, then regularization of each code that has a discriminator.
        seed: Seed of the noise drawn in training, >= 0.
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
        posterior="deterministic",
        reconstruction_loss="mse",
        phases=None,
        seed=0,
        name="adversarial_autoencoder",
    ):
        super().__init__(name=name)
        for what, value, choices in (
            ("posterior", posterior, POSTERIORS),
            ("reconstruction_loss", reconstruction_loss, losses.RECONSTRUCTION),
        ):
            if value not in choices:
                raise ValueError(
                    f"{what} must be one of {', '.join(choices)}. Received: {what}={value!r}"
                )
        discriminators = {} if discriminator is None else by_name(discriminator, "z")
        check_networks(encoder, decoder, discriminators, posterior)
        self._dims = {code: s[-1] for code, s in code_shapes(encoder, decoder, posterior).items()}
        given = {} if prior is None else by_name(prior, "z")
        if unknown := set(given) - set(self._dims):
            raise ValueError(
                f"A prior must be of a code, {' or '.join(self._dims)}. "
                f"Received: {', '.join(sorted(unknown))}"
            )
        self.priors = _DEFAULT_PRIORS | given
        for code, dim in self._dims.items():
            check_prior(self.priors[code], dim)
        _check_components(self.priors["z"], discriminators.get("z"))
        self.encoder = encoder
        self.decoder = decoder
        self.discriminators = dict(discriminators)
        self.posterior = posterior
        self.reconstruction_loss = reconstruction_loss
        self.phases = tuple(phases or _default_phases(discriminators))
        self.seed = seed
        self._means = {
            metric: keras.metrics.Mean(name=metric)
            for metric in ("loss", *(metric for phase in self.phases for metric in phase.metrics))
        }
        self.finite_steps = FiniteSteps(len(self.phases))
        self.built = True
        distribution.seed_apart(self)

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
    def discriminator(self):
        """The discriminator D_z, or None."""
        return self.discriminators.get("z")

    @property
    def cluster_heads(self):
        """The points of z that the values of y stand for, an array (num_classes, z_dim); or None.

        Makhzani et al. 2015, section 7.
        """
        names = [layer.name for layer in self.decoder.layers]
        if CLUSTER_HEADS not in names:
            return None
        return self.decoder.get_layer(CLUSTER_HEADS).kernel.numpy()

    @property
    def uses_labels(self):
        """Whether training needs labels."""
        return (
            bool(self.num_classes and not self.infers_y)
            or any(isinstance(phase, phases.Classification) for phase in self.phases)
            or any(map(self.conditions, self.discriminators))
        )

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
        return [*self._means.values(), self.finite_steps]

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
        if any(layer.compute_dtype == "float16" for layer in self._flatten_layers()):
            raise ValueError("Layers must compute in float32 or bfloat16. Received: float16")
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
        self._phase_of = {
            step: i for i, phase in enumerate(self.phases) for step in phase.var_lists(self)
        }
        super().compile(
            optimizer=optimizer,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
            auto_scale_loss=False,  # Each step's optimizer scales its own.
        )

    # --- training

    def fit(self, x=None, y=None, *args, **kwargs):
        """As for any Keras model.

        Args:
            x: Images; or a data set of what `batch.make_batch` takes.
            y: Their labels, integers, where the model uses labels; negative: unlabelled.
            *args, **kwargs: As for any Keras model.
        """
        check_range(x)
        self._check_labels(y)
        return super().fit(x, y, *args, **kwargs)

    def evaluate(self, x=None, y=None, *args, **kwargs):
        """As `fit`, for the metrics alone."""
        check_range(x)
        self._check_labels(y)
        return super().evaluate(x, y, *args, **kwargs)

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        # Under a strategy Keras would add up a minibatch over the workers to learn its shape, which
        # fails for uint8. The networks are built.
        pass

    def train_step(self, data):
        batch = self._batch(data, step=self.optimizer.iterations)
        logs = [phase.step(self, batch.for_phase(i)) for i, phase in enumerate(self.phases)]
        self.optimizer.iterations.assign_add(1)
        return self._track(logs, batch)

    def test_step(self, data):
        batch = self._batch(data, step=-1)
        batch = batch._replace(heads=self.heads(batch.x, batch.noise(0)))
        logs = [phase.evaluate(self, batch.for_phase(i)) for i, phase in enumerate(self.phases)]
        return self._track(logs, batch)

    def _batch(self, data, step):
        seed = tf.stack([tf.cast(self.seed, "int64"), tf.cast(step, "int64")])
        batch = make_batch(data, seed)
        if (batch.labels is not None or batch.y_labelled is not None) != self.uses_labels:
            raise ValueError(
                "A model that uses labels takes images and labels. Received: images alone"
                if self.uses_labels
                else "A model without labels takes images alone. Received: y beside x"
            )
        return batch

    def _track(self, logs, batch):
        # Keras's callbacks look for a key "loss". It is that of the first phase, reconstruction: a
        # sum with adversarial losses, which rise as the model gets better, would mislead them.
        self.finite_steps.update_state(logs)
        first = {"loss": next(iter(logs[0].values()))}
        for phase, values in zip(self.phases, [first | logs[0], *logs[1:]], strict=True):
            for metric, value in values.items():
                count = phase.count(batch)
                # A replica that gets none of the last images has a mean over nothing.
                value = tf.where(count > 0, value, tf.zeros_like(value))
                self._means[metric].update_state(value, sample_weight=count)
        return {name: distribution.as_log(mean.result()) for name, mean in self._means.items()}

    # --- what the phases use

    def update(self, step, tape, loss):
        """Has the optimizer of a step lower `loss`, as recorded on `tape`, over its var_list."""
        variables = self.optimizer.variables_of(step)
        weight = tf.constant(distribution.mean_weight(), loss.dtype)
        # An optimizer that scales its loss divides the gradients again.
        weight = self.optimizer.steps[step].scale_loss(weight)
        gradients = tape.gradient(loss, variables, output_gradients=weight)
        if not distribution.is_divided():  # To agree on it would cost an exchange for each update.
            self.finite_steps.look_at_gradients(self._phase_of[step], gradients)
        self.optimizer.update(step, gradients, variables)

    def head_variables(self, code):
        """The variables that a head of the encoder depends on: the trunk and the head's own."""
        heads = by_name(self.encoder.output, "z")
        if code not in heads:
            raise ValueError(
                f"The encoder must have an output {code}. Received: {', '.join(heads)}"
            )
        if len(heads) == 1:
            return self.encoder.trainable_variables
        return keras.Model(self.encoder.input, heads[code]).trainable_variables

    def heads(self, x, seed, training=False):
        """Runs the encoder: a dict from the name of each code to its head.

        Args:
            x: Images in [0, 1], shape (batch, ...).
            seed: Seed of its noise inputs, integers of shape (2,); None: they are 0.
            training: As for any Keras model.
        """
        inputs = x
        if isinstance(self.encoder.input, dict) and "noise" in self.encoder.input:
            n, dim = tf.shape(x)[0], self.encoder.input["noise"].shape[-1]
            noise = (
                tf.zeros((n, dim))
                if seed is None
                else distribution.own_rows(lambda n: tf.random.stateless_normal((n, dim), seed), n)
            )
            inputs = {"x": x, "noise": noise}
        return by_name(self.encoder(inputs, training=training), "z")

    def infer(self, batch, training):
        """Infers the codes of a minibatch, drawn from their posteriors.

        Returns:
            The heads of the encoder and the codes, two dicts from the names of the codes.
        """
        heads = batch.heads or self.heads(batch.x, batch.noise(0), training)
        codes = self._codes(heads, batch.noise(1))
        if self.num_classes and not self.infers_y:
            codes["y"] = tf.one_hot(batch.labels, self.num_classes)
        return heads, codes

    def decoder_input(self, codes):
        """What the decoder takes: z alone, or a dict of both codes."""
        return codes if isinstance(self.decoder.input, dict) else codes["z"]

    def draw_prior(self, code, n, seed, labels=None):
        """Samples of the prior of a code, (n, dim), of the components of `labels` if given."""
        prior, dim = self.priors[code], self._dims[code]

        def draw(rows):
            # A replica draws for the others too: their labels do not change its own rows.
            given = None if labels is None else tf.tile(labels, (rows // tf.maximum(n, 1),))
            return priors.sample(prior, rows, dim, seed, given)

        return distribution.own_rows(draw, n)

    def conditions(self, code):
        """Whether the prior and the discriminator of a code are conditioned on labels."""
        return isinstance(self.discriminators[code].input, dict)

    def one_hot_labels(self, labels):
        """Labels as the discriminator D_z sees them: one-hot, the last class is "unlabelled"."""
        depth = self.discriminators["z"].input["label"].shape[-1]
        return tf.one_hot(tf.where(labels < 0, depth - 1, labels), depth)

    def _codes(self, heads, seed):
        codes = {"z": POSTERIORS[self.posterior](heads["z"], seed)}
        if "y" in heads:
            codes["y"] = tf.nn.softmax(heads["y"])
        return codes

    # --- use

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

    def generate(self, n, y=None, seed=0):
        """Decodes `n` samples of the prior into images in [0, 1], shape (n, ...).

        Args:
            n: Number of images, >= 1.
            y: Values of y, shape (n,); None: drawn from their prior, where there is a y.
            seed: Integer >= 0; the same seed gives the same images.
        """
        z = priors.draw(self.priors["z"], n, self.z_dim, seed)
        if y is None and self.num_classes:
            y = priors.draw(self.priors["y"], n, self.num_classes, seed + 1)
        return self.decode(z, y)

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

    def _check_labels(self, y):
        """Raises ValueError for an array of labels with classes that the model does not have."""
        k = self.num_classes
        if "z" in self.discriminators and self.conditions("z"):
            k = max(k, self.discriminators["z"].input["label"].shape[-1] - 1)
        integers = isinstance(y, np.ndarray) and y.ndim == 1 and y.dtype.kind in "iu"
        if k and integers and y.size and y.max() >= k:
            raise ValueError(f"Labels must be below {k}. Received: labels up to {y.max()}")
        if self.num_classes and not self.infers_y and integers and y.size and y.min() < 0:
            raise ValueError(
                f"Every image must have a label, as y is not inferred. Received: {y.min()}"
            )

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
            "discriminator": dict(self.discriminators) or None,
            "prior": {code: self.priors[code] for code in self._dims},
            "phases": list(self.phases),
        }
        return {
            **{name: keras.saving.serialize_keras_object(part) for name, part in parts.items()},
            "posterior": self.posterior,
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


_DEFAULT_PRIORS = {"z": priors.Gaussian(), "y": priors.Categorical()}


def _check_components(prior, discriminator):
    """Raises ValueError unless each class that a discriminator sees has its component."""
    if discriminator is None or not isinstance(discriminator.input, dict):
        return
    classes = discriminator.input["label"].shape[-1] - 1
    components = prior.num_components if getattr(prior, "has_components", False) else classes
    if components != classes:
        raise ValueError(
            f"The prior must have a component for each of the {classes} classes that the "
            f"discriminator sees. Received: {components} components"
        )


def _in_batches(function, batch_size, *arrays):
    starts = range(0, max(len(arrays[0]), 1), batch_size)
    batches = ([array[i : i + batch_size] for array in arrays] for i in starts)
    return np.concatenate([function(*batch).numpy() for batch in batches])


def _default_phases(discriminators):
    if set(discriminators) == {"z"}:
        return [phases.Reconstruction(), phases.Regularization()]
    games = [phases.Regularization(code) for code in sorted(discriminators)]
    return [phases.Reconstruction(), *games]
