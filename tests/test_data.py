"""Data sets: the known ones, .npz archives, folders of images, and what is refused."""

import gzip
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest
from PIL import Image

from adversarial_autoencoder.data import known, load
from adversarial_autoencoder.data.array_files import read_idx
from adversarial_autoencoder.data.image_folder import read_image_folder
from adversarial_autoencoder.errors import InputError

X = np.random.default_rng(1).integers(0, 256, (12, 5, 4), "uint8")
Y = np.arange(12) % 3


def refused(*args, **kwargs):
    """The message of the InputError that `load` raises."""
    with pytest.raises(InputError) as error:
        load(*args, **kwargs)
    message = str(error.value)
    assert "Received: " in message
    assert len(message.splitlines()) == 1
    return message


def npz(folder, **arrays):
    np.savez(folder / "set.npz", **arrays)
    return str(folder / "set.npz")


def idx_bytes(array, magic=None):
    magic = magic or bytes([0, 0, 8, array.ndim])
    return magic + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def save_images(folder, *names, size=(4, 5), mode="L"):
    folder.mkdir(exist_ok=True)
    for name in names:
        pixels = np.random.default_rng([*name.encode()]).integers(0, 256, (*size[::-1], 3), "uint8")
        Image.fromarray(pixels).convert(mode).save(folder / name)
    return str(folder)


@pytest.fixture(scope="module")
def mnist_dir():
    folder = os.environ.get("AAE_DATA_DIR")
    if not folder or not pathlib.Path(folder, "mnist.npz").is_file():
        pytest.skip("needs mnist.npz in the folder AAE_DATA_DIR")
    return pathlib.Path(folder)


@pytest.fixture(scope="module")
def mnist_arrays(mnist_dir):
    with np.load(mnist_dir / "mnist.npz") as archive:
        return dict(archive)


@pytest.fixture(scope="module")
def keras_home(tmp_path_factory):
    """A cache of Keras with black images in the place of Fashion-MNIST."""
    home = tmp_path_factory.mktemp("keras")
    folder = home / "datasets" / "fashion-mnist"
    folder.mkdir(parents=True)
    for part, n in (("train", 60_000), ("t10k", 10_000)):
        images = np.zeros((n, 28, 28), "uint8")
        labels = (np.arange(n) % 10).astype("uint8")
        for name, array in ((f"{part}-images-idx3", images), (f"{part}-labels-idx1", labels)):
            packed = gzip.compress(idx_bytes(array), compresslevel=1)
            (folder / f"{name}-ubyte.gz").write_bytes(packed)
    return home


def test_mnist_is_split_in_its_order(mnist_dir, mnist_arrays):
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


def test_mnist_is_not_taken_for_fashion_mnist(mnist_dir, tmp_path):
    shutil.copy(mnist_dir / "mnist.npz", tmp_path / "fashion_mnist.npz")
    assert "Received: MNIST" in refused("fashion_mnist", str(tmp_path))


def test_data_dir_goes_before_the_environment_variable(tmp_path, monkeypatch):
    for name in ("argument", "variable"):
        (tmp_path / name).mkdir()
        np.savez(tmp_path / name / "mnist.npz", x_train=X)
    monkeypatch.setenv("AAE_DATA_DIR", str(tmp_path / "variable"))
    assert str(tmp_path / "argument") in refused("mnist", str(tmp_path / "argument"))
    assert str(tmp_path / "variable") in refused("mnist")
    # What is there but wrong is an error even where digits could stand in.
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


def test_without_a_network_keras_cache_is_used_and_digits_stand_in_for_mnist(keras_home, tmp_path):
    environment = os.environ | {"KERAS_HOME": str(keras_home), "AAE_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-c", OFFLINE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stderr.splitlines() if "AAE_DATA_DIR" in line]
    assert len(lines) == 2
    assert lines[0].startswith("mnist must be")
    assert lines[1].startswith("Warning: digits")
    assert all("no network" in line and "mnist.npz" in line for line in lines)


