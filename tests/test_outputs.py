"""Results are written in parts to files that appear when they are whole."""

import csv
import importlib
import os
import pathlib

import numpy as np
import pytest
from helpers import tree
from PIL import Image

from adversarial_autoencoder.data.outputs import ARRAYS, FOLDER, TEXTS, check_output, open_output
from adversarial_autoencoder.data.outputs.texts import changed_by_csv
from adversarial_autoencoder.errors import InputError

opening = importlib.import_module("adversarial_autoencoder.data.outputs.open_output")

RNG = np.random.default_rng(0)
# Two parts of a result.
PARTS = [
    {
        "file": ["a.png", "=b.png"],
        "z": np.array([[0.1, -2], [1e-7, 3]], "float32"),
        "class": ["x", "@y"],
    },
    {"file": ["caf\u00e9 c"], "z": np.array([[np.nan, 0]], "float32"), "class": [None]},
]


def write(path, parts=PARTS, **kwargs):
    with open_output(path, **kwargs) as output:
        for part in parts:
            output.write(part)


def test_a_csv_file_has_a_column_for_each_number_and_no_formula(tmp_path):
    write(tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["file", "z0", "z1", "class"],
            ["a.png", "0.1", "-2.0", "x"],
            ["'=b.png", "1e-07", "3.0", "'@y"],
            ["caf\u00e9 c", "", "0.0", ""],
        ]


def test_texts_that_a_csv_file_does_not_give_back_are_found():
    texts = ["a", "", "NA", "None", "=1+1", " b", "b c", "1,5", 7, True]
    assert changed_by_csv(texts) == ["", "NA", "None", "=1+1", " b"]


def test_a_parquet_file_has_types(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    write(tmp_path / "a.parquet")
    table = parquet.read_table(tmp_path / "a.parquet")
    assert table.column_names == ["file", "z0", "z1", "class"]
    assert [str(t) for t in table.schema.types] == ["string", "float", "float", "string"]
    assert table["file"].to_pylist() == ["a.png", "=b.png", "caf\u00e9 c"]
    assert table["z0"].to_pylist() == [pytest.approx(0.1), pytest.approx(1e-7), None]


def test_an_npz_file_has_an_array_for_each_column(tmp_path):
    parts = [{**part, "class": ["x"] * len(part["file"])} for part in PARTS]
    write(tmp_path / "a.npz", parts)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        assert file["file"].tolist() == ["a.png", "=b.png", "caf\u00e9 c"]
        np.testing.assert_array_equal(file["z"], np.concatenate([part["z"] for part in PARTS]))
        assert file["class"].tolist() == ["x"] * 3


def test_an_npz_file_can_have_more_columns_than_files_can_be_open(tmp_path):
    resource = pytest.importorskip("resource")
    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    few = max(int(path.name) for path in pathlib.Path("/dev/fd").iterdir()) + 50
    columns = {f"{kind.__name__}{i}": kind(i) for i in range(few) for kind in (int, str)}
    parts = [{name: [value] * n for name, value in columns.items()} for n in (2, 0, 1)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (few, most))
    try:
        write(tmp_path / "a.npz", parts)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, most))
    with np.load(tmp_path / "a.npz") as file:
        assert {name: file[name].tolist() for name in file} == {
            name: [value] * 3 for name, value in columns.items()
        }


def test_an_npy_file_has_one_column_of_any_length(tmp_path):
    parts = [RNG.integers(0, 9, (n, 3, 2)) for n in (1000, 7, 1)]
    write(tmp_path / "a.npy", [{"x": part, "names": []} for part in parts], main="x")
    found = np.load(tmp_path / "a.npy")
    assert (found == np.concatenate(parts)).all()
    assert found.dtype == parts[0].dtype


def test_a_folder_has_png_files(tmp_path):
    x = RNG.integers(0, 256, (4, 3, 5, 3), "uint8")
    names = ["a.jpg", "a.png", "b/c.tif", "d"]
    write(
        tmp_path / "a", [{"file": names[:2], "x": x[:2]}, {"file": names[2:], "x": x[2:]}], main="x"
    )
    found = ["a.png", "a.png.png", "b/c.png", "d.png"]
    assert (
        sorted(str(p.relative_to(tmp_path / "a")) for p in (tmp_path / "a").rglob("*.png")) == found
    )
    for name, image in zip(found, x, strict=True):
        assert (np.asarray(Image.open(tmp_path / "a" / name)) == image).all()


