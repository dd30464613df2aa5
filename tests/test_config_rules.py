"""Which settings go together: a setting without an effect is refused."""

import dataclasses
import functools

import pytest

from adversarial_autoencoder.config import Config
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.systems import CLASSIFICATION
from adversarial_autoencoder.systems import CONSISTENCY as CONSISTENCY_PHASE


def refused(**settings):
    """The message of the InputError that the settings raise."""
    with pytest.raises(InputError) as error:
        Config.of(**settings)
    message = str(error.value)
    assert "Received: " in message
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"num_clusters": 5},
            "--num_clusters needs --model clustering_aae or dim",
        ),
        (
            {"head_margin": 1.0, "model": "clustering_aae"},
            "--head_margin needs --model dim",
        ),
        (
            {"mmd_weight": 1.0},
            "--mmd_weight needs --model wae_mmd. Received: model='aae'",
        ),
        ({"noise_dim": 5}, "--noise_dim needs --posterior universal"),
        (
            {"prior_std": 5.0, "prior": "swiss_roll"},
            "--prior_std needs --prior gaussian or un",
        ),
        ({"prior_std": 5.0, "prior": "samples.npy"}, "Received: prior='samples.npy'"),
        (
            {"prior_shape": 5.0},
            "--prior_shape needs --prior gamma. Received: prior='gaussian'",
        ),
        (
            {"prior_components": 5},
            "--prior_components needs --prior gaussian_mixture or swiss",
        ),
        (
            {"prior_radius": 5.0, "prior": "uniform"},
            "--prior_radius needs --prior gaussian_m",
        ),
        ({"prior_width": 5.0}, "--prior_width needs --prior"),
        (
            {"prior_length": 5.0, "prior": "swiss_roll"},
            "--prior_length needs --prior gaussian",
        ),
        (
            {"prior_turns": 5.0, "prior": "gaussian_mixture"},
            "--prior_turns needs --prior swi",
        ),
        (
            {"gradient_penalty": 5.0},
            "--gradient_penalty needs --adversarial_loss wasserstein",
        ),
        (
            {"generator_epsilon": 0.1, "optimizer": "sgd"},
            "--generator_epsilon needs --optimiz",
        ),
        (
            {"step_epochs": "5"},
            "--step_epochs needs --learning_rate_schedule step",
        ),
        (
            {"step_factors": "0.5"},
            "--step_factors needs --learning_rate_schedule step",
        ),
        ({"num_clusters": 5, "model": "semi_supervised_aae"}, "--num_clusters needs"),
        (
            {"y_start": 5},
            "--y_start needs --model semi_supervised_aae or clustering_aae or dim",
        ),
        (
            {"y_start": 5, "model": "clustering_aae", "consistency": "none"},
            "--y_start needs --consistency vat or aug",
        ),
        (
            {"information_weight": 0.1, "model": "clustering_aae", "consistency": "none"},
            "--information_weight needs --consistency vat or augment",
        ),
        (
            {"information_weight": 0.1},
            "--information_weight needs --consistency vat or augment",
        ),
        (
            {"y_start": 5, "model": "dimensionality_reduction_aae", "consistency": "none"},
            "--y_start needs --num_labels N or --consistency vat or --consistency augment. ",
        ),
        (
            {"y_start": 5, "model": "clustering_aae", "information_weight": 0.0},
            "Without labels y_start needs information_weight, which trains y until then. "
            "Received: y_start=5, information_weight=0.0",
        ),
        (
            {"detach_y": True},
            "--detach_y needs --model semi_supervised_aae or clustering_aae",
        ),
        (
            {"detach_y": True, "model": "supervised_aae"},
            "--detach_y needs --model semi_sup",
        ),
        (
            {"separate_y": True, "model": "supervised_aae"},
            "--separate_y needs --model semi_s",
        ),
        (
            {"detach_y": True, "model": "clustering_aae", "consistency": "none"},
            "detach_y needs labels or a consistency loss. Received: num_labels=None, consis",
        ),
        (
            {"num_clusters": 5, "model": "dimensionality_reduction_aae", "num_labels": 100},
            "num_clusters",
        ),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_setting_without_effect_is_refused(settings, message):
    assert message in refused(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"num_clusters": 5, "model": "clustering_aae"},
        {"head_margin": 1.0, "model": "dimensionality_reduction_aae"},
        {"mmd_weight": 1.0, "model": "wae_mmd"},
        {"noise_dim": 5, "posterior": "universal"},
        {"prior_shape": 5.0, "prior_std": 1.0, "prior": "gamma"},
        {"prior_components": 5, "prior_turns": 1.0, "prior": "swiss_roll"},
        {"prior_length": 5.0, "prior_width": 1.0, "prior": "gaussian_mixture"},
        {"gradient_penalty": 5.0, "adversarial_loss": "wasserstein_gp"},
        {"step_epochs": "5", "step_factors": "0.5", "learning_rate_schedule": "step"},
        {"y_start": 5, "model": "semi_supervised_aae"},
        {"detach_y": True, "model": "clustering_aae", "consistency": "vat"},
        {"separate_y": True, "model": "clustering_aae"},
        {"information_weight": 0.1, "y_start": 5, "model": "clustering_aae", "consistency": "vat"},
        {"information_weight": 0.1, "model": "semi_supervised_aae", "consistency": "augment"},
    ],
    ids="-".join,
)
def test_a_setting_with_an_effect_is_accepted(settings):
    config = Config.of(**settings)
    assert {name: getattr(config, name) for name in settings} == settings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"model": "vae", "posterior": "universal"},
            "A vae needs a gaussian posterior. Received: posterior=universal",
        ),
        ({"model": "vae", "prior": "laplace"}, "A vae needs a gaussian prior. Received: prior=lap"),
        ({"prior": "swiss_roll", "z_dim": 3}, "A swiss_roll needs z_dim 2. Received: z_dim=3"),
        (
            {"prior": "gaussian_mixture", "z_dim": 3},
            "A gaussian_mixture needs an even z_dim. Received: z_dim=3",
        ),
        (
            {"prior": "gaussian_mixture", "model": "clustering_aae"},
            "A gaussian_mixture needs an even z_dim. Received: z_dim=5",
        ),
        ({"condition_prior_on_labels": True}, "condition_prior_on_labels needs a model with y"),
        *[
            (
                {
                    "condition_prior_on_labels": True,
                    "prior": "gaussian_mixture",
                    "z_dim": 2,
                    "model": model,
                },
                "needs a model without y for a prior with components",
            )
            for model in ("supervised_aae", "semi_supervised_aae")
        ],
        (
            {"condition_prior_on_labels": True, "prior": "swiss_roll", "model": "wae_mmd"},
            "condition_prior_on_labels needs an adversarial model. Received: model=wae_mmd",
        ),
        ({"num_labels": 100}, "num_labels needs a model that uses labels, or condition_prior_on_l"),
        ({"num_labels": 0, "model": "clustering_aae"}, "Received: num_labels=0, model=clustering_"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_settings_that_contradict_each_other_are_refused(settings, message):
    assert message in refused(**settings)


@pytest.mark.parametrize(
    ("settings", "uses_labels", "infers_clusters", "classifies"),
    [
        ({}, False, False, False),
        ({"model": "supervised_aae"}, True, False, False),
        ({"model": "semi_supervised_aae"}, True, False, True),
        ({"model": "semi_supervised_aae", "num_labels": 0}, True, False, True),
        ({"model": "clustering_aae"}, False, True, False),
        ({"model": "dimensionality_reduction_aae"}, False, True, False),
        ({"model": "dimensionality_reduction_aae", "num_labels": 100}, True, False, True),
        ({"prior": "swiss_roll", "condition_prior_on_labels": True}, True, False, False),
    ],
)
def test_how_a_system_uses_labels(settings, uses_labels, infers_clusters, classifies):
    config = Config.of(**settings)
    assert config.uses_labels == uses_labels
    assert config.infers_clusters == infers_clusters
    assert config.has_phase(CLASSIFICATION) == classifies


@pytest.mark.parametrize(
    ("epochs", "factors"),
    [
        ("", "0.1"),
        ("50,", "0.1"),
        ("fifty", "0.1"),
        ("5.5", "0.1"),
        ("1000,50", "0.1"),
        ("50,50", "0.1"),
        ("0,50", "0.1"),
        ("-1", "0.1"),
        ("50", "0.1,0.1"),
        ("50,100,150", "0.1,0.1"),
        ("50", ""),
        ("50", "0"),
        ("50", "-1"),
        ("50", "inf"),
        ("50", "nan"),
        ("50", "a"),
    ],
)
def test_a_wrong_step_schedule_is_refused(epochs, factors):
    message = refused(learning_rate_schedule="step", step_epochs=epochs, step_factors=factors)
    assert message.startswith("step_epochs must be rising epochs")
    assert message.endswith(f"Received: step_epochs={epochs}, step_factors={factors}")


def test_vat_weight_selects_the_consistency():
    of = functools.partial(Config.of, model="semi_supervised_aae")
    assert of().consistency == "vat"
    assert of(vat_weight=2.0).consistency == "vat"
    assert of(vat_weight=0.0).consistency == "none"
    with pytest.raises(InputError, match="--vat_weight needs --consistency vat"):
        of(vat_weight=2.0, consistency="augment")


def test_every_model_that_infers_y_can_have_a_consistency_loss():
    assert CONSISTENCY_PHASE in Config.of(model="clustering_aae").phases
    without = Config.of(model="clustering_aae", consistency="none")
    assert CONSISTENCY_PHASE not in without.phases
    reduction = Config.of(model="dimensionality_reduction_aae", consistency="vat")
    assert CLASSIFICATION not in reduction.phases and CONSISTENCY_PHASE in reduction.phases
    labelled = dataclasses.replace(reduction, num_labels=100)
    assert CLASSIFICATION in labelled.phases and CONSISTENCY_PHASE not in labelled.phases
    with pytest.raises(InputError, match="--consistency needs --model .*clustering_aae"):
        Config.of(consistency="vat")
    with pytest.raises(InputError, match="--classification_learning_rate needs --consistency"):
        Config.of(model="clustering_aae", consistency="none", classification_learning_rate=1e-4)
