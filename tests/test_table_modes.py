"""The command line on tables: every system trains, and every mode works or says that it cannot."""

import csv
import json
import shutil

import numpy as np
import pytest
from helpers import DRAW, content_of, pictures

from adversarial_autoencoder import runs
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.evaluation import gaussian_mixture
from adversarial_autoencoder.modes.command import Command
from adversarial_autoencoder.modes.select_run import trained_run
from adversarial_autoencoder.systems import SYSTEMS

pytest.importorskip("pyarrow")

QUICK = ["--hidden_units=8", "--epochs=1", "--batch_size=30"]
COLUMNS = ("age", "income", "job", "flag", "same")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A folder with train.csv and test.csv: numbers, categories, missing values and labels."""
    folder = tmp_path_factory.mktemp("table")
    rng = np.random.default_rng(0)
    for name, n in (("train", 300), ("test", 60)):
        age = rng.integers(18, 80, n)
        job = np.where(age > 50, "farmer", rng.choice(["none", "doctor"], n))
        rows = zip(
            age,
            np.where(rng.random(n) < 0.1, "", (age * 10.5).astype(str)),
            job,
            rng.choice(["true", "false"], n),
            np.ones(n, int),
            np.where(rng.random(n) < 0.05, "?", np.where(age > 40, "old", "young")),
            strict=True,
        )
        with (folder / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([(*COLUMNS, "class"), *rows])
    return folder


@pytest.fixture(scope="module")
def flags(table):
    """The flags of the data."""
    return [
        f"--dataset={table / 'train.csv'}",
        f"--test_dataset={table / 'test.csv'}",
        "--label_column=class",
    ]


@pytest.fixture(scope="module")
def trained(command_line, flags, tmp_path_factory):
    """A results folder with a run of an adversarial autoencoder, and what it printed."""
    results = tmp_path_factory.mktemp("tables")
    with pictures(**DRAW):
        out, err = command_line("--run_name=t", *flags, *QUICK, results=results)
    assert "constant in the training rows and tell nothing: same" in err
    return results, out


def read_metrics(results):
    return json.loads((results / "t" / "metrics.json").read_text())


def read_rows(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_the_columns_are_printed_before_the_training(trained):
    _, out = trained
    assert "income  numeric" in out.replace("    ", "  ")
    assert "3 categories: doctor, farmer, none" in out
    assert "missing values" in out
    assert "Labels: 2 classes: old, young" in out
    assert "250 rows of 5 columns" in out
    assert "image" not in out
    assert "Next:    python run.py --mode evaluate" in out


def test_tensorboard_has_no_pictures_of_images(trained):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    results, _ = trained
    events = EventAccumulator(str(results / "t" / "logs" / "validation")).Reload()
    tags = set(events.Tags()["tensors"]) | set(events.Tags()["images"])
    images = {tag for tag in tags if tag.startswith("images/")}
    assert images == {"images/histograms", "images/latent_scatter"}


@pytest.mark.parametrize("mode", ["latent_grid", "latent_scatter", "histograms"])
def test_figures_of_the_latent_space(command_line, trained, mode):
    results, _ = trained
    out, _ = command_line(f"--mode={mode}", results=results)
    assert (results / "t" / "figures" / f"{mode}.png").stat().st_size > 1000
    assert out.startswith("Wrote ")


def test_samples_have_the_names_and_types_of_the_file(command_line, trained):
    results, _ = trained
    command_line("--mode=sample", "--num_samples=40", results=results)
    header, *rows = read_rows(results / "t" / "samples.csv")
    assert tuple(header) == COLUMNS
    assert len(rows) == 40
    for age, income, job, flag, same in rows:
        assert 18 <= int(age) < 80
        assert income == "" or 180 <= float(income) < 840
        assert job in ("none", "doctor", "farmer")
        assert flag in ("True", "False")
        assert same == "1"


def test_samples_of_a_gaussian_mixture(command_line, trained):
    results, _ = trained
    command_line("--mode=sample", "--sampler=gaussian_mixture", results=results)
    assert len(read_rows(results / "t" / "samples.csv")) == 1001


def test_evaluate_compares_columns_and_correlations(command_line, trained):
    results, _ = trained
    out, _ = command_line("--mode=evaluate", results=results)
    metrics = read_metrics(results)
    for name in ("columns_loss", "numeric_error", "category_error", "correlation_difference"):
        assert np.isfinite(metrics[name])
    assert 0 <= metrics["column_distance"] <= metrics["column_distance_max"] <= 1
    assert not {"fid", "ssim", "psnr", "mse", "parzen"} & set(metrics)
    header, *rows = read_rows(results / "t" / "columns.csv")
    assert {row[0] for row in rows} == set(COLUMNS)
    assert "Distances of the columns" in out
    assert "image" not in out.partition("Distances of the columns")[2]


@pytest.mark.parametrize("suffix", ["", "_gaussian_mixture"])
def test_the_columns_are_those_of_the_measures(command_line, trained, monkeypatch, suffix):
    """Both come from the same rows, and the mixture is fitted once."""
    results, _ = trained
    fitted, fit = [], gaussian_mixture.fit
    monkeypatch.setattr(gaussian_mixture, "fit", lambda z: fitted.append(z) or fit(z))
    sampler = f"--sampler={suffix[1:] or 'prior'}"
    command_line("--mode=evaluate", sampler, results=results)
    assert len(fitted) == bool(suffix)
    metrics = read_metrics(results)
    header, *rows = read_rows(results / "t" / f"columns{suffix}.csv")
    distances, floors = (np.array([float(row[i]) for row in rows]) for i in (2, 3))
    rounding = pytest.approx(0, abs=1e-4)
    assert distances.max() - metrics[f"column_distance_max{suffix}"] == rounding
    assert distances.mean() - metrics[f"column_distance{suffix}"] == rounding
    assert floors.mean() - metrics["column_distance_floor"] == rounding
    assert (np.diff(distances) <= 0).all()


def test_parts_are_exported_with_the_columns(command_line, trained):
    results, _ = trained
    out, _ = command_line("--mode=export", "--format=keras", results=results)
    assert "decoder: differs from the model by at most" in out
    assert "60 rows" in out
    columns = json.loads((results / "t" / "export" / "columns.json").read_text())["columns"]
    assert [column["name"] for column in columns] == list(COLUMNS)


def test_the_page_to_explore_has_the_rows(command_line, trained):
    results, _ = trained
    out, _ = command_line("--mode=explore", results=results)
    page = (results / "t" / "figures" / "explorer.html").read_text()
    assert out.startswith("Wrote ")
    content = content_of(page)
    assert [column["name"] for column in content["columns"]] == list(COLUMNS)
    assert [kind["name"] for kind in content["classes"]] == ["old", "young"]


@pytest.mark.parametrize("mode", ["reconstruct", "interpolate"])
def test_modes_that_need_images_say_so(command_line, trained, mode):
    results, _ = trained
    out, err = command_line(f"--mode={mode}", results=results, status=2)
    assert out == ""
    assert err.startswith("Error: There must be a run trained on images ")
    assert err.count("\n") == 1
    _, err = command_line(f"--mode={mode}", "--run=t", results=results, status=2)
    assert err.startswith("Error: --run must be a run trained on images")
    assert err.endswith("Received: t, aae with z_dim 2, trained on rows\n")


def test_the_newest_run_that_fits_is_chosen(command_line, trained, tmp_path):
    shutil.copytree(trained[0] / "t", tmp_path / "t")
    older = runs.copied(runs.find_demo(tmp_path, "digits-demo"), tmp_path)
    config, _ = older.read_config()
    command = Command(results_dir=str(tmp_path))

    def chosen(overrides, **wanted):
        return trained_run(command, overrides, **wanted)[0].name

    assert chosen({}) == chosen({"hidden_units": 8}) == "t"
    assert chosen({}, images_only=True) == older.name
    assert chosen({"hidden_units": config.hidden_units}) == older.name
    out, _ = command_line("--mode=card", f"--hidden_units={config.hidden_units}", results=tmp_path)
    assert out.startswith(f"Wrote {older.path}")
    assert chosen({"epochs": config.epochs, "strategy": "none"}) == older.name
    for name, value in {"epochs": 99, "strategy": "mirrored", "jit_compile": "true"}.items():
        with pytest.raises(InputError, match=f"{name}=.* Received: {name}={value}"):
            chosen({name: value})


def test_a_training_is_resumed(command_line, trained, flags):
    results, _ = trained
    command_line("--run_name=again", *flags, *QUICK, results=results)
    out, _ = command_line("--resume", "--run=again", "--epochs=2", results=results)
    assert "Trained 1 epoch" in out
    assert "trained" not in command_line("--mode=list", results=results)[1]


def test_the_flags_of_a_run_start_another(command_line, trained, tmp_path):
    results, _ = trained
    flags = results / "t" / "flags.txt"
    assert "reconstruction_loss" not in flags.read_text()
    command_line(f"--flagfile={flags}", "--run_name=other", results=tmp_path)
    assert (tmp_path / "other" / "flags.txt").read_text() == flags.read_text()
    command_line("--mode=card", results=tmp_path)
    card = (tmp_path / "other" / "README.md").read_text()
    assert flags.read_text() in card
    assert "rows = model.generate(16)" in card
    assert "| columns | 5 |" in card
    assert "image" not in card


def test_other_rows_are_classified(command_line, flags, table, tmp_path):
    system = ["--model=semi_supervised_aae", "--num_labels=0", "--run_name=s"]
    command_line(*system, *flags, *QUICK, results=tmp_path)
    out, _ = command_line("--mode=classify", results=tmp_path)
    assert "Test error: " in out
    assert "rows)" in out
    rows = read_rows(table / "test.csv")
    with (tmp_path / "new.csv").open("w", newline="") as file:
        # Another order of the columns, and no labels.
        csv.writer(file).writerows([row[-2::-1] for row in rows])
    command_line("--mode=classify", f"--input={tmp_path / 'new.csv'}", results=tmp_path)
    predictions = read_rows(tmp_path / "s" / "predictions.csv")
    assert len(predictions) == len(rows)
    assert {row[1] for row in predictions[1:]} <= {"old", "young"}
    _, err = command_line("--mode=style_grid", results=tmp_path, status=2)
    assert "There must be a run trained on images with a code y" in err


@pytest.mark.parametrize("model", SYSTEMS)
def test_every_system_trains_on_a_table(command_line, flags, tmp_path, model):
    labels = ["--num_labels=40"] if SYSTEMS[model].labels == "needed" else []
    if SYSTEMS[model].y == "inferred" and not labels:
        labels = ["--num_clusters=3", "--consistency=vat"]
    command_line(f"--model={model}", "--run_name=t", *labels, *flags, *QUICK, results=tmp_path)
    command_line("--mode=evaluate", results=tmp_path)
    command_line("--mode=sample", "--num_samples=5", results=tmp_path)
    header, *rows = read_rows(tmp_path / "t" / "samples.csv")
    has_class = SYSTEMS[model].labels == "needed"
    assert tuple(header) == (COLUMNS + ("class",) if has_class else COLUMNS)
    assert len(rows) == 5


def test_a_table_of_numbers_needs_no_names(command_line, tmp_path):
    x = np.random.default_rng(0).normal(size=(120, 6))
    np.save(tmp_path / "x.npy", x @ np.eye(6)[::-1])
    results = tmp_path / "results"
    out, _ = command_line(f"--dataset={tmp_path / 'x.npy'}", *QUICK, results=results)
    assert "Columns of x, which have no names" in out
    command_line("--mode=sample", results=results)