def test_images_keep_their_depth_and_classes_become_folders(tmp_path):
    x = RNG.integers(0, 4096, (3, 3, 5, 1), "uint16")
    write(tmp_path / "a", [{"x": x, "class": ["T-shirt/top", "..", "x"]}], main="x")
    names = ["T-shirt_top/000000.png", "_/000001.png", "x/000002.png"]
    for name, image in zip(names, x, strict=True):
        assert (np.asarray(Image.open(tmp_path / "a" / name)) == image[..., 0]).all()
    floats = np.array([0, 0.5, 1], "float32").reshape(1, 1, 3, 1)
    write(tmp_path / "b", [{"x": floats}], main="x")
    assert np.asarray(Image.open(tmp_path / "b" / "000000.png")).tolist() == [[0, 128, 255]]


def test_each_class_has_a_folder_of_its_own(tmp_path):
    labels = ["a/b", "a_b", "a_b_2", ".x", "x", "..x", "a_b", "a/b", 7]
    x = np.arange(9, dtype="uint8").repeat(4).reshape(9, 2, 2, 1)
    parts = [{"x": x[part], "class": labels[part]} for part in (slice(0, 4), slice(4, 9))]
    write(tmp_path / "a", parts, main="x")
    names = ["a_b", "a_b_2", "a_b_2_2", "x", "x_2", "x_3", "a_b_2", "a_b", "7"]
    for i, (name, image) in enumerate(zip(names, x, strict=True)):
        found = np.asarray(Image.open(tmp_path / "a" / name / f"{i:06d}.png"))
        assert (found == image[..., 0]).all()


@pytest.mark.parametrize("suffix", [*TEXTS, *ARRAYS, *FOLDER])
@pytest.mark.parametrize("exists", [False, True])
def test_a_failure_leaves_nothing_new(tmp_path, suffix, exists):
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    part = {"x": np.zeros((2, 3, 4, 1) if suffix == "" else (2, 3), "uint8")}
    path = tmp_path / f"a{suffix}"
    if exists:
        write(path, [part], main="x")
    before = tree(tmp_path)
    with (
        pytest.raises(KeyboardInterrupt),
        open_output(path, main="x", overwrite=exists) as output,
    ):
        output.write(part)
        raise KeyboardInterrupt
    assert tree(tmp_path) == before
    write(path, [part, part], main="x", overwrite=exists)
    assert tree(tmp_path) != before
    assert not [*tmp_path.glob(".*")]


IMAGES = {"x": np.zeros((2, 3, 4, 1), "uint8")}


def no_links(*_args, **_kwargs):
    raise PermissionError


@pytest.mark.parametrize("last_check", [True, False])
@pytest.mark.parametrize("has_links", [True, False])
@pytest.mark.parametrize("name", ["a.npz", "empty", "new"])
def test_what_appears_in_the_meantime_is_kept(tmp_path, monkeypatch, name, has_links, last_check):
    """Also if it appears after the last check."""
    path = tmp_path / name
    if not has_links:
        monkeypatch.setattr(os, "link", no_links)
    if name == "empty":
        path.mkdir()
    with pytest.raises(InputError, match="--overwrite replaces it. Received: "):  # noqa: SIM117
        with open_output(path, main="x") as output:
            output.write(IMAGES)
            if not last_check:
                monkeypatch.setattr(opening, "check_output", lambda *_: None)
            if not path.suffix:
                path.mkdir(exist_ok=True)
            mine = path if path.suffix else path / "mine.txt"
            mine.write_text("mine")
    assert mine.read_text() == "mine"
    assert {*tmp_path.rglob("*")} == {path, mine}


def test_an_output_that_exists_is_not_opened(tmp_path):
    write(tmp_path / "a.csv")
    with pytest.raises(InputError, match="--overwrite replaces it"):
        write(tmp_path / "a.csv")
    (tmp_path / "b.csv").symlink_to(tmp_path / "missing.csv")
    refuse("--overwrite replaces it", tmp_path / "b.csv")


