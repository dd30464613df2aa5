"""The reconstruction phase, and its neighbours with a penalty on the codes."""

import tensorflow as tf

from adversarial_autoencoder import losses, posteriors, priors
from adversarial_autoencoder.phases.phase import Phase, register


@register
class Reconstruction(Phase):
    """Updates encoder and decoder to reconstruct the images (section 2).

    Args:
        detach_y: Whether it takes an inferred y as it is, so that it does not move the encoder
            through y. It is easier to reconstruct from a y that tells of looks, such as slant and
            width, than of the class.
    """

    metrics = ("reconstruction_loss",)
    single_step = "reconstruction"

    def __init__(self, detach_y=False):
        self.detach_y = detach_y

    def var_lists(self, model):
        encoder = model.encoder_of("z") if self.detach_y else model.encoder
        variables = encoder.trainable_variables + model.decoder.trainable_variables
        return {self.single_step: variables}

    def loss_and_metrics(self, model, batch, training):
        heads, codes = model.infer(batch, training)
        if self.detach_y and "y" in codes:
            codes = codes | {"y": tf.stop_gradient(codes["y"])}
        x_logits = model.decoder(model.decoder_input(codes), training=training)
        loss = losses.RECONSTRUCTION[model.reconstruction_loss](batch.x, x_logits)
        penalty, metrics = self._penalty(model, batch, heads, codes)
        # Such as the margin between cluster heads.
        of_layers = model.encoder.losses + model.decoder.losses
        return sum(of_layers, loss + penalty), {"reconstruction_loss": loss, **metrics}

    def _penalty(self, model, batch, heads, codes):
        """What is added to the loss, and its metrics."""
        return 0.0, {}

    def get_config(self):
        return {"detach_y": self.detach_y}


@register
class Variational(Reconstruction):
    """Updates encoder and decoder to raise the evidence lower bound (Kingma and Welling 2014).

    The loss is the bound divided by the number of pixels, so that its reconstruction part is the
    mean over pixels as in the other systems. `kl_divergence` is in nats for each image.
    """

    metrics = ("reconstruction_loss", "kl_divergence")

    def var_lists(self, model):
        if model.posterior != "gaussian" or not isinstance(model.prior, priors.Gaussian):
            raise ValueError(
                "Variational needs a gaussian posterior and a Gaussian prior. "
                f"Received: posterior={model.posterior!r}, prior={model.prior!r}"
            )
        return super().var_lists(model)

    def _penalty(self, model, batch, heads, codes):
        mean, log_variance = posteriors.split_gaussian(heads["z"])
        kl = losses.gaussian_kl(mean, log_variance, model.prior.std)
        pixels = tf.reduce_prod(tf.shape(batch.x)[1:])
        return kl / tf.cast(pixels, kl.dtype), {"kl_divergence": kl}


@register
class MaximumMeanDiscrepancy(Reconstruction):
    """Updates encoder and decoder to reconstruct with codes like samples of the prior.

    Tolstikhin et al. 2018, "Wasserstein Auto-Encoders", algorithm 2 (WAE-MMD).

    Args:
        weight: Weight of the discrepancy beside the mean reconstruction loss over pixels, >= 0.
    """

    metrics = ("reconstruction_loss", "mmd")

    def __init__(self, weight=0.25):
        super().__init__()
        self.weight = weight

    def _penalty(self, model, batch, heads, codes):
        z = codes["z"]
        z_prior = model.draw_prior("z", tf.shape(z)[0], batch.noise(2))
        mmd = losses.maximum_mean_discrepancy(z, z_prior)
        return self.weight * mmd, {"mmd": mmd}

    def get_config(self):
        return {"weight": self.weight}
