"""The known data sets: MNIST, Fashion-MNIST and the digits of scikit-learn."""

import gzip
import os
import shutil
import struct
import subprocess
import sys

import numpy as np
import pytest
from helpers import data_refused as refused

from adversarial_autoencoder.data import known, load
from adversarial_autoencoder.data.array_files import read_idx
from adversarial_autoencoder.errors import InputError

X = np.random.default_rng(1).integers(0, 256, (12, 5, 4), "uint8")


def idx_bytes(array, magic=None):
    magic = magic or bytes([0, 0, 8, array.ndim])
    return magic + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture(scope="module")
def mnist_arrays(mnist_dir):
    with np.load(mnist_dir / "mnist.npz") as archive:
        return dict(archive)


@pytest.fixture(scope="module")
def keras_home(tmp_path_factory):
    """A cache of Keras with images that have the pixel statistics of Fashion-MNIST."""
    home = tmp_path_factory.mktemp("keras")
    folder = home / "datasets" / "fashion-mnist"
    folder.mkdir(parents=True)
    for part, n in (("train", 60_000), ("t10k", 10_000)):
        images = np.zeros((n, 28, 28), "uint8")
        images.reshape(n, -1)[:, :311] = 184  # Mean 0.286, standard deviation 0.353 in [0, 1].
        labels = (np.arange(n) % 10).astype("uint8")
        for name, array in ((f"{part}-images-idx3", images), (f"{part}-labels-idx1", labels)):
            packed = gzip.compress(idx_bytes(array), compresslevel=1)
            (folder / f"{name}-ubyte.gz").write_bytes(packed)
    return home


def test_mnist_keeps_its_order(mnist_dir, mnist_arrays):
    mnist = load("mnist", str(mnist_dir))
    assert mnist.image_shape == (28, 28, 1)
    assert mnist.num_classes == 10
    x, y = mnist_arrays["x_train"][..., None], mnist_arrays["y_train"]
    assert np.array_equal(mnist.x_train, x[:50_000])
    assert np.array_equal(mnist.x_validation, x[50_000:])
    assert np.array_equal(mnist.y_validation, y[50_000:])
    assert np.array_equal(mnist.x_test[..., 0], mnist_arrays["x_test"])
    assert np.array_equal(mnist.y_test, mnist_arrays["y_test"])
    assert mnist.y_train.dtype == np.int64
    assert mnist.checksum == known.MNIST_CHECKSUM


def test_mnist_is_read_from_idx_files_too(mnist_arrays, tmp_path):
    spellings = (
        ("x_train", "train-images-idx3-ubyte"),
        ("y_train", "train-labels.idx1-ubyte"),
        ("x_test", "t10k-images.idx3-ubyte"),
        ("y_test", "t10k-labels-idx1-ubyte"),
    )
    for key, name in spellings:
        (tmp_path / name).write_bytes(idx_bytes(mnist_arrays[key]))
    assert load("mnist", str(tmp_path)).checksum == known.MNIST_CHECKSUM


def test_mnist_with_one_pixel_changed_is_refused(mnist_arrays, tmp_path):
    x_train = mnist_arrays["x_train"].copy()
    x_train[-1, 0, 0] ^= 1
    np.savez(tmp_path / "mnist.npz", **mnist_arrays | {"x_train": x_train})
    assert "must be the original" in refused("mnist", str(tmp_path))


def test_mnist_is_not_accepted_as_fashion_mnist(mnist_dir, tmp_path):
    shutil.copy(mnist_dir / "mnist.npz", tmp_path / "fashion_mnist.npz")
    assert "Received: MNIST" in refused("fashion_mnist", str(tmp_path))


def test_data_dir_has_priority_over_the_environment_variable(tmp_path, monkeypatch):
    for name in ("argument", "variable"):
        (tmp_path / name).mkdir()
        np.savez(tmp_path / name / "mnist.npz", x_train=X)
    monkeypatch.setenv("AAE_DATA_DIR", str(tmp_path / "variable"))
    assert str(tmp_path / "argument") in refused("mnist", str(tmp_path / "argument"))
    assert str(tmp_path / "variable") in refused("mnist")
    # A wrong file is an error, although the digits could replace the data set.
    assert "(60000, 28, 28)" in refused(None)


def test_data_dir_must_exist(tmp_path):
    for dataset in (None, "mnist", "fashion_mnist"):
        assert "data_dir must be a folder" in refused(dataset, str(tmp_path / "none"))


