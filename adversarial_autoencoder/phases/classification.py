"""The classification phase: the encoder learns the class of labelled images."""

import keras
import tensorflow as tf

from adversarial_autoencoder import losses
from adversarial_autoencoder.phases.consistency import Consistency
from adversarial_autoencoder.phases.phase import Phase, Step, register


@register
class Classification(Phase):
    """Updates the encoder to name the class of labelled images (Makhzani et al. 2015, section 5).

    It updates the head of y and the hidden layers before it. Images with a negative label
    ("unlabelled") do not count, except for the consistency loss.

    Args:
        consistency: A `Consistency`, whose loss on all images is added; or None.
    """

    uses_labels = True

    def __init__(self, consistency=None):
        self.consistency = consistency

    @property
    def metrics(self):
        """Names of the metrics."""
        names = ("classification_loss", "classification_accuracy")
        return names if self.consistency is None else (*names, *self.consistency.metrics)

    def steps(self, model):
        """One step, which updates the encoder."""
        y = model.codes["y"]
        if self.consistency is not None:
            self.consistency.steps(model)
        return [Step("classification", "classification", [y.encoder], y)]

    def loss_and_metrics(self, model, batch, training):
        """The cross-entropy on labelled images, plus the consistency loss on all images."""
        y = model.codes["y"]
        heads = model.codes.heads(batch.x_labelled, batch.noise(0), training, y)
        loss = losses.cross_entropy(batch.y_labelled, heads[y.name])
        metrics = {
            "classification_loss": loss,
            "classification_accuracy": losses.accuracy(batch.y_labelled, heads[y.name]),
        }
        if self.consistency is None:
            return loss, metrics
        more, more_metrics = self.consistency.loss_and_metrics(model, batch, training)
        return loss + more, metrics | more_metrics

    def count(self, batch):
        """The number of labelled images.

        The metrics of the consistency loss are weighted by it too.
        """
        return tf.reduce_sum(tf.cast(batch.y_labelled >= 0, "int32"))

    def get_config(self):
        """The constructor's arguments, for saving."""
        return {"consistency": keras.saving.serialize_keras_object(self.consistency)}

    @classmethod
    def from_config(cls, config):
        """Makes the phase that `get_config` describes.

        Earlier versions saved the arguments of the consistency loss, or "none".
        """
        if not isinstance(kind := config["consistency"], str):
            return super().from_config(config)
        return cls(None if kind == "none" else Consistency(**config))
