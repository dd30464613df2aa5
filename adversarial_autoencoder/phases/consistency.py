"""The consistency phase: q(y|x) changes little near every image, with or without labels."""

import math

import tensorflow as tf

from adversarial_autoencoder import losses
from adversarial_autoencoder.devices import replicas
from adversarial_autoencoder.errors import check_choice
from adversarial_autoencoder.phases.augmentation import shifted_and_rotated
from adversarial_autoencoder.phases.phase import Phase, Step, register
from adversarial_autoencoder.systems import CONSISTENCY_LOSSES

# Standard deviation, of each pixel, of the noise at which VAT looks for its direction. The paper
# uses a tiny value, but q(y|x) is flat near an image that it is sure of.
PROBE = 0.3


@register
class Consistency(Phase):
    """Updates the encoder so that q(y|x) changes little near every image.

    It updates the head of y and the hidden layers before it, and needs no labels. The other phases,
    or the mutual information, keep q(y|x) from becoming the same everywhere.

    Args:
        consistency: What is near. "vat": the small step that changes q(y|x) most, for any kind of
            data (virtual adversarial training). "augment": small random shifts and rotations, for
            images.
        vat_weight: Weight of the VAT loss, >= 0.
        vat_epsilon: Length of the VAT step, > 0: Euclidean norm over all pixels in [0, 1]. None:
            `vat_step` of the observation model times the square root of the number of inputs: 1.5
            for 28x28 pixels.
        vat_warmup: Number of minibatches, >= 0, over which the length grows from 0. Long steps at
            the start, when q(y|x) is still a guess, merge similar classes permanently.
        information_weight: Weight, >= 0, of `losses.information_loss`, which maximises the mutual
            information between x and y (Hu et al. 2017). The adversarial phase on y has the same
            goal but alternates with this phase; here one loss balances the two.

    Raises:
        ValueError: If `consistency` is unknown.
    """

    def __init__(
        self,
        consistency="vat",
        vat_weight=1.0,
        vat_epsilon=None,
        vat_warmup=0,
        information_weight=0.0,
    ):
        check_choice("consistency", consistency, CONSISTENCY_LOSSES)
        self.consistency = consistency
        self.vat_weight = vat_weight
        self.vat_epsilon = vat_epsilon
        self.vat_warmup = vat_warmup
        self.information_weight = information_weight

    @property
    def metrics(self):
        """Names of the metrics."""
        names = (f"{self.consistency}_loss",)
        return (*names, "information_loss") if self.information_weight else names

    def steps(self, model):
        """One step, which updates the encoder."""
        y = model.codes["y"]
        _ = y.noise_free_encoder  # Keras builds its layers here, outside of the training graph.
        return [Step("classification", "classification", [y.encoder], y)]

    def loss_and_metrics(self, model, batch, training):
        """The change of q(y|x) near the images, plus the mutual information."""
        y = model.codes["y"]

        def logits_at(x):
            heads = model.codes.heads(x, batch.noise(0), training, y, noise_free=True)
            return heads[y.name]

        logits = logits_at(batch.x)
        if self.consistency == "augment":
            weight, loss = 1.0, augmented(logits_at, batch.x, logits, batch.noise(1))
        else:
            weight, epsilon = self.vat_weight, self.vat_epsilon
            if epsilon is None:
                epsilon = model.observation.vat_step * math.sqrt(math.prod(model.input_shape_of_x))
            if training and self.vat_warmup:
                steps = tf.cast(model.optimizer.iterations + 1, "float32")
                epsilon *= tf.minimum(1.0, steps / self.vat_warmup)
            loss = virtual_adversarial(logits_at, batch.x, logits, batch.noise(1), epsilon)
        total, metrics = weight * loss, {f"{self.consistency}_loss": loss}
        if self.information_weight:
            loss = losses.information_loss(logits, y.prior_shares)
            total += self.information_weight * loss
            metrics["information_loss"] = loss
        return total, metrics

    def get_config(self):
        """The constructor's arguments, for saving."""
        return {
            "consistency": self.consistency,
            "vat_weight": self.vat_weight,
            "vat_epsilon": self.vat_epsilon,
            "vat_warmup": self.vat_warmup,
            "information_weight": self.information_weight,
        }


def virtual_adversarial(logits_at, x, logits, seed, epsilon):
    """KL(q(y|x) || q(y|x')) for the step x' - x of length `epsilon` that changes q(y|x) most.

    Virtual adversarial training, Miyato et al. 2017 (arXiv 1704.03976), algorithm 1 with one power
    iteration, which starts at the distance `PROBE`. The target q(y|x) gets no gradient.

    Args:
        logits_at: Function from images to the logits of y, shape (batch, num_classes).
        x: Images in [0, 1], shape (batch, ...).
        logits: The logits at `x`.
        seed: Integers of shape (2,).
        epsilon: Length of the step, > 0: Euclidean norm over all pixels.

    Returns:
        The mean over the images, a scalar in nats.
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
    """KL(q(y|x) || q(y|x')) for a random shift and rotation x' (Sajjadi et al. 2016).

    arXiv 1606.04586. The target q(y|x) gets no gradient.

    Args:
        logits_at: Function from images to the logits of y, shape (batch, num_classes).
        x: Images in [0, 1], shape (batch, height, width, channels).
        logits: The logits at `x`.
        seed: Integers of shape (2,).

    Returns:
        The mean over the images, a scalar in nats.
    """
    moved = shifted_and_rotated(x, seed)
    return losses.categorical_kl(tf.stop_gradient(logits), logits_at(moved))


def _unit(x):
    """Images scaled to a Euclidean norm of 1."""
    axes = tuple(range(1, x.shape.rank))
    # Divide by the largest pixel first: the squares of small gradients underflow in float32.
    x /= tf.reduce_max(tf.abs(x), axis=axes, keepdims=True) + 1e-30
    return x * tf.math.rsqrt(tf.reduce_sum(tf.square(x), axis=axes, keepdims=True) + 1e-30)
