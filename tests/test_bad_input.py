"""Bad input of every kind: one line on stderr, exit status 2, nothing written, nothing executed."""

import dataclasses
import gzip
import json
import os
import pathlib
import shutil
import signal
import struct
import zipfile

import keras
import numpy as np
import pytest
from absl.testing import flagsaver
from PIL import Image

from adversarial_autoencoder import data, runs, training
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.config.setting import value_type
from adversarial_autoencoder.modes.command import Command

ROOT = pathlib.Path(__file__).parent.parent
X = np.zeros((60, 4, 4), "uint8")


@pytest.fixture(scope="module", autouse=True)
def sigterm():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def refused(program, capsys, tmp_path):
    """Runs the program with flags that it must refuse; returns the line that it says why in."""

    def refuse(*flags):
        before = tree(tmp_path)
        flags = [flag.replace("TMP", str(tmp_path)) for flag in flags]
        if not any(flag.startswith("--results_dir") for flag in flags):
            flags.append(f"--results_dir={tmp_path / 'results'}")
        capsys.readouterr()
        with flagsaver.flagsaver(), pytest.raises(SystemExit) as end:
            program.parse_flags(["run.py", *flags])
            program.main([])
        out, err = capsys.readouterr()
        assert end.value.code == 2, err
        assert out == ""
        assert err.startswith("Error: ")
        assert err.count("\n") == 1
        assert "Traceback" not in err
        assert len(err) < 2000
        assert tree(tmp_path) == before
        return err

    return refuse


def tree(folder):
    """Every file below a folder with its content, but for the lock."""
    return {
        path: path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
        if path.name != ".lock"
    }


def bad_values():
    """A flag of each kind and range, given what it cannot be."""
    for field in dataclasses.fields(Command) + dataclasses.fields(Config):
        kind, limits = value_type(field), field.metadata
        values = {int: ["two", "1.5", ""], float: ["two", "nan", "inf"], bool: ["perhaps"], str: []}
        values = values[kind] + (["nonsense"] if limits["choices"] else [])
        within = limits["within"]
        if kind is float and within is None:
            values = ["two"]
        if within and within.low is not None:
            values.append(str(within.low - (0 if within.open_low else 1)))
        if within and within.high is not None:
            values.append(str(within.high))
        mode = f"--mode={limits['modes'][0]}" if limits["modes"] else "--mode=train"
        for value in values:
            yield pytest.param(field.name, value, mode, id=f"{field.name}={value}")


@pytest.mark.parametrize(("name", "value", "mode"), [*bad_values()])
def test_a_flag_out_of_range_is_refused(refused, name, value, mode):
    flags = [flag for flag in (mode, f"--{name}={value}") if name != "mode" or flag != mode]
    assert name in refused(*flags)


@pytest.mark.parametrize(
    "flags",
    [
        ["--resume", "--run=a", "--run_name=b"],
        ["--run=a"],
        ["--mode=sample", "--resume"],
        ["--mode=list", "--run=a"],
        ["--model=aae", "--num_clusters=4"],
        ["--prior=gaussian_mixture", "--z_dim=3"],
        ["--prior=gaussian", "--prior_turns=2"],
        ["--model=autoencoder", "--discriminator_learning_rate=0.1"],
        ["--model=vae", "--prior=uniform"],
        ["--model=autoencoder", "--adversarial_loss=hinge"],
        ["--gradient_penalty=5"],
        ["--optimizer=sgd", "--generator_epsilon=0.1"],
        ["--corruption=masking", "--input_noise=0"],
        ["--model=semi_supervised_aae", "--num_labels=100", "--vat_epsilon=1"],
        ["--model=wae_mmd", "--batch_size=1"],
        ["--model=clustering_aae", "--y_temperature=1e-39"],
        ["--mode=latent_grid", f"--grid_class={'9' * 400}"],
        ["--mode=latent_grid", "--grid_dims=0,0"],
        ["--mode=latent_grid", "--grid_dims=-1,0"],
        ["--mode=latent_grid", "--grid_dims=0,1,2"],
        ["--flagfile=TMP"],
        ["--flagfile=TMP/missing"],
        ["--no_such_flag=1"],
        ["word"],
    ],
    ids=" ".join,
)
def test_flags_that_contradict_each_other_or_do_not_exist_are_refused(refused, flags):
    refused(*flags)


