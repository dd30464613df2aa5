"""The training procedure of Makhzani et al. 2015 (arXiv 1511.05644), phase by phase.

A model runs its phases in order on every minibatch. A phase computes its losses under its own
`tf.GradientTape`, names the variables that each of its steps updates, and has each step's own
optimizer apply the gradients.
"""

import keras
import tensorflow as tf

from adversarial_autoencoder import distribution, losses, posteriors, priors


class Phase:
    """One phase of the training procedure; subclass it to add your own."""

    # Names of the numbers that `step` and `evaluate` return.
    metrics = ()

    @property
    def name(self):
        """What it is called in messages."""
        return type(self).__name__.lower()

    def var_lists(self, model):
        """The variables that each step updates: a dict from the step's name to a list."""
        raise NotImplementedError

    def step(self, model, batch):
        """Updates the model on one minibatch and returns its metrics, a dict of scalars."""
        raise NotImplementedError

    def evaluate(self, model, batch):
        """Returns the same metrics without updating anything."""
        raise NotImplementedError

    def count(self, batch):
        """The number of images that its metrics are means over."""
        return tf.shape(batch.x)[0]

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def _register(cls):
    return keras.saving.register_keras_serializable("adversarial_autoencoder")(cls)


@_register
class Reconstruction(Phase):
    """Updates encoder and decoder to reconstruct the images (section 2)."""

    metrics = ("reconstruction_loss",)

    def var_lists(self, model):
        encoder, decoder = model.encoder, model.decoder
        return {"reconstruction": encoder.trainable_variables + decoder.trainable_variables}

    def step(self, model, batch):
        with tf.GradientTape() as tape:
            loss, metrics = self._losses(model, batch, training=True)
        model.update("reconstruction", tape, loss)
        return metrics

    def evaluate(self, model, batch):
        return self._losses(model, batch, training=False)[1]

    def _losses(self, model, batch, training):
        heads, codes = model.infer(batch, training)
        x_logits = model.decoder(model.decoder_input(codes), training=training)
        loss = losses.RECONSTRUCTION[model.reconstruction_loss](batch.x, x_logits)
        penalty, metrics = self._penalty(model, batch, heads, codes)
        # Such as the margin between cluster heads.
        of_layers = model.encoder.losses + model.decoder.losses
        return sum(of_layers, loss + penalty), {"reconstruction_loss": loss, **metrics}

    def _penalty(self, model, batch, heads, codes):
        """What is added to the loss, and its metrics."""
        return 0.0, {}


@_register
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


@_register
class MaximumMeanDiscrepancy(Reconstruction):
    """Updates encoder and decoder to reconstruct with codes like samples of the prior.

    Tolstikhin et al. 2018, "Wasserstein Auto-Encoders", algorithm 2 (WAE-MMD).

    Args:
        weight: Weight of the discrepancy beside the mean reconstruction loss over pixels, >= 0.
    """

    metrics = ("reconstruction_loss", "mmd")

    def __init__(self, weight=0.25):
        self.weight = weight

    def _penalty(self, model, batch, heads, codes):
        z = codes["z"]
        z_prior = model.draw_prior("z", tf.shape(z)[0], batch.noise(2))
        mmd = losses.maximum_mean_discrepancy(z, z_prior)
        return self.weight * mmd, {"mmd": mmd}

    def get_config(self):
        return {"weight": self.weight}


