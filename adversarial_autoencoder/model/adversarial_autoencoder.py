"""The engine: a Keras model that runs an ordered list of phases on every minibatch."""

import keras
import numpy as np
import tensorflow as tf

from adversarial_autoencoder import losses, phases, priors
from adversarial_autoencoder.devices import replicas
from adversarial_autoencoder.model.autoencoder import Autoencoder
from adversarial_autoencoder.model.batch import check_range, make_batch
from adversarial_autoencoder.model.checks import by_name, check_discriminators
from adversarial_autoencoder.model.finite_steps import FiniteSteps
from adversarial_autoencoder.optimizers import PhaseOptimizer


@keras.saving.register_keras_serializable("adversarial_autoencoder")
class AdversarialAutoencoder(Autoencoder):
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
        super().__init__(encoder, decoder, prior, posterior, name)
        if reconstruction_loss not in (choices := losses.RECONSTRUCTION):
            raise ValueError(
                f"reconstruction_loss must be one of {', '.join(choices)}. "
                f"Received: reconstruction_loss={reconstruction_loss!r}"
            )
        discriminators = {} if discriminator is None else by_name(discriminator, "z")
        check_discriminators(discriminators, self._dims, self.prior)
        self.discriminators = dict(discriminators)
        self.reconstruction_loss = reconstruction_loss
        self.phases = tuple(phases or _default_phases(discriminators))
        self.seed = seed
        self._means = {
            metric: keras.metrics.Mean(name=metric)
            for metric in ("loss", *(metric for phase in self.phases for metric in phase.metrics))
        }
        self.finite_steps = FiniteSteps(len(self.phases))
        self.built = True
        replicas.seed_apart(self)

    @property
    def discriminator(self):
        """The discriminator D_z, or None."""
        return self.discriminators.get("z")

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
        return {name: replicas.as_log(mean.result()) for name, mean in self._means.items()}

    # --- what the phases use

    def update(self, step, tape, loss):
        """Has the optimizer of a step lower `loss`, as recorded on `tape`, over its var_list."""
        variables = self.optimizer.variables_of(step)
        weight = tf.constant(replicas.mean_weight(), loss.dtype)
        # An optimizer that scales its loss divides the gradients again.
        weight = self.optimizer.steps[step].scale_loss(weight)
        gradients = tape.gradient(loss, variables, output_gradients=weight)
        if not replicas.is_divided():  # To agree on it would cost an exchange for each update.
            self.finite_steps.look_at_gradients(self._phase_of[step], gradients)
        self.optimizer.update(step, gradients, variables)

    def infer(self, batch, training, code=None):
        """Infers the codes of a minibatch, drawn from their posteriors.

        Args:
            batch: The `Batch`.
            training: As for any Keras model.
            code: The only code that is wanted; None: all.

        Returns:
            The heads of the encoder and the codes, two dicts from the names of the codes.
        """
        heads = batch.heads or self.heads(batch.x, batch.noise(0), training, code)
        codes = self._codes(heads, batch.noise(1))
        if self.num_classes and not self.infers_y:
            codes["y"] = tf.one_hot(batch.labels, self.num_classes)
        return heads, codes

    def draw_prior(self, code, n, seed, labels=None):
        """Samples of the prior of a code, (n, dim), of the components of `labels` if given."""
        prior, dim = self.priors[code], self._dims[code]

        def draw(rows):
            # A replica draws for the others too: their labels do not change its own rows.
            given = None if labels is None else tf.tile(labels, (rows // tf.maximum(n, 1),))
            return priors.sample(prior, rows, dim, seed, given)

        return replicas.own_rows(draw, n)

    def conditions(self, code):
        """Whether the prior and the discriminator of a code are conditioned on labels."""
        return "label" in by_name(self.discriminators[code].input, "code")

    def one_hot_labels(self, labels):
        """Labels as the discriminator D_z sees them: one-hot, the last class is "unlabelled"."""
        depth = self.discriminators["z"].input["label"].shape[-1]
        return tf.one_hot(tf.where(labels < 0, depth - 1, labels), depth)

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


def _default_phases(discriminators):
    if set(discriminators) == {"z"}:
        return [phases.Reconstruction(), phases.Regularization()]
    games = [phases.Regularization(code) for code in sorted(discriminators)]
    return [phases.Reconstruction(), *games]
