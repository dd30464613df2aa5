"""The program as its users run it: real processes, real files, a real TensorBoard."""

import csv
import dataclasses
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import keras
import numpy as np
import pytest
from PIL import Image

from adversarial_autoencoder.command import Command
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.modes import MODES

ROOT = pathlib.Path(__file__).parent.parent
SMALL = ["--dataset=digits", "--hidden_units=32", "--batch_size=200", "--dropout=0.1"]


def start(*args, results, **kwargs):
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    return subprocess.Popen(
        [sys.executable, ROOT / "run.py", "--results_dir", results, *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **kwargs,
    )


def run(*args, results, status=0):
    process = start(*args, results=results)
    out, err = process.communicate(timeout=300)
    assert process.returncode == status, err
    return out, err


def wait_for(process, path):
    deadline = time.monotonic() + 120
    while not path.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)


def read_history(path):
    with (path / "history.csv").open() as file:
        return list(csv.DictReader(file))


def weights_of(path):
    model = keras.saving.load_model(path / "model.keras")
    optimizers = [v for o in model.optimizer.optimizers for v in o.variables]
    return [variable.numpy() for variable in model.variables + optimizers]


def assert_equal_weights(path, other):
    for a, b in zip(weights_of(path), weights_of(other), strict=True):
        assert np.array_equal(a, b)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A results folder with one finished run, `demo`."""
    results = tmp_path_factory.mktemp("results")
    out, err = run(
        "--mode=train", "--z_dim=2", "--epochs=4", "--run_name=demo", *SMALL, results=results
    )
    assert err == ""
    (results / "output.txt").write_text(out)
    return results


def test_training_leaves_a_complete_run_folder(results):
    path = results / "demo"
    assert {p.name for p in path.iterdir()} == {
        "config.json",
        "flags.txt",
        "history.csv",
        "model.keras",
        "logs",
        "figures",
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


def test_training_ends_with_where_what_and_what_next(results):
    lines = (results / "output.txt").read_text().splitlines()
    assert lines[0].startswith("Training aae with z_dim 2 on digits, 1249 images of 8x8x1, for 4")
    assert lines[1].startswith("Epoch 1/4 - reconstruction_loss: ")
    assert lines[1].endswith("left")
    assert [line.split(":")[0] for line in lines[-3:]] == ["Run", "Result", "Next"]
    assert "--mode latent_grid" in lines[-1]


def test_flags_of_a_run_train_the_same_run_again(results, tmp_path):
    run(f"--flagfile={results / 'demo' / 'flags.txt'}", "--run_name=again", results=tmp_path)
    assert_equal_weights(results / "demo", tmp_path / "again")


@pytest.mark.parametrize(
    ("mode", "flags"),
    [
        ("latent_grid", ["--grid_size=6", "--grid_dims=1,0"]),
        ("latent_scatter", []),
        ("reconstruct", ["--num_images=5"]),
        ("sample", ["--num_images=5"]),
        ("interpolate", ["--num_images=5"]),
    ],
)
def test_a_mode_draws_its_figure_and_prints_its_path(results, mode, flags):
    out, err = run(f"--mode={mode}", *flags, results=results)
    path = results / "demo" / "figures" / f"{mode}.png"
    assert (out, err) == (f"Wrote {path}\n", "")
    with Image.open(path) as image:
        assert min(image.size) > 200
        assert np.asarray(image.convert("L")).std() > 10


def test_list_shows_the_runs_without_importing_tensorflow(results):
    out, _ = run("--mode=list", results=results)
    header, row = (line.split() for line in out.splitlines())
    assert header[:2] == ["name", "model"]
    assert row[:4] == ["demo", "aae", "digits", "4/4"]
    code = (
        "import sys, run; run.define_flags(); run.FLAGS(sys.argv); run.main([]);"
        "assert 'tensorflow' not in sys.modules"
    )
    command = [sys.executable, "-c", code, "--mode=list", f"--results_dir={results}"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def test_help_names_every_flag_and_mode():
    process = subprocess.run(
        [sys.executable, ROOT / "run.py", "--help"], capture_output=True, text=True, check=True
    )
    for field in dataclasses.fields(Command) + dataclasses.fields(Config):
        assert f"\n  --{field.name} " in process.stdout
    for mode in MODES:
        assert f"\n  {mode} " in process.stdout
    assert max(len(line) for line in process.stdout.splitlines()) <= 100


def test_a_killed_training_goes_on_as_if_nothing_had_happened(tmp_path):
    flags = ["--epochs=12", *SMALL]
    run("--run_name=whole", *flags, results=tmp_path)
    process = start("--run_name=killed", *flags, results=tmp_path)
    wait_for(process, tmp_path / "killed" / "model.keras")
    process.kill()
    process.wait()
    assert 1 <= len(read_history(tmp_path / "killed")) < 12
    run("--resume", "--run=killed", results=tmp_path)
    assert_equal_weights(tmp_path / "whole", tmp_path / "killed")
    assert read_history(tmp_path / "whole") == read_history(tmp_path / "killed")


def test_a_run_of_the_same_name_goes_on_and_more_epochs_extend_it(results, tmp_path):
    flags = ["--run_name=a", "--learning_rate_schedule=constant", *SMALL]
    run("--epochs=1", *flags, results=tmp_path)
    before = (tmp_path / "a" / "config.json").stat().st_mtime_ns
    out, _ = run("--epochs=1", *flags, results=tmp_path)
    assert out.startswith("The run has its 1 epochs")
    _, err = run("--epochs=3", "--z_dim=3", *flags, results=tmp_path, status=2)
    assert err == "Error: The run a has z_dim=2. Received: z_dim=3\n"
    assert (tmp_path / "a" / "config.json").stat().st_mtime_ns == before
    run("--epochs=3", *flags, results=tmp_path)
    run("--epochs=3", "--run_name=b", *flags[1:], results=tmp_path)
    assert_equal_weights(tmp_path / "a", tmp_path / "b")
    _, err = run("--epochs=2", *flags, results=tmp_path, status=2)
    assert err == "Error: The run a has 3 epochs already. Received: epochs=2\n"


def test_ctrl_c_ends_cleanly_and_says_how_to_go_on(tmp_path):
    process = start("--run_name=a", "--epochs=5000", *SMALL, results=tmp_path)
    wait_for(process, tmp_path / "a" / "model.keras")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "")
    assert out.splitlines()[-1].startswith("Stopped. To go on: python run.py --mode train --resume")
    assert read_history(tmp_path / "a")


@pytest.mark.skipif(
    not pathlib.Path(os.environ.get("AAE_DATA_DIR", ""), "mnist.npz").is_file(),
    reason="needs mnist.npz in the folder AAE_DATA_DIR",
)
def test_mnist_from_command_to_picture(tmp_path):
    out, _ = run("--dataset=mnist", "--hidden_units=32", "--epochs=1", results=tmp_path)
    assert "50000 images of 28x28x1" in out
    (path,) = tmp_path.iterdir()
    assert path.name.startswith("aae-mnist-z2-")
    document = json.loads((path / "config.json").read_text())
    assert document["data"]["validation_images"] == 10_000
    assert float(read_history(path)[0]["reconstruction_loss"]) < 0.08
    run("--mode=latent_grid", results=tmp_path)


def test_colour_images_from_a_folder(tmp_path):
    """Images of 3 channels and other height than width, with a sub-folder for each class."""
    rng = np.random.default_rng(0)
    for name in ("left", "right"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for i in range(30):
            image = Image.fromarray(rng.integers(0, 256, (6, 10, 3), "uint8"))
            image.save(tmp_path / "images" / name / f"{i}.png")
    small = ["--hidden_units=8", "--batch_size=10", "--epochs=2", "--reconstruction_loss=bce"]
    results = tmp_path / "results"
    run(f"--dataset={tmp_path / 'images'}", "--z_dim=3", *small, results=results)
    run("--mode=latent_grid", "--grid_dims=0,2", results=results)
    run("--mode=latent_scatter", "--grid_dims=1,2", results=results)
    _, err = run("--mode=latent_grid", "--grid_dims=0,3", results=results, status=2)
    assert "trained run with z_dim above 3" in err


def truncated_npz(path):
    np.savez(path, x_train=np.zeros((100, 8, 8), "uint8"))
    path.write_bytes(path.read_bytes()[:2000])


def labels_of_other_length(path):
    np.savez(path, x_train=np.zeros((100, 8, 8), "uint8"), y_train=np.zeros(99, "int64"))


def empty_folder(path):
    path.mkdir()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--z_dim=0"], "Received: z_dim=0"),
        (["--z_dim=two"], "z_dim=two"),
        (["--z_dimm=2"], "Did you mean: z_dim"),
        (["--mode=trian"], "Did you mean train?"),
        (["train"], "Settings must be flags"),
        (["--flagfile=missing.flags"], "missing.flags"),
        (["--mode=latent_grid", "--run=missing"], "Received: run='missing'"),
        (["--mode=latent_grid"], "Received: 0 runs"),
        (["--resume", "--run=missing"], "Received: run='missing'"),
        (["--run=demo"], "takes --run with --resume"),
        (["--mode=sample", "--run_name=demo"], "--run_name goes with --mode train"),
        (["--mode=sample", "--grid_size=4"], "--grid_size goes with --mode latent_grid"),
        (["--flagfile=/dev/null", "--num_images=0"], "num_images must be at least 1"),
        (["--mode=latent_grid", "--grid_dims=0"], "Received: grid_dims=0"),
        (["--dataset=digits", "--batch_size=5000"], "batch_size must be at most the 1249"),
        (["--dataset=mnits"], "Did you mean mnist?"),
        (["--dataset=digits", "--run_name=../a"], "Received: '../a'"),
        ([truncated_npz], "Received: "),
        ([labels_of_other_length], "Received: (99,)"),
        ([empty_folder], "Received: "),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_input_gives_one_line_and_writes_nothing(tmp_path, flags, message):
    if callable(flags[0]):
        path = tmp_path / "data.npz"
        flags[0](path)
        flags = [f"--dataset={path}"]
    out, err = run(*flags, results=tmp_path / "results", status=2)
    assert out == ""
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert message in err
    assert not (tmp_path / "results").exists()


@pytest.fixture(scope="module")
def tensorboard(results):
    """The address of a TensorBoard that has read the results folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", results]
    process = subprocess.Popen(
        [*command, "--host=127.0.0.1", f"--port={port}"], stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}/data/plugin"
    deadline = time.monotonic() + 120
    try:
        while not all(last_step(address, run) == 4 for run in ("train", "validation")):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        yield address
    finally:
        process.kill()
        process.wait()


