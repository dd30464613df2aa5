"""The optimizers of the steps: learning rates, schedules and kinds."""

import keras
import pytest
from helpers import STEPS, built, config_of

from adversarial_autoencoder import runs, training
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.phases.phase import Step


@pytest.mark.parametrize(
    ("name", "kind", "momentum"),
    [("sgd", keras.optimizers.SGD, "momentum"), ("adam", keras.optimizers.Adam, "beta_1")],
)
def test_the_optimizers_of_the_paper_follow_a_step_schedule(name, kind, momentum):
    config = config_of(
        "aae",
        optimizer=name,
        learning_rate_schedule="step",
        step_epochs="2,4",
        step_factors="0.1,0.5",
        discriminator_learning_rate=0.1,
        discriminator_momentum=0.1,
    )
    steps = {kind: Step(kind, kind, []) for kind in ("reconstruction", "discriminator")}
    optimizer = training.make_optimizer(config, steps, steps_per_epoch=10).steps["discriminator"]
    assert isinstance(optimizer, kind)
    assert getattr(optimizer, momentum) == 0.1
    rates = [float(optimizer._learning_rate(step)) for step in (0, 19, 20, 39, 40)]
    assert rates == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.005])


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_the_adversarial_phase_on_y_can_start_late(schedule, dataset):
    config = config_of("late", learning_rate_schedule=schedule)
    plain = config_of("late", y_start=0, learning_rate_schedule=schedule)
    late, usual = (
        training.make_optimizer(c, built(c, dataset)[0].steps, STEPS).steps for c in (config, plain)
    )
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(late["generator_y"])
    )
    for step, share in ((0, 0.0), (4, 0.0), (6, 0.5), (8, 1.0), (11, 1.0)):
        for name, optimizer in [*late.items(), ("generator_y", again)]:
            optimizer.iterations.assign(step)
            usual[name].iterations.assign(step)
            expected = float(usual[name].learning_rate)
            expected *= share if name == "generator_y" else 1.0
            assert float(optimizer.learning_rate) == pytest.approx(expected), (name, step)


def test_the_cosine_schedule_keeps_the_rate_of_the_discriminator(dataset, tmp_path):
    model = training.train(config_of("aae"), dataset, runs.create(tmp_path, "run"))
    rates = {step: float(o.learning_rate) for step, o in model.optimizer.steps.items()}
    assert rates["reconstruction"] == pytest.approx(0, abs=1e-9)
    assert rates["generator"] == pytest.approx(0, abs=1e-9)
    assert rates["discriminator"] == pytest.approx(Config.of().discriminator_learning_rate)
