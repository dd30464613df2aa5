"""The program as its users run it: real processes, real files, a real TensorBoard."""

import csv
import dataclasses
import json
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from adversarial_autoencoder import data, modes, training
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.modes import MODES, select_run
from adversarial_autoencoder.modes.command import Command

ROOT = pathlib.Path(__file__).parent.parent
QUICK = ["--dataset=digits", "--model=wae_mmd", "--hidden_units=8", "--epochs=1"]
SMALL = ["--dataset=digits", "--hidden_units=32", "--batch_size=200", "--dropout=0.1"]


def start(*args, results, pythonpath=None, **kwargs):
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    environment |= {"PYTHONPATH": str(pythonpath)} if pythonpath else {}
    return subprocess.Popen(
        [sys.executable, ROOT / "run.py", "--results_dir", results, *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **kwargs,
    )


def run(*args, results, status=0, **kwargs):
    process = start(*args, results=results, **kwargs)
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


def test_training_ends_with_where_what_and_what_next(results):
    lines = (results / "output.txt").read_text().splitlines()
    assert lines[0].startswith("Training aae with z_dim 2 on digits, 1249 images of 8x8x1, for 4")
    assert lines[1].startswith("Epoch 1/4 - reconstruction_loss: ")
    assert lines[1].endswith("left")
    assert re.fullmatch(r"Trained 4 epochs in \d+:\d\d", lines[-4])
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
    assert row[:5] == ["demo", "aae", "digits", "finished", "4/4"]
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
    out, _ = run("--epochs=3", *flags, results=tmp_path)
    assert "\nTrained 2 epochs in 0:" in out
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
        (["--z_dimm=2"], "Unknown flag --z_dimm. Did you mean z_dim?"),
        (["--zdim=2"], "Unknown flag --zdim. Did you mean z_dim?"),
        (["--nodbug"], "Unknown flag --nodbug. Did you mean nodebug?"),
        (["--mode=trian"], "Did you mean train?"),
        (["train"], "Settings must be flags"),
        (["--flagfile=missing.flags"], "missing.flags"),
        (["--mode=latent_grid", "--run=missing"], "Received: run='missing'"),
        (["--mode=latent_grid"], "Received: 0 runs"),
        (["--resume", "--run=missing"], "Received: run='missing'"),
        (["--run=demo"], "takes --run with --resume"),
        (["--mode=sample", "--run_name=demo"], "--run_name needs --mode train"),
        (
            ["--mode=sample", "--grid_size=4"],
            "--grid_size needs --mode latent_grid",
        ),
        (["--flagfile=/dev/null", "--num_images=0"], "num_images must be at least 1"),
        (["--mode=latent_grid", "--grid_dims=0"], "Received: grid_dims=0"),
        (["--dataset=digits", "--batch_size=5000"], "batch_size must be at most the 1249"),
        (["--dataset=mnits"], "Did you mean mnist?"),
        (["--dataset=digits", "--run_name=../a"], "Received: '../a'"),
        ([truncated_npz], "Received: "),
        ([labels_of_other_length], "Received: (99,)"),
        ([empty_folder], "Received: "),
        (["--model=supervised"], "Did you mean supervised_aae? Received: model='supervised'"),
        (["--num_clusters=5"], "--num_clusters needs --model clustering_aae"),
        (["--prior=swiss_roll", "--z_dim=3"], "A swiss_roll needs z_dim 2. Received: z_dim=3"),
        (["--model=vae", "--posterior=deterministic"], "A vae needs a gaussian posterior"),
        (["--num_labels=100"], "num_labels needs a model that uses labels"),
        (["--condition_prior_on_labels"], "condition_prior_on_labels needs a prior"),
        (["--learning_rate_schedule=step", "--step_epochs=9,3"], "Received: step_epochs=9,3"),
        (["--mode=sample", "--images=folder"], "--images needs --mode classify"),
        (["--mode=classify", "--images=missing"], "images must be an .npz file or a folder"),
        (
            ["--mode=cluster_grid"],
            "There must be a trained run that infers y (such as clustering_aae) in",
        ),
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


def save_npy(array):
    def save(path):
        np.save(path, array)

    save.__name__ = f"{array.dtype}-{array.shape}"
    return save


def no_file(path):
    pass


def not_npy(path):
    path.write_bytes(b"samples")


def huge_npy(path):
    """A header that declares more numbers than any machine has memory for."""
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000, 2), }"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + header.ljust(117) + b"\n")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (save_npy(np.zeros((50, 3))), "3 dimensions. Received: 2"),
        (save_npy(np.array([[{}, {}]] * 50)), "Object arrays cannot be loaded"),
        (save_npy(np.full((50, 2), np.nan)), "must be finite numbers of shape (num_samples, dim)"),
        (save_npy(np.zeros(50)), "Received: shape (50,)"),
        (save_npy(np.zeros((0, 2))), "Received: shape (0, 2)"),
        (no_file, "No such file"),
        (not_npy, ""),
        (huge_npy, ""),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_samples_that_cannot_be_a_prior_are_refused(tmp_path, make, message):
    path = tmp_path / "prior.npy"
    make(path)
    with pytest.raises(InputError) as error:
        training.check(Config.of(dataset="digits", prior=str(path)), data.load("digits"))
    assert message in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prior": "gausian"}, "Did you mean gaussian? Received: prior='gausian'"),
        ({"prior": "no_such_module:square"}, "can be imported. Received: no_such_module:square"),
        ({"prior": "os:square"}, "can be imported. Received: os:square"),
        ({"prior": "os:name"}, "callable (n, dim, seed) -> tensor"),
        (
            {"prior": "swiss_roll", "condition_prior_on_labels": True, "prior_components": 9},
            "prior_components must be 10, one for each class. Received: prior_components=9",
        ),
        (
            {"model": "semi_supervised_aae", "num_labels": 9},
            "at least 10, one for each class. Received: num_labels=9",
        ),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_what_does_not_fit_the_data_is_refused_before_a_run_is_made(settings, message):
    with pytest.raises(InputError) as error:
        training.check(Config.of(dataset="digits", **settings), data.load("digits"))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_function_of_the_users_own_that_fails_is_told_in_a_line(tmp_path, monkeypatch):
    (tmp_path / "failing.py").write_text("def square(n, dim, seed):\n    assert n < 0\n")
    (tmp_path / "broken.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    for prior, message in (
        ("failing:square", "prior=failing:square: AssertionError"),
        ("broken:square", "Received: broken:square (division by zero)"),
    ):
        with pytest.raises(InputError, match=re.escape(message)):
            training.check(Config.of(dataset="digits", prior=prior), data.load("digits"))


