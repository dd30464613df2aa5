"""The classification phase: few labels, and a q(y|x) that changes little around every image."""

import contextlib

import keras
import tensorflow as tf

from adversarial_autoencoder import losses
from adversarial_autoencoder.phases.consistency import augmented, virtual_adversarial
from adversarial_autoencoder.phases.phase import Phase, register

CONSISTENCY = ("vat", "augment")


@register
class Consistency(Phase):
    """Updates the encoder's trunk and head of y to let q(y|x) change little near every image.

    It needs no labels; what keeps q(y|x) from being the same everywhere are the other phases, or
    the information.

    Args:
        consistency: What is near. "vat": the small step that changes q(y|x) most, which works for
            any kind of data; "augment": small random shifts and rotations, which know that x is an
            image.
        vat_weight: Weight of the loss of "vat", >= 0.
        vat_epsilon: Length of the step, the Euclidean norm over all pixels in [0, 1], > 0.
        vat_warmup: Minibatches over which the length grows from 0 to this, >= 0. Long steps at
            first, when q(y|x) is still a guess, merge classes that are alike for good.
        information_weight: Weight, >= 0, of `losses.information_loss`: y shall tell much of x.
            The game on y asks for the same, but takes turns with the consistency; here one loss
            weighs them (Hu et al. 2017).
    """

    choices = CONSISTENCY
    single_step = "classification"

    def __init__(
        self,
        consistency="vat",
        vat_weight=1.0,
        vat_epsilon=1.5,
        vat_warmup=0,
        information_weight=0.0,
    ):
        if consistency not in (choices := self.choices):
            raise ValueError(
                f"consistency must be one of {', '.join(choices)}. "
                f"Received: consistency={consistency!r}"
            )
        self.consistency = consistency
        self.vat_weight = vat_weight
        self.vat_epsilon = vat_epsilon
        self.vat_warmup = vat_warmup
        self.information_weight = information_weight

    @property
    def metrics(self):
        names = (f"{self.consistency}_loss",)
        return (*names, "information_loss") if self.information_weight else names

    def var_lists(self, model):
        return {self.single_step: model.encoder_of("y").trainable_variables}

    def loss_and_metrics(self, model, batch, training):
        def logits_at(x):
            return model.heads(x, batch.noise(0), training, "y")["y"]

        with _without_noise(model.encoder, training):
            logits = logits_at(batch.x)
            if self.consistency == "augment":
                weight, loss = 1.0, augmented(logits_at, batch.x, logits, batch.noise(1))
            else:
                weight, epsilon = self.vat_weight, self.vat_epsilon
                if training and self.vat_warmup:
                    steps = tf.cast(model.optimizer.iterations + 1, "float32")
                    epsilon *= tf.minimum(1.0, steps / self.vat_warmup)
                loss = virtual_adversarial(logits_at, batch.x, logits, batch.noise(1), epsilon)
        total, metrics = weight * loss, {f"{self.consistency}_loss": loss}
        if self.information_weight:
            loss = losses.information_loss(logits, model.prior_shares)
            total += self.information_weight * loss
            metrics["information_loss"] = loss
        return total, metrics

    def get_config(self):
        return {
            "consistency": self.consistency,
            "vat_weight": self.vat_weight,
            "vat_epsilon": self.vat_epsilon,
            "vat_warmup": self.vat_warmup,
            "information_weight": self.information_weight,
        }


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


@contextlib.contextmanager
def _without_noise(encoder, training):
    """Lets passes through the encoder differ by their images alone, in what is traced within.

    Dropout and noise would change q(y|x) more than a small step does. The moving statistics of a
    normalisation, which are of the images as they are, are put back to what they were.
    """
    if not training:
        yield
        return
    noisy = [
        (layer, name, getattr(layer, name))
        for layer in _layers(encoder)
        for name in ("rate", "stddev")
        if isinstance(getattr(layer, name, None), float)
    ]
    statistics = [v for v in encoder.non_trainable_variables if v.dtype.startswith("float")]
    before = [tf.identity(variable.value) for variable in statistics]
    try:
        for layer, name, _ in noisy:
            setattr(layer, name, 0.0)
        yield
    finally:
        for layer, name, value in noisy:
            setattr(layer, name, value)
    for variable, value in zip(statistics, before, strict=True):
        variable.assign(value)


def _layers(model):
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from _layers(layer)
