"""Settings: every field is validated, and survives JSON and flag files."""

import dataclasses
import functools
import inspect
import json

import pytest

from adversarial_autoencoder import AdversarialAutoencoder, losses, networks, phases, priors
from adversarial_autoencoder.config import Config, files, rules
from adversarial_autoencoder.config.setting import value_type
from adversarial_autoencoder.config.training_groups import DEFAULT_EPOCHS
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.modes.command import Command, check_mode
from adversarial_autoencoder.posteriors import POSTERIORS
from adversarial_autoencoder.systems import CLASSIFICATION, PRIORS, REGULARIZATION, SYSTEMS
from adversarial_autoencoder.systems import CONSISTENCY as CONSISTENCY_PHASE
from adversarial_autoencoder.training.build import PHASES


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (Config, {"z_dim": 0}, "z_dim must be at least 1 and below 100001. Received: z_dim=0"),
        (Config, {"z_dim": 2.5}, "z_dim must be of type int. Received: z_dim=2.5"),
        (Config, {"z_dim": True}, "z_dim must be of type int. Received: z_dim=True"),
        (Config, {"z_dim": None}, "z_dim must be of type int. Received: z_dim=None"),
        (Config, {"prior_std": 0.0}, "prior_std must be above 0. Received: prior_std=0.0"),
        (Config, {"prior_std": float("inf")}, "prior_std must be above 0. Received: prior_std=inf"),
        (Config, {"prior_std": float("nan")}, "prior_std must be above 0. Received: prior_std=nan"),
        (Config, {"dropout": 1.0}, "dropout must be at least 0 and below 1. Received: dropout=1.0"),
        (Config, {"dropout": -0.1}, "dropout must be at least 0 and below 1."),
        (Config, {"epochs": 0}, "epochs must be at least 1 and below"),
        (Config, {"batch_size": 0}, "batch_size must be at least 1 and below"),
        (Config, {"seed": -1}, "seed must be at least 0"),
        (
            Config,
            {"model": "super_aae"},
            "Did you mean supervised_aae? Received: model='super_aae'",
        ),
        (Config, {"reconstruction_loss": "l2"}, "must be one of mse, bce. Received:"),
        (Command, {"mode": "trian"}, "Did you mean train? Received: mode='trian'"),
        (Command, {"grid_size": 1}, "grid_size must be at least 2 and below"),
        (Command, {"num_images": 0}, "num_images must be at least 1 and below 51."),
    ],
)
def test_values_out_of_range_are_refused(kind, values, message):
    with pytest.raises(InputError) as error:
        kind(**values)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_config_survives_json():
    config = Config(z_dim=3, dataset="digits", weight_std=0.01)
    assert files.from_dict(json.loads(json.dumps(dataclasses.asdict(config)))) == config


def test_a_config_of_another_version_is_refused():
    values = dataclasses.asdict(Config())
    with pytest.raises(InputError, match="this version. Did you mean z_dim. Received: zdim"):
        files.from_dict(values | {"zdim": 3})


def test_a_missing_setting_takes_its_default():
    values = dataclasses.asdict(Config(z_dim=3))
    del values["dropout"]
    assert files.from_dict(values) == Config(z_dim=3)


def test_every_setting_is_documented_and_its_default_is_valid():
    for field in dataclasses.fields(Config) + dataclasses.fields(Command):
        assert field.metadata["help"]
    for kind in (Config, Command):
        fields = [field for group in kind.groups().values() for field in group]
        assert fields == list(dataclasses.fields(kind))
        kind()


def test_flags_leave_out_what_is_not_given():
    lines = files.to_flags(Config(z_dim=3)).splitlines()
    assert "--z_dim=3" in lines
    assert not any(line.startswith("--epochs") for line in lines)


def refused(**settings):
    """The message of the InputError that the settings raise."""
    with pytest.raises(InputError) as error:
        Config.of(**settings)
    message = str(error.value)
    assert "Received: " in message
    assert "\n" not in message
    return message


@pytest.mark.parametrize("model", SYSTEMS)
def test_a_system_has_its_own_defaults_which_what_is_given_overrides(model):
    system, config = SYSTEMS[model], Config.of(model=model)
    for field in dataclasses.fields(Config):
        expected = {"model": model, **system.defaults}.get(field.name, field.default)
        assert getattr(config, field.name) == expected, field.name
    assert Config.of(model=model, seed=3, z_dim=4) == dataclasses.replace(config, seed=3, z_dim=4)


def test_every_default_of_a_system_has_an_effect():
    for model, system in SYSTEMS.items():
        config = Config.of(model=model)
        assert not [name for name in system.defaults if rules.unmet_needs(config, name)]


