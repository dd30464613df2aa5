"""One Keras optimizer that owns one for each step of the procedure; a fast Adam; a late start."""

import keras
import tensorflow as tf

from adversarial_autoencoder.devices import replicas


@keras.saving.register_keras_serializable("adversarial_autoencoder")
class PhaseOptimizer(keras.optimizers.Optimizer):
    """Owns one Keras optimizer for each step, each with its own state and learning rate.

    The encoder is updated by several steps of the procedure, so it needs an optimizer state in each
    of them. (`keras.optimizers.MultiOptimizer` gives every variable exactly one optimizer.) Keras
    knows one `model.optimizer`; this is it, so that saving, resuming and the callbacks that read
    `.optimizers` or `.iterations` work as with any model.

    Args:
        optimizers: Dict from the name of a step ("reconstruction", "discriminator", ...) to a Keras
            optimizer. Each takes its step's name, under which its learning rate is logged.
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
        return list(self.steps.values())

    def build(self, var_lists):
        """Creates the state of every step's optimizer.

        Args:
            var_lists: Dict from the name of a step to the variables that it updates.
        """
        if self.built:
            return
        for step, variables in var_lists.items():
            self.steps[step].build(variables)
        self.built = True

    def variables_of(self, step):
        """The variables that a step updates, once it is built."""
        return self.steps[step]._trainable_variables

    def update(self, step, gradients, variables):
        """Applies the gradients of one step to the variables that it was built with."""
        self.steps[step].apply(gradients, variables)

    def apply(self, grads, trainable_variables=None):
        raise TypeError(
            "PhaseOptimizer has no single update: call update(step, gradients, variables)."
        )

    def finalize_variable_values(self, var_list):
        for optimizer in self.optimizers:
            optimizer.finalize_variable_values(optimizer._trainable_variables)

    def get_config(self):
        return {
            "optimizers": {
                step: keras.optimizers.serialize(optimizer)
                for step, optimizer in self.steps.items()
            },
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        optimizers = {
            step: keras.optimizers.deserialize(optimizer, custom_objects)
            for step, optimizer in config["optimizers"].items()
        }
        return cls(optimizers, name=config["name"])


@keras.saving.register_keras_serializable("adversarial_autoencoder")
class FusedAdam(keras.optimizers.Adam):
    """Adam with one TensorFlow kernel a variable: the same update, in one pass through memory.

    Keras's own is a chain of element-wise operations, each of which reads and writes whole
    variables, unless XLA fuses them.

    Args: as for `keras.optimizers.Adam`.
    """

    def _all_reduce_sum_gradients(self, grads_and_vars):
        # On one replica there is nothing to add up, but TensorFlow would keep the graph of the step
        # for ever: it registers a gradient of the exchange, under a name that it never frees.
        if replicas.is_divided():
            return super()._all_reduce_sum_gradients(grads_and_vars)
        return grads_and_vars

    def update_step(self, gradient, variable, learning_rate):
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
    """A learning rate that is 0 at first, and then grows linearly to what it would be without this.

    The optimizer gathers its moments from the beginning.

    Args:
        rate: A learning rate > 0, or a Keras schedule.
        steps: Number of updates, >= 1, for which it is 0, and over as many again it grows.
    """

    def __init__(self, rate, steps):
        super().__init__()
        self.rate = rate
        self.steps = steps

    def __call__(self, step):
        rate = self.rate(step) if callable(self.rate) else self.rate
        share = tf.clip_by_value(tf.cast(step, "float32") / self.steps - 1.0, 0.0, 1.0)
        return share * tf.cast(rate, "float32")

    def get_config(self):
        return {"rate": keras.saving.serialize_keras_object(self.rate), "steps": self.steps}

    @classmethod
    def from_config(cls, config):
        return cls(keras.saving.deserialize_keras_object(config["rate"]), config["steps"])
