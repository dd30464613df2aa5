"""The modes that read a user's files and write results: codes, reconstructions and samples."""

import signal
import types

import numpy as np
import pytest
from helpers import start_process, tree, wait_for
from PIL import Image

from adversarial_autoencoder import training
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.modes import files
from adversarial_autoencoder.runs import Run


@pytest.fixture(scope="module")
def images(dataset, tmp_path_factory):
    """A folder with 12 test images in the folder `in`."""
    folder = tmp_path_factory.mktemp("images")
    (folder / "in").mkdir()
    for i, image in enumerate(dataset.x_test[:12]):
        Image.fromarray(image[..., 0]).save(folder / "in" / f"{i:02d}.png")
    return folder


@pytest.fixture(scope="module")
def model(few):
    return training.load(Run(few / "few"))


def test_codes_are_those_of_the_model(few, model, images, dataset, command_line, tmp_path):
    x, flags = dataset.x_test[:12], ["--mode=encode", f"--input={images / 'in'}"]
    out, err = command_line(*flags, f"--output={tmp_path / 'a.npz'}", results=few)
    assert (out, err) == (f"Wrote {tmp_path / 'a.npz'}\n", "")
    with np.load(tmp_path / "a.npz") as file:
        assert sorted(file) == ["class", "file", "y", "z"]
        np.testing.assert_allclose(file["z"], model.encode(x), atol=1e-5)
        np.testing.assert_allclose(file["y"], model.classify(x), atol=1e-5)
        assert file["class"].tolist() == [str(k) for k in model.classify(x).argmax(axis=1)]
        assert file["file"].tolist() == [f"{i:02d}.png" for i in range(12)]
    out, _ = command_line(*flags, f"--output={tmp_path / 'a.npy'}", results=few)
    assert "the codes z alone" in out
    assert np.load(tmp_path / "a.npy").shape == (12, 4)
    command_line(*flags, f"--output={tmp_path / 'a.csv'}", results=few)
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert lines[0] == "file,z0,z1,z2,z3," + ",".join(f"y{k}" for k in range(10)) + ",class"
    assert len(lines) == 13


def test_reconstructions_have_the_names_of_the_files(
    few, model, images, dataset, command_line, tmp_path
):
    flags = ["--mode=reconstruct", f"--input={images / 'in'}"]
    command_line(*flags, f"--output={tmp_path / 'out'}", results=few)
    paths = sorted((tmp_path / "out").iterdir())
    assert [path.name for path in paths] == [f"{i:02d}.png" for i in range(12)]
    expected = np.round(model.predict(dataset.x_test[:12], verbose=0) * 255)[..., 0]
    found = np.stack([np.asarray(Image.open(path)) for path in paths])
    assert abs(found - expected).max() <= 1
    command_line(*flags, "--class=3", f"--output={tmp_path / 'a.npz'}", results=few)
    with np.load(tmp_path / "a.npz") as file:
        assert sorted(file) == ["file", "x"]
        assert file["x"].dtype == np.uint8
        threes = model.decode(model.encode(dataset.x_test[:12]), np.full(12, 3))
        assert abs(file["x"] - np.round(threes * 255)).max() <= 1