def test_phases_and_priors_are_known_by_the_same_names_to_settings_and_training():
    assert all(issubclass(getattr(priors, spec.sampler), priors.Prior) for spec in PRIORS.values())
    kinds = {phase.kind for system in SYSTEMS.values() for phase in system.phases}
    assert kinds == set(PHASES)
    choices = {field.name: field.metadata["choices"] for field in dataclasses.fields(Config)}
    assert choices["reconstruction_loss"] == tuple(losses.RECONSTRUCTION)
    assert choices["adversarial_loss"] == tuple(losses.ADVERSARIAL)
    assert choices["posterior"] == (*POSTERIORS, "universal")


# The constructors that settings are passed to, and arguments whose name differs from the setting's.
CONSTRUCTORS = {
    AdversarialAutoencoder: {},
    networks.Hidden: {},
    networks.encoder: {},
    networks.decoder: {},
    phases.Reconstruction: {},
    phases.Regularization: {},
    phases.Consistency: {},
    phases.MaximumMeanDiscrepancy: {"weight": "mmd_weight"},
    priors.Categorical: {"temperature": "y_temperature"},
    **{getattr(priors, spec.sampler): spec.settings for spec in PRIORS.values()},
}
# The setting says whether there is such a part; the constructor makes it, or leaves it out.
PARTS = {
    (networks.encoder, "noise_dim"),
    (networks.decoder, "head_margin"),
    (phases.Consistency, "consistency"),
}


@pytest.mark.parametrize("constructor", CONSTRUCTORS, ids=lambda c: c.__name__)
def test_a_constructor_has_the_defaults_of_the_settings(constructor):
    settings = {field.name: field.default for field in dataclasses.fields(Config)}
    compared = 0
    for name, parameter in inspect.signature(constructor).parameters.items():
        setting = CONSTRUCTORS[constructor].get(name, name)
        if setting not in settings or parameter.default is inspect.Parameter.empty:
            continue
        if (constructor, name) in PARTS or setting == "prior":
            continue
        # Not given, the number of components is that of the classes, or 10.
        expected = 10 if setting == "prior_components" else settings[setting]
        assert parameter.default == expected, name
        compared += 1
    assert compared


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
            {"y_start": 5, "model": "clustering_aae"},
            "--y_start needs --consistency vat or aug",
        ),
        (
            {"information_weight": 0.1, "model": "clustering_aae"},
            "--information_weight needs --consistency vat or augment",
        ),
        (
            {"information_weight": 0.1},
            "--information_weight needs --consistency vat or augment",
        ),
        (
            {"y_start": 5, "model": "dimensionality_reduction_aae"},
            "--y_start needs --num_labels N or --consistency vat or --consistency augment. ",
        ),
        (
            {"y_start": 5, "model": "clustering_aae", "consistency": "vat"},
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
            {"detach_y": True, "model": "clustering_aae"},
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
def test_a_setting_with_an_effect_is_taken(settings):
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
def test_what_labels_are_for(settings, uses_labels, infers_clusters, classifies):
    config = Config.of(**settings)
    assert config.uses_labels == uses_labels
    assert config.infers_clusters == infers_clusters
    assert config.has_phase(CLASSIFICATION) == classifies


@pytest.mark.parametrize("model", SYSTEMS)
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"prior": "gaussian_mixture", "z_dim": 4},
        {"learning_rate_schedule": "step", "optimizer": "sgd", "adversarial_loss": "hinge"},
    ],
    ids=lambda settings: "-".join(settings) or "defaults",
)
def test_flags_make_the_same_config_again(model, settings):
    """Also those of the run folder, which name every setting that has an effect."""
    if model == "vae":
        settings = {name: v for name, v in settings.items() if name not in ("prior", "z_dim")}
    if not any(REGULARIZATION.includes(phase) for phase in SYSTEMS[model].phases):
        settings = {name: v for name, v in settings.items() if name != "adversarial_loss"}
    config = Config.of(model=model, dataset="digits", epochs=3, **settings)
    kinds = {field.name: value_type(field) for field in dataclasses.fields(Config)}
    read = {}
    for line in files.to_flags(config).splitlines():
        name, _, text = line.removeprefix("--").partition("=")
        read[name] = text == "True" if kinds[name] is bool else kinds[name](text)
    assert Config.of(**read) == config


def test_flags_of_classes_in_the_place_of_clusters_leave_out_their_number():
    config = Config.of(model="dimensionality_reduction_aae", num_labels=100)
    assert "num_clusters" not in files.to_flags(config)
    clusters = Config.of(model="dimensionality_reduction_aae", num_clusters=7)
    assert "--num_clusters=7\n" in files.to_flags(clusters)


