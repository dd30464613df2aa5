"""Run folders are created, found, and never overwritten."""

import os
import zipfile

import pytest

from adversarial_autoencoder import runs
from adversarial_autoencoder.errors import InputError, Mismatch


def make(results, name, age=0):
    """A run folder whose settings are `age` seconds old."""
    run = runs.create(results, name, number=True)
    (run.path / "config.json").write_text("{}")
    moment = 1_000_000_000 - age
    os.utime(run.path / "config.json", (moment, moment))
    return run


def test_runs_with_the_same_name_get_separate_folders(tmp_path):
    names = [make(tmp_path, "a").name for _ in range(3)]
    assert names == ["a", "a-2", "a-3"]


def test_a_given_name_must_be_free_or_an_empty_folder(tmp_path):
    (tmp_path / "empty").mkdir()
    assert runs.create(tmp_path, "empty").path == tmp_path / "empty"
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    with pytest.raises(InputError, match="Received: taken"):
        runs.create(tmp_path, "taken")


def test_a_results_dir_that_is_not_a_folder_is_refused(tmp_path):
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere" / "at" / "all")
    (tmp_path / "file").touch()
    for name in ("dangling", "file"):
        with pytest.raises(InputError, match="results_dir must be a folder"):
            runs.create(tmp_path / name, "a", number=True)


def test_find_accepts_a_name_or_a_path_or_takes_the_newest_that_fits(tmp_path):
    old, new = make(tmp_path, "old", age=60), make(tmp_path, "new")
    assert runs.find(tmp_path, "old") == old
    assert runs.find(tmp_path, str(old.path)) == old
    assert runs.find(tmp_path) == new
    assert runs.find(tmp_path, fits=lambda run: run.name != "new") == old


def test_find_skips_runs_with_other_settings_but_not_broken_ones(tmp_path):
    old, _ = make(tmp_path, "old", age=60), make(tmp_path, "new")

    def fits(run):
        if run.name in others:
            raise kind(f"The run {run.name} has z_dim=3")
        return True

    kind, others = Mismatch, ["new"]
    assert runs.find(tmp_path, fits=fits) == old
    others = ["new", "old"]
    with pytest.raises(InputError, match="The run new has z_dim=3"):
        runs.find(tmp_path, fits=fits)
    kind, others = InputError, ["new"]
    with pytest.raises(InputError, match="The run new has z_dim=3"):
        runs.find(tmp_path, fits=fits)


def test_find_describes_what_is_missing(tmp_path):
    with pytest.raises(InputError, match="Received: 0 runs"):
        runs.find(tmp_path / "nowhere")
    make(tmp_path, "demo")
    with pytest.raises(InputError, match="Received: 1 run, which does not fit"):
        runs.find(tmp_path, fits=lambda run: False)
    make(tmp_path, "other")
    with pytest.raises(InputError, match="Received: 2 runs, none fits"):
        runs.find(tmp_path, fits=lambda run: False)
    with pytest.raises(InputError, match="Did you mean demo. Received: run='demmo'"):
        runs.find(tmp_path, "demmo")


@pytest.mark.parametrize("name", ["", "..", ".hidden", "-x", "a/b", "a\\b", "a\0b", "x" * 300])
def test_names_that_cannot_be_a_folder_are_refused(name):
    with pytest.raises(InputError, match="Received: "):
        runs.check_name(name)


def test_history_survives_writing_and_reading(tmp_path):
    run = runs.create(tmp_path, "a")
    assert run.read_history() == []
    rows = [
        {"epoch": 1, "reconstruction_loss": 0.1 + 0.2},
        {"epoch": 2, "reconstruction_loss": 1e-9},
    ]
    run.write_checkpoint(lambda path: zipfile.ZipFile(path, "w").close(), rows)
    assert run.read_history() == rows


@pytest.mark.parametrize("members", [{"history.csv": "epoch,loss\n1,half\n"}, {"config.json": ""}])
def test_a_broken_or_missing_history_is_an_input_error(tmp_path, members):
    run = runs.create(tmp_path, "a")
    with zipfile.ZipFile(run.model_path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    with pytest.raises(InputError, match="readable model.keras"):
        run.read_history()


def test_history_csv_is_never_read(tmp_path):
    run = runs.create(tmp_path, "a")
    (run.path / "history.csv").write_text("epoch,reconstruction_loss\n1,0.5\n")
    assert run.read_history() == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"config": 3}', '{"config": {}, "data": {}}'])
def test_a_broken_config_is_an_input_error(tmp_path, text):
    run = runs.create(tmp_path, "a")
    (run.path / "config.json").write_text(text)
    with pytest.raises(InputError, match="Received: "):
        run.read_config()
