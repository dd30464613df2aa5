"""The reconstruction phase, and its relatives that add a penalty on the codes."""

import tensorflow as tf

from adversarial_autoencoder import losses, posteriors, priors
from adversarial_autoencoder.phases.phase import Phase, Step, register


@register
class Reconstruction(Phase):
    """Updates encoder and decoder to reconstruct the images (Makhzani et al. 2015, section 2).

    Args:
        detach_y: Whether to stop the gradient at an inferred y, so that the reconstruction does not
            move the encoder through y. Otherwise y learns looks that help the reconstruction, such
            as slant and width, instead of the class.
    """

    metrics: tuple[str, ...] = ("reconstruction_loss",)

    def __init__(self, detach_y=False):
        self.detach_y = detach_y

    def steps(self, model):
        """One step, which updates encoder and decoder."""
        encoder = model.codes.z.encoder if self.detach_y else model.encoder
        return [Step("reconstruction", "reconstruction", [encoder, model.decoder])]

    def loss_and_metrics(self, model, batch, training):
        """The reconstruction loss, plus the penalty of a subclass."""
        heads, codes = model.codes.infer(batch, training)
        if self.detach_y and "y" in codes:
            codes = codes | {"y": tf.stop_gradient(codes["y"])}
        x_logits = model.decode_logits(codes, training)
        loss = model.observation.loss(batch.x, x_logits)
        penalty, metrics = self._penalty(model, batch, heads, codes)
        return loss + penalty, {"reconstruction_loss": loss, **metrics}

    def _penalty(self, model, batch, heads, codes):
        """A term that is added to the loss, and its metrics."""
        return 0.0, {}

    def get_config(self):
        """The constructor's arguments, for saving."""
        return {"detach_y": self.detach_y}


@register
class Variational(Reconstruction):
    """Updates encoder and decoder to raise the evidence lower bound (Kingma and Welling 2014).

    The loss is the negative bound divided by the number of pixels: its reconstruction term is a
    mean over pixels, as in the other systems. `kl_divergence` is in nats for each image.
    """

    metrics = ("reconstruction_loss", "kl_divergence")

    def steps(self, model):
        """One step, which updates encoder and decoder."""
        if model.posterior != "gaussian" or not isinstance(model.prior, priors.Gaussian):
            raise ValueError(
                "Variational needs a gaussian posterior and a Gaussian prior. "
                f"Received: posterior={model.posterior!r}, prior={model.prior!r}"
            )
        return super().steps(model)

    def _penalty(self, model, batch, heads, codes):
        mean, log_variance = posteriors.split_gaussian(heads["z"])
        kl = losses.gaussian_kl(mean, log_variance, model.prior.std)
        terms = model.observation.terms(batch.x)
        return kl / tf.cast(terms, kl.dtype), {"kl_divergence": kl}


@register
class MaximumMeanDiscrepancy(Reconstruction):
    """Updates encoder and decoder to reconstruct, with codes that resemble samples of the prior.

    Tolstikhin et al. 2018, "Wasserstein Auto-Encoders", arXiv 1711.01558, algorithm 2 (WAE-MMD).

    Args:
        weight: Weight of the discrepancy, >= 0, relative to the mean loss over pixels or columns.
            None: `mmd_weight` of the observation model.
    """

    metrics = ("reconstruction_loss", "mmd")

    def __init__(self, weight=None):
        super().__init__()
        self.weight = weight

    def _penalty(self, model, batch, heads, codes):
        z = codes["z"]
        z_prior = model.codes.z.draw_prior(tf.shape(z)[0], batch.noise(2))
        mmd = losses.maximum_mean_discrepancy(z, z_prior)
        weight = model.observation.mmd_weight if self.weight is None else self.weight
        return weight * mmd, {"mmd": mmd}

    def get_config(self):
        """The constructor's arguments, for saving."""
        return {"weight": self.weight}