def test_digits():
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
def test_idx_is_read_only_if_whole(tmp_path, name):
    path = tmp_path / name

    def write(data):
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)

    whole = idx_bytes(X)
    write(whole)
    assert np.array_equal(read_idx(path, X.shape), X)
    lying = idx_bytes(X)[:4] + struct.pack(">3I", 2**31, 2**31, 2**31)
    transposed = idx_bytes(X.transpose())
    bad = (
        transposed,
        b"",
        whole[:3],
        whole[:9],
        whole[:-1],
        whole + b"0",
        lying,
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


def test_npz_without_test_images_is_shuffled_and_split(tmp_path):
    x = np.arange(36, dtype="uint8").repeat(6).reshape(36, 2, 3)
    y = np.arange(36) // 12
    dataset = load(npz(tmp_path, x_train=x, y_train=y))
    parts = (dataset.x_train, dataset.x_validation, dataset.x_test)
    assert [part.shape for part in parts] == [(25, 2, 3, 1), (5, 2, 3, 1), (6, 2, 3, 1)]
    numbers = np.concatenate(parts)[:, 0, 0, 0]
    assert sorted(numbers) == list(range(36))
    assert list(numbers) != list(range(36))
    labels = np.concatenate([dataset.y_train, dataset.y_validation, dataset.y_test])
    assert np.array_equal(labels, numbers // 12)
    assert dataset.class_names == ("0", "1", "2")
    assert dataset.name == "set"


def test_npz_keeps_its_test_images_in_their_order(tmp_path):
    dataset = load(npz(tmp_path, x_train=X, y_train=Y, x_test=X[:5], y_test=Y[:5]))
    assert np.array_equal(dataset.x_test[..., 0], X[:5])
    assert np.array_equal(dataset.y_test, Y[:5])
    assert (len(dataset.x_train), len(dataset.x_validation)) == (10, 2)
    unlabelled = load(npz(tmp_path, x_train=X, y_train=Y, x_test=X))
    assert unlabelled.y_test is None
    assert len(unlabelled.y_train) == 10


def test_npz_of_three_images_has_one_for_each_part(tmp_path):
    dataset = load(npz(tmp_path, x_train=X[:3]))
    assert len(dataset.x_train) == len(dataset.x_validation) == len(dataset.x_test) == 1
    assert dataset.y_train is None
    assert dataset.num_classes == 0


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ">f4"])
def test_floating_point_images_become_float32(tmp_path, dtype):
    x = np.linspace(0, 1, 12 * 5 * 4).reshape(12, 5, 4).astype(dtype)
    dataset = load(npz(tmp_path, x_train=x, x_test=x))
    assert dataset.x_train.dtype == np.float32
    assert np.array_equal(dataset.x_test[..., 0], x.astype("float32"))


@pytest.mark.parametrize("x", [X.astype("int64"), np.asfortranarray(X), X[..., None]])
def test_images_of_the_same_values_are_the_same_data(tmp_path, x):
    expected = load(npz(tmp_path, x_train=X, y_train=Y)).checksum
    assert load(npz(tmp_path, x_train=x, y_train=Y.astype("uint8"))).checksum == expected
    assert load(npz(tmp_path, x_train=X + 1, y_train=Y)).checksum != expected
    assert load(npz(tmp_path, x_train=X, y_train=Y[::-1])).checksum != expected


F = X / 255


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        ({"images": X}, "x_train"),
        ({"x_train": X.astype(object)}, "pickled objects"),
        ({"x_train": X.astype(str)}, "dtype"),
        ({"x_train": X > 5}, "bool"),
        ({"x_train": X.astype(complex)}, "complex"),
        ({"x_train": F.astype("longdouble")}, "float128"),
        ({"x_train": X.astype(int) + 1000}, "1000"),
        ({"x_train": X.astype(int) - 300}, "0 to 255"),
        ({"x_train": F * 2}, "0 to 1"),
        ({"x_train": F - 0.5}, "0 to 1"),
        ({"x_train": np.where(F > 0.5, np.nan, F)}, "nan"),
        ({"x_train": np.where(F > 0.5, np.inf, F)}, "inf"),
        ({"x_train": X[0]}, "(5, 4)"),
        ({"x_train": X[None, :, None]}, "(1, 12, 1, 5, 4)"),
        ({"x_train": np.stack([X, X], axis=-1)}, "(12, 5, 4, 2)"),
        ({"x_train": np.uint8(3)}, "()"),
        ({"x_train": X[:0]}, "(0, 5, 4, 1)"),
        ({"x_train": X[:, :0]}, "(12, 0, 4, 1)"),
        ({"x_train": X[:2]}, "at least 3"),
        ({"x_train": X[:1], "x_test": X}, "at least 2"),
        ({"x_train": X, "y_train": Y[:-1]}, "y_train"),
        ({"x_train": X, "y_train": Y[:, None]}, "(12, 1)"),
        ({"x_train": X, "y_train": Y.astype(float)}, "float64"),
        ({"x_train": X, "y_train": Y - 1}, "-1"),
        ({"x_train": X, "y_train": Y * 2}, "no label of class 1"),
        ({"x_train": X, "y_train": np.full(12, 2**64 - 1, "uint64")}, "no label of class 0"),
        ({"x_train": X, "x_test": X[:, 1:]}, "(4, 4, 1)"),
        ({"x_train": X, "x_test": F}, "float32"),
        ({"x_train": X, "x_test": X[:0]}, "x_test"),
        ({"x_train": X, "y_train": Y, "y_test": Y}, "must come with x_test"),
        ({"x_train": X, "x_test": X, "y_test": Y}, "must come with y_train"),
        ({"x_train": X, "y_train": Y, "x_test": X, "y_test": Y + 1}, "Received: 3"),
        ({"x_train": X, "y_train": Y, "x_test": X, "y_test": Y[1:]}, "y_test"),
    ],
)
def test_unusable_arrays_are_refused(tmp_path, arrays, expected):
    path = npz(tmp_path, **arrays)
    message = refused(path)
    assert path in message
    assert expected in message


