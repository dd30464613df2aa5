"""Settings: every field is validated, and survives JSON and flag files."""

import dataclasses
import json

import pytest

from adversarial_autoencoder.command import Command
from adversarial_autoencoder.config import Config, config_from_dict, to_flags
from adversarial_autoencoder.errors import InputError


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
    assert config_from_dict(json.loads(json.dumps(dataclasses.asdict(config)))) == config


def test_a_config_of_another_version_is_refused():
    values = dataclasses.asdict(Config())
    with pytest.raises(InputError, match="this version. Did you mean z_dim. Received: zdim"):
        config_from_dict(values | {"zdim": 3})


def test_a_config_of_an_older_version_takes_defaults_for_what_it_did_not_know():
    values = dataclasses.asdict(Config(z_dim=3))
    del values["dropout"]
    assert config_from_dict(values) == Config(z_dim=3)


def test_every_setting_is_documented_and_its_default_is_valid():
    for field in dataclasses.fields(Config) + dataclasses.fields(Command):
        assert field.metadata["help"]
        assert field.metadata["group"]
    Config()
    Command()


def test_flags_leave_out_what_is_not_given():
    lines = to_flags(Config(z_dim=3)).splitlines()
    assert "--z_dim=3" in lines
    assert not any(line.startswith("--epochs") for line in lines)
