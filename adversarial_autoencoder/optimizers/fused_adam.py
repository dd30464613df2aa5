"""Adam with one TensorFlow kernel for each variable."""

import keras
import tensorflow as tf

from adversarial_autoencoder.devices import replicas


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