def npy_bytes(header, data=b""):
    header = header.encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + data


def npy_header(shape, dtype="|u1"):
    return f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}}}"


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        (b"", "x_train"),
        (b"no array", "magic string"),
        (npy_bytes("{" * 300), "x_train"),
        (npy_bytes("-" * 9000 + "1"), "x_train"),
        (npy_bytes(npy_header("(3, 2, 2)"), bytes(11)), "its header declares"),
        (npy_bytes(npy_header("(3, 2, 2)"), bytes(13)), "its header declares"),
        (npy_bytes(npy_header("(1000000, 1000000, 1000000)")), "its header declares"),
        (npy_bytes(npy_header("(-3, -2, 2)"), bytes(12)), "negative"),
        (npy_bytes(npy_header("(3, 2, 2)", "no"), bytes(12)), "x_train"),
        (b"\x93NUMPY\3\0" + npy_bytes(npy_header("(3, 2, 2)"), bytes(12))[8:], "version"),
    ],
)
def test_damaged_arrays_are_refused(tmp_path, member, expected):
    path = tmp_path / "set.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x_train.npy", member)
    message = refused(str(path))
    assert f"x_train in {path}" in message
    assert expected in message


def test_an_archive_that_was_cut_off_is_refused(tmp_path):
    path = tmp_path / "set.npz"
    np.savez_compressed(path, x_train=X)
    whole = path.read_bytes()
    for size in range(0, len(whole), 30):
        path.write_bytes(whole[:size])
        assert str(path) in refused(str(path))


def test_changed_bytes_are_refused(tmp_path):
    path = tmp_path / "set.npz"
    np.savez(path, x_train=X)
    data = bytearray(path.read_bytes())
    data[300] ^= 1
    path.write_bytes(data)
    assert "CRC" in refused(str(path))


def declare_size(path, size):
    """Makes every member of an archive declare that it has `size` bytes unpacked."""
    with zipfile.ZipFile(path, "a") as archive:
        for info in archive.infolist():
            info.file_size = size
        archive.comment = b"changed"  # so that the directory is written anew


