"""Files in the place of Fashion-MNIST that contain another set."""

import gzip
import json
import struct

import numpy as np
import pytest

from adversarial_autoencoder.data import known, load

FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}


def arrays_of(grey, pixels):
    """Arrays with the shapes and counts of Fashion-MNIST; some pixels of each image are grey."""
    arrays = {}
    for part, n in (("train", 60_000), ("test", 10_000)):
        arrays[f"x_{part}"] = np.zeros((n, 28, 28), "uint8")
        arrays[f"x_{part}"].reshape(n, -1)[:, :pixels] = grey
        arrays[f"y_{part}"] = (np.arange(n) % 10).astype("uint8")
    return arrays


def write_idx(folder, arrays):
    for key, name in FILES.items():
        x = arrays[key]
        header = bytes([0, 0, 8, x.ndim]) + struct.pack(f">{x.ndim}I", *x.shape)
        packed = gzip.compress(header + x.tobytes(), compresslevel=1)
        (folder / f"{name}.gz").write_bytes(packed)


def write_npz(folder, arrays):
    np.savez(folder / "fashion_mnist.npz", **arrays)


@pytest.mark.parametrize("write", [write_idx, write_npz])
def test_another_set_is_the_users_own(tmp_path, write):
    """It has the mean of KMNIST, 0.19."""
    arrays = arrays_of(grey=248, pixels=153)
    write(tmp_path, arrays)
    warnings = []
    dataset = load("fashion_mnist", tmp_path, warn=warnings.append)
    (text,) = warnings
    assert (
        "contains another data set than fashion_mnist: its training pixels have the mean 0.1898"
        in text
    )
    assert "those of fashion_mnist 0.2860 and 0.3530" in text
    assert dataset.name == "not_fashion_mnist"
    assert dataset.class_names == tuple("0123456789")
    assert (len(dataset.x_train), len(dataset.x_test)) == (50_000, 10_000)
    # The images of the user's own data are shuffled.
    assert dataset.y_train[:10].tolist() != list(range(10))


@pytest.mark.parametrize(
    ("grey", "pixels", "is_fashion"),
    [(184, 311, True), (184, 314, False), (180, 318, False), (71, 784, False), (0, 784, False)],
)
def test_mean_and_standard_deviation_are_compared(tmp_path, grey, pixels, is_fashion):
    write_npz(tmp_path, arrays_of(grey, pixels))
    warnings = []
    dataset = load("fashion_mnist", tmp_path, warn=warnings.append)
    assert (dataset.class_names[9] == "Ankle boot") == is_fashion
    assert len(warnings) == (not is_fashion)


@pytest.mark.usefixtures("eager")
def test_a_run_on_another_set_finds_it_again(tmp_path, command_line):
    """The name in config.json is the given one, not that of the other set."""
    write_npz(tmp_path, arrays_of(grey=248, pixels=153))
    flags = ["--dataset=fashion_mnist", f"--data_dir={tmp_path}"]
    small = ["--model=autoencoder", "--hidden_units=4", "--epochs=1", "--batch_size=10000"]
    out, err = command_line(*flags, *small, "--run_name=a", results=tmp_path)
    assert "on not_fashion_mnist, 50000 images" in out
    assert err.count("\n") == 1
    config = json.loads((tmp_path / "a" / "config.json").read_text())
    assert config["config"]["dataset"] == "fashion_mnist"
    assert config["data"]["name"] == "not_fashion_mnist"
    command_line("--mode=reconstruct", "--num_images=2", "--run=a", results=tmp_path)


def test_the_constants_are_those_of_the_known_set():
    """Mean and standard deviation of the training pixels of Fashion-MNIST, as published."""
    assert known._FASHION_PIXELS == (0.2860, 0.3530)
