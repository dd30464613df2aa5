"""The classification phase: few labels, and a q(y|x) that changes little around every image."""

import contextlib

import keras
import tensorflow as tf

from adversarial_autoencoder import losses
from adversarial_autoencoder.phases.consistency import augmented, virtual_adversarial
from adversarial_autoencoder.phases.phase import Phase, register

CONSISTENCY = ("none", "vat", "augment")


@register
class Consistency(Phase):
    """Updates the encoder's trunk and head of y to let q(y|x) change little near every image.

    It needs no labels; what keeps q(y|x) from being the same everywhere are the other phases.

    Args:
        consistency: What is near. "vat": the small step that changes q(y|x) most, which works for
            any kind of data; "augment": small random shifts and rotations, which know that x is an
            image; "none".
        vat_weight: Weight of the loss of "vat", >= 0.
        vat_epsilon: Length of the step, the Euclidean norm over all pixels in [0, 1], > 0.
        vat_warmup: Minibatches over which the length grows from 0 to this, >= 0. Long steps at
            first, when q(y|x) is still a guess, merge classes that are alike for good.
    """

    def __init__(self, consistency="vat", vat_weight=1.0, vat_epsilon=1.5, vat_warmup=0):
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
        return () if self.consistency == "none" else ("consistency_loss",)

    def var_lists(self, model):
        return {"classification": model.head_variables("y")}

    def step(self, model, batch):
        with tf.GradientTape() as tape:
            loss, metrics = self._losses(model, batch, training=True)
        model.update("classification", tape, loss)
        return metrics

    def evaluate(self, model, batch):
        return self._losses(model, batch, training=False)[1]

    def _losses(self, model, batch, training):
        """The loss, and the metrics."""
        if self.consistency == "none":
            return 0.0, {}
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
            if self.consistency == "augment":
                loss = augmented(logits_at, batch.x, batch.noise(1))
                return loss, {"consistency_loss": loss}
            epsilon = self.vat_epsilon
            if training and self.vat_warmup:
                steps = tf.cast(model.optimizer.iterations + 1, "float32")
                epsilon *= tf.minimum(1.0, steps / self.vat_warmup)
            loss = virtual_adversarial(logits_at, batch.x, batch.noise(1), epsilon)
            return self.vat_weight * loss, {"consistency_loss": loss}

    def get_config(self):
        return {
            "consistency": self.consistency,
            "vat_weight": self.vat_weight,
            "vat_epsilon": self.vat_epsilon,
            "vat_warmup": self.vat_warmup,
        }


@register
class Classification(Consistency):
    """Updates the encoder's trunk and head of y to name the class of labelled images (section 5).

    Images whose label is negative ("unlabelled") do not count, but for the consistency of q(y|x),
    which is an option.

    Args: as for `Consistency`.
    """

    def __init__(self, consistency="none", **kwargs):
        super().__init__(consistency, **kwargs)

    @property
    def metrics(self):
        return ("classification_loss", "classification_accuracy", *super().metrics)

    def count(self, batch):
        return tf.reduce_sum(tf.cast(batch.y_labelled >= 0, "int32"))

    def _losses(self, model, batch, training):
        logits = model.heads(batch.x_labelled, batch.noise(0), training)["y"]
        loss = losses.cross_entropy(batch.y_labelled, logits)
        more, metrics = super()._losses(model, batch, training)
        return loss + more, {
            "classification_loss": loss,
            "classification_accuracy": losses.accuracy(batch.y_labelled, logits),
            **metrics,
        }


@contextlib.contextmanager
def _statistics_kept(normalisations):
    """Keeps moving statistics, which are of the images, from what passes of others do to them."""
    variables = [v for layer in normalisations for v in layer.non_trainable_variables]
    before = [tf.identity(variable.value) for variable in variables]
    yield
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)
