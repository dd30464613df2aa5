"""Losses that let a classifier learn from images without a label: q(y|x) shall not change nearby.

Each takes `logits_at`, the function from images to the logits of y; x, images in [0, 1] of shape
(batch, height, width, channels); `logits`, those at x; and `seed`, integers of shape (2,) for its
noise. It gives the mean over the images of KL(q(y|x) || q(y|x')) in nats, where x' lies near x.
Nothing is learned through q(y|x), which is the target.
"""

import contextlib

import keras
import tensorflow as tf

from adversarial_autoencoder import losses
from adversarial_autoencoder.devices import replicas
from adversarial_autoencoder.phases.augmentation import shifted_and_rotated
from adversarial_autoencoder.phases.phase import Phase, register

# Standard deviation, of each pixel, of the noise from which the direction is found. That of the
# paper is tiny; but near an image of which q(y|x) is sure it is flat: of one seed with 100 labels,
# 8 % of MNIST were named wrongly after 5 epochs with 0.29, and 16 % with 0.036. The norm of the
# noise, unlike that of the step, grows with the size of the images.
PROBE = 0.3


def virtual_adversarial(logits_at, x, logits, seed, epsilon):
    """x' is the step of Euclidean length `epsilon` (of all pixels) that changes q(y|x) most.

    Virtual adversarial training, Miyato et al. 2017 (arXiv 1704.03976), algorithm 1, with one power
    iteration, but for the length at which it begins: see `PROBE`.
    """
    logits = tf.stop_gradient(logits)
    noise = replicas.own_rows(
        lambda n: tf.random.stateless_normal((n, *x.shape[1:]), seed, stddev=PROBE), tf.shape(x)[0]
    )
    with tf.GradientTape() as tape:
        tape.watch(noise)
        change = losses.categorical_kl(logits, logits_at(x + noise))
    direction = tf.stop_gradient(_unit(tape.gradient(change, noise)))
    return losses.categorical_kl(logits, logits_at(x + epsilon * direction))


def augmented(logits_at, x, logits, seed):
    """x' is x, shifted and rotated at random (Sajjadi et al. 2016, arXiv 1606.04586)."""
    moved = shifted_and_rotated(x, seed)
    return losses.categorical_kl(tf.stop_gradient(logits), logits_at(moved))


def _unit(x):
    """Images scaled to a Euclidean norm of 1."""
    axes = tuple(range(1, x.shape.rank))
    # By the largest pixel first: the squares of small gradients are not numbers of 32 bits.
    x /= tf.reduce_max(tf.abs(x), axis=axes, keepdims=True) + 1e-30
    return x * tf.math.rsqrt(tf.reduce_sum(tf.square(x), axis=axes, keepdims=True) + 1e-30)


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