NAMES = ["..", ".", "", "a/b", "../a", "/tmp/a", "a\0b", "x" * 300, "-x", ".hidden", "a\nb", "a\\b"]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name)[:12])
def test_a_name_that_is_no_folder_is_refused(refused, name):
    assert "name must be 1 to 200" in refused("--dataset=digits", f"--run_name={name}")


@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name)[:12])
@pytest.mark.parametrize("mode", ["--resume", "--mode=sample"])
def test_a_run_that_cannot_be_is_refused(refused, name, mode):
    assert "Received: run=" in refused(mode, f"--run={name}")


# --- data


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
    """Unpickled, it leaves a file."""

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
        archive.comment = b"changed"  # so that the directory is written anew


def loop(path):
    path.symlink_to(path)


def dangling(path):
    path.symlink_to(path.with_name("nowhere"))


def fifo(path):
    os.mkfifo(path)


def folder(**sizes):
    """A folder of images: a dict from file names to sizes."""

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
        npz(x_train=X.astype(bool)),
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
        npz(x_train=X, y_train=np.zeros((60, 1), int)),
        npz(x_train=X, y_train=np.arange(60) % 5 * 2),
        npz(x_train=X, y_train=np.zeros(60)),
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
def test_an_archive_that_is_no_data_is_refused(refused, tmp_path, make):
    path = tmp_path / "data.npz"
    make(path)
    assert str(path) in refused(f"--dataset={path}")
    assert not (tmp_path / "canary").exists()


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
        lambda path: path.mkdir(),
        lambda path: text(path),
    ],
)
def test_a_folder_that_is_no_data_is_refused(refused, tmp_path, make):
    make(tmp_path / "images")
    assert str(tmp_path) in refused("--dataset=TMP/images")


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000, "/dev/null", "/proc/self/mem", ""])
def test_a_path_that_cannot_be_is_refused(refused, name):
    refused(f"--dataset={name}")
    refused("--mode=classify", f"--images={name or '.'}")
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
)
def test_a_lying_file_of_mnist_is_refused(refused, tmp_path, name, content):
    (tmp_path / "mnist").mkdir()
    for stem in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        if not name.startswith(stem):
            (tmp_path / "mnist" / f"{stem}-ubyte").touch()
    (tmp_path / "mnist" / name).write_bytes(content)
    assert name in refused("--dataset=mnist", f"--data_dir={tmp_path / 'mnist'}")


