"""What the command line says about flags, versions, counts and numbers: in words for people."""

import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from helpers import QUICK, ROOT

import adversarial_autoencoder
from adversarial_autoencoder.errors import counted
from adversarial_autoencoder.modes.printing import print_table
from adversarial_autoencoder.runs import Run


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        ("--z_dim=two", "z_dim must be a whole number. Received: z_dim=two"),
        ("--epochs=1.5", "epochs must be a whole number. Received: epochs=1.5"),
        ("--batch_size=", "batch_size must be a whole number. Received: batch_size="),
        ("--prior_std=big", "prior_std must be a number. Received: prior_std=big"),
        ("--batch_norm=maybe", "batch_norm must be true or false. Received: batch_norm=maybe"),
    ],
)
def test_a_value_of_the_wrong_type_is_named_in_plain_words(refused, flag, expected):
    assert refused(flag) == f"Error: {expected}\n"


RATES = "reconstruction_learning_rate, discriminator_learning_rate, generator_learning_rate, "


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        ("--lr=1", f"{RATES}classification_learning_rate or learning_rate_schedule?"),
        ("--learning_rate=1", f"{RATES}classification_learning_rate or learning_rate_schedule?"),
        ("--bs=1", "batch_size?"),
        ("--batch=1", "batch_norm or batch_size?"),
        ("--data=mnist", "dataset or data_dir?"),
        ("--z-dim=1", "z_dim?"),
        ("--layers=1", "hidden_layers?"),
        ("--epoch=1", "epochs?"),
        ("--nobatchnorm", "nobatch_norm?"),
        ("--versoin", "version?"),
    ],
)
def test_an_unknown_flag_gets_a_hint(refused, flag, expected):
    name = flag.split("=")[0]
    assert refused(flag) == f"Error: Unknown flag {name}. Did you mean {expected}\n"


@pytest.mark.parametrize("flag", ["--qqqq", "--e=1"])
def test_no_hint_is_better_than_a_wrong_one(refused, flag):
    assert "Did you mean" not in refused(flag)


def test_version_is_a_flag(program):
    done = subprocess.run(
        [sys.executable, ROOT / "run.py", "--version"], capture_output=True, text=True
    )
    version = adversarial_autoencoder.__version__
    assert (done.returncode, done.stdout) == (0, f"adversarial_autoencoder {version}\n")
    assert "\n  --version " in program.help_text()


def test_a_name_that_the_terminal_cannot_show_is_printed(tmp_path):
    """Any name on an ASCII terminal; a name that is not UTF-8 is refused."""
    command = [sys.executable, ROOT / "run.py", "--mode=list", "--results_dir"]
    ascii_only = {"capture_output": True, "env": {"PYTHONIOENCODING": "ascii"}}
    done = subprocess.run([*command, "/\u65e5"], **ascii_only)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"There are no runs in /\\u65e5.")
    done = subprocess.run([*command, "/\u65e5\udce9"], **ascii_only)
    assert done.returncode == 2
    assert b"results_dir must be text in UTF-8" in done.stderr


@pytest.mark.parametrize(
    ("number", "noun", "expected"),
    [
        (1, "epoch", "1 epoch"),
        (0, "image", "0 images"),
        (2, "class", "2 classes"),
        (np.int64(1), "image", "1 image"),
    ],
)
def test_one_thing_is_named_in_the_singular(number, noun, expected):
    assert counted(number, noun) == expected


@pytest.mark.usefixtures("eager")
def test_one_epoch_and_one_seed_are_named_in_the_singular(command_line, tmp_path):
    out, _ = command_line(*QUICK, "--seeds=1", "--run_name=a", results=tmp_path)
    assert "for 1 epoch on" in out
    assert "after 1 epoch:" in out
    assert "after 1 epoch, over 1 seed:" in out
    out, _ = command_line(*QUICK, "--run_name=a-seed0", results=tmp_path)
    assert "The run has its 1 epoch." in out
    _, err = command_line(
        *QUICK, "--epochs=2", "--run_name=a-seed0", "--seed=1", results=tmp_path, status=2
    )
    assert not re.search(r"\b1 [a-z]+s\b", out + err)


@pytest.mark.usefixtures("eager")
def test_the_numbers_of_several_seeds_stand_below_each_other(command_line, tmp_path):
    out, _ = command_line(*QUICK, "--seeds=2", "--run_name=a", results=tmp_path)
    table = out[out.index("over 2 seeds:") :].splitlines()[1:]
    assert len(table) > 3
    assert len({line.index("+-") for line in table}) == 1
    assert len({re.search(r"\S  +(?=\d|-)", line).end() for line in table}) == 1


def test_the_end_of_a_training_names_the_folder_of_its_own_logs(demo):
    last = (demo / "output.txt").read_text().splitlines()[-1]
    assert last.endswith(f"tensorboard --logdir {demo / 'demo'}")


def test_the_checksum_of_a_classifier_is_in_no_table(command_line, tmp_path, demo):
    shutil.copytree(demo / "demo", tmp_path / "demo")
    run = Run(tmp_path / "demo")
    epochs = len(run.read_history())
    metrics = {"epochs": epochs, "feature_error": 0.125, "feature_space": 2472087263}
    run.write_metrics(metrics)
    out, _ = command_line("--mode=compare", "--runs=demo", results=tmp_path)
    assert "feature_error" in out
    assert "feature_space" not in out
    assert Run(tmp_path / "demo").read_metrics() == metrics


def test_a_table_has_columns(capsys):
    print_table([("a", "1.25", "x"), ("long", "3", "")])
    assert capsys.readouterr().out == "a     1.25  x\nlong  3\n"
