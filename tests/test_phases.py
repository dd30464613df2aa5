"""Phases and steps: the kinds of steps, and a phase of the user's own."""

import dataclasses
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from adversarial_autoencoder import AdversarialAutoencoder, networks, phases, training
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.phases.phase import Phase, Step
from adversarial_autoencoder.systems import STEP_KINDS


class Shrinkage(Phase):
    """Pulls the codes towards 0, in a step whose name says nothing about its kind."""

    metrics = ("shrinkage",)

    def __init__(self, kind="generator", name="pull_inwards"):
        self.step_kind, self.step_name = kind, name

    def steps(self, model):
        return [Step(self.step_name, self.step_kind, [model.encoder], model.codes.z)]

    def loss_and_metrics(self, model, batch, training):
        codes = model.codes.infer(batch, training)[1]
        loss = tf.reduce_mean(tf.square(codes["z"]))
        return loss, {"shrinkage": loss}


def model_with(*own):
    keras.utils.set_random_seed(7)
    return AdversarialAutoencoder(
        networks.encoder((8, 8, 1), 2, hidden_units=16),
        networks.decoder((8, 8, 1), 2, hidden_units=16),
        networks.discriminator(2, hidden_units=16),
        phases=[phases.Reconstruction(), phases.Regularization(), *own],
    )


@pytest.mark.parametrize("kind", ["gen", "Generator", "", "shrinkage", None])
def test_a_step_of_an_unknown_kind_is_refused(kind):
    expected = f"must be one of {', '.join(STEP_KINDS)}. Received: kind={kind!r}"
    with pytest.raises(ValueError, match=re.escape(expected)):
        Step("pull_inwards", kind, [])


@pytest.mark.parametrize("kind", STEP_KINDS)
def test_a_step_of_every_kind_can_have_any_name(kind):
    step = Step("pull_inwards", kind, [])
    assert (step.name, step.kind, step.code) == ("pull_inwards", kind, None)
    with pytest.raises(dataclasses.FrozenInstanceError):
        step.kind = "generator"


def test_a_phase_with_an_unknown_kind_fails_when_the_model_is_compiled():
    model = model_with(Shrinkage(kind="shrinkage"))
    with pytest.raises(ValueError, match="kind of a step must be .* Received: kind='shrinkage'"):
        model.compile("adam")


def test_two_steps_with_the_same_name_are_refused():
    model = model_with(Shrinkage(name="generator"))
    with pytest.raises(ValueError, match="Step names must be unique. Received: generator twice"):
        model.compile("adam")


def test_the_steps_of_a_model_have_kinds_and_codes():
    steps = model_with(Shrinkage()).steps
    z = steps["generator"].code
    assert [(step.name, step.kind, step.code) for step in steps.values()] == [
        ("reconstruction", "reconstruction", None),
        ("discriminator", "discriminator", z),
        ("generator", "generator", z),
        ("pull_inwards", "generator", z),
    ]


@pytest.mark.parametrize("kind", STEP_KINDS)
def test_the_optimizer_of_a_users_step_has_the_defaults_of_its_kind(kind):
    """Without a new field of `Config`."""
    model = model_with(Shrinkage(kind))
    config = dataclasses.replace(Config.of(), epochs=2)
    optimizer = training.make_optimizer(config, model.steps, 6).steps["pull_inwards"]
    rate = optimizer.get_config()["learning_rate"]
    # On the cosine schedule all rates fall, except those of discriminators.
    assert isinstance(rate, float) == (kind == "discriminator")
    assert float(optimizer.learning_rate) == pytest.approx(getattr(config, f"{kind}_learning_rate"))
    assert optimizer.beta_1 == getattr(config, f"{kind}_momentum")
    assert optimizer.epsilon == (config.generator_epsilon if kind == "generator" else 1e-7)
    sgd = training.make_optimizer(dataclasses.replace(config, optimizer="sgd"), model.steps, 6)
    assert sgd.steps["pull_inwards"].momentum == getattr(config, f"{kind}_momentum")


def test_a_users_phase_trains_with_these_optimizers(digits):
    model = model_with(Shrinkage())
    config = dataclasses.replace(Config.of(generator_learning_rate=0.01), epochs=3)
    model.compile(training.make_optimizer(config, model.steps, 17), jit_compile=False)
    before = np.square(model.encode(digits)).mean()
    logs = model.fit(digits, batch_size=100, epochs=3, verbose=0).history
    assert set(Shrinkage.metrics) <= set(logs)
    assert np.isfinite(list(logs.values())).all()
    assert np.square(model.encode(digits)).mean() < before


def test_the_step_of_a_users_phase_moves_its_own_variables_only(digits):
    model = model_with(Shrinkage())
    model.phases = (Shrinkage(),)
    model.compile("sgd", jit_compile=False)
    before = {name: getattr(model, name).get_weights() for name in ("encoder", "decoder")}
    model.phases[0].step(model, model._batch(tf.constant(digits[:100]), step=0))
    changed = {
        name: not all(map(np.array_equal, weights, getattr(model, name).get_weights()))
        for name, weights in before.items()
    }
    assert changed == {"encoder": True, "decoder": False}
