"""The classification phase: few labels, and a q(y|x) that keeps still around every image."""

import contextlib

import keras
import tensorflow as tf

from adversarial_autoencoder import losses
from adversarial_autoencoder.phases.consistency import augmented, virtual_adversarial
from adversarial_autoencoder.phases.phase import Phase, register

CONSISTENCY = ("none", "vat", "augment")


@register
class Classification(Phase):
    """Updates the encoder's trunk and head of y to name the class of labelled images (section 5).

    Images whose label is negative ("unlabelled") do not count.

    Of the unlabelled images it learns by consistency, where that is chosen: q(y|x) of all images is
    made to change little nearby.

    Args:
        consistency: "none"; "vat": under the small step that changes it most, which works for any
            kind of data; "augment": under small random shifts and rotations, which know that x is
            an image.
        vat_weight: Weight of the loss of "vat", >= 0.
        vat_epsilon: Length of the step, the Euclidean norm over all pixels in [0, 1], > 0.
        vat_warmup: Minibatches over which the length grows from 0 to this, >= 0. Long steps at
            first, when q(y|x) is still a guess, merge classes that are alike for good.
    """

    def __init__(self, consistency="none", vat_weight=1.0, vat_epsilon=1.5, vat_warmup=0):
        if consistency not in CONSISTENCY:
            raise ValueError(
                f"consistency must be one of {', '.join(CONSISTENCY)}. "
                f"Received: consistency={consistency!r}"
            )
        self.consistency = consistency
        self.vat_weight = vat_weight
        self.vat_epsilon = vat_epsilon
        self.vat_warmup = vat_warmup

    @property
    def metrics(self):
        names = ("classification_loss", "classification_accuracy")
        return names if self.consistency == "none" else (*names, "consistency_loss")

    def var_lists(self, model):
        return {"classification": model.head_variables("y")}

    def step(self, model, batch):
        with tf.GradientTape() as tape:
            heads = model.heads(batch.x_labelled, batch.noise(0), training=True)
            metrics = self._metrics(batch.y_labelled, heads["y"])
            loss = metrics["classification_loss"]
            if self.consistency != "none":
                metrics["consistency_loss"] = self._consistency_loss(model, batch, training=True)
                loss += self._weight * metrics["consistency_loss"]
        model.update("classification", tape, loss)
        return metrics

    def evaluate(self, model, batch):
        heads = model.heads(batch.x_labelled, batch.noise(0), training=False)
        metrics = self._metrics(batch.y_labelled, heads["y"])
        if self.consistency != "none":
            metrics["consistency_loss"] = self._consistency_loss(model, batch, training=False)
        return metrics

    def count(self, batch):
        return tf.reduce_sum(tf.cast(batch.y_labelled >= 0, "int32"))

    def _consistency_loss(self, model, batch, training):
        normalisations = [
            layer
            for layer in model.encoder.layers
            if isinstance(layer, keras.layers.BatchNormalization)
        ]

        def logits_at(x):
            # Dropout and noise would change q(y|x) more than the step does: so not as in training,
            # but where the layers are normalised over the minibatch.
            return model.heads(x, batch.noise(0), training and bool(normalisations))["y"]

        with _statistics_kept(normalisations):
            if self.consistency == "vat":
                epsilon = self.vat_epsilon
                if training and self.vat_warmup:
                    steps = tf.cast(model.optimizer.iterations + 1, "float32")
                    epsilon *= tf.minimum(1.0, steps / self.vat_warmup)
                return virtual_adversarial(logits_at, batch.x, batch.noise(1), epsilon)
            return augmented(logits_at, batch.x, batch.noise(1))

    @property
    def _weight(self):
        return self.vat_weight if self.consistency == "vat" else 1.0

    def _metrics(self, labels, logits):
        return {
            "classification_loss": losses.cross_entropy(labels, logits),
            "classification_accuracy": losses.accuracy(labels, logits),
        }

    def get_config(self):
        return {
            "consistency": self.consistency,
            "vat_weight": self.vat_weight,
            "vat_epsilon": self.vat_epsilon,
            "vat_warmup": self.vat_warmup,
        }


@contextlib.contextmanager
def _statistics_kept(normalisations):
    """Keeps moving statistics, which are of the images, from what passes of others do to them."""
    variables = [v for layer in normalisations for v in layer.non_trainable_variables]
    before = [tf.identity(variable.value) for variable in variables]
    yield
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)
