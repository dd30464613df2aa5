"""Optimizers: one Keras optimizer that owns one for each step, a fused Adam, and a late start."""

import keras
import tensorflow as tf

from adversarial_autoencoder.devices import replicas


@keras.saving.register_keras_serializable("adversarial_autoencoder")
class PhaseOptimizer(keras.optimizers.Optimizer):
    """Owns one Keras optimizer for each step, each with its own state and learning rate.

    Several steps of the procedure update the encoder, each with its own optimizer state.
    (`keras.optimizers.MultiOptimizer` gives every variable exactly one optimizer.) Keras expects a
    single `model.optimizer`, and this is it: saving, resuming, and callbacks that read
    `.optimizers` or `.iterations` work as with any model.

    Example:
    >>> optimizer = PhaseOptimizer.copies({"reconstruction": "adam", "generator": "sgd"})
    >>> [type(step).__name__ for step in optimizer.optimizers]
    ['Adam', 'SGD']

    Args:
        optimizers: Dict from the name of a step ("reconstruction", "discriminator", ...) to a Keras
            optimizer. Each takes the name of its step, under which its learning rate is logged.
        name: Name of this optimizer.
    """

    def __init__(self, optimizers, name="phase_optimizer"):
        super().__init__(learning_rate=0.0, name=name)
        self.steps = dict(optimizers)
        for step, optimizer in self.steps.items():
            optimizer.name = step

    @classmethod
    def copies(cls, optimizers):
        """Makes a `PhaseOptimizer` of copies, so that no two steps share a state.

        Args:
            optimizers: Dict from the name of a step to a Keras optimizer or its name.

        Returns:
            The `PhaseOptimizer`.
        """
        optimizers = {step: keras.optimizers.get(value) for step, value in optimizers.items()}
        return cls(
            {
                step: optimizer.from_config(optimizer.get_config())
                for step, optimizer in optimizers.items()
            }
        )

    @property
    def optimizers(self):
        """The optimizers of the steps, a list."""
        return list(self.steps.values())

    def build(self, var_lists):
        """Creates the state of every optimizer.

        Args:
            var_lists: Dict from the name of a step to the variables that it updates.
        """
        for step, variables in () if self.built else var_lists.items():
            self.steps[step].build(variables)
        self.built = True

    def variables_of(self, step):
        """The variables that a step updates.

        Args:
            step: Name of the step.

        Returns:
            A list of variables.
        """
        return self.steps[step]._trainable_variables

    def update(self, step, gradients, variables):
        """Applies the gradients of one step.

        Args:
            step: Name of the step.
            gradients: List of tensors.
            variables: The variables, in the order of `variables_of`.
        """
        self.steps[step].apply(gradients, variables)

    def apply(self, grads, trainable_variables=None):
        """Raises TypeError: there is no single update."""
        raise TypeError(
            "PhaseOptimizer has no single update. Call update(step, gradients, variables)."
        )

    def finalize_variable_values(self, var_list):
        """Lets each optimizer write its final values, such as averaged weights."""
        for optimizer in self.optimizers:
            optimizer.finalize_variable_values(optimizer._trainable_variables)

    def get_config(self):
        """The constructor's arguments, for saving."""
        return {
            "optimizers": {
                step: keras.optimizers.serialize(optimizer)
                for step, optimizer in self.steps.items()
            },
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Makes the optimizer that `get_config` describes."""
        optimizers = {
            step: keras.optimizers.deserialize(optimizer, custom_objects)
            for step, optimizer in config["optimizers"].items()
        }
        return cls(optimizers, name=config["name"])


@keras.saving.register_keras_serializable("adversarial_autoencoder")
class FusedAdam(keras.optimizers.Adam):
    """Adam with one TensorFlow kernel for each variable; takes the arguments of Adam.

    It computes the same update as `keras.optimizers.Adam` in one pass through memory. Keras's own
    is a chain of element-wise operations, each of which reads and writes whole variables, unless
    XLA fuses them.
    """

    def _all_reduce_sum_gradients(self, grads_and_vars):
        # On one replica there is nothing to sum. TensorFlow would register a gradient of the
        # exchange under a name that it never frees, and so keep the graph of the step in memory.
        if replicas.is_divided():
            return super()._all_reduce_sum_gradients(grads_and_vars)
        return grads_and_vars

    def update_step(self, gradient, variable, learning_rate):
        """Updates one variable."""
        if self.amsgrad:
            super().update_step(gradient, variable, learning_rate)
            return
        i = self._get_variable_index(variable)
        step = tf.cast(self.iterations + 1, variable.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[i].value.handle,
            v=self._velocities[i].value.handle,
            beta1_power=tf.pow(tf.cast(self.beta_1, variable.dtype), step),
            beta2_power=tf.pow(tf.cast(self.beta_2, variable.dtype), step),
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=tf.cast(gradient, variable.dtype),
        )


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
