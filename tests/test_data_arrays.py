"""Data sets in .npz archives: how they are split, and which are refused."""

import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from helpers import data_refused as refused

from adversarial_autoencoder.config.image_form import ImageForm
from adversarial_autoencoder.data import load

X = np.random.default_rng(1).integers(0, 256, (12, 5, 4), "uint8")
Y = np.arange(12) % 3


def npz(folder, **arrays):
    np.savez(folder / "set.npz", **arrays)
    return str(folder / "set.npz")


def test_npz_without_test_images_is_shuffled_and_split(tmp_path):
    x = np.arange(36, dtype="uint8").repeat(6).reshape(36, 2, 3)
    y = np.arange(36) // 12
    dataset = load(npz(tmp_path, x_train=x, y_train=y), form=ImageForm(value_range="dtype"))
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


def test_three_images_are_enough_for_the_three_parts(tmp_path):
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
def test_equal_values_give_the_same_checksum(tmp_path, x):
    expected = load(npz(tmp_path, x_train=X, y_train=Y)).checksum
    assert load(npz(tmp_path, x_train=x, y_train=Y.astype("uint8"))).checksum == expected
    assert load(npz(tmp_path, x_train=X + 1, y_train=Y)).checksum != expected
    assert load(npz(tmp_path, x_train=X, y_train=Y[::-1])).checksum != expected


F = X / 255


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        ({"pictures": X}, "x_train"),
        ({"x_train": X.astype(object)}, "pickled objects"),
        ({"x_train": X.astype(str)}, "dtype"),
        ({"x_train": X.astype(complex)}, "complex"),
        ({"x_train": F.astype("longdouble")}, "float128"),
        ({"x_train": X.astype(int) * 1000}, "usual range: integers from 0 to 65535"),
        ({"x_train": X.astype(int) - 300}, "usual range"),
        ({"x_train": F * 2}, "usual range"),
        ({"x_train": F - 0.5}, "-0.5 to 0.5"),
        ({"x_train": np.where(F > 0.5, np.nan, F)}, "nan"),
        ({"x_train": np.where(F > 0.5, np.inf, F)}, "inf"),
        ({"x_train": X[None, :, None]}, "(1, 12, 1, 5, 4)"),
        ({"x_train": np.stack([X, X], axis=-1)}, "(12, 5, 4, 2)"),
        ({"x_train": np.uint8(3)}, "()"),
        ({"x_train": X[:0]}, "(0, 5, 4, 1)"),
        ({"x_train": X[:, :0]}, "(12, 0, 4, 1)"),
        ({"x_train": X[:2]}, "at least 3"),
        ({"x_train": X[:1], "x_test": X}, "at least 2"),
        ({"x_train": X, "y_train": Y[:-1]}, "y_train"),
        ({"x_train": X, "y_train": Y + 0.5}, "float64"),
        ({"x_train": X, "y_train": Y - 2}, "-2"),
        ({"x_train": X, "y_train": Y * 2}, "no label of class 1"),
        ({"x_train": X, "y_train": np.full(12, 2**64 - 1, "uint64")}, "no label of class 0"),
        ({"x_train": X, "x_test": X[:, 1:]}, "(4, 4, 1)"),
        ({"x_train": X, "x_test": F}, "float64, uint8"),
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


def test_a_truncated_archive_is_refused(tmp_path):
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
        archive.comment = b"changed"  # Without a change the directory is not written again.


def test_a_false_size_in_an_archive_takes_no_memory(tmp_path):
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


def test_an_archive_above_the_size_limit_is_refused(tmp_path):
    path = npz(tmp_path, x_train=X, y_train=Y, x_test=X)
    declare_size(path, 6 * 2**30)
    assert f"Received: {18 * 2**30} bytes" in refused(path)


def test_a_compression_without_a_size_limit_is_refused(tmp_path):
    path = tmp_path / "set.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("x_train.npy", npy_bytes(npy_header("(3, 2, 2)"), bytes(12)))
    assert "compression" in refused(str(path))