def test_the_precision_that_was_chosen_is_kept_where_it_is_left_open_again():
    config = Config(precision="float32")
    assert select_run.with_overrides(None, config, {"precision": "auto", "epochs": 3}).epochs == 3
    assert select_run.with_overrides(None, config, {"precision": "auto"}).precision == "float32"


def test_a_bad_prior_gives_one_line_and_writes_nothing(tmp_path):
    np.save(tmp_path / "prior.npy", np.array([[{}, {}]] * 50))
    flag = f"--prior={tmp_path / 'prior.npy'}"
    out, err = run("--dataset=digits", flag, results=tmp_path / "results", status=2)
    assert out == ""
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert not (tmp_path / "results").exists()


def test_a_prior_of_the_users_own_samples(tmp_path):
    """Named by a path relative to where the training was begun; shown from anywhere."""
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, 500)
    ring = 7 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    np.save(tmp_path / "ring.npy", ring)
    results = tmp_path / "results"
    flags = ["--prior=ring.npy", "--run_name=ring", *QUICK]
    run(*flags, results=results, cwd=tmp_path)
    prior = keras.saving.load_model(results / "ring" / "model.keras").prior
    assert np.allclose(prior.samples, ring)
    modes.sample(Command(mode="sample", num_images=3, results_dir=str(results)), {})
    assert (results / "ring" / "figures" / "sample.png").exists()
    # The same command once more: it is the same prior.
    out, _ = run(*flags, results=results, cwd=tmp_path)
    assert out.startswith("The run has its 1 epochs")


MODULE = """
import pathlib
import tensorflow as tf

pathlib.Path(__file__).with_name("executed").touch()


def square(n, dim, seed):
    return tf.random.stateless_uniform((n, dim), seed, -4.0, 4.0)
"""


@pytest.fixture(scope="module")
def users_prior(tmp_path_factory):
    """A folder with a module, and a results folder with a run whose prior is a function of it."""
    folder = tmp_path_factory.mktemp("users_prior")
    (folder / "shapes.py").write_text(MODULE)
    flags = ["--prior=shapes:square", "--run_name=square", *QUICK]
    out, _ = run(*flags, results=folder / "results", pythonpath=folder)
    (folder / "output.txt").write_text(out)
    return folder


def test_a_prior_of_the_users_own_function_is_learned(users_prior):
    (row,) = read_history(users_prior / "results" / "square")
    assert 0 < float(row["val_prior_distance_floor"]) < 0.2
    assert np.isfinite(float(row["mmd"]))
    # The command that comes next names the function, without which it would be refused.
    next_ = (users_prior / "output.txt").read_text().splitlines()[-1]
    assert "--prior shapes:square" in next_.split("and   tensorboard")[0]