def test_an_archive_that_declares_more_than_it_has_takes_no_memory(tmp_path):
    path = tmp_path / "set.npz"
    member = npy_bytes(npy_header("(1000000, 1000, 10)"))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x_train.npy", member)
    declare_size(path, len(member) + 10**10)
    tracemalloc.start()
    message = refused(str(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert f"x_train in {path}" in message
    assert "its header declares" not in message
    assert peak < 10**7


def test_an_archive_above_the_bound_is_refused(tmp_path):
    path = npz(tmp_path, x_train=X, y_train=Y, x_test=X)
    declare_size(path, 6 * 2**30)
    assert f"Received: {18 * 2**30} bytes" in refused(path)


def test_a_compression_without_bound_is_refused(tmp_path):
    path = tmp_path / "set.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("x_train.npy", npy_bytes(npy_header("(3, 2, 2)"), bytes(12)))
    assert "compression" in refused(str(path))


def test_flat_folder_has_no_labels_and_other_files_are_ignored(tmp_path):
    folder = save_images(tmp_path / "set", "a.png", "b.bmp", "c.TIF", "d.gif", "e.png", "f.png")
    (tmp_path / "set" / "readme.txt").write_text("no image")
    (tmp_path / "set" / ".hidden.png").write_text("no image")
    (tmp_path / "set" / "loop").symlink_to(tmp_path / "set" / "loop")
    (tmp_path / "set" / "nothing").mkdir()
    dataset = load(folder)
    assert dataset.name == "set"
    assert dataset.y_train is None
    images = np.concatenate([dataset.x_train, dataset.x_validation, dataset.x_test])
    assert images.shape == (6, 5, 4, 1)
    with Image.open(tmp_path / "set" / "a.png") as image:
        assert any(np.array_equal(image, x[..., 0]) for x in images)


def test_images_are_read_in_the_order_of_their_names(tmp_path):
    for i in (3, 1, 7, 0, 5, 2, 6, 4):
        Image.new("L", (2, 2), i).save(tmp_path / f"{i}.png")
    x, _, _ = read_image_folder(tmp_path)
    assert x[:, 0, 0, 0].tolist() == list(range(8))


def test_sub_folders_are_classes(tmp_path):
    for label, name in enumerate(("cat", "dog")):
        (tmp_path / name).mkdir()
        for i in range(6):
            Image.new("L", (4, 4), 10 * label + i).save(tmp_path / name / f"{i}.png")
    (tmp_path / "loop").symlink_to(tmp_path)
    dataset = load(str(tmp_path))
    assert dataset.class_names == ("cat", "dog")
    assert np.array_equal(dataset.y_train, dataset.x_train[:, 0, 0, 0] // 10)
    assert np.array_equal(dataset.y_test, dataset.x_test[:, 0, 0, 0] // 10)
    assert {*dataset.y_train} == {0, 1}


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("RGB", (2, 2), (7, 7, 7)), [7]),
        (Image.new("P", (2, 2)), [0]),
        (Image.new("1", (2, 2), 1), [255]),
        (Image.new("RGB", (2, 2), (1, 2, 3)), [1, 2, 3]),
        (Image.new("RGBA", (2, 2), (1, 2, 3, 0)), [255]),
        (Image.new("LA", (2, 2), (8, 255)), [8]),
        (Image.fromarray(np.full((2, 2), 257 * 9 + 200, "uint16")), [10]),
    ],
    ids=lambda value: value.mode if isinstance(value, Image.Image) else None,
)
def test_images_get_one_channel_without_colour_and_three_with(tmp_path, image, expected):
    for i in range(3):
        image.save(tmp_path / f"{i}.png")
    dataset = load(str(tmp_path))
    assert dataset.x_train.dtype == np.uint8
    assert dataset.x_train[0, 0, 0].tolist() == expected


def test_one_coloured_image_makes_all_coloured(tmp_path):
    save_images(tmp_path, "a.png", "b.png")
    assert load(save_images(tmp_path, "c.png", mode="RGB")).image_shape == (5, 4, 3)


def test_unusable_folders_are_refused(tmp_path, monkeypatch):
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "Received: none" in refused(str(empty))

    assert "at least 3" in refused(save_images(tmp_path / "two", "a.png", "b.png"))

    mixed = save_images(tmp_path / "mixed", "a.png", "b.png", "c.png")
    save_images(tmp_path / "mixed" / "class", "d.png")
    assert "directly or in sub-folders" in refused(mixed)

    folder = save_images(tmp_path / "sizes", "a.png", "b.png")
    save_images(tmp_path / "sizes", "c.png", "d.png", size=(6, 5))
    message = refused(folder)
    assert "a.png, 4x5 pixels" in message
    assert "c.png of 6x5 pixels" in message

    folder = save_images(tmp_path / "bomb", "a.png", "b.png", "c.png", size=(40, 40))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # a warning from here, an error from 2000
    assert "a.png must be a readable image" in refused(folder)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert "a.png must be a readable image" in refused(folder)


@pytest.mark.parametrize("name", ["b.png", "b.jpg", "b.gif", "b.tif", "b.webp"])
def test_damaged_images_are_refused(tmp_path, name):
    folder = save_images(tmp_path, "a.png", "c.png", name, size=(60, 60))
    data = (tmp_path / name).read_bytes()
    for bad in (b"", b"no image", data[: len(data) // 2]):
        (tmp_path / name).write_bytes(bad)
        assert f"{name} must be a readable image" in refused(folder)


def test_animated_images_and_those_of_32_bits_are_refused(tmp_path):
    folder = save_images(tmp_path, "a.png", "c.png")
    frames = [Image.new("L", (4, 5), grey) for grey in (0, 100, 200)]
    frames[0].save(tmp_path / "b.gif", save_all=True, append_images=frames[1:])
    assert "b.gif" in refused(folder)
    (tmp_path / "b.gif").unlink()
    Image.new("F", (4, 5)).save(tmp_path / "b.tif")
    assert "32-bit pixels" in refused(folder)
