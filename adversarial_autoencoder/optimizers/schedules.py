"""Learning rate schedules: a late start, and a cosine over the length of `fit`."""

import math

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("adversarial_autoencoder")
class LateStart(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that is 0 at the start, then grows linearly to its usual value.

    The optimizer updates its moments from the first step on.

    Example:
    >>> schedule = LateStart(rate=0.1, steps=10)
    >>> [round(float(schedule(step)), 3) for step in (0, 10, 15, 20)]
    [0.0, 0.0, 0.05, 0.1]

    Args:
        rate: Learning rate > 0, or a Keras schedule.
        steps: Number of updates, >= 1, for which the rate is 0; it grows over as many more.
    """

    def __init__(self, rate, steps):
        super().__init__()
        self.rate = rate
        self.steps = steps

    def __call__(self, step):
        """The learning rate at a step."""
        rate = self.rate(step) if callable(self.rate) else self.rate
        share = tf.clip_by_value(tf.cast(step, "float32") / self.steps - 1.0, 0.0, 1.0)
        return share * tf.cast(rate, "float32")

    def get_config(self):
        """The constructor's arguments, for saving."""
        return {"rate": keras.saving.serialize_keras_object(self.rate), "steps": self.steps}

    @classmethod
    def from_config(cls, config):
        """Makes the schedule that `get_config` describes."""
        return cls(keras.saving.deserialize_keras_object(config["rate"]), config["steps"])


@keras.saving.register_keras_serializable("adversarial_autoencoder")
class CosineOverFit(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that falls to 0 along a half cosine over one call of `fit`.

    `AdversarialAutoencoder.fit` calls `plan` with the number of steps that it will take. Outside of
    `fit`, also after a model is loaded, and if the length is not known, the rate is constant.

    Example:
    >>> schedule = CosineOverFit(0.1)
    >>> schedule.plan(start=0, steps=100)
    >>> [round(float(schedule(step)), 3) for step in (0, 50, 100)]
    [0.1, 0.05, 0.0]

    Args:
        rate: Learning rate at the start, > 0.
    """

    def __init__(self, rate):
        super().__init__()
        self.rate = rate
        # Variables, so that a training step that is compiled already follows a new plan.
        self.start = tf.Variable(0.0, trainable=False)
        self.steps = tf.Variable(math.inf, trainable=False)

    def plan(self, start, steps):
        """Sets the interval of the cosine.

        Args:
            start: Step at which it begins.
            steps: Number of steps, > 0; infinite for a constant rate.
        """
        self.start.assign(start)
        self.steps.assign(steps)

    def __call__(self, step):
        """The learning rate at a step."""
        share = tf.clip_by_value((tf.cast(step, "float32") - self.start) / self.steps, 0.0, 1.0)
        return 0.5 * self.rate * (1.0 + tf.cos(math.pi * share))

    def get_config(self):
        """The constructor's arguments, for saving."""
        return {"rate": self.rate}

    @classmethod
    def from_config(cls, config):
        """Makes the schedule that `get_config` describes; earlier versions also saved the plan."""
        return cls(config["rate"])
