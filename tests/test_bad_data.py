"""Data that cannot be used: one line on stderr, nothing is written, nothing is executed."""

import gzip
import os
import pathlib
import struct
import zipfile

import numpy as np
import pytest
from PIL import Image

X = np.zeros((60, 4, 4), "uint8")


def npz(**arrays):
    return lambda path: np.savez(path, **arrays)


def truncated(path):
    np.savez(path, x_train=X)
    path.write_bytes(path.read_bytes()[:600])


def damaged(path):
    np.savez(path, x_train=X)
    content = bytearray(path.read_bytes())
    content[400] ^= 1
    path.write_bytes(content)


def text(path):
    path.write_text("no archive")


def empty_file(path):
    path.touch()


def empty_archive(path):
    zipfile.ZipFile(path, "w").close()


class Canary:
    """An object that creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return pathlib.Path.touch, (self.path,)


def pickled(path):
    objects = np.array([Canary(path.with_name("canary"))] * 60)
    np.savez(path, x_train=objects)


def member(header, content=b"", name="x_train.npy"):
    """An archive with one member, of a header and a content."""

    def make(path):
        head = header.encode().ljust(118) + b"\n"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(
                name, b"\x93NUMPY\x01\0" + struct.pack("<H", len(head)) + head + content
            )

    return make


def header(shape, descr="|u1"):
    return f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"


def declared_bomb(path):
    """A small archive that declares a member of 100 GiB."""
    member(header("(60, 4, 4)"), bytes(960))(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.getinfo("x_train.npy").file_size = 100 * 2**30
        archive.comment = b"changed"  # Without a change the directory is not written again.


def loop(path):
    path.symlink_to(path)


def dangling(path):
    path.symlink_to(path.with_name("nowhere"))


def fifo(path):
    os.mkfifo(path)


def folder(**sizes):
    """A folder of images; from their names to their sizes, "_in_" is a folder separator."""

    def make(path):
        for name, size in sizes.items():
            file = path / f"{name.replace('_in_', '/')}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.zeros(size, "uint8")).save(file)

    return make


def looped_folder(path):
    path.mkdir()
    (path / "again").symlink_to(path)
    (path / "a.png").symlink_to(path / "a.png")


def corrupt_image(path):
    folder(a=(4, 4), b=(4, 4))(path)
    (path / "b.png").write_bytes((path / "b.png").read_bytes()[:40])


def animated_image(path):
    path.mkdir()
    frames = [Image.fromarray(np.full((4, 4), i, "uint8")) for i in (0, 99)]
    frames[0].save(path / "a.gif", save_all=True, append_images=frames[1:])


def huge_image(path):
    """A PNG whose header declares 100 000 x 100 000 pixels."""
    folder(a=(4, 4))(path)
    content = (path / "a.png").read_bytes()
    ihdr = b"IHDR" + struct.pack(">II", 100_000, 100_000) + content[24:29]
    crc = struct.pack(">I", zipfile.crc32(ihdr))
    (path / "a.png").write_bytes(content[:12] + ihdr + crc + content[33:])


@pytest.mark.parametrize(
    "make",
    [
        truncated,
        damaged,
        text,
        empty_file,
        empty_archive,
        pickled,
        declared_bomb,
        loop,
        dangling,
        fifo,
        npz(y_train=X),
        npz(x_train=X.astype("complex64")),
        npz(x_train=np.full((60, 4, 4), "a")),
        npz(x_train=X.astype("datetime64[s]")),
        npz(x_train=np.full((60, 4, 4), np.nan)),
        npz(x_train=np.full((60, 4, 4), np.inf)),
        npz(x_train=np.full((60, 4, 4), -1)),
        npz(x_train=np.full((60, 4, 4), 256)),
        npz(x_train=np.full((60, 4, 4), 1.5)),
        npz(x_train=np.zeros(60)),
        npz(x_train=np.zeros((60, 4))),
        npz(x_train=np.zeros((60, 4, 4, 2))),
        npz(x_train=np.zeros((60, 4, 4, 1, 1))),
        npz(x_train=np.float32(1)),
        npz(x_train=np.zeros((0, 4, 4))),
        npz(x_train=np.zeros((60, 0, 4))),
        npz(x_train=X[:1]),
        npz(x_train=X[:2]),
        npz(x_train=X, y_train=np.zeros(59, int)),
        npz(x_train=X, y_train=np.arange(60) % 5 * 2),
        npz(x_train=X, y_train=np.full(60, -1)),
        npz(x_train=X, y_train=np.zeros(60, int), x_test=X[:9], y_test=np.full(9, 1)),
        npz(x_train=X, x_test=np.zeros((9, 5, 4), "uint8")),
        npz(x_train=X, x_test=X[:9].astype("float32")),
        npz(x_train=X, x_test=X[:0]),
        npz(x_train=X, y_test=np.zeros(9, int)),
        member("{'descr': __import__('os'), 'fortran_order': False, 'shape': (60, 4, 4)}"),
        member(header("(1000000000000, 4, 4)")),
        member(header("(60, 4, 4)"), bytes(959)),
        member(header("(60, 4, 4)"), bytes(961)),
        member(header("(-60, 4, 4)"), bytes(960)),
        member(header("(60, 4, 4)", "|O"), bytes(960)),
        member(header("(60, 4, 4)"), bytes(960), name="../x_train.npy"),
    ],
    ids=lambda make: getattr(make, "__name__", ""),
)
def test_an_archive_without_usable_data_is_refused(refused, tmp_path, make):
    path = tmp_path / "data.npz"
    make(path)
    message = refused(f"--dataset={path}")
    assert str(path) in message
    assert "Received: " in message
    assert not (tmp_path / "canary").exists()


def test_the_error_gives_the_shape_of_labels_that_do_not_fit(refused, tmp_path):
    np.savez(tmp_path / "data.npz", x_train=X, y_train=np.zeros(59, "int64"))
    assert "Received: (59,)" in refused("--dataset=TMP/data.npz")


@pytest.mark.parametrize(
    "make",
    [
        folder(a=(4, 4), b=(5, 4), c=(4, 4)),
        folder(a=(4, 4)),
        folder(a=(4, 4), left_in_b=(4, 4)),
        corrupt_image,
        animated_image,
        huge_image,
        looped_folder,
        pathlib.Path.mkdir,
        text,
    ],
    ids=lambda make: getattr(make, "__name__", ""),
)
def test_a_folder_without_usable_images_is_refused(refused, tmp_path, make):
    make(tmp_path / "images")
    message = refused("--dataset=TMP/images")
    assert str(tmp_path) in message
    assert "Received: " in message


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000, "/dev/null", "/proc/self/mem", ""])
def test_a_path_that_cannot_exist_is_refused(refused, name):
    refused(f"--dataset={name}")
    refused("--mode=classify", f"--input={name or '.'}")
    refused("--dataset=mnist", f"--data_dir={name or 'missing'}")


def idx(*, magic=b"\0\0\x08\x03", shape=(60_000, 28, 28), size=0):
    return magic + struct.pack(f">{len(shape)}I", *shape) + bytes(size)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("train-images-idx3-ubyte", idx(shape=(2**32 - 1, 2**32 - 1, 2**32 - 1))),
        ("train-images-idx3-ubyte", idx(size=1000)),
        ("train-images-idx3-ubyte", idx(magic=b"\0\0\x0d\x03")),
        ("train-images-idx3-ubyte", idx(magic=b"\0\0\x08\x02")),
        ("train-images-idx3-ubyte", b""),
        ("train-images-idx3-ubyte.gz", idx()),
        ("train-images-idx3-ubyte.gz", gzip.compress(idx(size=1000))),
        ("train-images-idx3-ubyte.gz", gzip.compress(idx(size=47_040_000))[:9000]),
        ("train-images-idx3-ubyte.gz", gzip.compress(idx(size=60_000_000))),
        ("mnist.npz", b"PK"),
    ],
    # gzip writes the time into the contents.
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_of_mnist_with_a_false_header_is_refused(refused, tmp_path, name, content):
    (tmp_path / "mnist").mkdir()
    for stem in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        if not name.startswith(stem):
            (tmp_path / "mnist" / f"{stem}-ubyte").touch()
    (tmp_path / "mnist" / name).write_bytes(content)
    assert name in refused("--dataset=mnist", f"--data_dir={tmp_path / 'mnist'}")