def test_fashion_mnist_is_read_from_compressed_idx_files(keras_home, tmp_path):
    folder = keras_home / "datasets" / "fashion-mnist"
    fashion = load("fashion_mnist", str(folder))
    assert fashion.x_validation.shape == (10_000, 28, 28, 1)
    assert fashion.class_names[9] == "Ankle boot"
    assert "must be the original" in refused("mnist", str(folder))

    copy = shutil.copytree(folder, tmp_path / "copy")
    labels = (np.arange(60_000) % 10).astype("uint8")
    labels[0] = 1
    (copy / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx_bytes(labels)))
    assert "y_train" in refused("fashion_mnist", str(copy))


OFFLINE = """
import socket, sys
from adversarial_autoencoder.data import load
from adversarial_autoencoder.errors import InputError

assert not {"keras", "tensorflow"} & set(sys.modules)
timeouts = []

def no_network(*args, **kwargs):
    timeouts.append(socket.getdefaulttimeout())
    raise OSError("no network")

socket.getaddrinfo = no_network
assert len(load("fashion_mnist").x_train) == 50_000
assert not timeouts
try:
    load("mnist")
except InputError as error:
    print(error, file=sys.stderr)
assert timeouts and all(timeouts) and socket.getdefaulttimeout() is None
warnings = []
assert load(warn=warnings.append).name == "digits"
assert len(warnings) == 1
load()
"""


def test_without_a_network_the_cache_of_keras_is_used_and_digits_replace_mnist(
    keras_home, tmp_path
):
    environment = os.environ | {"KERAS_HOME": str(keras_home), "AAE_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-c", OFFLINE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stderr.splitlines() if "AAE_DATA_DIR" in line]
    assert len(lines) == 2
    assert lines[0].startswith("mnist must be")
    assert lines[1].startswith("Warning: digits")
    assert all("no network" in line and "mnist.npz" in line for line in lines)


def test_the_digits_of_the_package_are_those_of_scikit_learn(digits, classes):
    loaded = load("digits")
    x = np.concatenate([loaded.x_train, loaded.x_validation, loaded.x_test])
    y = np.concatenate([loaded.y_train, loaded.y_validation, loaded.y_test])
    rows = {(image.tobytes(), int(label)) for image, label in zip(x, y, strict=True)}
    assert rows == {(i.tobytes(), int(label)) for i, label in zip(digits, classes, strict=True)}
    assert len(x) == len(digits)


def test_the_digits_are_split_into_three_parts():
    digits = load("digits")
    assert [len(x) for x in (digits.x_train, digits.x_validation, digits.x_test)] == [
        1249,
        249,
        299,
    ]
    assert digits.image_shape == (8, 8, 1)
    assert (digits.x_train.dtype, digits.x_train.min(), digits.x_train.max()) == (np.uint8, 0, 255)
    assert set(digits.y_train) == set(digits.y_test) == set(range(10))
    assert digits.checksum == load("digits").checksum


@pytest.mark.parametrize("name", ["images", "images.gz"])
def test_an_idx_file_is_read_only_if_complete(tmp_path, name):
    path = tmp_path / name

    def write(data):
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)

    whole = idx_bytes(X)
    write(whole)
    assert np.array_equal(read_idx(path, X.shape), X)
    false_shape = idx_bytes(X)[:4] + struct.pack(">3I", 2**31, 2**31, 2**31)
    transposed = idx_bytes(X.transpose())
    bad = (
        transposed,
        b"",
        whole[:3],
        whole[:9],
        whole[:-1],
        whole + b"0",
        false_shape,
        b"\0\0\x0d\3" + whole[4:],
    )
    for data in bad:
        write(data)
        with pytest.raises(InputError, match=f"{name} must be .* Received: "):
            read_idx(path, X.shape)
    path.write_bytes(gzip.compress(whole)[:-20])
    with pytest.raises(InputError):
        read_idx(path, X.shape)


def test_a_name_close_to_a_known_one_is_suggested():
    assert "Did you mean fashion_mnist?" in refused("fashion-mnist")
    assert "Did you mean" not in refused("/no/such/path")
    assert "too long" in refused("x" * 5000)


def test_a_file_of_another_type_is_refused(tmp_path):
    path = tmp_path / "set.csv"
    path.write_text("1,2,3")
    assert str(path) in refused(str(path))
