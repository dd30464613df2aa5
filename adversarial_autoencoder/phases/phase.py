"""What every phase has; subclass `Phase` to add your own."""

import dataclasses
import typing

import keras
import tensorflow as tf

from adversarial_autoencoder.systems import STEP_KINDS


@dataclasses.dataclass(frozen=True, eq=False)
class Step:
    """One update in a phase: an optimizer lowers one loss over its own list of variables.

    Args:
        name: Unique name, under which the model has an optimizer, such as "generator_y".
        kind: What the step does: "reconstruction", "discriminator", "generator" or
            "classification". It decides the default learning rate and schedule.
        networks: The Keras models or layers whose trainable variables it updates.
        code: The `Code` that it trains; None for all codes.

    Raises:
        ValueError: If there is no such kind, or the encoder does not infer the code.
    """

    name: str
    kind: str
    networks: list
    code: typing.Any = None

    @property
    def variables(self):
        """The variables that it updates. A frozen network has none."""
        variables = [v for network in self.networks for v in network.trainable_variables]
        return list({id(v): v for v in variables}.values())

    @property
    def penalties(self):
        """Losses that the networks add to the loss of the step, such as those of regularizers."""
        return [loss for network in self.networks for loss in network.losses]

    def __post_init__(self):
        if None in self.networks:
            raise ValueError(f"The encoder must have an output {self.code.name}. Received: none")
        if self.kind not in STEP_KINDS:
            raise ValueError(
                f"The kind of a step must be one of {', '.join(STEP_KINDS)}. "
                f"Received: kind={self.kind!r}"
            )


class Phase:
    """One phase of the training procedure; subclass it to add your own.

    A phase with a single step needs `metrics`, `steps` and `loss_and_metrics`. A phase with several
    steps overrides `step` and `evaluate`, as `Regularization` does.

    Example: a phase that pulls the codes towards 0.

    >>> class Shrinkage(Phase):
    ...     metrics = ("shrinkage",)
    ...
    ...     def steps(self, model):
    ...         return [Step("shrinkage", "generator", [model.encoder])]
    ...
    ...     def loss_and_metrics(self, model, batch, training):
    ...         heads, codes = model.codes.infer(batch, training)
    ...         loss = tf.reduce_mean(tf.square(codes["z"]))
    ...         return loss, {"shrinkage": loss}

    Attributes:
        metrics: Names of the scalars that `step` and `evaluate` return.
        uses_labels: Whether the phase needs labels.
    """

    metrics: tuple[str, ...] = ()
    uses_labels = False

    @property
    def name(self):
        """Its name in messages."""
        return type(self).__name__.lower()

    def steps(self, model) -> list[Step]:
        """The steps of this phase, in order.

        Args:
            model: The `AdversarialAutoencoder`.

        Returns:
            A list of `Step`.

        Raises:
            NotImplementedError: If a subclass does not implement it.
        """
        raise NotImplementedError

    def loss_and_metrics(self, model, batch, training) -> tuple:
        """Computes the loss of a phase with a single step.

        Args:
            model: The `AdversarialAutoencoder`.
            batch: The `Batch`.
            training: Whether dropout and noise are on.

        Returns:
            The loss, a scalar tensor, and the metrics, a dict from name to scalar tensor.
        """
        raise NotImplementedError

    def step(self, model, batch):
        """Updates the model on one minibatch.

        Args:
            model: The `AdversarialAutoencoder`.
            batch: The `Batch`.

        Returns:
            The metrics, a dict from name to scalar tensor.
        """
        (step,) = self.steps(model)
        with tf.GradientTape() as tape:
            loss, metrics = self.loss_and_metrics(model, batch, training=True)
            loss = sum(step.penalties, loss)
        model.update(step, tape, loss)
        return metrics

    def evaluate(self, model, batch):
        """Computes the metrics on one minibatch, without an update.

        Args:
            model: The `AdversarialAutoencoder`.
            batch: The `Batch`.

        Returns:
            The metrics, a dict from name to scalar tensor.
        """
        return self.loss_and_metrics(model, batch, training=False)[1]

    def count(self, batch):
        """The number of images that the metrics are means over."""
        return tf.shape(batch.x)[0]

    def get_config(self):
        """The constructor's arguments, for saving; objects by `serialize_keras_object` of Keras."""
        return {}

    @classmethod
    def from_config(cls, config):
        """Makes the phase that `get_config` describes."""
        return cls(**keras.saving.deserialize_keras_object(config))


def register(cls):
    """Registers a phase, so that Keras finds it when it loads a model."""
    return keras.saving.register_keras_serializable("adversarial_autoencoder")(cls)
