"""The regularization phase: the adversarial updates of discriminator and encoder."""

import tensorflow as tf

from adversarial_autoencoder import losses
from adversarial_autoencoder.devices import replicas
from adversarial_autoencoder.errors import check_choice
from adversarial_autoencoder.phases.phase import Phase, Step, register


@register
class Regularization(Phase):
    """Matches the codes q(z) to the prior p(z) by adversarial training.

    Makhzani et al. 2015, section 2; Goodfellow et al. 2014. The phase has two steps. First it
    updates only the discriminator, to tell samples of the prior (real, target 1) from codes of the
    encoder (fake, target 0). Then it updates only the encoder (its hidden layers and the head of
    this code), so that the updated discriminator takes its codes for real. The codes do not change
    in between, so both steps share one pass through the encoder.

    A discriminator that also sees labels (section 2.3) compares an image with a sample from the
    component of its class, and an unlabelled image with a sample from the whole prior.

    Args:
        code: "z" or "y". The names of steps and metrics then end in it. None: z, without a suffix.
        adversarial_loss: A key of `losses.ADVERSARIAL`.
        gradient_penalty: Weight of the gradient penalty of "wasserstein_gp", >= 0.

    Raises:
        ValueError: If there is no such loss.
    """

    def __init__(self, code=None, adversarial_loss="non_saturating", gradient_penalty=10.0):
        check_choice("adversarial_loss", adversarial_loss, losses.ADVERSARIAL)
        self.code = code
        self.adversarial_loss = adversarial_loss
        self.gradient_penalty = gradient_penalty

    @property
    def metrics(self):
        """Names of the metrics."""
        return (*self._of_discriminator, self._name("generator_loss"))

    @property
    def accuracies(self):
        """Names of the metrics of the discriminator's accuracy, on the prior and on codes."""
        return self._of_discriminator[1:]

    @property
    def _of_discriminator(self):
        names = ("loss", "accuracy_real", "accuracy_fake")
        return tuple(self._name(f"discriminator_{name}") for name in names)

    def steps(self, model):
        """Two steps: one updates the discriminator, one updates the encoder."""
        code = model.codes[self.code or "z"]
        if code.discriminator is None:
            raise ValueError(f"Regularization needs a discriminator of {code.name}. Received: none")
        return [
            Step(self._name("discriminator"), "discriminator", [code.discriminator], code),
            Step(self._name("generator"), "generator", [code.encoder], code),
        ]

    def step(self, model, batch):
        """Updates the discriminator, then the encoder."""
        discriminator, generator = self.steps(model)
        code, adversarial = generator.code, losses.ADVERSARIAL[self.adversarial_loss]
        with tf.GradientTape() as generator_tape:
            fake = model.codes.infer(batch, training=True, code=code)[1][code.name]
            with generator_tape.stop_recording():
                with tf.GradientTape() as tape:
                    loss, metrics, _ = self._discriminate(code, batch, fake, training=True)
                    loss = sum(discriminator.penalties, loss)
                model.update(discriminator, tape, loss)
            fake_logits = code.discriminate(fake, batch.labels, training=True)
            generator_loss = adversarial.generator(fake_logits)
            total = sum(generator.penalties, generator_loss)
        model.update(generator, generator_tape, total)
        return metrics | {self._name("generator_loss"): generator_loss}

    def evaluate(self, model, batch):
        """Computes the metrics without an update."""
        code, adversarial = model.codes[self.code or "z"], losses.ADVERSARIAL[self.adversarial_loss]
        fake = model.codes.infer(batch, training=False, code=code)[1][code.name]
        _, metrics, fake_logits = self._discriminate(code, batch, fake, training=False)
        return metrics | {self._name("generator_loss"): adversarial.generator(fake_logits)}

    def _discriminate(self, code, batch, fake, training):
        """The discriminator's loss on samples of the prior and on codes, metrics, fake logits."""
        labels = batch.labels if code.conditioned else None
        n = tf.shape(fake)[0]
        real = tf.cast(code.draw_prior(n, batch.noise(2), labels), fake.dtype)
        # One pass through the discriminator for both.
        logits = code.discriminate(tf.concat([real, fake], axis=0), batch.labels, training)
        real_logits, fake_logits = tf.split(logits, 2)
        adversarial = losses.ADVERSARIAL[self.adversarial_loss]
        loss = adversarial.discriminator(real_logits, fake_logits)
        if adversarial.penalty:
            loss += self.gradient_penalty * self._penalty(code, batch, real, fake, training)
        right_on_real = tf.cast(real_logits > adversarial.threshold, "float32")
        right_on_fake = tf.cast(fake_logits <= adversarial.threshold, "float32")
        values = (loss, tf.reduce_mean(right_on_real), tf.reduce_mean(right_on_fake))
        return loss, dict(zip(self._of_discriminator, values, strict=True)), fake_logits

    def _penalty(self, code, batch, real, fake, training):
        """The gradient penalty at random points between samples of the prior and codes."""
        share = replicas.own_rows(
            lambda n: tf.random.stateless_uniform((n, 1), batch.noise(3)), tf.shape(fake)[0]
        )
        between = share * real + (1.0 - share) * fake
        with tf.GradientTape() as tape:
            tape.watch(between)
            logits = code.discriminate(between, batch.labels, training)
        return losses.gradient_penalty(tape.gradient(logits, between))

    def _name(self, what):
        """The name of a step or metric, with the code if it was named."""
        return f"{what}_{self.code}" if self.code else what

    def get_config(self):
        """The constructor's arguments, for saving."""
        return {
            "code": self.code,
            "adversarial_loss": self.adversarial_loss,
            "gradient_penalty": self.gradient_penalty,
        }