@_register
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
            self._name("generator"): model.head_variables(self._code),
        }

    def step(self, model, batch):
        game = losses.ADVERSARIAL[self.adversarial_loss]
        with tf.GradientTape() as generator_tape:
            fake = model.infer(batch, training=True)[1][self._code]
            with generator_tape.stop_recording():
                with tf.GradientTape() as tape:
                    loss, metrics, _ = self._discriminate(model, batch, fake, training=True)
                model.update(self._name("discriminator"), tape, loss)
            generator_loss = game.generator(self._logits(model, batch, fake, training=True))
        model.update(self._name("generator"), generator_tape, generator_loss)
        return metrics | {self._name("generator_loss"): generator_loss}

    def evaluate(self, model, batch):
        game = losses.ADVERSARIAL[self.adversarial_loss]
        fake = model.infer(batch, training=False)[1][self._code]
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
        share = distribution.own_rows(
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
            return discriminator(codes, training=training)
        labels = model.one_hot_labels(batch.labels)
        labels = tf.tile(labels, (tf.shape(codes)[0] // tf.shape(labels)[0], 1))
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


@_register
class Classification(Phase):
    """Updates the encoder's trunk and head of y to name the class of labelled images (section 5).

    Images whose label is negative ("unlabelled") do not count.

    Virtual adversarial training is an option: q(y|x) of all images is made to change little in the
    direction in which a small step changes it most (Miyato et al. 2017, arXiv 1704.03976,
    algorithm 1, with one power iteration).

    Args:
        vat_weight: Weight of the virtual adversarial loss, >= 0; 0: none.
        vat_epsilon: Length of the step, the Euclidean norm over all pixels in [0, 1], > 0.
    """

    # Length of the step by which the direction is found. That of the paper, 1e-6, is for 64 bits:
    # a change of q(y|x) has to be more than the rounding of the hidden layers.
    probe = 1.0

    def __init__(self, vat_weight=0.0, vat_epsilon=2.0):
        self.vat_weight = vat_weight
        self.vat_epsilon = vat_epsilon

    @property
    def metrics(self):
        names = ("classification_loss", "classification_accuracy")
        return (*names, "vat_loss") if self.vat_weight else names

    def var_lists(self, model):
        return {"classification": model.head_variables("y")}

    def step(self, model, batch):
        with tf.GradientTape() as tape:
            heads = model.heads(batch.x_labelled, batch.noise(0), training=True)
            metrics = self._metrics(batch.y_labelled, heads["y"])
            loss = metrics["classification_loss"]
            if self.vat_weight:
                metrics["vat_loss"] = self._virtual_adversarial_loss(model, batch)
                loss += self.vat_weight * metrics["vat_loss"]
        model.update("classification", tape, loss)
        return metrics

    def evaluate(self, model, batch):
        heads = model.heads(batch.x_labelled, batch.noise(0), training=False)
        metrics = self._metrics(batch.y_labelled, heads["y"])
        if self.vat_weight:
            metrics["vat_loss"] = self._virtual_adversarial_loss(model, batch)
        return metrics

    def count(self, batch):
        return tf.reduce_sum(tf.cast(batch.y_labelled >= 0, "int32"))

    def _virtual_adversarial_loss(self, model, batch):
        def logits_at(x):
            # Without dropout and noise: they would change q(y|x) more than the step does.
            return model.heads(x, batch.noise(0))["y"]

        x = batch.x
        logits = tf.stop_gradient(logits_at(x))
        direction = _unit(
            distribution.own_rows(
                lambda n: tf.random.stateless_normal((n, *x.shape[1:]), batch.noise(1)),
                tf.shape(x)[0],
            )
        )
        with tf.GradientTape() as tape:
            tape.watch(direction)
            change = losses.categorical_kl(logits, logits_at(x + self.probe * direction))
        direction = tf.stop_gradient(_unit(tape.gradient(change, direction)))
        return losses.categorical_kl(logits, logits_at(x + self.vat_epsilon * direction))

    def _metrics(self, labels, logits):
        return {
            "classification_loss": losses.cross_entropy(labels, logits),
            "classification_accuracy": losses.accuracy(labels, logits),
        }

    def get_config(self):
        return {"vat_weight": self.vat_weight, "vat_epsilon": self.vat_epsilon}


def _unit(x):
    """Images scaled to a Euclidean norm of 1."""
    axes = tuple(range(1, x.shape.rank))
    # By the largest pixel first: the squares of small gradients are not numbers of 32 bits.
    x /= tf.reduce_max(tf.abs(x), axis=axes, keepdims=True) + 1e-30
    return x * tf.math.rsqrt(tf.reduce_sum(tf.square(x), axis=axes, keepdims=True) + 1e-30)
