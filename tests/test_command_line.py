"""The program as its users run it: help, the list of runs, and whole processes."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
from absl.testing import flagsaver
from helpers import QUICK, ROOT, read_history, run_process
from PIL import Image

from adversarial_autoencoder.config import Config
from adversarial_autoencoder.config.setting import flag_name
from adversarial_autoencoder.modes import MODES
from adversarial_autoencoder.modes.command import Command


def test_help_names_every_flag_and_mode(program, capsys):
    with pytest.raises(SystemExit) as end:
        program.parse_flags(["run.py", "--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    for field in dataclasses.fields(Command) + dataclasses.fields(Config):
        assert f"\n  --{flag_name(field)} " in text
    for mode in MODES:
        assert f"\n  {mode} " in text
    assert max(len(line) for line in text.splitlines()) <= 100


def test_list_shows_the_runs_without_tensorflow(demo, command_line):
    out, err = command_line("--mode=list", results=demo)
    header, row = (line.split() for line in out.splitlines())
    assert header[:2] == ["name", "model"]
    assert row[:5] == ["demo", "aae", "digits", "finished", "4/4"]
    assert err == ""
    code = (
        "import sys; from adversarial_autoencoder import command_line as run;"
        "run.define_flags(); run.FLAGS(sys.argv); run.main([]);"
        "assert 'tensorflow' not in sys.modules"
    )
    command = [sys.executable, "-c", code, "--mode=list", f"--results_dir={demo}"]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    assert done.stdout == out


def test_the_working_directory_can_be_deleted(program, monkeypatch, tmp_path):
    folder, started = tmp_path / "gone", []
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    monkeypatch.setattr(program.app, "run", lambda main, **_: started.append(main))
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in ("prepare_streams", "define_flags"):
        monkeypatch.setattr(program, name, lambda: None)
    program.run()
    assert started == [program.main]


def test_a_picture_is_drawn_without_libraries_that_it_does_not_need(tmp_path):
    code = (
        "import sys; from adversarial_autoencoder import command_line as run;"
        "run.define_flags(); run.FLAGS(sys.argv); run.main([]);"
        "assert not {'sklearn', 'scipy', 'pandas', 'pyarrow', 'optuna'} & set(sys.modules);"
        "from importlib import import_module, util;"  # Those that are installed can be imported.
        "[import_module(name) for name in ('pandas', 'sklearn', 'scipy.stats', 'matplotlib.pyplot')"
        " if util.find_spec(name.partition('.')[0])]"
    )
    flags = ["--mode=latent_grid", "--run=digits-demo", f"--results_dir={tmp_path}"]
    done = subprocess.run(
        [sys.executable, "-c", code, *flags], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_a_process_trains_draws_and_refuses_with_clean_output(tmp_path):
    """The other tests of the command line run it in their own process."""
    out, err = run_process("--run_name=a", *QUICK, results=tmp_path)
    assert err == ""
    assert out.startswith("Training wae_mmd ")
    assert len(read_history(tmp_path / "a")) == 1
    out, err = run_process("--mode=sample", "--num_images=3", results=tmp_path)
    path = tmp_path / "a" / "figures" / "sample.png"
    assert (out, err) == (f"Wrote {path}\n", "")
    assert path.exists()
    out, err = run_process("--z_dim=0", results=tmp_path, status=2)
    assert out == ""
    assert err.startswith("Error: z_dim must be at least 1")
    assert err.count("\n") == 1


@pytest.mark.parametrize("text", ["=False", "=false", "=0"])
def test_a_flag_that_is_set_to_false_is_off(program, text):
    with flagsaver.flagsaver():
        program.parse_flags(["run.py", f"--batch_norm{text}", "--resume"])
        assert program.FLAGS.batch_norm is False
        assert program.FLAGS.resume is True


def test_mnist_from_the_command_to_a_picture(mnist_dir, command_line, tmp_path):
    flags = ["--dataset=mnist", f"--data_dir={mnist_dir}", "--hidden_units=32", "--epochs=1"]
    out, _ = command_line(*flags, results=tmp_path)
    assert "50000 images of 28x28x1" in out
    (path,) = tmp_path.iterdir()
    assert path.name.startswith("aae-mnist-z2-")
    document = json.loads((path / "config.json").read_text())
    assert document["data"]["validation_images"] == 10_000
    assert float(read_history(path)[0]["reconstruction_loss"]) < 0.08
    command_line("--mode=latent_grid", results=tmp_path)


@pytest.mark.usefixtures("eager")
def test_images_in_colour_from_a_folder(command_line, tmp_path):
    """Images of 3 channels that are not square, with a sub-folder for each class."""
    rng = np.random.default_rng(0)
    for name in ("left", "right"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for i in range(30):
            image = Image.fromarray(rng.integers(0, 256, (6, 10, 3), "uint8"))
            image.save(tmp_path / "images" / name / f"{i}.png")
    small = ["--hidden_units=8", "--batch_size=10", "--epochs=2", "--reconstruction_loss=bce"]
    results = tmp_path / "results"
    command_line(f"--dataset={tmp_path / 'images'}", "--z_dim=3", *small, results=results)
    command_line("--mode=latent_grid", "--grid_dims=0,2", results=results)
    command_line("--mode=latent_scatter", "--grid_dims=1,2", results=results)
    _, err = command_line("--mode=latent_grid", "--grid_dims=0,3", results=results, status=2)
    assert "trained run with z_dim above 3" in err