def get(address, **query):
    try:
        with urllib.request.urlopen(f"{address}?{urllib.parse.urlencode(query)}") as answer:
            return json.load(answer)
    except OSError:
        return {}


def last_step(address, name):
    query = {"run": f"demo/logs/{name}", "tag": "metrics/reconstruction_loss"}
    points = get(f"{address}/scalars/scalars", **query)
    return points[-1][1] if points else 0


def test_tensorboard_shows_every_loss_rate_and_distance(tensorboard):
    tags = get(f"{tensorboard}/scalars/tags")
    losses = {
        "metrics/reconstruction_loss",
        "metrics/discriminator_loss",
        "metrics/generator_loss",
        "metrics/discriminator_accuracy_real",
        "metrics/discriminator_accuracy_fake",
    }
    rates = {f"learning_rate/{name}" for name in ("reconstruction", "discriminator", "generator")}
    assert set(tags["demo/logs/train"]) == losses | rates
    assert set(tags["demo/logs/validation"]) == losses | {
        "metrics/prior_distance",
        "metrics/prior_distance_floor",
    }
    points = get(
        f"{tensorboard}/scalars/scalars", run="demo/logs/validation", tag="metrics/prior_distance"
    )
    assert [step for _, step, _ in points] == [1, 2, 3, 4]


