"""Images and arrays that cannot be used, and wrong flags for them: one line, nothing is written."""

import struct

import numpy as np
import pytest
from PIL import Image
from scipy import io

X = np.random.default_rng(0).integers(0, 256, (30, 8, 8), "uint8")
Y = np.arange(30) % 3


def npz(**arrays):
    return lambda path: np.savez(path.with_suffix(".npz"), **arrays)


def mat(**arrays):
    return lambda path: io.savemat(path.with_suffix(".mat"), arrays)


def raw(suffix, content):
    return lambda path: path.with_suffix(suffix).write_bytes(content)


def cut_mat(path):
    io.savemat(path.with_suffix(".mat"), {"x": X, "y": Y}, do_compression=True)
    content = path.with_suffix(".mat").read_bytes()
    path.with_suffix(".mat").write_bytes(content[: len(content) // 2])


def large_mat(path):
    """A MATLAB file whose header declares 2**31 - 1 rows."""
    io.savemat(path.with_suffix(".mat"), {"x": X})
    content = path.with_suffix(".mat").read_bytes()
    path.with_suffix(".mat").write_bytes(
        content.replace(struct.pack("<3i", *X.shape), struct.pack("<3i", 2**31 - 1, 2**20, 8), 1)
    )


def folder(*sizes, mode="L", suffix="png", bad=None):
    """A folder of images; `bad` becomes the content of the last one, from its whole content."""

    def make(path):
        path.mkdir()
        for i, size in enumerate(sizes):
            Image.new(mode, size[::-1], 9 * i).save(path / f"{i}.{suffix}")
        if bad is not None:
            last = path / f"{len(sizes) - 1}.png"
            last.write_bytes(bad(last.read_bytes()))

    return make


FOUR = [(60, 60)] * 4
HDF5 = (
    b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124)
    + b"\0\2IM"
    + b"\x89HDF\r\n\x1a\n"
    + bytes(64)
)
NAMES = np.array([f"class {i}" for i in range(30)])


@pytest.mark.parametrize(
    ("make", "suffix", "flags", "expected"),
    [
        (npz(x=X, data=X), ".npz", [], "one array that can be x_train; give it this name"),
        (npz(x=X, y=Y, labels=Y), ".npz", [], "one array that can be y_train"),
        (npz(x=X, X=X), ".npz", [], "Received: X, x"),
        (npz(x=X.astype(object)), ".npz", [], "pickled objects"),
        (npz(x=X * 1j), ".npz", [], "complex128"),
        (npz(x=np.where(X > 9, np.nan, 0.5)), ".npz", [], "finite numbers"),
        (npz(x=np.where(X > 9, np.inf, 0.5)), ".npz", ["--value_range=0,1"], "finite numbers"),
        (npz(x=X[:0]), ".npz", [], "at least one image"),
        (npz(x=X[:, :0], y=Y), ".npz", ["--image_size=8"], "at least one image"),
        (npz(x=X, y=Y[1:]), ".npz", [], "one label for each image"),
        (npz(x=X, y=np.eye(3)[Y][1:]), ".npz", [], "one label for each image"),
        (npz(x=X, y=NAMES), ".npz", [], "Received: 30 names for 30 images"),
        (npz(x=X, y=np.tile(Y, (2, 1)).T), ".npz", [], "one label for each image"),
        (npz(x=X, y=np.where(Y > 1, np.nan, Y)), ".npz", [], "nan_to_num"),
        (npz(x=X, y=Y, x_test=X, y_test=NAMES), ".npz", [], "y_test"),
        (npz(x=X, y=NAMES[Y], x_test=X, y_test=Y), ".npz", [], "labels like those of y_train"),
        (npz(x=X, x_test=X / 255), ".npz", [], "all be integers or all be floating-point"),
        (npz(x=X.astype(int) * 300), ".npz", [], "--value_range=0,76500"),
        (npz(x=X - 0.5), ".npz", ["--value_range=dtype"], "in the value_range 0 to 1"),
        (npz(x=X), ".npz", ["--value_range=0,100"], "value_range 0 to 100. Received: 0 to 255"),
        (npz(x=X.reshape(30, -1)), ".npz", ["--image_size=9"], "81 values for each image"),
        (npz(x=X.reshape(30, -1)), ".npz", ["--image_size=8x9"], "72 values for each image"),
        (npz(x=X), ".npz", ["--image_size=900000"], "GiB of memory"),
        (npz(x=np.zeros((30, 5, 5, 2, 2))), ".npz", [], "must have the shape"),
        (mat(x=np.array([1, "a"], object)), ".mat", [], "Received: a cell array"),
        (mat(x={"a": X}), ".mat", [], "Received: a struct"),
        (mat(left=X), ".mat", [], "Received: left"),
        (mat(x=X, images=X), ".mat", [], "one array that can be x_train"),
        (mat(x=X * 1j), ".mat", [], "complex numbers"),
        (cut_mat, ".mat", [], "a readable .mat file"),
        (large_mat, ".mat", [], "bytes in total when unpacked"),
        (raw(".mat", b""), ".mat", [], "a readable .mat file"),
        (raw(".mat", b"no file of MATLAB" * 20), ".mat", [], "a readable .mat file"),
        (raw(".mat", HDF5), ".mat", [], "version 7 or below: save(file, ..., '-v7')"),
        (raw(".txt", b"text"), ".txt", [], "an .npz or .mat file, a folder of images or a table"),
        (folder(*FOUR, bad=lambda content: content[:50]), "", ["--image_size=8"], "3.png"),
        (folder(*FOUR, bad=lambda content: b""), "", ["--image_size=8"], "3.png"),
        (folder(*FOUR, mode="F", suffix="tif"), "", ["--image_size=8"], "32-bit pixels"),
        (folder(*FOUR, mode="I", suffix="tif"), "", ["--image_size=8"], "32-bit pixels"),
        (folder((60, 60), bad=lambda content: content), "", [], "at least 3"),
        (folder((4, 4), (4, 5), (4, 4)), "", [], "--image_size 4 resizes and crops them"),
        (folder(*FOUR), "", ["--image_size=900000x900000"], "GiB of memory"),
        (folder(*FOUR), "", ["--value_range=5,90"], "value_range 5 to 90. Received: 0 to 27"),
        (folder(), "", ["--image_size=8"], "must contain images"),
    ],
)
def test_unusable_images_are_refused(refused, tmp_path, make, suffix, flags, expected):
    make(tmp_path / "data")
    message = refused(f"--dataset=TMP/data{suffix}", "--hidden_units=8", "--epochs=1", *flags)
    assert expected in message
    assert "Received: " in message


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        (f"--image_size={size}", "image_size must be the height, or height and width as HxW")
        for size in ("", "0", "8x0", "-8", "8x8x3", "8,8", "8.5", "large", "x", "1" * 5000, "٣")
    ]
    + [
        (f"--value_range={text}", "value_range must be auto, dtype or two numbers LOW,HIGH")
        for text in ("255,0", "0,0", "1", "0,1,2", "a,b", "0,inf", "nan,1", "", ",", "Auto")
    ]
    + [(f"--channels={text}", "channels must be one of auto, 1, 3") for text in ("2", "4", "rgb")],
)
def test_wrong_flags_are_refused(refused, flag, expected):
    assert expected in refused("--dataset=digits", "--hidden_units=8", "--epochs=1", flag)
    if not flag.startswith("--channels"):
        assert expected in refused("--mode=prepare", "--dataset=TMP", "--output_dir=TMP/new", flag)


def test_a_range_for_a_known_set_is_refused(refused):
    assert "value_range must be auto for digits" in refused("--dataset=digits", "--value_range=0,9")
