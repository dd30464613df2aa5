"""The training procedure of Makhzani et al. 2015 (arXiv 1511.05644), phase by phase.

A model runs its phases in order on every minibatch. A phase computes its losses under its own
`tf.GradientTape`, names the variables that each of its steps updates, and has each step's own
optimizer apply the gradients.
"""

import keras
import tensorflow as tf

from adversarial_autoencoder import losses


class Phase:
    """One phase of the training procedure; subclass it to add your own."""

    # Names of the numbers that `step` and `evaluate` return.
    metrics = ()

    def var_lists(self, model):
        """The variables that each step updates: a dict from the step's name to a list."""
        raise NotImplementedError

    def step(self, model, batch):
        """Updates the model on one minibatch and returns its metrics, a dict of scalars."""
        raise NotImplementedError

    def evaluate(self, model, batch):
        """Returns the same metrics without updating anything."""
        raise NotImplementedError

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


@keras.saving.register_keras_serializable("adversarial_autoencoder")
class Reconstruction(Phase):
    """x -> z -> x'. Updates encoder and decoder to lower the reconstruction loss (section 2)."""

    metrics = ("reconstruction_loss",)

    def var_lists(self, model):
        return {
            "reconstruction": model.encoder.trainable_variables + model.decoder.trainable_variables
        }

    def step(self, model, batch):
        with tf.GradientTape() as tape:
            loss = self._loss(model, batch, training=True)
        model.update("reconstruction", tape, loss)
        return {"reconstruction_loss": loss}

    def evaluate(self, model, batch):
        return {"reconstruction_loss": self._loss(model, batch, training=False)}

    def _loss(self, model, batch, training):
        z = model.encoder(batch.x, training=training)
        x_logits = model.decoder(z, training=training)
        return losses.RECONSTRUCTION[model.reconstruction_loss](batch.x, x_logits)


@keras.saving.register_keras_serializable("adversarial_autoencoder")
class Regularization(Phase):
    """Makes the codes q(z) follow the prior p(z) by an adversarial game (section 2).

    First the discriminator alone is updated to tell samples of the prior (real, target 1) from
    codes of the encoder (fake, target 0). Then, with the new discriminator held fixed, the encoder
    alone is updated to make its codes pass for real. Nothing that the codes depend on changes in
    between, so one pass through the encoder serves both.
    """

    metrics = (
        "discriminator_loss",
        "generator_loss",
        "discriminator_accuracy_real",
        "discriminator_accuracy_fake",
    )

    def var_lists(self, model):
        if model.discriminator is None:
            raise ValueError("Regularization needs a discriminator. Received: none")
        return {
            "discriminator": model.discriminator.trainable_variables,
            "generator": model.encoder.trainable_variables,
        }

    def step(self, model, batch):
        with tf.GradientTape() as generator_tape:
            z = model.encoder(batch.x, training=True)
            with generator_tape.stop_recording():
                with tf.GradientTape() as tape:
                    real, fake = self._logits(model, z, batch.seed, training=True)
                    discriminator_loss = losses.discriminator(real, fake)
                model.update("discriminator", tape, discriminator_loss)
            generator_loss = losses.generator(model.discriminator(z, training=True))
        model.update("generator", generator_tape, generator_loss)
        return self._metrics(discriminator_loss, generator_loss, real, fake)

    def evaluate(self, model, batch):
        z = model.encoder(batch.x, training=False)
        real, fake = self._logits(model, z, batch.seed, training=False)
        return self._metrics(losses.discriminator(real, fake), losses.generator(fake), real, fake)

    def _logits(self, model, z, seed, training):
        """The discriminator's logits on prior samples and on codes, in one pass through it."""
        z_prior = tf.cast(model.prior(tf.shape(z)[0], z.shape[1], seed), z.dtype)
        logits = model.discriminator(tf.concat([z_prior, z], axis=0), training=training)
        return tf.split(logits, 2)

    def _metrics(self, discriminator_loss, generator_loss, real, fake):
        right_on_real, right_on_fake = tf.cast(real > 0, "float32"), tf.cast(fake <= 0, "float32")
        return {
            "discriminator_loss": discriminator_loss,
            "generator_loss": generator_loss,
            "discriminator_accuracy_real": tf.reduce_mean(right_on_real),
            "discriminator_accuracy_fake": tf.reduce_mean(right_on_fake),
        }
