"""The optimizers of the training procedure, one for each step."""

import keras
import numpy as np

from adversarial_autoencoder.optimizers.fused_adam import FusedAdam
from adversarial_autoencoder.optimizers.phase_optimizer import PhaseOptimizer
from adversarial_autoencoder.optimizers.schedules import CosineOverFit, LateStart


def make_optimizer(config, steps, steps_per_epoch=None):
    """Makes the optimizer of every step from the settings for its kind.

    On the cosine schedule all learning rates fall to 0, except that of the discriminators, which
    have to follow the encoder until the end. Adam's epsilon is much larger than usual for the
    generator. Near the equilibrium the discriminator's gradients are small and mostly noise; with a
    small epsilon Adam would enlarge them to steps of full size, which harm the reconstruction.

    The adversarial phase on y can start to update the encoder late (`y_start`), when the encoder
    has learned from labels or from `information_weight`. Before that it would confirm wrong
    classes. The discriminator trains from the start.

    Args:
        config: A `Config` with its epochs, if `steps_per_epoch` is given.
        steps: The steps of the model, a dict from name to `phases.Step`.
        steps_per_epoch: Minibatches in an epoch; None if it is not known before `fit`.

    Returns:
        A `PhaseOptimizer`.
    """
    return PhaseOptimizer(
        {name: _optimizer_of(step, config, steps_per_epoch) for name, step in steps.items()}
    )


def _optimizer_of(step, config, steps_per_epoch):
    rate = _scheduled(getattr(config, f"{step.kind}_learning_rate"), step, config, steps_per_epoch)
    is_generator = step.kind == "generator"
    if is_generator and config.y_start and step.code is not None and step.code.categorical:
        rate = LateStart(rate, config.y_start)
    momentum = getattr(config, f"{step.kind}_momentum")
    if config.optimizer == "sgd":
        return keras.optimizers.SGD(rate, momentum)
    epsilon = config.generator_epsilon if is_generator else 1e-7
    return FusedAdam(rate, beta_1=momentum, epsilon=epsilon)


def _scheduled(rate, step, config, steps_per_epoch):
    if steps_per_epoch is None:
        return rate if step.kind == "discriminator" else CosineOverFit(rate)
    if config.learning_rate_schedule == "step":
        epochs, factors = config.step_schedule
        # Keras's schedule keeps the old rate at its boundary, which counts from 0.
        boundaries = [epoch * steps_per_epoch - 1 for epoch in epochs]
        rates = np.cumprod([rate, *factors]).tolist()
        return keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, rates)
    if config.learning_rate_schedule == "cosine" and step.kind != "discriminator":
        return keras.optimizers.schedules.CosineDecay(rate, config.epochs * steps_per_epoch)
    return rate
