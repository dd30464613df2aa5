"""What every phase has; subclass it to add your own."""

import keras
import tensorflow as tf


class Phase:
    """One phase of the training procedure; subclass it to add your own."""

    # Names of the numbers that `step` and `evaluate` return.
    metrics = ()

    @property
    def name(self):
        """What it is called in messages."""
        return type(self).__name__.lower()

    def var_lists(self, model):
        """The variables that each step updates: a dict from the step's name to a list."""
        raise NotImplementedError

    # The name of its step, where it has a single one, which lowers the loss of `loss_and_metrics`.
    single_step = None

    def loss_and_metrics(self, model, batch, training):
        """The loss of a single step, and the metrics, a dict of scalars."""
        raise NotImplementedError

    def step(self, model, batch):
        """Updates the model on one minibatch and returns its metrics, a dict of scalars."""
        with tf.GradientTape() as tape:
            loss, metrics = self.loss_and_metrics(model, batch, training=True)
        model.update(self.single_step, tape, loss)
        return metrics

    def evaluate(self, model, batch):
        """Returns the same metrics without updating anything."""
        return self.loss_and_metrics(model, batch, training=False)[1]

    def count(self, batch):
        """The number of images that its metrics are means over."""
        return tf.shape(batch.x)[0]

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def register(cls):
    """Lets Keras find a phase again in a saved model."""
    return keras.saving.register_keras_serializable("adversarial_autoencoder")(cls)