# --- run folders


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run that was trained for an epoch."""
    dataset = data.load("digits")
    config = Config.of(dataset="digits", model="wae_mmd", hidden_units=4, epochs=1)
    run = runs.create(tmp_path_factory.mktemp("trained"), "a")
    run.write_config(config, dataset)
    training.train(config, dataset, run)
    return run


@pytest.fixture
def run(trained, tmp_path):
    """A copy of it."""
    shutil.copytree(trained.path, tmp_path / "results" / "a")
    return runs.Run(tmp_path / "results" / "a")


def edited(section, **values):
    def edit(path):
        document = json.loads(path.read_text())
        document[section] |= values
        path.write_text(json.dumps(document))

    return edit


def without(*keys):
    def edit(path):
        document = json.loads(path.read_text())
        part = document
        for key in keys[:-1]:
            part = part[key]
        del part[keys[-1]]
        path.write_text(json.dumps(document))

    return edit


def content(value):
    return lambda path: path.write_bytes(value)


@pytest.mark.parametrize(
    "edit",
    [
        pathlib.Path.unlink,
        content(b""),
        content(b"{"),
        content(b"[]"),
        content(b"null"),
        content(b'"config"'),
        content(b"\xff\xfe"),
        content(b"[" * 200_000),
        content(b'{"config": [], "data": []}'),
        content(b'{"config": {}, "data": {}}'),
        content(b'{"config": 1e999, "data": NaN}'),
        without("config"),
        without("data"),
        without("data", "checksum"),
        edited("config", field_of_a_newer_version=1),
        edited("config", z_dim=0),
        edited("config", z_dim="2"),
        edited("config", z_dim=2.5),
        edited("config", z_dim=True),
        edited("config", z_dim=None),
        edited("config", z_dim=10**40),
        edited("config", model="no_such_model"),
        edited("config", model=["aae"]),
        edited("config", prior_std=float("nan")),
        edited("config", prior={"a": 1}),
        edited("config", prior="swiss_roll", z_dim=3),
        edited("config", dataset=7),
        edited("data", checksum="sha256:0"),
        edited("data", name=None),
        edited("data", name=["a"]),
    ],
    ids=lambda edit: getattr(edit, "__name__", ""),
)
def test_an_edited_config_is_refused(refused, run, edit):
    edit(run.path / "config.json")
    refused("--mode=reconstruct", "--run=a")
    refused("--resume", "--run=a", "--epochs=2")


def test_a_config_that_is_not_of_the_model_is_refused(refused, run):
    edited("config", z_dim=3)(run.path / "config.json")
    assert "with z_dim 3" in refused("--mode=sample", "--run=a")


def model_of(make):
    def write(path):
        make(path.with_name("canary")).save(path)

    return write


def another_model(canary):
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])


def lambda_layer(canary):
    code = f"__import__('pathlib').Path({str(canary)!r}).touch()"
    layer = keras.layers.Lambda(eval(f"lambda x: (x, {code})[0]"))
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layer(inputs))
    canary.unlink(missing_ok=True)  # which building the model has left
    return model


def with_config(change):
    """A model.keras whose config.json has been rewritten."""

    def write(path):
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        config = json.loads(members["config.json"])
        config = change(config, path.with_name("canary")) or config
        members["config.json"] = json.dumps(config).encode()
        with zipfile.ZipFile(path, "w") as archive:
            for name, value in members.items():
                archive.writestr(name, value)

    write.__name__ = change.__name__
    return write


def function_of_the_system(config, canary):
    command = {"class_name": "function", "module": "os", "config": "system"}
    config["config"]["prior"] = command | {"registered_name": "system"}


def class_of_the_system(config, canary):
    arguments = {"args": ["touch", str(canary)]}
    popen = {"module": "subprocess", "class_name": "Popen", "config": arguments}
    config["config"]["prior"] = popen | {"registered_name": None}


def model_is_a_class_of_the_system(config, canary):
    arguments = {"args": ["touch", str(canary)]}
    return {"module": "subprocess", "class_name": "Popen", "config": arguments}


def no_config(config, canary):
    return {"class_name": None}


def a_list(config, canary):
    return [1, 2]


def cut(share):
    def write(path):
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])

    return write


@pytest.mark.parametrize(
    "edit",
    [
        content(b""),
        content(b"no archive"),
        cut(0.3),
        cut(0.9),
        empty_archive,
        lambda path: np.savez(path.open("wb"), x=X),
        model_of(another_model),
        model_of(lambda_layer),
        with_config(function_of_the_system),
        with_config(class_of_the_system),
        with_config(model_is_a_class_of_the_system),
        with_config(no_config),
        with_config(a_list),
        loop,
    ],
    ids=lambda edit: getattr(edit, "__name__", ""),
)
def test_a_model_that_is_not_of_the_run_is_refused_and_executes_nothing(refused, run, edit):
    if edit is loop:
        run.model_path.unlink()
    edit(run.model_path)
    refused("--mode=sample", "--run=a")
    assert not (run.path / "canary").exists()


@pytest.mark.parametrize(
    "edit",
    [content(b"epoch,loss\n1,half\n"), content(b"\xff"), content(b'epoch\n"' + b"x" * 10**6)],
)
def test_a_history_of_its_own_is_not_believed(run, edit):
    """history.csv is a copy of what model.keras holds."""
    before = run.read_history()
    edit(run.path / "history.csv")
    assert run.read_history() == before
    with zipfile.ZipFile(run.model_path, "a") as archive, pytest.warns(UserWarning):
        archive.writestr("history.csv", (run.path / "history.csv").read_bytes())
    with pytest.raises(ValueError, match="readable model.keras"):
        run.read_history()
