"""A prior of the user's own: a file of samples, or a function in a module."""

import pathlib
import struct
import sys

import keras
import numpy as np
import pytest
from helpers import QUICK, read_history

from adversarial_autoencoder import modes, training
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.modes.command import Command


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
        (save_npy(np.full((50, 2), "a")), "Samples must be numbers. Received: <U1"),
        (save_npy(np.ones((50, 2), "complex64")), "Samples must be numbers. Received: complex64"),
        (save_npy(np.zeros(50)), "Received: shape (50,)"),
        (save_npy(np.zeros((0, 2))), "Received: shape (0, 2)"),
        (
            save_npy(np.random.default_rng(0).normal(size=(400_000, 2))),
            "must take at most 12582912 bytes in the description of a saved model, where a number",
        ),
        (no_file, "No such file"),
        (not_npy, ""),
        (huge_npy, ""),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_samples_that_cannot_be_a_prior_are_refused(dataset, tmp_path, make, message):
    path = tmp_path / "prior.npy"
    make(path)
    with pytest.raises(InputError) as error:
        training.check(Config.of(dataset="digits", prior=str(path)), dataset)
    assert message in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_an_error_in_the_users_function_is_one_line(dataset, tmp_path, monkeypatch):
    (tmp_path / "failing.py").write_text("def square(n, dim, seed):\n    assert n < 0\n")
    (tmp_path / "broken.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    for prior, message in (
        ("failing:square", r"^prior=failing:square: .* Received: AssertionError"),
        ("broken:square", r"Received: broken:square \(division by zero\)$"),
    ):
        with pytest.raises(InputError, match=message) as error:
            training.check(Config.of(dataset="digits", prior=prior), dataset)
        assert "\n" not in str(error.value)


PETALS = """
import tensorflow as tf


def petals(n, dim, seed):
    return tf.random.stateless_normal((n, dim), seed)


petals.has_components, petals.num_components = True, 10
"""


def test_a_users_prior_with_components_is_refused_if_there_is_a_y(refused, tmp_path, monkeypatch):
    (tmp_path / "own_petals.py").write_text(PETALS)
    monkeypatch.syspath_prepend(tmp_path)
    line = refused("--dataset=digits", "--model=supervised_aae", "--prior=own_petals:petals")
    assert "Received: prior=own_petals:petals, model=supervised_aae" in line


def test_a_relative_path_to_samples_is_valid_from_everywhere(command_line, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, 500)
    ring = 7 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    np.save(tmp_path / "ring.npy", ring)
    results = tmp_path / "results"
    flags = ["--prior=ring.npy", "--run_name=ring", *QUICK]
    with monkeypatch.context() as patch:
        patch.chdir(tmp_path)
        command_line(*flags, results=results)
    prior = keras.saving.load_model(results / "ring" / "model.keras").prior
    assert np.allclose(prior.samples, ring)
    modes.sample(Command(mode="sample", num_images=3, results_dir=str(results)), {})
    assert (results / "ring" / "figures" / "sample.png").exists()
    # The same command names the same prior.
    monkeypatch.chdir(tmp_path)
    out, _ = command_line(*flags, results=results)
    assert out.startswith("The run has its 1 epoch.")


MODULE = """
import pathlib
import tensorflow as tf

pathlib.Path(__file__).with_name("executed").touch()


def square(n, dim, seed):
    return tf.random.stateless_uniform((n, dim), seed, -4.0, 4.0)
"""


@pytest.fixture(scope="module")
def trained(command_line, tmp_path_factory):
    """A folder with a module, and a results folder with a run whose prior is its function."""
    folder = tmp_path_factory.mktemp("users_prior")
    (folder / "shapes.py").write_text(MODULE)
    flags = ["--prior=shapes:square", "--run_name=square", *QUICK]
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        out, _ = command_line(*flags, results=folder / "results")
    (folder / "output.txt").write_text(out)
    return folder


@pytest.fixture
def users_prior(trained, monkeypatch):
    """The same folder; its module can be imported, and is not imported yet."""
    monkeypatch.syspath_prepend(trained)
    sys.modules.pop("shapes", None)
    keras.saving.get_custom_objects().pop("shapes>square", None)
    (trained / "executed").unlink(missing_ok=True)
    return trained


def test_a_prior_of_the_users_own_function_is_learned(users_prior):
    (row,) = read_history(users_prior / "results" / "square")
    assert 0 < float(row["val_prior_distance_floor"]) < 0.2
    assert np.isfinite(float(row["mmd"]))
    # The next command names the function; without it, the run would be refused.
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
def test_the_users_function_is_imported_only_if_it_is_named(users_prior, command_line, flags):
    """A run folder can come from someone else: its config.json alone must not execute code."""
    _, err = command_line(*flags, results=users_prior / "results", status=2)
    expected = "Error: The run square samples its prior with your own function: --prior"
    assert err.startswith(expected)
    assert err.count("\n") == 1
    assert "shapes" not in sys.modules
    assert not (users_prior / "executed").exists()


def test_a_run_is_shown_if_its_function_is_named(users_prior, command_line):
    results, flags = users_prior / "results", ["--mode=sample", "--num_images=3"]
    out, err = command_line(*flags, "--prior=shapes:square", results=results)
    path = pathlib.Path(results, "square", "figures", "sample.png")
    assert (out, err) == (f"Wrote {path}\n", "")
    assert (users_prior / "executed").exists()
