"""Random files: the readers read them or raise InputError, and nothing else."""

import gzip
import io
import json
import pathlib
import struct
import tempfile
import zipfile

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from adversarial_autoencoder import data, runs
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.data.array_files import read_idx, read_npz
from adversarial_autoencoder.data.arrays.mat_files import read_mat
from adversarial_autoencoder.errors import InputError

# The same examples in every run of the tests, without a time limit.
bounded = settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def reads(content, name, read):
    """Reads a file with the given content; only InputError is allowed."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, name)
        path.write_bytes(content)
        try:
            read(path)
        except InputError as error:
            assert "\n" not in str(error)


def an_archive():
    file = io.BytesIO()
    np.savez_compressed(file, x_train=np.zeros((9, 4, 4), "uint8"), y_train=np.arange(9) % 3)
    return file.getvalue()


@st.composite
def mutated(draw, original):
    """A file with a few bytes changed, removed or inserted."""
    content = bytearray(original)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        length = draw(st.integers(0, 8))
        content[start : start + length] = draw(st.binary(max_size=8))
    return bytes(content)


@bounded
@given(mutated(an_archive()) | st.binary(max_size=200))
def test_random_archives(content):
    reads(content, "data.npz", lambda path: data.load(str(path)))


@bounded
@given(
    st.text("{}'descr: fortan_oshpe,()[]0123456789|u1<f8OTrueFalse", max_size=120)
    | st.builds(
        "{{'descr': {!r}, 'fortran_order': {}, 'shape': {}, }}".format,
        st.sampled_from(["|u1", "<f8", ">i2", "|O", "<U9", "|V0", [("a", "<i4")]]) | st.text(),
        st.sampled_from([True, False, 0, None]),
        st.tuples(st.integers(), st.integers(-1, 9)) | st.lists(st.integers(), max_size=3),
    ),
    st.binary(max_size=300),
    st.sampled_from([b"\1\0", b"\2\0", b"\3\0", b"\xff\0"]),
)
def test_random_headers_in_archives(header, rest, version):
    header = header.encode()
    length = struct.pack("<H" if version == b"\1\0" else "<I", len(header))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x_train.npy", b"\x93NUMPY" + version + length + header + rest)
    reads(file.getvalue(), "data.npz", read_npz)


def a_mat_file(**options):
    file = io.BytesIO()
    arrays = {"x": np.arange(90, dtype="uint8").reshape(9, 5, 2), "y": np.arange(9) % 3}
    savemat(file, arrays, **options)
    return file.getvalue()


MAT_FILES = [a_mat_file(), a_mat_file(do_compression=True)]


@bounded
@given(st.one_of(*map(mutated, MAT_FILES)) | st.binary(max_size=300))
def test_random_mat_files(content):
    reads(content, "data.mat", lambda path: read_mat(path, warn=lambda text: None))


IDX = bytes([0, 0, 8, 3]) + struct.pack(">III", 3, 2, 2) + bytes(12)


@bounded
@given(mutated(IDX) | mutated(gzip.compress(IDX)) | st.binary(max_size=60))
def test_random_idx_files(content):
    for name in ("images", "images.gz"):
        reads(content, name, lambda path: read_idx(path, (3, 2, 2)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=9), part),
    max_leaves=6,
)
FIELDS = st.dictionaries(st.sampled_from([*Config.__dataclass_fields__]), JSON, max_size=4)
DATA = {"name": "digits", "checksum": "sha256:0"}


def a_config(config, data):
    return json.dumps({"config": config, "data": data, "prior_checksum": None}).encode()


@bounded
@given(
    st.binary(max_size=60)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.builds(a_config, FIELDS, JSON)
    | FIELDS.map(lambda fields: a_config(fields, DATA))
)
def test_random_configs(content):
    reads(content, "config.json", lambda path: runs.Run(path.parent).read_config())


def a_model(history):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("history.csv", history)
    return file.getvalue()


HISTORY = b"epoch,loss\r\n1,0.5\r\n2,0.25\r\n"


@bounded
@given(
    mutated(HISTORY).map(a_model)
    | st.binary(max_size=60).map(a_model)
    | mutated(a_model(HISTORY))
    | st.binary(max_size=60)
)
def test_random_histories(content):
    reads(content, "model.keras", lambda path: runs.Run(path.parent).read_history())


# Parts of texts that mean something in a CSV file.
TOKENS = [
    *("1", "2", "-3", "4.5", "a", "b", '"', '""', '"x,y"', ",", ",", ",", "\n", "\n", "\r\n"),
    *(" ", "?", "NA", "inf", "1e5", "1e400", "0012", "true", "false", "\t", ";", "|", "\ufeff"),
    *("\0", "=1+1", "'", "\\", "9" * 25, "\xe9"),
]


@bounded
@given(st.lists(st.sampled_from(TOKENS), max_size=60).map("".join) | st.text(max_size=40))
def test_random_tables(text):
    reads(text.encode("utf-8", "replace"), "t.csv", lambda p: data.load(p, warn=lambda text: None))


@bounded
@given(mutated(b"a,b,c\n" + b"1,x,2.5\n2,y,3.5\n" * 9))
def test_random_bytes_in_a_table(content):
    reads(content, "t.csv", lambda path: data.load(path, warn=lambda text: None))
