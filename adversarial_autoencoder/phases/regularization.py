"""The regularization phase: the adversarial game between encoder and discriminator."""

import tensorflow as tf

from adversarial_autoencoder import losses
from adversarial_autoencoder.devices import replicas
from adversarial_autoencoder.phases.phase import Phase, register


@register
class Regularization(Phase):
    """Makes the codes q(z) follow the prior p(z) by an adversarial game (section 2).

    First the discriminator alone is updated to tell samples of the prior (real, target 1) from
    codes of the encoder (fake, target 0). Then, with the new discriminator held fixed, the encoder
    alone (its trunk and the head of this code) is updated to make its codes pass for real. Nothing
    that the codes depend on changes in between, so one pass through the encoder serves both.

    Where the discriminator also sees labels (section 2.3), an image is paired with a sample from
    the component of the prior that belongs to its label, an unlabelled one with any sample.

    Args:
        code: "z" or "y", which is also added to the names of steps and metrics; None: z, the only
            code of the game.
        adversarial_loss: A name in `losses.ADVERSARIAL`.
        gradient_penalty: Weight of the penalty that goes with "wasserstein_gp", >= 0.
    """

    def __init__(self, code=None, adversarial_loss="non_saturating", gradient_penalty=10.0):
        if adversarial_loss not in losses.ADVERSARIAL:
            raise ValueError(
                f"adversarial_loss must be one of {', '.join(losses.ADVERSARIAL)}. "
                f"Received: adversarial_loss={adversarial_loss!r}"
            )
        self.code = code
        self.adversarial_loss = adversarial_loss
        self.gradient_penalty = gradient_penalty

    @property
    def metrics(self):
        names = ("loss", "accuracy_real", "accuracy_fake")
        names = (*(f"discriminator_{name}" for name in names), "generator_loss")
        return tuple(self._name(name) for name in names)

    def var_lists(self, model):
        if self._code not in model.discriminators:
            raise ValueError(
                f"Regularization needs a discriminator of {self._code}. Received: none"
            )
        return {
            self._name("discriminator"): model.discriminators[self._code].trainable_variables,
            self._name("generator"): model.encoder_of(self._code).trainable_variables,
        }

    def step(self, model, batch):
        game = losses.ADVERSARIAL[self.adversarial_loss]
        with tf.GradientTape() as generator_tape:
            fake = model.infer(batch, training=True, code=self._code)[1][self._code]
            with generator_tape.stop_recording():
                with tf.GradientTape() as tape:
                    loss, metrics, _ = self._discriminate(model, batch, fake, training=True)
                    loss = sum(model.discriminators[self._code].losses, loss)
                model.update(self._name("discriminator"), tape, loss)
            generator_loss = game.generator(self._logits(model, batch, fake, training=True))
        model.update(self._name("generator"), generator_tape, generator_loss)
        return metrics | {self._name("generator_loss"): generator_loss}

    def evaluate(self, model, batch):
        game = losses.ADVERSARIAL[self.adversarial_loss]
        fake = model.infer(batch, training=False, code=self._code)[1][self._code]
        _, metrics, fake_logits = self._discriminate(model, batch, fake, training=False)
        return metrics | {self._name("generator_loss"): game.generator(fake_logits)}

    def _discriminate(self, model, batch, fake, training):
        """The discriminator's loss on samples of the prior and on codes, metrics, fake logits."""
        labels = batch.labels if model.conditions(self._code) else None
        n = tf.shape(fake)[0]
        real = tf.cast(model.draw_prior(self._code, n, batch.noise(2), labels), fake.dtype)
        # Both in one pass through the discriminator.
        logits = self._logits(model, batch, tf.concat([real, fake], axis=0), training)
        real_logits, fake_logits = tf.split(logits, 2)
        game = losses.ADVERSARIAL[self.adversarial_loss]
        loss = game.discriminator(real_logits, fake_logits)
        if game.penalty:
            loss += self.gradient_penalty * self._penalty(model, batch, real, fake, training)
        right_on_real = tf.cast(real_logits > game.threshold, "float32")
        right_on_fake = tf.cast(fake_logits <= game.threshold, "float32")
        metrics = {
            self._name("discriminator_loss"): loss,
            self._name("discriminator_accuracy_real"): tf.reduce_mean(right_on_real),
            self._name("discriminator_accuracy_fake"): tf.reduce_mean(right_on_fake),
        }
        return loss, metrics, fake_logits

    def _penalty(self, model, batch, real, fake, training):
        """The gradient penalty at random points between samples of the prior and codes."""
        share = replicas.own_rows(
            lambda n: tf.random.stateless_uniform((n, 1), batch.noise(3)), tf.shape(fake)[0]
        )
        between = share * real + (1.0 - share) * fake
        with tf.GradientTape() as tape:
            tape.watch(between)
            logits = self._logits(model, batch, between, training)
        return losses.gradient_penalty(tape.gradient(logits, between))

    def _logits(self, model, batch, codes, training):
        """The discriminator's logits on codes, one or more for each image, in their order."""
        discriminator = model.discriminators[self._code]
        if not model.conditions(self._code):
            inputs = {"code": codes} if isinstance(discriminator.input, dict) else codes
            return discriminator(inputs, training=training)
        labels = model.one_hot_labels(batch.labels)
        # A replica may get no image of a last minibatch.
        labels = tf.tile(labels, (tf.shape(codes)[0] // tf.maximum(tf.shape(labels)[0], 1), 1))
        return discriminator({"code": codes, "label": labels}, training=training)

    @property
    def _code(self):
        return self.code or "z"

    def _name(self, what):
        """The name of a step or metric, which tells the code where there are several."""
        return f"{what}_{self.code}" if self.code else what

    def get_config(self):
        return {
            "code": self.code,
            "adversarial_loss": self.adversarial_loss,
            "gradient_penalty": self.gradient_penalty,
        }
