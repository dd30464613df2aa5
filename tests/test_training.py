"""The training of a run: its checks, its settings and its faults."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import SMALL, built, config_of

from adversarial_autoencoder import runs, training
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.errors import InputError, TrainingError


@pytest.mark.parametrize(
    ("model", "settings", "part"),
    [
        ("wae_mmd", {"mmd_weight": 0.5}, lambda m: {"mmd_weight": m.phases[0].weight}),
        (
            "aae",
            {"prior": "gamma", "prior_shape": 3.0, "prior_std": 2.0},
            lambda m: {"prior_shape": m.prior.shape, "prior_std": m.prior.std},
        ),
        (
            "aae",
            {
                "prior": "gaussian_mixture",
                "prior_components": 6,
                "prior_radius": 7.0,
                "prior_width": 0.3,
                "prior_length": 1.5,
            },
            lambda m: {
                "prior_components": m.prior.num_components,
                "prior_radius": m.prior.radius,
                "prior_width": m.prior.std_across,
                "prior_length": m.prior.std_along,
            },
        ),
        (
            "aae",
            {"prior": "swiss_roll", "prior_turns": 1.5, "prior_width": 0.2, "prior_radius": 7.0},
            lambda m: {
                "prior_turns": m.prior.turns,
                "prior_width": m.prior.std,
                "prior_radius": m.prior.radius,
            },
        ),
        (
            "aae",
            {"adversarial_loss": "wasserstein_gp", "gradient_penalty": 3.0},
            lambda m: {"gradient_penalty": m.phases[1].gradient_penalty},
        ),
        (
            "semi_supervised_aae",
            {"y_temperature": 0.3, "prior_std": 2.0, "detach_y": True},
            lambda m: {
                "y_temperature": m.priors["y"].temperature,
                "prior_std": m.prior.std,
                "detach_y": m.phases[0].detach_y,
            },
        ),
        (
            "clustering_aae",
            {
                "consistency": "vat",
                "vat_weight": 2.0,
                "vat_epsilon": 0.7,
                "vat_warmup": 5,
                "information_weight": 0.2,
            },
            lambda m: vars(m.phases[-1]),
        ),
    ],
)
def test_settings_reach_the_model(model, settings, part, dataset):
    reached = part(built(config_of(model, **settings), dataset)[0])
    numbers = {name: value for name, value in settings.items() if not isinstance(value, str)}
    assert {name: reached[name] for name in numbers} == numbers


def test_a_checkpoint_without_optimizer_state_is_refused(dataset, tmp_path):
    """Keras only warns; the training would continue without its moments."""
    run = runs.create(tmp_path, "run")
    training.train(config_of("aae", epochs=1), dataset, run)
    other = config_of("aae", learning_rate_schedule="constant")
    with pytest.raises(InputError, match="readable model.keras"):
        training.train(other, dataset, run)


def test_deterministic_is_passed_to_tensorflow(dataset, tmp_path, monkeypatch):
    """The real function would apply to all later tests."""
    asked = []
    monkeypatch.setattr(tf.config.experimental, "enable_op_determinism", lambda: asked.append(1))
    for name, deterministic in (("a", False), ("b", True)):
        config = config_of("autoencoder", epochs=1, deterministic=deterministic)
        training.train(config, dataset, runs.create(tmp_path, name))
        assert len(asked) == deterministic


@pytest.mark.parametrize(
    ("noise", "normalize_codes"),
    [
        pytest.param(0.0, False, id="plain", marks=pytest.mark.long),
        pytest.param(0.1, True, id="noise"),
    ],
)
def test_codes_that_are_not_finite_stop_the_training_and_keep_the_checkpoint(
    dataset, tmp_path, noise, normalize_codes
):
    # Some processors turn NaN into 0 in a ReLU. There only the gradients show the fault.
    where = "(discriminator_loss|gradients).* in the regularization phase .* step 1 of epoch 2"
    run = runs.create(tmp_path, "run")
    settings = {"input_noise": noise, "discriminator_noise": noise}
    settings["normalize_codes"] = normalize_codes
    config = config_of("aae", epochs=1, **settings)
    run.write_config(config, dataset)
    training.train(config, dataset, run)
    before = run.model_path.read_bytes()
    # The first update of the encoder takes the codes out of the range of floats.
    bad = config_of("aae", epochs=30, reconstruction_learning_rate=1e30, **settings)
    with pytest.raises(TrainingError, match=f"{where}. .* saved epoch is kept"):
        training.train(bad, dataset, run)
    keras.saving.load_model(run.model_path)
    assert np.isfinite(training.load(run).encode(dataset.x_test)).all()
    assert run.model_path.read_bytes() == before


def test_a_loss_that_is_not_finite_marks_the_run_as_failed(command_line, tmp_path):
    flags = ["--run_name=a", "--epochs=3", "--reconstruction_loss=bce", *SMALL]
    rate = "--reconstruction_learning_rate=1e38"
    _, err = command_line(*flags, rate, results=tmp_path, status=1)
    assert re.match(r"Error: .*gradients in the \w+ phase must be .* in step \d of epoch 1\.", err)
    assert err.count("\n") == 1
    assert "kept" not in err
    out, _ = command_line("--mode=list", results=tmp_path)
    assert out.splitlines()[1].split()[3] == "failed"
    assert (tmp_path / "a" / "failed.txt").read_text() == err.removeprefix("Error: ")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prior": "gausian"}, "Did you mean gaussian? Received: prior='gausian'"),
        ({"prior": "no_such_module:square"}, "can be imported. Received: no_such_module:square"),
        ({"prior": "os:square"}, "can be imported. Received: os:square"),
        ({"prior": "os:name"}, "callable (n, dim, seed) -> tensor"),
        (
            {"prior": "swiss_roll", "condition_prior_on_labels": True, "prior_components": 9},
            "prior_components must be 10, one for each class. Received: prior_components=9",
        ),
        (
            {"model": "semi_supervised_aae", "num_labels": 9},
            "at least 10, one for each class. Received: num_labels=9",
        ),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_settings_that_do_not_fit_the_data_are_refused(settings, message, dataset):
    with pytest.raises(InputError) as error:
        training.check(Config.of(dataset="digits", **settings), dataset)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
