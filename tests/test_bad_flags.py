"""Flags that cannot be used: one line on stderr, exit status 2, nothing is written."""

import dataclasses

import numpy as np
import pytest

from adversarial_autoencoder.config import Config
from adversarial_autoencoder.config.setting import flag_name, value_type
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.modes.command import READS, Command, check_mode


def bad_values():
    """For each flag, values outside of its type, range and choices."""
    for field in dataclasses.fields(Command) + dataclasses.fields(Config):
        kind, limits = value_type(field), field.metadata
        values = {int: ["two", "1.5", ""], float: ["two", "nan", "inf"], bool: ["perhaps"], str: []}
        values = values[kind] + (["nonsense"] if limits["choices"] else [])
        within = limits["within"]
        if kind is float and within is None:
            values = ["two"]
        if within and within.low is not None:
            values.append(str(within.low - (0 if within.open_low else 1)))
        if within and within.high is not None:
            values.append(str(within.high + (0.01 if within.closed_high else 0)))
        mode = f"--mode={limits['modes'][0]}" if limits["modes"] else "--mode=train"
        for value in values:
            yield pytest.param(flag_name(field), value, mode, id=f"{flag_name(field)}={value}")


@pytest.mark.parametrize(("name", "value", "mode"), [*bad_values()])
def test_a_flag_out_of_range_is_refused(refused, name, value, mode):
    flags = [flag for flag in (mode, f"--{name}={value}") if name != "mode" or flag != mode]
    assert name in refused(*flags)