def test_flags_leave_out_what_has_no_effect():
    names = [line.partition("=")[0] for line in files.to_flags(Config()).splitlines()]
    for name in ("num_clusters", "mmd_weight", "noise_dim", "prior_shape", "step_epochs"):
        assert f"--{name}" not in names
    names = [
        line.partition("=")[0] for line in files.to_flags(Config(prior="swiss_roll")).splitlines()
    ]
    assert "--prior_turns" in names
    assert "--prior_std" not in names
    assert "--prior_length" not in names


@pytest.mark.parametrize(
    ("epochs", "factors", "expected"),
    [
        ("50,1000", "0.1", ([50, 1000], [0.1, 0.1])),
        ("50,1000", "0.1,0.5", ([50, 1000], [0.1, 0.5])),
        ("7", "2", ([7], [2.0])),
        ("1, 2,3", "0.5", ([1, 2, 3], [0.5, 0.5, 0.5])),
    ],
)
def test_a_step_schedule_has_a_factor_for_each_epoch(epochs, factors, expected):
    config = Config(learning_rate_schedule="step", step_epochs=epochs, step_factors=factors)
    assert config.step_schedule == expected


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
def test_a_step_schedule_that_makes_no_sense_is_refused(epochs, factors):
    message = refused(learning_rate_schedule="step", step_epochs=epochs, step_factors=factors)
    assert message.startswith("step_epochs must be rising epochs")
    assert message.endswith(f"Received: step_epochs={epochs}, step_factors={factors}")


def test_the_length_of_a_training_follows_the_data():
    assert Config().for_data(50_000).epochs == DEFAULT_EPOCHS
    small = Config(batch_size=100).for_data(1249)
    assert small.epochs == 167  # 2000 minibatches, 12 an epoch
    assert Config(epochs=3).for_data(1249).epochs == 3
    with pytest.raises(InputError, match="at most the 99 training images. Received: batch_size=1"):
        Config().for_data(99)


def test_the_game_on_y_begins_within_the_training():
    config = Config.of(model="semi_supervised_aae", epochs=3, y_start=36)
    assert config.for_data(1300).y_start == 36
    with pytest.raises(InputError, match="y_start must be below the 36 minibatches of the train"):
        config.for_data(1249)


def test_where_y_has_to_be_given_only_labelled_images_count():
    config = Config.of(model="supervised_aae", num_labels=200)
    assert config.for_data(1249).epochs == 1000  # 2000 minibatches, 2 an epoch
    with pytest.raises(InputError, match="at most the 60 training images. Received: batch"):
        Config.of(model="supervised_aae", num_labels=60).for_data(1249)
    semi_supervised = Config.of(model="semi_supervised_aae", num_labels=60)
    assert semi_supervised.for_data(1249).epochs == 167


@pytest.mark.parametrize(
    ("mode", "name"),
    [
        ("train", "images"),
        ("sample", "style_from"),
        ("list", "run"),
        ("classify", "num_images"),
        ("style_grid", "grid_class"),
    ],
)
def test_a_flag_that_a_mode_does_not_read_is_refused(mode, name):
    with pytest.raises(InputError, match=f"--{name} needs --mode .* Received: --mode {mode}"):
        check_mode(mode, {name: "x"})


def test_the_weight_of_vat_chooses_it():
    of = functools.partial(Config.of, model="semi_supervised_aae")
    assert of().consistency == "none"
    assert of(vat_weight=2.0).consistency == "vat"
    assert of(vat_weight=0.0).consistency == "none"
    with pytest.raises(InputError, match="--vat_weight needs --consistency vat"):
        of(vat_weight=2.0, consistency="augment")


def test_consistency_goes_with_every_model_that_infers_y():
    assert CONSISTENCY_PHASE in Config.of(model="clustering_aae", consistency="vat").phases
    assert CONSISTENCY_PHASE not in Config.of(model="clustering_aae").phases
    reduction = Config.of(model="dimensionality_reduction_aae", consistency="vat")
    assert CLASSIFICATION not in reduction.phases and CONSISTENCY_PHASE in reduction.phases
    labelled = dataclasses.replace(reduction, num_labels=100)
    assert CLASSIFICATION in labelled.phases and CONSISTENCY_PHASE not in labelled.phases
    with pytest.raises(InputError, match="--consistency needs --model .*clustering_aae"):
        Config.of(consistency="vat")
    with pytest.raises(InputError, match="--classification_learning_rate needs --consistency"):
        Config.of(model="clustering_aae", classification_learning_rate=1e-4)