def test_tensorboard_shows_encoder_beside_prior_every_epoch(tensorboard):
    run_ = "demo/logs/validation"
    assert sorted(get(f"{tensorboard}/histograms/tags")[run_]) == [
        f"latent_{code}/{source}"
        for code in ("pooled", "z0", "z1")
        for source in ("encoder", "prior")
    ]
    address = f"{tensorboard}/histograms/histograms"
    histograms = get(address, run=run_, tag="latent_pooled/prior")
    assert [step for _, step, _ in histograms] == [1, 2, 3, 4]
    _, _, bins = histograms[-1]
    left, right, count = np.array(bins).T
    mean = np.average((left + right) / 2, weights=count)
    std = np.sqrt(np.average(((left + right) / 2 - mean) ** 2, weights=count))
    assert std == pytest.approx(5, rel=0.15)
    _, _, bins = get(address, run=run_, tag="latent_z0/encoder")[-1]
    assert sum(count for _, _, count in bins) == 249


def test_tensorboard_shows_images_and_the_configuration(tensorboard):
    assert set(get(f"{tensorboard}/images/tags")["demo/logs/validation"]) == {
        "images/reconstructions",
        "images/samples",
        "images/latent_grid",
        "images/latent_scatter",
    }
    (text,) = get(f"{tensorboard}/text/text", run="demo/logs/train", tag="configuration")
    assert "<td>z_dim</td>" in text["text"]