@pytest.mark.parametrize(
    "flags",
    [
        ["--mode=sample"],
        ["--mode=latent_scatter", "--run=square"],
        ["--resume", "--run=square", "--epochs=2"],
        ["--run_name=square", "--epochs=2"],
    ],
    ids=" ".join,
)
def test_the_users_function_is_not_imported_unless_it_is_named(users_prior, flags):
    """A run folder may be of someone else: its config.json alone must not execute anything."""
    (users_prior / "executed").unlink(missing_ok=True)
    out, err = run(*flags, results=users_prior / "results", status=2, pythonpath=users_prior)
    assert err.startswith("Error: The run square draws its prior with a function of yours: --prior")
    assert err.count("\n") == 1
    assert not (users_prior / "executed").exists()


def test_with_its_function_named_a_run_is_shown(users_prior):
    results, flags = users_prior / "results", ["--mode=sample", "--num_images=3"]
    out, err = run(*flags, "--prior=shapes:square", results=results, pythonpath=users_prior)
    assert (out, err) == (f"Wrote {results / 'square' / 'figures' / 'sample.png'}\n", "")


@pytest.fixture(scope="module")
def semi_supervised(tmp_path_factory):
    """A results folder with one run of a semi-supervised system, `few`."""
    results = tmp_path_factory.mktemp("semi_supervised")
    rates = [f"--{step}_learning_rate=0.01" for step in ("reconstruction", "classification")]
    size = ["--z_dim=4", "--hidden_units=32", "--batch_size=50", "--epochs=6"]
    flags = ["--model=semi_supervised_aae", "--num_labels=202", "--dataset=digits", *size, *rates]
    out, err = run(*flags, "--run_name=few", results=results)
    assert err == ""
    (results / "output.txt").write_text(out)
    return results


def test_few_labels_are_written_down_and_as_many_of_each_class(semi_supervised):
    with (semi_supervised / "few" / "labelled_images.csv").open() as file:
        rows = list(csv.DictReader(file))
    indices = [int(row["training_image"]) for row in rows]
    labels = np.array([int(row["label"]) for row in rows])
    assert np.bincount(labels).tolist() == [21, 21, *[20] * 8]
    assert len(set(indices)) == 202
    assert np.array_equal(labels, data.load("digits").y_train[indices])


def test_a_training_with_labels_ends_with_its_error(semi_supervised):
    lines = (semi_supervised / "output.txt").read_text().splitlines()
    rows = read_history(semi_supervised / "few")
    error = 1 - float(rows[-1]["val_classification_accuracy"])
    assert f"classification error {error:.2%}" in lines[-2]
    assert "--mode style_grid" in lines[-1]
    assert error < 0.4
    assert float(rows[-1]["classification_loss"]) < float(rows[0]["classification_loss"])


def test_style_grid_is_drawn_and_its_path_printed(semi_supervised):
    out, err = run("--mode=style_grid", "--num_images=4", results=semi_supervised)
    path = semi_supervised / "few" / "figures" / "style_grid.png"
    assert (out, err) == (f"Wrote {path}\n", "")
    assert path.exists()


@pytest.mark.parametrize(
    ("mode", "settings"),
    [
        ("style_grid", {"style_from": "prior"}),
        ("cluster_grid", {}),
        ("latent_scatter", {"grid_dims": "1,3"}),
        ("latent_grid", {"grid_dims": "3,1", "grid_size": 3, "grid_class": 9}),
        ("interpolate", {"num_images": 3}),
        ("reconstruct", {"num_images": 3}),
        ("sample", {"num_images": 3}),
    ],
)
def test_every_mode_serves_a_run_with_two_codes(semi_supervised, mode, settings):
    path = semi_supervised / "few" / "figures" / f"{mode}.png"
    path.unlink(missing_ok=True)
    MODES[mode](Command(mode=mode, results_dir=str(semi_supervised), **settings), {})
    with Image.open(path) as image:
        assert np.asarray(image.convert("L")).std() > 10


def test_classify_measures_the_test_error(semi_supervised):
    out, err = run("--mode=classify", results=semi_supervised)
    digits = data.load("digits")
    model = keras.saving.load_model(semi_supervised / "few" / "model.keras")
    wrong = (model.classify(digits.x_test).argmax(axis=1) != digits.y_test).sum()
    n = len(digits.y_test)
    assert wrong < 0.5 * n
    first, second = out.splitlines()
    assert first == f"Test error: {wrong / n:.2%} ({wrong} of {n} images)"
    path = semi_supervised / "few" / "figures" / "confusion.png"
    assert second == f"Wrote {path}"
    assert err == ""
    with Image.open(path) as image:
        assert min(image.size) > 200


