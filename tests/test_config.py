"""Settings: each is validated, and survives JSON and flag files."""

import dataclasses
import inspect
import json

import pytest

from adversarial_autoencoder import AdversarialAutoencoder, data, losses, networks, phases, priors
from adversarial_autoencoder.config import Config, files, rules
from adversarial_autoencoder.config.setting import value_type
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.modes.command import Command
from adversarial_autoencoder.networks.encoders import CORRUPTIONS
from adversarial_autoencoder.posteriors import POSTERIORS
from adversarial_autoencoder.systems import HIDDEN, PRIORS, REGULARIZATION, STRONG, SYSTEMS
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


def test_flags_leave_out_settings_that_are_not_given():
    lines = files.to_flags(Config(z_dim=3)).splitlines()
    assert "--z_dim=3" in lines
    assert not any(line.startswith("--epochs") for line in lines)


@pytest.mark.parametrize("model", SYSTEMS)
def test_given_settings_override_the_defaults_of_a_system(model):
    system, config = SYSTEMS[model], Config.of(model=model)
    defaults = {"model": model, **system.defaults}
    if config.num_labels is None:
        defaults |= system.defaults_without_labels
    for field in dataclasses.fields(Config):
        expected = defaults.get(field.name, field.default)
        assert getattr(config, field.name) == expected, field.name
    assert Config.of(model=model, seed=3, z_dim=4) == dataclasses.replace(config, seed=3, z_dim=4)


def test_convolutions_of_few_dimensions_have_a_strong_adversarial_phase():
    def given(**settings):
        config = Config.of(network="conv", **settings)
        return {name: getattr(config, name) for name in STRONG}

    assert given() == given(z_dim=1) == STRONG
    assert given(discriminator_noise=0.1) == STRONG | {"discriminator_noise": 0.1}
    weak = given(z_dim=3)
    assert all(weak[name] != STRONG[name] for name in STRONG)
    # The defaults of a system come first.
    of_system = SYSTEMS["semi_supervised_aae"].defaults
    semi = given(model="semi_supervised_aae", z_dim=2)
    assert semi == {name: of_system[name] for name in STRONG}


def test_a_prior_with_fine_structure_has_defaults_of_its_own():
    mixture = PRIORS["gaussian_mixture"].defaults
    for given, expected in (({}, {}), ({"discriminator_noise": 0.3}, {"discriminator_noise": 0.3})):
        config = Config.of(prior="gaussian_mixture", **given)
        assert {name: getattr(config, name) for name in mixture} == mixture | expected
    # The defaults of the system come first.
    of_system = SYSTEMS["supervised_aae"].defaults["discriminator_learning_rate"]
    config = Config.of(model="supervised_aae", prior="gaussian_mixture")
    assert config.discriminator_learning_rate == of_system


def test_every_default_of_a_system_has_an_effect():
    for model, system in SYSTEMS.items():
        config = Config.of(model=model)
        defaults = system.defaults | system.defaults_without_labels
        assert not [name for name in defaults if rules.unmet_needs(config, name)]


def test_settings_and_training_use_the_same_names_of_phases_and_priors():
    assert all(issubclass(getattr(priors, spec.sampler), priors.Prior) for spec in PRIORS.values())
    kinds = {phase.kind for system in SYSTEMS.values() for phase in system.phases}
    assert kinds == set(PHASES)
    choices = {field.name: field.metadata["choices"] for field in dataclasses.fields(Config)}
    assert choices["reconstruction_loss"] == tuple(losses.RECONSTRUCTION)
    assert choices["adversarial_loss"] == tuple(losses.ADVERSARIAL)
    assert choices["posterior"] == (*POSTERIORS, "universal")
    assert choices["corruption"] == tuple(CORRUPTIONS)
    assert choices["network"] == tuple(HIDDEN)


# The constructors that get settings, and their arguments whose names differ from the settings.
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


