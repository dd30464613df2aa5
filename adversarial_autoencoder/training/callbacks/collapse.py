"""A callback that warns of a training that does not match the codes to the prior."""

from typing import NamedTuple

import keras
import numpy as np

from adversarial_autoencoder.errors import print_warning
from adversarial_autoencoder.losses import ADVERSARIAL
from adversarial_autoencoder.observations.pixels import Pixels, to_unit_interval
from adversarial_autoencoder.phases import MaximumMeanDiscrepancy, Regularization, Variational

# A discriminator that classifies this fraction of samples and codes correctly has won: it teaches
# the encoder nothing. On MNIST that of z stays below 0.9. That of y sees soft vectors beside
# one-hot vectors, and stays below 0.93 with few labels.
WON, WON_Y = 0.95, 0.995
# Values of y in use; a collapse leaves one.
COLLAPSED_VALUES = 1.5
# Spread of the codes, in any dimension, relative to the prior's.
COLLAPSED_SPREAD = 0.02
# A distance to the prior of so many floors that has not fallen to this share is stuck.
FAR, FALLING = 10, 0.95
# Before so many minibatches, the distance can still rise.
SETTLING = 200
# Decoded samples of the prior differ grossly if a pixel varies so many times as much as in the
# images, or the inverse, or if their mean differs by this many of its standard deviations.
STD_RATIO, SHIFT, SAMPLES = 2, 0.5, 500
# Before so many minibatches, samples do not resemble the images yet.
LEARNING = 1000
# The phases that match the codes to the prior.
MATCHING = (Regularization, MaximumMeanDiscrepancy, Variational)
# Number of epochs in a row that a sign has to last, at least; also as a fraction of the training.
PATIENCE, PATIENT_SHARE = 3, 0.05


class Sign(NamedTuple):
    """A sign that a training goes wrong.

    Args:
        name: What shows it; a sign counts from the first of consecutive epochs.
        text: What is wrong, with its figures.
        remedy: What the user can try.
    """

    name: str
    text: str
    remedy: str