@pytest.mark.parametrize(
    "flags",
    [
        ["--resume", "--run=a", "--run_name=b"],
        ["--run=a"],
        ["--mode=sample", "--resume"],
        ["--mode=list", "--run=a"],
        ["--model=aae", "--num_clusters=4"],
        ["--prior=gaussian_mixture", "--z_dim=3"],
        ["--prior=gaussian", "--prior_turns=2"],
        ["--model=autoencoder", "--discriminator_learning_rate=0.1"],
        ["--model=vae", "--prior=uniform"],
        ["--model=autoencoder", "--adversarial_loss=hinge"],
        ["--gradient_penalty=5"],
        ["--optimizer=sgd", "--generator_epsilon=0.1"],
        ["--corruption=masking", "--input_noise=0"],
        ["--model=semi_supervised_aae", "--consistency=none", "--vat_epsilon=1"],
        ["--model=wae_mmd", "--batch_size=1"],
        ["--model=clustering_aae", "--y_temperature=1e-39"],
        ["--mode=latent_grid", f"--class={'9' * 400}"],
        ["--mode=latent_grid", "--grid_dims=0,0"],
        ["--mode=latent_grid", "--grid_dims=-1,0"],
        ["--mode=latent_grid", "--grid_dims=0,1,2"],
        ["--flagfile=TMP"],
        ["--flagfile=TMP/missing"],
        ["--no_such_flag=1"],
        ["word"],
    ],
    ids=" ".join,
)
def test_flags_that_contradict_each_other_or_do_not_exist_are_refused(refused, flags):
    refused(*flags)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--z_dim=0"], "Received: z_dim=0"),
        (["--z_dim=two"], "z_dim=two"),
        (["--z_dimm=2"], "Unknown flag --z_dimm. Did you mean z_dim?"),
        (["--zdim=2"], "Unknown flag --zdim. Did you mean z_dim?"),
        (["--nodbug"], "Unknown flag --nodbug. Did you mean nodebug?"),
        (["--mode=trian"], "Did you mean train?"),
        (["train"], "Settings must be flags"),
        (["--flagfile=missing.flags"], "missing.flags"),
        (["--mode=latent_grid", "--run=missing"], "Received: run='missing'"),
        (["--mode=latent_grid"], "Received: 0 runs"),
        (["--resume", "--run=missing"], "Received: run='missing'"),
        (["--run=demo"], "takes --run only with --resume"),
        (["--mode=sample", "--run_name=demo"], "--run_name needs --mode train"),
        (["--mode=sample", "--grid_size=4"], "--grid_size needs --mode latent_grid"),
        (["--flagfile=/dev/null"], "not a regular file"),
        (["--flagfile="], "--flagfile must name a file or a recipe. Received: none"),
        (["--mode=latent_grid", "--grid_dims=0"], "Received: grid_dims=0"),
        (["--dataset=digits", "--batch_size=5000"], "batch_size must be at most the 1249"),
        (["--dataset=mnits"], "Did you mean mnist?"),
        (["--dataset=digits", "--run_name=../a"], "Received: '../a'"),
        (["--model=supervised"], "Did you mean supervised_aae? Received: model='supervised'"),
        (["--num_clusters=5"], "--num_clusters needs --model clustering_aae"),
        (["--prior=swiss_roll", "--z_dim=3"], "A swiss_roll needs z_dim 2. Received: z_dim=3"),
        (["--model=vae", "--posterior=deterministic"], "A vae needs a gaussian posterior"),
        (["--num_labels=100"], "num_labels needs a model that uses labels"),
        (
            ["--condition_prior_on_labels"],
            "condition_prior_on_labels needs a model with y, or a prior",
        ),
        (["--learning_rate_schedule=step", "--step_epochs=9,3"], "Received: step_epochs=9,3"),
        (["--mode=sample", "--input=folder"], "--input needs --mode encode, reconstruct"),
        (["--mode=classify", "--input=missing"], "input must be a file or a folder that exists"),
        (["--mode=classify"], "There must be a trained run that classifies"),
        (
            ["--mode=cluster_grid"],
            "There must be a run trained on images that infers y (such as clustering_aae) in",
        ),
        (["--mode=evaluate"], "Received: 0 runs"),
        (["--mode=compare"], "--runs must name runs, as a,b,c. Received: runs=None"),
        (["--mode=compare", "--runs=a,b"], "Received: run='a'"),
        (["--mode=train", "--seeds=0"], "seeds must be at least 1"),
        (["--mode=sample", "--seeds=3"], "--seeds needs --mode train"),
        (["--mode=evaluate", "--sampler=mixture"], "Did you mean gaussian_mixture?"),
        (["--mode=reconstruct", "--sampler=prior"], "--sampler needs --mode evaluate, sample"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_error_says_what_was_expected_and_received(refused, flags, message):
    assert message in refused(*flags)


@pytest.mark.parametrize(
    ("mode", "name"),
    [
        ("train", "input"),
        ("sample", "style_from"),
        ("list", "run"),
        ("classify", "num_images"),
        ("style_grid", "class_"),
    ],
)
def test_a_flag_that_a_mode_does_not_read_is_refused(mode, name):
    with pytest.raises(
        InputError, match=f"--{name.rstrip('_')} needs --mode .* Received: --mode {mode}"
    ):
        check_mode(mode, {name: "x"})


@pytest.mark.parametrize(
    ("flags", "read"),
    [
        (["--mode=list", "--z_dim=3"], "--mode list reads none"),
        (["--mode=compare", "--runs=a,b", "--seed=1"], "--mode compare reads none"),
        (
            ["--mode=prepare", "--dataset=TMP", "--output_dir=TMP/new", "--epochs=3"],
            "--mode prepare reads --dataset, --image_size, --channels, --value_range",
        ),
    ],
)
def test_a_setting_of_a_training_that_a_mode_does_not_read_is_refused(refused, flags, read):
    name, value = flags[-1].removeprefix("--").split("=")
    assert f"{read} of the settings of a training. Received: {name}={value}" in refused(*flags)


@pytest.mark.parametrize("mode", READS)
def test_a_mode_reads_settings_that_exist(mode):
    check_mode(mode, dict.fromkeys(READS[mode]))
    assert set(READS[mode]) <= set(vars(Config()))


NAMES = ["..", ".", "", "a/b", "../a", "/tmp/a", "a\0b", "x" * 300, "-x", ".hidden", "a\nb", "a\\b"]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name)[:12])
def test_a_name_that_is_no_folder_is_refused(refused, name):
    message = refused("--dataset=digits", f"--run_name={name}")
    assert ("name must have 1 to 200" if name.isprintable() else "without line breaks") in message


@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name)[:12])
@pytest.mark.parametrize("mode", ["--resume", "--mode=sample"])
def test_a_run_name_that_cannot_exist_is_refused(refused, name, mode):
    assert "Received: run=" in refused(mode, f"--run={name}")


def test_a_prior_file_with_objects_is_refused(refused, tmp_path):
    np.save(tmp_path / "prior.npy", np.array([[{}, {}]] * 50))
    refused("--dataset=digits", "--prior=TMP/prior.npy")
