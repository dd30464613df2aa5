"""The engine: a Keras model that runs an ordered list of phases on every minibatch."""

import warnings

import keras
import tensorflow as tf

from adversarial_autoencoder import phases
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.devices import replicas
from adversarial_autoencoder.model.autoencoder import Autoencoder
from adversarial_autoencoder.model.batch import make_batch
from adversarial_autoencoder.model.checks import functional
from adversarial_autoencoder.model.codes import by_name
from adversarial_autoencoder.model.finite_steps import FiniteSteps
from adversarial_autoencoder.model.inputs import checked_arguments, steps_of_fit, with_plain_errors
from adversarial_autoencoder.model.spread import add_measurement
from adversarial_autoencoder.observations import Pixels
from adversarial_autoencoder.optimizers import PhaseOptimizer, make_optimizer
from adversarial_autoencoder.systems import Z


@keras.saving.register_keras_serializable("adversarial_autoencoder")
class AdversarialAutoencoder(Autoencoder):
    """An autoencoder whose codes follow a prior of your choice, so that its decoder generates.

    Makhzani et al. 2015, "Adversarial Autoencoders", arXiv 1511.05644. For a discriminator, samples
    of the prior are *real* (target 1) and codes of the encoder are *fake* (target 0). The encoder
    is the generator of the adversarial phase.

    Images are integers in 0..255, which the model scales, or floats in [0, 1].

    The log "loss", which Keras callbacks read, is the first metric of the first phase:
    reconstruction.

    There is always a style code z, and a class or cluster code y if the decoder has an input "y".
    Then the encoder infers y by an output "y", or y is the label that you give.

    Example:
    >>> import numpy as np
    >>> from adversarial_autoencoder import networks, priors
    >>> images = np.random.default_rng(0).integers(0, 256, (200, 8, 8), "uint8")
    >>> model = AdversarialAutoencoder(
    ...     encoder=networks.encoder((8, 8), z_dim=2, hidden_units=16),
    ...     decoder=networks.decoder((8, 8), z_dim=2, hidden_units=16),
    ...     discriminator=networks.discriminator(2, hidden_units=16),
    ...     prior=priors.Gaussian(std=5.0),
    ... )
    >>> model.compile("adam")
    >>> history = model.fit(images, batch_size=100, epochs=2, verbose=0)
    >>> model.encode(images).shape
    (200, 2)
    >>> model.generate(16).shape
    (16, 8, 8)

    With a y that the encoder infers, and labels for some images (-1: unlabelled):

    >>> model = AdversarialAutoencoder(
    ...     encoder=networks.encoder((8, 8), z_dim=2, num_classes=10, hidden_units=16),
    ...     decoder=networks.decoder((8, 8), z_dim=2, num_classes=10, hidden_units=16),
    ...     discriminator={
    ...         "z": networks.discriminator(2, hidden_units=16),
    ...         "y": networks.discriminator(10, hidden_units=16, name="discriminator_y"),
    ...     },
    ...     phases=[
    ...         phases.Reconstruction(),
    ...         phases.Regularization("y"),
    ...         phases.Regularization("z"),
    ...         phases.Classification(),
    ...     ],
    ... )
    >>> model.compile("adam")
    >>> labels = np.where(np.arange(200) < 50, np.arange(200) % 10, -1)
    >>> history = model.fit(images, labels, batch_size=100, verbose=0)
    >>> model.classify(images).shape
    (200, 10)

    Args:
        encoder: Functional Keras model q(z|x), from images to the head of z, shape (batch, z_dim),
            or (batch, 2 * z_dim) with a Gaussian posterior. With an output dict of "z" and "y" it
            is q(z, y|x), and "y" are the *logits* of y. With an input dict of "x" and "noise" its
            posterior is universal.
        decoder: Functional Keras model p(x|z) or p(x|z, y), from codes ("z" and "y" in a dict) to
            the *logits* of the images: the last layer has no sigmoid.
        discriminator: Functional Keras model D_z, from codes to *logits* of shape (batch, 1), or a
            dict from "z" and "y" to one each. With an input dict of "code" and "label" it also sees
            the label, one-hot, with one more class for "unlabelled". None: no adversarial phase.
        prior: Prior p(z), a callable `(n, dim, seed) -> tensor`, or a dict from "z" and "y" to one
            each; see `priors`. Default: N(0, 5^2) for z, equal probabilities for y.
        posterior: "deterministic" or "gaussian".
        reconstruction_loss: "mse" or "bce", the loss of images.
        observation: What x is: None for images, or `observations.Columns` for the rows of a table.
        phases: List of `phases.Phase`, which run in this order on every minibatch. Default:
            reconstruction, then regularization of each code that has a discriminator.
        seed: Seed of the noise in training, >= 0.
        name: Name of the model.

    Raises:
        ValueError: If the networks do not fit each other.
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
        observation=None,
        phases=None,
        seed=0,
        name="adversarial_autoencoder",
    ):
        discriminators = {} if discriminator is None else by_name(discriminator, Z)
        encoder, decoder = functional(encoder), functional(decoder)
        discriminators = {code: functional(network) for code, network in discriminators.items()}
        if observation is None:
            observation = Pixels(reconstruction_loss)
        super().__init__(encoder, decoder, discriminators, prior, posterior, observation, name)
        self.reconstruction_loss = reconstruction_loss
        self.phases = tuple(_default_phases(discriminators) if phases is None else phases)
        if not self.phases:
            raise ValueError("A model must have at least one phase. Received: phases=[]")
        self.seed = seed
        names = ["loss", *(metric for phase in self.phases for metric in phase.metrics)]
        if len(set(names)) < len(names):
            raise ValueError(f"Names of metrics must be unique. Received: {', '.join(names)}")
        self._means = {name: keras.metrics.Mean(name=name) for name in names}
        self.finite_steps = FiniteSteps(len(self.phases))
        self.built = True
        replicas.seed_apart(self)

    @property
    def uses_labels(self):
        """Whether the training needs labels."""
        return (
            self.codes.needs_y
            or any(phase.uses_labels for phase in self.phases)
            or any(code.conditioned for code in self.codes)
        )

    @property
    def steps(self):
        """The steps of all phases in the order of training, a dict from name to `phases.Step`."""
        steps = {}
        for phase in self.phases:
            for step in phase.steps(self):
                if step.name in steps:
                    raise ValueError(f"Step names must be unique. Received: {step.name} twice")
                steps[step.name] = step
        return steps

    @property
    def var_lists(self):
        """The variables that each step updates, a dict from the name of the step to a list."""
        return {name: step.variables for name, step in self.steps.items()}

    @property
    def metrics(self):
        """The Keras metrics: the means of what the phases log."""
        return [*self._means.values(), self.finite_steps]

    def compile(
        self,
        optimizer="procedure",
        *,
        run_eagerly=False,
        steps_per_execution=1,
        jit_compile="auto",
    ):
        """Sets up the training, with one optimizer for each step of the procedure.

        Args:
            optimizer: "procedure" for the optimizers and learning rates of the command line, which
                fall along a cosine over the length of `fit`. Or a Keras optimizer or its name, of
                which each step gets a copy. Or a dict from the name of every step (the keys of
                `steps`) to an optimizer.
            run_eagerly: Whether to run without `tf.function`, for debugging.
            steps_per_execution: Number of minibatches in one call of the compiled function.
            jit_compile: Whether to compile with XLA: True, False or "auto".

        Raises:
            ValueError: If optimizers and steps do not match, or a layer computes in float16.
        """
        var_lists = self.var_lists
        if any(layer.compute_dtype == "float16" for layer in self._flatten_layers()):
            raise ValueError("Layers must compute in float32 or bfloat16. Received: float16")
        if optimizer == "procedure":
            optimizer = make_optimizer(Config(), self.steps)
        if not isinstance(optimizer, (PhaseOptimizer, dict)):
            optimizer = dict.fromkeys(var_lists, optimizer)
        if isinstance(optimizer, dict):
            optimizer = PhaseOptimizer.copies(optimizer)
        if set(optimizer.steps) != set(var_lists):
            expected, received = ", ".join(var_lists), ", ".join(optimizer.steps)
            raise ValueError(f"Each step must have an optimizer: {expected}. Received: {received}")
        if frozen := [name for name, variables in var_lists.items() if not variables]:
            warnings.warn(
                f"Steps without trainable variables are skipped: {', '.join(frozen)}. Compile again"
                " after you unfreeze a network.",
                stacklevel=2,
            )
        optimizer.build(var_lists)
        of_phases = [[step.name for step in phase.steps(self)] for phase in self.phases]
        self._phase_of = {name: i for i, names in enumerate(of_phases) for name in names}
        super().compile(
            optimizer=optimizer,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
            auto_scale_loss=False,  # The optimizer of each step scales its own loss.
        )

    @with_plain_errors
    def fit(self, x=None, y=None, *args, **kwargs):
        """Trains the model, like `keras.Model.fit`.

        Args:
            x: Images; or a data set whose elements `model.batch.make_batch` takes.
            y: Labels, integers of shape (n,), if the model uses labels; negative: unlabelled.
            *args: Further arguments of `keras.Model.fit`.
            **kwargs: Further arguments of `keras.Model.fit`.

        Returns:
            A `keras.callbacks.History`.

        Raises:
            ValueError: If images or labels are out of range.
        """
        bound = checked_arguments(keras.Model.fit, self, x, y, *args, **kwargs)
        spread = add_measurement(bound.arguments) if self.observation.has_spread else None
        try:
            if self.compiled:
                self.optimizer.plan(*steps_of_fit(bound.arguments))
            history = super().fit(*bound.args[1:], **bound.kwargs)
        finally:
            if self.compiled:  # `train_on_batch` has constant rates again.
                self.optimizer.plan(0, float("inf"))
        if spread:  # A callback can have restored the weights of an earlier epoch.
            spread.measure()
        return history

    @with_plain_errors
    def evaluate(self, x=None, y=None, *args, **kwargs):
        """Computes the metrics of all phases, like `keras.Model.evaluate`.

        Args:
            x: Images, or a data set as in `fit`.
            y: Labels, as in `fit`.
            *args: Further arguments of `keras.Model.evaluate`.
            **kwargs: Further arguments of `keras.Model.evaluate`.

        Returns:
            The metrics, a list or a dict.

        Raises:
            ValueError: If images or labels are out of range.
        """
        bound = checked_arguments(keras.Model.evaluate, self, x, y, *args, **kwargs)
        return super().evaluate(*bound.args[1:], **bound.kwargs)

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        # Under a strategy Keras sums a minibatch over the workers to learn its shape, which fails
        # for uint8. The networks are built already.
        pass

    def train_step(self, data):
        """Runs all phases on one minibatch, and returns the logs."""
        batch = self._batch(data, step=self.optimizer.iterations)
        logs = [phase.step(self, batch.for_phase(i)) for i, phase in enumerate(self.phases)]
        self.optimizer.iterations.assign_add(1)
        return self._track(logs, batch)

    def test_step(self, data):
        """Evaluates all phases on one minibatch, and returns the logs."""
        batch = self._batch(data, step=-1)
        batch = batch._replace(heads=self.codes.heads(batch.x, batch.noise(0)))
        logs = [phase.evaluate(self, batch.for_phase(i)) for i, phase in enumerate(self.phases)]
        return self._track(logs, batch)

    def _batch(self, data, step):
        seed = tf.stack([tf.cast(self.seed, "int64"), tf.cast(step, "int64")])
        batch = make_batch(data, seed, self.observation.prepare)
        if (batch.labels is not None or batch.y_labelled is not None) != self.uses_labels:
            raise ValueError(
                "A model that uses labels takes images and labels. Received: images alone"
                if self.uses_labels
                else "A model without labels takes images alone. Received: x and y"
            )
        return batch

    def _track(self, logs, batch):
        for phase, values in zip(self.phases, logs, strict=True):
            if set(values) != set(phase.metrics):
                raise ValueError(
                    f"The {phase.name} phase must return its metrics: {', '.join(phase.metrics)}. "
                    f"Received: {', '.join(values) or 'none'}"
                )
        # The sum of all losses would mislead callbacks that read "loss": the adversarial losses
        # rise while the model improves.
        self.finite_steps.update_state(logs)
        first = {"loss": next(iter(logs[0].values()))}
        for phase, values in zip(self.phases, [first | logs[0], *logs[1:]], strict=True):
            for metric, value in values.items():
                count = phase.count(batch)
                # A replica that gets none of the last images computes a mean over nothing.
                value = tf.where(count > 0, value, tf.zeros_like(value))
                self._means[metric].update_state(value, sample_weight=count)
        return {name: replicas.as_log(mean.result()) for name, mean in self._means.items()}

    def update(self, step, tape, loss) -> None:
        """Lets the optimizer of a step lower a loss. Phases call it.

        Args:
            step: The `phases.Step`.
            tape: The `tf.GradientTape` that recorded the loss.
            loss: Scalar tensor.
        """
        variables = self.optimizer.variables_of(step.name)
        if not variables:  # All its networks are frozen.
            return
        weight = tf.constant(replicas.mean_weight(), loss.dtype)
        # An optimizer that scales its loss divides the gradients again.
        weight = self.optimizer.steps[step.name].scale_loss(weight)
        gradients = tape.gradient(loss, variables, output_gradients=weight)
        if not replicas.is_divided():  # Replicas would need one exchange an update to agree.
            self.finite_steps.look_at_gradients(self._phase_of[step.name], gradients)
        self.optimizer.update(step.name, gradients, variables)


def _default_phases(discriminators):
    if set(discriminators) == {Z}:
        return [phases.Reconstruction(), phases.Regularization()]
    adversarial = [phases.Regularization(code) for code in sorted(discriminators)]
    return [phases.Reconstruction(), *adversarial]
