"""The mode that trains: the folder of a run, its output, and how a run is resumed."""

import json
import re
import shutil

import keras
import numpy as np
import pytest
from helpers import QUICK, SMALL, assert_equal_models, assert_equal_runs, read_history

from adversarial_autoencoder import runs, training
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.modes import select_run


def test_a_training_leaves_a_complete_run_folder(demo):
    path = demo / "demo"
    assert {p.name for p in path.iterdir()} == {
        "config.json",
        "flags.txt",
        "frames.npz",
        "history.csv",
        "model.keras",
        "logs",
        "figures",
        ".lock",
    }
    document = json.loads((path / "config.json").read_text())
    assert document["config"]["z_dim"] == 2
    assert document["config"]["epochs"] == 4
    assert document["data"]["checksum"].startswith("sha256:")
    assert document["versions"]["keras"] == keras.__version__
    rows = read_history(path)
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    for name in (
        "reconstruction_loss",
        "discriminator_loss",
        "generator_loss",
        "discriminator_accuracy_real",
        "discriminator_accuracy_fake",
        "val_reconstruction_loss",
        "val_prior_distance",
    ):
        assert float(rows[-1][name]) >= 0, name
    assert float(rows[-1]["reconstruction_loss"]) < float(rows[0]["reconstruction_loss"])


def test_the_output_ends_with_the_run_its_result_and_the_next_command(demo):
    lines = (demo / "output.txt").read_text().splitlines()
    assert lines[0].startswith("Training aae with z_dim 2 on digits, 1249 images of 8x8x1, for 4")
    assert lines[1].startswith("Epoch 1/4 - reconstruction_loss: ")
    assert lines[1].endswith("left")
    assert re.fullmatch(r"Trained 4 epochs in \d+:\d\d", lines[-4])
    assert [line.split(":")[0] for line in lines[-3:]] == ["Run", "Result", "Next"]
    assert "--mode latent_grid" in lines[-1]


def test_the_flags_of_a_run_train_the_same_run_again(demo, command_line, tmp_path):
    flags = demo / "demo" / "flags.txt"
    command_line(f"--flagfile={flags}", "--run_name=again", results=tmp_path)
    assert_equal_runs(demo / "demo", tmp_path / "again")


def test_a_run_is_resumed_by_its_name_and_extended_by_more_epochs(command_line, tmp_path):
    model = ["--model=autoencoder", "--hidden_layers=1"]
    flags = ["--run_name=a", "--learning_rate_schedule=constant", *SMALL, *model]
    command_line("--epochs=1", *flags, results=tmp_path)
    before = (tmp_path / "a" / "config.json").stat().st_mtime_ns
    out, _ = command_line("--epochs=1", *flags, results=tmp_path)
    assert out.startswith("The run has its 1 epoch.")
    _, err = command_line("--epochs=3", "--z_dim=3", *flags, results=tmp_path, status=2)
    assert err == "Error: The run a has z_dim=2. Received: z_dim=3\n"
    assert (tmp_path / "a" / "config.json").stat().st_mtime_ns == before
    out, _ = command_line("--epochs=3", *flags, results=tmp_path)
    assert re.search(r"\nTrained 2 epochs in \d+:\d\d\n", out)
    command_line("--epochs=3", "--run_name=b", *flags[1:], results=tmp_path)
    assert_equal_runs(tmp_path / "a", tmp_path / "b")
    _, err = command_line("--epochs=2", *flags, results=tmp_path, status=2)
    assert err == "Error: The run a has 3 epochs already. Received: epochs=2\n"


def test_a_resumed_run_equals_an_uninterrupted_one(dataset, tmp_path):
    """With parts that begin later. The settings leave out what follows from the length."""
    late = {"model": "semi_supervised_aae", "detach_y": True, "y_start": 4, "vat_warmup": 6}

    def config(epochs):
        small = {"dataset": "digits", "hidden_units": 16, "hidden_layers": 1, "batch_size": 200}
        return Config.of(learning_rate_schedule="constant", epochs=epochs, **small, **late)

    def train(run, epochs):
        run.write_config(config(epochs), dataset)
        return training.train(config(epochs), dataset, run)

    whole = train(runs.create(tmp_path, "whole"), 2)
    run = runs.create(tmp_path, "two")
    train(run, 1)
    two = train(run, 2)
    assert_equal_models(whole, two)
    rows = run.read_history()
    assert [row["epoch"] for row in rows] == [1, 2]
    assert rows[1]["val_reconstruction_loss"] < rows[0]["val_reconstruction_loss"]
    assert np.array_equal(training.load(run).generate(5), two.generate(5))


@pytest.mark.parametrize(
    ("before", "now", "differ"),
    [("3", "5", True), pytest.param("3", "3", False, marks=pytest.mark.long)],
)
@pytest.mark.usefixtures("eager")
def test_another_number_of_cores_is_a_warning(
    command_line, tmp_path, monkeypatch, before, now, differ
):
    """The last bits of sums depend on it. A number that is not recorded does not warn."""
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", before)
    command_line("--mode=train", "--run_name=a", "--epochs=1", *QUICK, results=tmp_path)
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", now)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    _, err = command_line("--mode=train", "--resume", "--run=a", "--epochs=2", results=tmp_path)
    warning = "was trained on 3 cores of the CPU, and continues on 5 cores"
    assert (warning in err) == differ
    assert json.loads((tmp_path / "a" / "config.json").read_text())["cores"] == int(now)
    config = json.loads((tmp_path / "b" / "config.json").read_text())
    (tmp_path / "b" / "config.json").write_text(json.dumps(config | {"cores": "many"}))
    _, err = command_line("--mode=train", "--resume", "--run=b", "--epochs=2", results=tmp_path)
    assert "cores" not in err


def test_automatic_settings_keep_the_recorded_choice():
    config = Config(precision="float32", jit_compile="true")
    assert select_run.with_overrides(None, config, {"precision": "auto", "epochs": 3}).epochs == 3
    assert select_run.with_overrides(None, config, {"precision": "auto"}).precision == "float32"
    shown = select_run.with_overrides(None, config, {"jit_compile": "auto"}, select_run.LOCATIONS)
    assert shown.jit_compile == "true"


def test_a_run_killed_before_its_settings_were_written_can_be_started_again(tmp_path):
    started = runs.create(tmp_path, "a")
    with started.held():
        pass
    assert runs.create(tmp_path, "a") == started


@pytest.mark.usefixtures("eager")
def test_the_samples_of_a_prior_can_move_but_not_change(command_line, tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "prior.npy", samples := rng.normal(size=(50, 2)))
    results, flags = tmp_path / "results", ["--run_name=a", *QUICK]
    command_line(f"--prior={tmp_path / 'prior.npy'}", *flags, results=results)
    (tmp_path / "prior.npy").rename(tmp_path / "moved.npy")
    moved = [f"--prior={tmp_path / 'moved.npy'}", *flags]
    out, _ = command_line(*moved, results=results)
    assert out.startswith("The run has its 1 epoch.")
    np.save(tmp_path / "moved.npy", samples + 1)
    _, err = command_line(*moved, results=results, status=2)
    assert "The samples of the prior of the run a must be unchanged" in err