def test_classify_names_the_classes_of_the_users_images(semi_supervised, tmp_path):
    x = data.load("digits").x_test[:12]
    (tmp_path / "images").mkdir()
    names = [f"image, {i}.png" for i in range(12)]
    for name, image in zip(names, x, strict=True):
        Image.fromarray(image[..., 0]).save(tmp_path / "images" / name)
    np.savez(tmp_path / "images.npz", x_train=x)
    probabilities = keras.saving.load_model(semi_supervised / "few" / "model.keras").classify(x)
    order = np.argsort(names)
    path = semi_supervised / "few" / "predictions.csv"

    def check(images, named):
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert [row["image"] for row in rows] == list(named)
        expected = probabilities[images]
        assert [int(row["class"]) for row in rows] == expected.argmax(axis=1).tolist()
        shown = [float(row["probability"]) for row in rows]
        assert shown == pytest.approx(expected.max(axis=1), abs=1e-3)

    out, err = run("--mode=classify", f"--images={tmp_path / 'images'}", results=semi_supervised)
    assert (out, err) == (f"Wrote {path}\n", "")
    check(order, np.array(names)[order])
    folder, images = str(semi_supervised), str(tmp_path / "images.npz")
    modes.classify(Command(mode="classify", results_dir=folder, images=images), {})
    check(np.arange(12), np.arange(12).astype(str))


def test_images_of_another_size_are_not_classified(semi_supervised, tmp_path):
    (tmp_path / "images").mkdir()
    Image.fromarray(np.zeros((8, 9), "uint8")).save(tmp_path / "images" / "a.png")
    before = sorted((semi_supervised / "few").iterdir())
    command = Command(
        mode="classify", results_dir=str(semi_supervised), images=str(tmp_path / "images")
    )
    with pytest.raises(InputError) as error:
        modes.classify(command, {})
    assert str(error.value) == (
        "images must have the shape (8, 8, 1) (height, width, channels). Received: (8, 9, 1)"
    )
    assert sorted((semi_supervised / "few").iterdir()) == before


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--mode=classify"], "trained run that classifies"),
        (
            ["--mode=classify", "--run=demo"],
            "trained run that classifies (such as semi_supervised_aae). Received: demo, aae",
        ),
        (
            ["--mode=style_grid", "--run=demo"],
            "with a y beside z (such as supervised_aae). Received: demo",
        ),
        (
            ["--mode=cluster_grid", "--run=demo"],
            "trained run that infers y (such as clustering_aae). Received: demo, aae",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_run_without_the_code_that_a_mode_draws_is_refused(results, flags, message):
    out, err = run(*flags, results=results, status=2)
    assert out == ""
    assert err.count("\n") == 1
    assert message in err


def test_a_value_of_y_that_there_is_not_is_refused(results, semi_supervised):
    for folder, y in ((results, 1), (semi_supervised, 10)):
        command = Command(mode="latent_grid", results_dir=str(folder), grid_class=y)
        with pytest.raises(InputError, match=f"value of y that .* Received: grid_class={y}"):
            modes.latent_grid(command, {})


def test_tensorboard_is_given_the_class_code_too(semi_supervised):
    events = {}
    for name in ("train", "validation"):
        path = semi_supervised / "few" / "logs" / name
        events[name] = EventAccumulator(str(path), {"tensors": 0}).Reload()
    tags = {name: set(accumulator.Tags()["tensors"]) for name, accumulator in events.items()}
    assert {"latent_y/encoder", "latent_y/prior", "metrics/y_use"} <= tags["validation"]
    for name in ("classification_accuracy", "classification_loss", "discriminator_loss_y"):
        assert f"metrics/{name}" in tags["train"] & tags["validation"]
    steps = ("discriminator_y", "discriminator_z", "generator_y", "generator_z", "classification")
    assert {f"learning_rate/{step}" for step in steps} <= tags["train"]
    pictures = {tag for tag in tags["validation"] if tag.startswith("images/")}
    assert pictures == {
        f"images/{name}"
        for name in ("reconstructions", "samples", "style_grid", "cluster_grid", "latent_scatter")
    }
    rows = read_history(semi_supervised / "few")
    written = events["validation"].Tensors("metrics/y_use")
    assert [event.step for event in written] == [1, 2, 3, 4, 5, 6]
    shown = [float(tf.make_ndarray(event.tensor_proto)) for event in written]
    assert shown == pytest.approx([float(row["val_y_use"]) for row in rows], rel=1e-5)
    assert all(0.1 <= share <= 1 for share in shown)
    # One bin for each class, with the validation images in them.
    last = events["validation"].Tensors("latent_y/encoder")[-1]
    bins = tf.make_ndarray(last.tensor_proto)
    assert bins.shape == (10, 3)
    assert bins[:, 2].sum() == 249