def test_a_folder_that_gets_other_files_in_the_meantime_is_not_replaced(tmp_path):
    path = tmp_path / "a"
    write(path, [IMAGES], main="x")
    with pytest.raises(InputError, match=r"PNG images only.*notes.txt"):  # noqa: SIM117
        with open_output(path, main="x", overwrite=True) as output:
            output.write(IMAGES)
            (path / "notes.txt").touch()
    assert len(tree(tmp_path)) == 4


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "disk").mkdir()
    for name in ("a", "a.npz"):
        link, target = tmp_path / name, tmp_path / "disk" / name
        write(target, [IMAGES], main="x")
        link.symlink_to(target)
        before = tree(target.parent)
        write(link, [IMAGES, IMAGES], main="x", overwrite=True)
        assert link.is_symlink()
        assert tree(target.parent) != before
    assert {path.name for path in tmp_path.iterdir()} == {"a", "a.npz", "disk"}
    assert {path.name for path in (tmp_path / "disk").iterdir()} == {"a", "a.npz"}


@pytest.mark.parametrize(("renamed", "taken"), [(0, False), (1, False), (1, True), (2, False)])
def test_an_interrupt_loses_no_folder(tmp_path, monkeypatch, renamed, taken):
    """Ctrl-C before, between or after the two renames of a folder that is replaced."""
    path, rename, calls = tmp_path / "a", pathlib.Path.rename, []
    write(path, [IMAGES], main="x")
    before = tree(tmp_path)

    def interrupted(source, target):
        calls.append(source)
        if len(calls) > renamed:
            monkeypatch.undo()
            if taken:
                path.mkdir()
                (path / "mine.txt").touch()
            raise KeyboardInterrupt
        rename(source, target)
        if len(calls) == renamed == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(pathlib.Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(path, [IMAGES, IMAGES], main="x", overwrite=True)
    found = tree(tmp_path)
    files = sorted(p.name for p in found if p.suffix in {".png", ".txt"})
    if renamed == 2:
        assert files == [f"00000{i}.png" for i in range(4)]
        assert len(found) == 5
    elif taken:  # The old folder is next to the new one.
        assert files == ["000000.png", "000001.png", "mine.txt"]
    else:
        assert found == before


def refuse(message, *args, **kwargs):
    with pytest.raises(InputError, match=message) as error:
        check_output(*args, **kwargs)
    assert "Received: " in str(error.value)


def test_an_output_that_does_not_fit_is_refused(tmp_path):
    every = (*TEXTS, *ARRAYS, *FOLDER)
    (tmp_path / "old.csv").touch()
    refuse("must be a file .csv, .parquet, .npz, .npy", tmp_path / "a.txt")
    refuse("must be a file", tmp_path / "a")
    refuse("without a suffix", tmp_path / "a.jpg", every)
    refuse("in a folder that exists", tmp_path / "missing" / "a.csv")
    refuse("--overwrite replaces it", tmp_path / "old.csv")
    assert check_output(tmp_path / "old.csv", overwrite=True) == tmp_path / "old.csv"
    (tmp_path / "folder.csv").mkdir()
    refuse("must be a file", tmp_path / "folder.csv", overwrite=True)
    (tmp_path / "file").touch()
    refuse("must be a folder", tmp_path / "file", every, overwrite=True)
    refuse("a path that can be written", tmp_path / ("x" * 300 + ".csv"))


def test_a_folder_with_other_files_is_never_replaced(tmp_path):
    folder = tmp_path / "a"
    folder.mkdir()
    assert check_output(folder, FOLDER) == folder  # Nothing is lost.
    (folder / "1.png").touch()
    refuse("--overwrite replaces it", folder, FOLDER)
    assert check_output(folder, FOLDER, overwrite=True) == folder
    (folder / "notes.txt").touch()
    refuse("PNG images only.*notes.txt", folder, FOLDER, overwrite=True)


def test_the_input_stays_as_it_is(tmp_path):
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "a.csv").touch()
    source = tmp_path / "in"
    refuse("not be inside the folder of input", source / "a.csv", source=source)
    refuse("not be inside", source / "sub" / ".." / "a", FOLDER, source=source)
    refuse("not contain input", source, FOLDER, overwrite=True, source=source / "sub")
    refuse("another file", tmp_path / "a.csv", overwrite=True, source=tmp_path / "a.csv")
