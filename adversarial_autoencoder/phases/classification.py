"""The classification phase: few labels, and a q(y|x) that changes little around every image."""

import tensorflow as tf

from adversarial_autoencoder import losses
from adversarial_autoencoder.phases.consistency import CONSISTENCY, Consistency
from adversarial_autoencoder.phases.phase import register


@register
class Classification(Consistency):
    """Updates the encoder's trunk and head of y to name the class of labelled images (section 5).

    Images whose label is negative ("unlabelled") do not count, but for the consistency of q(y|x),
    which is an option.

    Args: as for `Consistency`; the consistency may also be "none", the default.
    """

    choices = ("none", *CONSISTENCY)

    def __init__(
        self,
        consistency="none",
        vat_weight=1.0,
        vat_epsilon=1.5,
        vat_warmup=0,
        information_weight=0.0,
    ):
        super().__init__(consistency, vat_weight, vat_epsilon, vat_warmup, information_weight)

    @classmethod
    def from_config(cls, config):
        if "consistency" not in config:  # Before it was named, its weight told.
            config = config | {"consistency": "vat" if config["vat_weight"] else "none"}
        return cls(**config)

    @property
    def metrics(self):
        names = ("classification_loss", "classification_accuracy")
        return names if self.consistency == "none" else (*names, *super().metrics)

    def count(self, batch):
        # Also for the loss of the consistency, which has no other images to be weighed by.
        return tf.reduce_sum(tf.cast(batch.y_labelled >= 0, "int32"))

    def loss_and_metrics(self, model, batch, training):
        logits = model.heads(batch.x_labelled, batch.noise(0), training, "y")["y"]
        loss = losses.cross_entropy(batch.y_labelled, logits)
        metrics = {
            "classification_loss": loss,
            "classification_accuracy": losses.accuracy(batch.y_labelled, logits),
        }
        if self.consistency == "none":
            return loss, metrics
        more, more_metrics = super().loss_and_metrics(model, batch, training)
        return loss + more, metrics | more_metrics