class WarnOfCollapse(keras.callbacks.Callback):
    """Warns once of each sign that the codes do not follow the prior.

    The signs: a discriminator that is always right, codes that collapse, a distance to the prior
    that no longer falls, and decoded samples of the prior that differ grossly from the images. A
    sign has to last for 3 epochs, and for a twentieth of the training.

    Args:
        sample: The `PriorDistance` of the same training.
        warn: Function that is called with the text of a warning.
    """

    def __init__(self, sample, warn=print_warning):
        super().__init__()
        self.sample = sample
        self.warn = warn
        self.lasting = {}
        self.distances = []

    def on_train_begin(self, logs=None):
        """Measures the images."""
        if isinstance(self.model.observation, Pixels):
            self.images = _mean_and_std(to_unit_interval(self.sample.x[:SAMPLES]).numpy())

    def on_epoch_end(self, epoch, logs=None):
        """Counts the signs, and warns of those that last."""
        patience = max(PATIENCE, round(PATIENT_SHARE * self.params["epochs"]))
        found = [sign for find in SIGNS for sign in find(self, logs)]
        # A sign that disappears starts again from 0.
        self.lasting = {sign.name: self.lasting.get(sign.name, 0) + 1 for sign in found}
        for sign in found:
            if self.lasting[sign.name] == patience:
                lasting = f"for {patience} epochs, up to epoch {epoch + 1}"
                self.warn(f"{sign.text} {lasting}. {sign.remedy}")

    def discriminators(self, logs):
        """Yields the discriminators that separate all codes from the prior."""
        for phase in self.model.phases:
            # A critic with a penalty can add any number to all logits, so they have no threshold.
            if not isinstance(phase, Regularization) or ADVERSARIAL[phase.adversarial_loss].penalty:
                continue
            _, generator = phase.steps(self.model)
            if not float(self.model.optimizer.steps[generator.name].learning_rate):
                continue  # The encoder does not take part yet.
            right = [logs.get(name, 0) for name in phase.accuracies]
            if min(right) >= (WON_Y if generator.code.categorical else WON):
                pairs = zip(phase.accuracies, right, strict=True)
                values = ", ".join(f"{name} {value:.3f}" for name, value in pairs)
                yield Sign(
                    phase.accuracies[0],
                    f"The discriminator separates the codes from the prior ({values}; TensorBoard: "
                    f"metrics/{phase.accuracies[0]}) and teaches the encoder nothing,",
                    "Try a lower --discriminator_learning_rate or more --discriminator_noise.",
                )

    def collapsed_y(self, logs):
        """Yields a sign if y has about one value."""
        used = logs.get("val_y_use", 1) * self.model.num_classes
        if self.model.infers_y and used < COLLAPSED_VALUES:
            yield Sign(
                self.model.codes.y.name,
                f"The code y has collapsed to {used:.1f} of its {self.model.num_classes} values "
                "(TensorBoard: metrics/y_use, images/cluster_grid)",
                "Try --information_weight 0.1.",
            )

    def collapsed_z(self, logs):
        """Yields a sign if a dimension of z has hardly any spread."""
        codes, prior = self.sample.z.std(axis=0), self.sample.z_prior.std(axis=0)
        # One image says nothing of the spread.
        spread = np.divide(codes, prior, out=np.full_like(codes, np.inf), where=prior > 0)
        i = int(spread.argmin())
        if self.model.codes.z.discriminator is not None and spread[i] < COLLAPSED_SPREAD:
            yield Sign(
                self.model.codes.z.name,
                f"The code z has collapsed: dimension {i} has {spread[i]:.3f} of the prior's "
                f"spread (TensorBoard: latent_z{i}, images/latent_scatter)",
                "Try --normalize_codes, or a smaller --z_dim.",
            )

    def stuck_distance(self, logs):
        """Yields a sign if the codes are far from the prior and do not come nearer."""
        distance, floor = logs.get("val_prior_distance", 0), logs.get("val_prior_distance_floor", 0)
        falls = distance < FALLING * min(self.distances, default=np.inf)
        self.distances.append(distance)
        early = int(self.model.optimizer.iterations.numpy()) < SETTLING
        if not early and self._matches_a_prior() and distance > FAR * floor and not falls:
            yield Sign(
                "distance",
                f"The distance to the prior does not fall: it is {distance:.3f}, "
                f"{distance / floor:.0f} times that between two samples of the prior (TensorBoard: "
                "metrics/prior_distance)",
                "Try a larger --batch_size, or a --prior without fine structure.",
            )

    def unlike_samples(self, logs):
        """Yields a sign if decoded samples of the prior differ grossly from the images."""
        early = int(self.model.optimizer.iterations.numpy()) < LEARNING
        if early or not self._matches_a_prior() or len(self.model.image_shape) != 3:
            return
        decoded = _mean_and_std(self.model.generate(SAMPLES))
        ratio, shift = decoded[1] / self.images[1], abs(decoded[0] - self.images[0])
        if 1 / STD_RATIO < ratio < STD_RATIO and shift < SHIFT * self.images[1]:
            return
        yield Sign(
            "samples",
            f"Decoded samples of the prior do not resemble the images: mean {decoded[0]:.2f} and "
            f"standard deviation {decoded[1]:.2f} of a pixel instead of {self.images[0]:.2f} and "
            f"{self.images[1]:.2f}",
            "Train longer, or try a smaller --z_dim.",
        )

    def _matches_a_prior(self):
        return any(isinstance(phase, MATCHING) for phase in self.model.phases)


SIGNS = (
    WarnOfCollapse.discriminators,
    WarnOfCollapse.collapsed_y,
    WarnOfCollapse.collapsed_z,
    WarnOfCollapse.stuck_distance,
    WarnOfCollapse.unlike_samples,
)


def _mean_and_std(x):
    """The mean of all pixels, and the standard deviation of a pixel over the images."""
    return float(x.mean()), float(np.sqrt(np.mean(x.var(axis=0)))) + 1e-6
