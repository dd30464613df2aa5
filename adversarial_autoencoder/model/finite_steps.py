"""Finds the phase and step of a training in which the numbers stopped being finite."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("adversarial_autoencoder")
class FiniteSteps(keras.metrics.Metric):
    """Counts, for each phase, the steps of an epoch before the first number that is not finite.

    Keras shows running means after each group of steps. A NaN spreads in them, and its origin is
    lost. These counts keep it. A whole number means that the metrics or gradients of that step are
    not finite; a number with a fraction means that its gradients are not.

    Args:
        num_phases: Number of phases.
        name: Name of the metric.
    """

    def __init__(self, num_phases, name="finite_steps"):
        super().__init__(name=name)
        self.steps = self.add_variable((), "zeros", aggregation="mean", name="steps")
        self.counts = self.add_variable((num_phases,), "zeros", aggregation="mean", name="counts")

    def look_at_gradients(self, phase, gradients):
        """Checks the gradients of an update: a ReLU can keep a NaN out of the losses.

        Reading all gradients would take a few percent of a step, so it reads all biases and one
        column of each kernel. The gradient of a kernel is the product of the layer's input and of
        the gradient of its output, which is that of the bias. If one of the two is not finite, a
        whole row or column is not. (The kernel of a transposed convolution ends with its inputs, so
        that only the first input is checked.)

        Args:
            phase: Number of the phase, from 0.
            gradients: List of tensors.
        """
        parts = [_telling_part(gradient) for gradient in gradients if gradient is not None]
        broken = ~tf.reduce_all(tf.math.is_finite(tf.concat(parts, axis=0)))
        new = broken & (self.counts[phase] == self.steps.value)
        # A count with a fraction never equals a number of steps, so that it stays.
        step = tf.one_hot(phase, self.counts.shape[0]) * tf.where(new, 0.5, 0.0)
        self.counts.assign_add(step)

    def update_state(self, logs):
        """Checks the metrics of one step.

        Args:
            logs: A list with one dict of scalars for each phase.
        """
        totals = [sum((tf.cast(v, "float32") for v in part.values()), 0.0) for part in logs]
        finite = tf.math.is_finite(tf.stack(totals)) & (self.counts.value == self.steps.value)
        self.counts.assign_add(tf.cast(finite, "float32"))
        self.steps.assign_add(1.0)

    def result(self):
        """The counts, a tensor of shape (num_phases,)."""
        return self.counts

    def first(self):
        """The phase and the step in which it began, numbers from 0; None if all is finite."""
        counts = tf.floor(self.counts.value).numpy()
        if (counts == self.steps.numpy()).all():
            return None
        return int(counts.argmin()), int(counts.min())


def _telling_part(gradient):
    """A vector that is not finite if something in the computation of a gradient is not."""
    gradient = getattr(gradient, "values", gradient)  # Of an embedding: the rows in use.
    part = gradient if gradient.shape.rank < 2 else gradient[..., 0]
    return tf.cast(tf.reshape(part, [-1]), "float32")