def test_samples_go_to_files_in_batches(few, images, command_line, tmp_path, monkeypatch):
    monkeypatch.setattr("adversarial_autoencoder.modes.files.BATCH", 8)
    flags = ["--mode=sample", "--num_samples=20"]
    command_line(*flags, f"--output={tmp_path / 'a.npz'}", results=few)
    with np.load(tmp_path / "a.npz") as file:
        x, y = file["x"], file["y"]
    assert x.shape == (20, 8, 8, 1)
    assert len(np.unique(x.reshape(20, -1), axis=0)) == 20  # No batch repeats another.
    assert len(set(y)) > 1
    command_line(*flags, f"--output={tmp_path / 'b'}", results=few)
    for i in range(20):
        image = Image.open(tmp_path / "b" / f"{y[i]}" / f"{i:06d}.png")
        assert (np.asarray(image) == x[i, ..., 0]).all()
    command_line(*flags, "--class=7", f"--output={tmp_path / 'c.npz'}", results=few)
    with np.load(tmp_path / "c.npz") as file:
        assert set(file["y"]) == {7}
    mixture = [*flags, "--sampler=gaussian_mixture", f"--output={tmp_path / 'd.npy'}"]
    command_line(*mixture, results=few)
    assert np.load(tmp_path / "d.npy").shape == (20, 8, 8, 1)
    # A run can be trained on what another one has generated.
    command_line(
        "--mode=encode", f"--input={tmp_path / 'b'}", f"--output={tmp_path / 'e.npy'}", results=few
    )
    assert len(np.load(tmp_path / "e.npy")) == 20


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--mode=encode", "--output=TMP/a.npz"], "needs --input"),
        (["--mode=encode", "--input=IN"], "needs --output"),
        (["--mode=encode", "--input=TMP/missing", "--output=TMP/a.npz"], "that exists"),
        (["--mode=encode", "--input=IN", "--output=TMP/old.npz"], "--overwrite replaces it"),
        (["--mode=encode", "--input=IN", "--output=TMP/a.txt"], "must be a file .csv"),
        (["--mode=encode", "--input=IN", "--output=IN/a.npz"], "not be inside"),
        (["--mode=encode", "--input=TMP/old.npz", "--output=TMP/a.npz"], "readable .npz file"),
        (["--mode=encode", "--input=TMP/t.csv", "--output=TMP/a.npz"], "images, as in training"),
        (["--mode=reconstruct", "--input=IN", "--output=TMP/a.csv"], "a format of images"),
        (["--mode=reconstruct", "--input=IN"], "--input needs --output"),
        (["--mode=reconstruct", "--output=TMP/a"], "--output needs --input"),
        (["--mode=classify", "--output=TMP/a.csv"], "--output needs --input"),
        (["--mode=classify", "--overwrite"], "--overwrite needs --output"),
        (["--mode=sample", "--num_samples=4"], "--num_samples needs --output"),
        (["--mode=sample", "--class=4"], "--class needs --output"),
        (["--mode=sample", "--class=ten", "--output=TMP/a"], "Received: class=ten"),
        (["--mode=sample", "--class=10", "--output=TMP/a"], "Received: class=10"),
        (["--mode=histograms", "--class=1"], "--class needs --mode latent_grid, reconstruct"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_what_cannot_be_done_is_refused(few, images, command_line, tmp_path, flags, message):
    (tmp_path / "old.npz").write_bytes(b"old")
    (tmp_path / "t.csv").write_text("a\n1\n")
    before = tree(tmp_path), tree(images)
    flags = [f.replace("TMP", str(tmp_path)).replace("IN", str(images / "in")) for f in flags]
    out, err = command_line(*flags, results=few, status=2)
    assert out == ""
    assert message in err
    assert err.count("\n") == 1
    assert (tree(tmp_path), tree(images)) == before


def test_a_run_without_y_has_no_class(demo, images, command_line, tmp_path):
    flags = ["--mode=sample", "--class=1", f"--output={tmp_path / 'a.npz'}"]
    _, err = command_line(*flags, results=demo, status=2)
    assert "decoder gets a y (such as supervised_aae). Received: demo, aae" in err
    command_line(
        "--mode=encode", f"--input={images / 'in'}", f"--output={tmp_path / 'a.npz'}", results=demo
    )
    with np.load(tmp_path / "a.npz") as file:
        assert sorted(file) == ["file", "z"]


def test_an_image_at_the_end_that_does_not_fit_leaves_no_output(
    few, images, command_line, tmp_path
):
    folder = tmp_path / "in"
    folder.mkdir()
    for path in (images / "in").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    Image.new("L", (9, 9)).save(folder / "z.png")
    before = tree(tmp_path)
    for output in ("a.npz", "a.csv", "a.npy"):
        flags = ["--mode=encode", f"--input={folder}", f"--output={tmp_path / output}"]
        _, err = command_line(*flags, results=few, status=2)
        assert "z.png of 9x9 pixels" in err
        assert tree(tmp_path) == before


QUICK = ["--hidden_units=8", "--epochs=1", "--batch_size=30", "--run_name=a"]


@pytest.mark.parametrize(
    ("value_range", "dtype", "channels", "fits"),
    [
        ("dtype", "float32", 1, True),
        ("0,4095", "uint16", 1, True),
        ("0,4095", "uint16", 3, False),
        ("-200,300", "int16", 1, False),
    ],
)
def test_a_run_cannot_read_png_files_of_every_range(
    value_range, dtype, channels, fits, tmp_path, capsys
):
    shown = types.SimpleNamespace(
        config=Config(value_range=value_range),
        recorded={"dtype": dtype},
        model=types.SimpleNamespace(image_shape=(8, 8, channels)),
        is_table=False,
    )
    files._check_format(tmp_path / "out", shown)
    assert ("need an array: --output FILE.npz" in capsys.readouterr().err) != fits
    files._check_format(tmp_path / "out.npz", shown)
    assert capsys.readouterr().err == ""


def test_images_come_out_in_the_range_of_the_training(command_line, tmp_path):
    """12 bits in, 12 bits out."""
    x = np.random.default_rng(0).integers(0, 4096, (60, 6, 5), "uint16")
    x[0, 0, :2] = 0, 4095
    np.savez(tmp_path / "x.npz", x_train=x)
    results = tmp_path / "results"
    command_line(f"--dataset={tmp_path / 'x.npz'}", *QUICK, results=results)
    flags = ["--mode=reconstruct", f"--input={tmp_path / 'x.npz'}"]
    command_line(*flags, f"--output={tmp_path / 'y.npy'}", results=results)
    y = np.load(tmp_path / "y.npy")
    assert (y.dtype, y.shape) == (np.uint16, (60, 6, 5, 1))
    assert abs(y.mean() - 2048) < 400
    command_line(*flags, f"--output={tmp_path / 'y'}", results=results)
    for i in (0, 59):
        found = np.asarray(Image.open(tmp_path / "y" / f"{i:06d}.png"))
        assert abs(found.astype(int) - y[i, ..., 0]).max() <= 1


@pytest.fixture(scope="module")
def table(people, command_line, tmp_path_factory):
    """A run trained on people.parquet, and the folder of both."""
    folder = tmp_path_factory.mktemp("people")
    frame = people.assign(label=["old" if age > 50 else "young" for age in people["age"]])
    frame.to_parquet(folder / "people.parquet")
    frame.to_csv(folder / "people.csv", index=False)
    system = ["--model=semi_supervised_aae", "--num_labels=0", "--label_column=label"]
    command_line(f"--dataset={folder / 'people.parquet'}", *system, *QUICK, results=folder)
    return folder


def test_rows_come_out_with_names_types_categories_and_missing_values(
    table, people, command_line, tmp_path
):
    import pandas as pd

    flags = ["--mode=reconstruct", f"--input={table / 'people.parquet'}"]
    out, err = command_line(*flags, f"--output={tmp_path / 'a.parquet'}", results=table)
    assert (out, err) == (f"Wrote {tmp_path / 'a.parquet'}\n", "")
    frame = pd.read_parquet(tmp_path / "a.parquet")
    assert frame.columns.tolist() == people.columns.tolist()
    assert len(frame) == len(people)
    for name in people:
        assert frame[name].dtype.kind in (people[name].dtype.kind, "f"), name
    assert set(frame["job"].dropna()) <= {"none", "farmer", "doctor"}
    assert frame["size"].dtype == "category"
    command_line(*flags, f"--output={tmp_path / 'a.csv'}", results=table)
    text = pd.read_csv(tmp_path / "a.csv")
    np.testing.assert_allclose(text["weight"], frame["weight"], rtol=1e-6)
    assert (text["age"] == frame["age"]).all()


def test_codes_of_rows_and_samples_of_a_class(table, command_line, tmp_path):
    import pandas as pd

    rows = [f"--input={table / 'people.csv'}", f"--output={tmp_path / 'a.parquet'}"]
    command_line("--mode=encode", *rows, results=table)
    frame = pd.read_parquet(tmp_path / "a.parquet")
    assert frame["row"].tolist() == list(range(1, 241))
    assert set(frame["class"]) <= {"old", "young"}
    _, err = command_line("--mode=classify", *rows, results=table, status=2)
    assert "--overwrite replaces it" in err
    command_line("--mode=classify", *rows, "--overwrite", results=table)
    assert pd.read_parquet(tmp_path / "a.parquet").columns.tolist() == [
        *("row", "class", "probability")
    ]
    flags = ["--mode=sample", "--num_samples=30", "--class=old"]
    command_line(*flags, f"--output={tmp_path / 'b.csv'}", results=table)
    samples = pd.read_csv(tmp_path / "b.csv")
    assert (samples["label"] == "old").all()
    assert len(samples) == 30
    _, err = command_line(*flags, f"--output={tmp_path / 'b.npz'}", results=table, status=2)
    assert "a format of rows with categories: .csv, .parquet" in err


def test_the_library_takes_and_gives_the_same_rows(table, people):
    model = training.load(Run(table / "a"))
    z = model.encode(people)
    assert z.shape == (len(people), model.z_dim)
    rows = model.decode(z, model.classify(people))
    again = model.predict(people, verbose=0)
    assert rows.columns.tolist() == again.columns.tolist() == people.columns.tolist()
    assert model.generate(3).columns.tolist() == people.columns.tolist()


@pytest.mark.slow
def test_a_command_that_is_ended_leaves_no_output(few, tmp_path):
    """SIGTERM while the codes are written."""
    np.save(tmp_path / "x.npy", np.zeros((3_000_000, 8, 8), "uint8"))
    (tmp_path / "out").mkdir()
    flags = ["--mode=encode", f"--input={tmp_path / 'x.npy'}", f"--output={tmp_path}/out/a.csv"]
    process = start_process(*flags, results=few)
    wait_for(tmp_path / "out" / f".a.csv.{process.pid}.tmp.csv", process)
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 143
    assert list((tmp_path / "out").iterdir()) == []
