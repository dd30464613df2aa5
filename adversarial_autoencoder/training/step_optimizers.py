"""The optimizers of a training, one for each step of the procedure."""

import keras
import numpy as np

from adversarial_autoencoder.optimizers import FusedAdam, LateStart, PhaseOptimizer


def optimizer(config, steps, steps_per_epoch):
    """Makes the optimizers of a configuration, one for every step of the procedure.

    On the cosine schedule the rates fall to 0, but that of the discriminators, which have to follow
    the encoder to the end. Adam's epsilon is much larger than usual for the generator. Near the
    equilibrium the discriminator's gradients are small and mostly noise; Adam would blow them up to
    steps of full size, which spoil the reconstruction.

    The encoder's game on y may begin late (`y_start`), when it has learned from labels, or, without
    them, by `information_weight`: a game that begins with guesses makes it sure of wrong classes.
    The discriminator plays from the beginning.

    Args:
        config: A `Config` with its epochs resolved.
        steps: Names of the steps of the model, such as "generator".
        steps_per_epoch: Minibatches in an epoch.

    Returns:
        A `PhaseOptimizer`.
    """

    def scheduled(rate, kind):
        if config.learning_rate_schedule == "step":
            epochs, factors = config.step_schedule
            # Keras's schedule keeps the old rate at its bound, which is counted from 0.
            bounds = [epoch * steps_per_epoch - 1 for epoch in epochs]
            rates = np.cumprod([rate, *factors]).tolist()
            return keras.optimizers.schedules.PiecewiseConstantDecay(bounds, rates)
        if config.learning_rate_schedule == "cosine" and kind != "discriminator":
            return keras.optimizers.schedules.CosineDecay(rate, config.epochs * steps_per_epoch)
        return rate

    def optimizer_of(step):
        kind = step.removesuffix("_z").removesuffix("_y")
        rate = scheduled(getattr(config, f"{kind}_learning_rate"), kind)
        if step == "generator_y" and config.y_start:
            rate = LateStart(rate, config.y_start)
        momentum = getattr(config, f"{kind}_momentum")
        if config.optimizer == "sgd":
            return keras.optimizers.SGD(rate, momentum)
        epsilon = config.generator_epsilon if kind == "generator" else 1e-7
        return FusedAdam(rate, beta_1=momentum, epsilon=epsilon)

    return PhaseOptimizer({step: optimizer_of(step) for step in steps})