# A default that leaves a part out, while the setting applies only if the part exists.
PARTS = {
    (networks.encoder, "noise_dim"),
    (networks.decoder, "head_margin"),
    (phases.Consistency, "consistency"),
    (phases.Consistency, "vat_warmup"),  # Its default follows from the length of the training.
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
        # The default number of components is the number of classes, or 10.
        expected = 10 if setting == "prior_components" else settings[setting]
        assert parameter.default == expected, name
        compared += 1
    assert compared


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
def test_flags_describe_the_same_config(model, settings):
    """The flags in a run folder name every setting that has an effect."""
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


def test_flags_leave_out_the_number_of_clusters_if_there_are_labels():
    config = Config.of(model="dimensionality_reduction_aae", num_labels=100)
    assert "num_clusters" not in files.to_flags(config)
    clusters = Config.of(model="dimensionality_reduction_aae", num_clusters=7)
    assert "--num_clusters=7\n" in files.to_flags(clusters)


def test_flags_leave_out_settings_without_effect():
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


def test_the_default_number_of_epochs_depends_on_the_data():
    small = Config(batch_size=100).for_data(1249)
    assert small.epochs == 167  # 2000 minibatches, 12 in an epoch
    assert Config(epochs=3).for_data(1249).epochs == 3
    with pytest.raises(InputError, match="at most the 99 training images. Received: batch_size=1"):
        Config(batch_size=100).for_data(99)


def test_the_default_weight_of_the_discrepancy_is_recorded():
    config = Config.of(model="wae_mmd")
    assert config.for_data(1249).mmd_weight == 0.25
    assert config.for_data(1249, is_table=True).mmd_weight == 2.5
    assert Config.of(model="wae_mmd", mmd_weight=1.0).for_data(1249).mmd_weight == 1.0
    assert Config().for_data(1249).mmd_weight is None


@pytest.mark.parametrize(
    ("settings", "vat_epsilon", "prior_components"),
    [
        ({"model": "semi_supervised_aae"}, 1.5, None),
        ({"model": "clustering_aae", "vat_epsilon": 2.0}, 2.0, None),
        ({"model": "clustering_aae", "consistency": "augment"}, None, None),
        ({"prior": "swiss_roll"}, None, 10),
        ({"prior": "gaussian_mixture", "condition_prior_on_labels": True}, None, 7),
        ({"prior": "gaussian_mixture", "prior_components": 3}, None, 3),
        ({}, None, None),
    ],
    ids=str,
)
def test_defaults_that_follow_from_the_data_are_recorded(settings, vat_epsilon, prior_components):
    sizes = {"num_images": 50_000, "num_inputs": 28 * 28, "num_classes": 7}
    config = Config.of(**settings).for_data(**sizes)
    assert (config.vat_epsilon, config.prior_components) == (vat_epsilon, prior_components)
    assert config.for_data(**sizes) == config
    files.from_dict(dataclasses.asdict(config))
    of_rows = Config.of(model="semi_supervised_aae").for_data(200, True, num_inputs=100)
    assert of_rows.vat_epsilon == pytest.approx(1.728, abs=1e-3)


# Without a value they mean "none", or what is on this machine.
WITHOUT_DEFAULT = {"num_labels", "label_column", "drop_columns", "columns", "test_dataset"}
WITHOUT_DEFAULT |= {"data_dir", "image_size", "train_on"}


@pytest.mark.parametrize("model", SYSTEMS)
def test_a_training_leaves_no_default_open(model):
    """config.json has all values, so that a later default does not change an old run."""
    prior = {} if model == "vae" else {"prior": "gaussian_mixture", "z_dim": 2}
    config = Config.of(model=model, dataset="digits", **prior)
    config = config.for_data(**data.load("digits").sizes)
    for name, value in dataclasses.asdict(config).items():
        if value is None and name not in WITHOUT_DEFAULT:
            assert rules.unmet_needs(config, name), name


def test_y_start_must_be_within_the_training():
    config = Config.of(model="semi_supervised_aae", epochs=3, y_start=36)
    assert config.for_data(1300).y_start == 36
    with pytest.raises(InputError, match="y_start must be below the 36 minibatches of the train"):
        config.for_data(1249)


@pytest.mark.parametrize(
    ("settings", "y_start", "vat_warmup"),
    [
        ({"model": "clustering_aae"}, 8000, 0),
        ({"model": "semi_supervised_aae"}, 2000, 1500),
        ({"model": "dimensionality_reduction_aae", "epochs": 10}, 4000, 0),
        ({"model": "dimensionality_reduction_aae", "num_labels": 100, "epochs": 12}, 1000, 750),
        ({"model": "clustering_aae", "consistency": "none"}, 0, 0),
        ({"model": "clustering_aae", "y_start": 0, "epochs": 3}, 0, 0),
        ({"model": "semi_supervised_aae", "y_start": 7, "vat_warmup": 9}, 7, 9),
        ({}, 0, 0),
    ],
)
def test_late_starts_are_shares_of_the_training(settings, y_start, vat_warmup):
    config = Config.of(**settings).for_data(50_000)
    assert (config.y_start, config.vat_warmup) == (y_start, vat_warmup)
    assert config.for_data(50_000) == config


def test_without_a_consistency_loss_the_reconstruction_trains_y():
    config = Config.of(model="clustering_aae", consistency="none")
    assert not config.detach_y and not config.information_weight
    assert Config.of(model="semi_supervised_aae", consistency="none").detach_y


def test_only_labelled_images_count_if_y_is_given():
    config = Config.of(model="supervised_aae", num_labels=200, batch_size=100)
    assert config.for_data(1249).epochs == 1000  # 2000 minibatches, 2 in an epoch
    with pytest.raises(InputError, match="at most the 60 training images. Received: batch"):
        Config.of(model="supervised_aae", num_labels=60, batch_size=100).for_data(1249)
    semi_supervised = Config.of(model="semi_supervised_aae", num_labels=60)
    assert semi_supervised.for_data(1249).epochs == 167
