"""Tells in which phase and step of a training the numbers stopped being finite."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("adversarial_autoencoder")
class FiniteSteps(keras.metrics.Metric):
    """Counts, for each phase, the steps of an epoch before the first with a number not finite.

    Keras shows running means after each group of steps; in them a NaN spreads from the phase and
    step where it began. These counts tell where that was. A whole number: the step's metrics or
    gradients are not finite; with a fraction: its gradients, for the integer part.

    Args:
        num_phases: Number of phases.
    """

    def __init__(self, num_phases, name="finite_steps"):
        super().__init__(name=name)
        self.steps = self.add_variable((), "zeros", aggregation="mean", name="steps")
        self.counts = self.add_variable((num_phases,), "zeros", aggregation="mean", name="counts")

    def look_at_gradients(self, phase, gradients):
        """Takes the gradients of an update, where a ReLU may have kept a NaN out of the losses.

        The gradient of a kernel is the product of what goes into its layer and of the gradient of
        what comes out, which is that of the bias. A row or column of it is not finite where one of
        the two is not; so all biases and a column of each kernel tell of both. (The kernel of a
        transposed convolution ends with its inputs: of them only the first is looked at.) To read
        all gradients would take some percent of a step.

        Args:
            phase: Number of the phase, from 0 on.
            gradients: List of tensors.
        """
        parts = [_telling_part(gradient) for gradient in gradients if gradient is not None]
        broken = ~tf.reduce_all(tf.math.is_finite(tf.concat(parts, axis=0)))
        new = broken & (self.counts[phase] == self.steps.value)
        # A count with a fraction is that of no later step, so that it stays.
        step = tf.one_hot(phase, self.counts.shape[0]) * tf.where(new, 0.5, 0.0)
        self.counts.assign_add(step)

    def update_state(self, logs):
        """Takes the metrics of every phase in one step, a list of dicts of scalars."""
        totals = [sum((tf.cast(v, "float32") for v in part.values()), 0.0) for part in logs]
        finite = tf.math.is_finite(tf.stack(totals)) & (self.counts.value == self.steps.value)
        self.counts.assign_add(tf.cast(finite, "float32"))
        self.steps.assign_add(1.0)

    def result(self):
        return self.counts

    def first(self):
        """The number of the phase and of the step in which it began, from 0 on; None: nowhere."""
        counts = tf.floor(self.counts.value).numpy()
        if (counts == self.steps.numpy()).all():
            return None
        return int(counts.argmin()), int(counts.min())


def _telling_part(gradient):
    """A vector that is not finite where something in the computation of a gradient was not."""
    gradient = getattr(gradient, "values", gradient)  # Of an embedding: the rows in use.
    part = gradient if gradient.shape.rank < 2 else gradient[..., 0]
    return tf.cast(tf.reshape(part, [-1]), "float32")
