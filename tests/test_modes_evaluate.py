"""The modes that evaluate and compare runs, and a training with several seeds."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
from helpers import assert_equal_runs, read_history
from PIL import Image

from adversarial_autoencoder import modes
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.modes import measure
from adversarial_autoencoder.modes.command import Command
from adversarial_autoencoder.runs import Run

TINY = ["--dataset=digits", "--hidden_units=32", "--hidden_layers=1", "--batch_size=200"]
TINY += ["--epochs=2"]


@pytest.fixture(scope="module")
def seeds(command_line, tmp_path_factory):
    """A results folder with the runs of two seeds; output.txt is what the training printed."""
    results = tmp_path_factory.mktemp("seeds")
    out, err = command_line("--run_name=a", "--seeds=2", *TINY, results=results)
    assert err == ""
    (results / "output.txt").write_text(out)
    return results


@pytest.fixture(scope="module")
def results(seeds, few, command_line):
    """The same folder with the run `few`, evaluated: evaluate.txt and metrics.json are copies."""
    shutil.copytree(few / "few", seeds / "few")
    out, err = command_line("--mode=evaluate", "--run=few", results=seeds)
    assert err == ""
    (seeds / "evaluate.txt").write_text(out)
    # A later evaluation adds measures.
    shutil.copy(seeds / "few" / "metrics.json", seeds)
    return seeds


def read_metrics(path):
    return json.loads((path / "metrics.json").read_text())


def test_seeds_are_reported_with_mean_and_standard_deviation(seeds):
    lines = (seeds / "output.txt").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("  reconstruction_loss "))
    last = [read_history(seeds / f"a-seed{seed}")[-1] for seed in (0, 1)]
    values = np.array([float(row["val_reconstruction_loss"]) for row in last])
    assert values[0] != values[1]
    mean, sign, spread = line.split()[1:]
    assert float(mean) == pytest.approx(values.mean(), rel=1e-3)
    assert (sign, float(spread)) == ("+-", pytest.approx(values.std(ddof=1), rel=1e-3))


def test_each_seed_is_an_ordinary_run(seeds, command_line, tmp_path):
    command_line("--run_name=alone", "--seed=1", *TINY, results=tmp_path)
    assert_equal_runs(seeds / "a-seed1", tmp_path / "alone")


@pytest.mark.parametrize(
    ("settings", "overrides", "message"),
    [
        ({"seeds": 2, "run_name": "a"}, {"z_dim": 3}, "has z_dim=2. Received: z_dim=3"),
        ({"seeds": 2, "resume": True}, {}, "--seeds resumes with the same --run_name"),
        ({"seeds": 3, "run_name": "a"}, {"seed": 2**31 - 2}, "seed must be"),
        ({"seeds": 2, "run_name": "a/b"}, {}, "Received: 'a/b-seed0'"),
    ],
    ids=str,
)
def test_seeds_that_cannot_be_trained_are_refused_at_the_start(seeds, settings, overrides, message):
    before = sorted(seeds.iterdir())
    command = Command(results_dir=str(seeds), **settings)
    with pytest.raises(InputError) as error:
        modes.train(command, {"dataset": "digits"} | overrides)
    assert message in str(error.value)
    assert sorted(seeds.iterdir()) == before


def test_evaluate_writes_and_prints_every_measure(results, command_line):
    metrics = read_metrics(results)
    lines = (results / "evaluate.txt").read_text().splitlines()
    assert lines[1] == "few on the test images of digits:"
    # A checksum for programs, which is in no table.
    del metrics["feature_space"]
    printed = dict(line.split()[:2] for line in lines[2 : 2 + len(metrics)])
    assert {name: float(value) for name, value in printed.items()} == {
        name: pytest.approx(value, rel=1e-3) for name, value in metrics.items()
    }
    assert lines[-2:] == [
        f"Wrote {results / 'few' / 'metrics.json'}",
        f"Wrote {results / 'few' / 'figures' / 'confusion.png'}",
    ]
    assert metrics["num_test_images"] == 299
    assert metrics["num_parzen_samples"] == 10_000
    assert (metrics["num_classes"], metrics["seed"], metrics["epochs"]) == (10, 0, 6)
    out, _ = command_line("--mode=classify", "--run=few", results=results)
    assert out.startswith(f"Test error: {metrics['error']:.2%} ")


def test_the_feature_classifier_is_trained_once_for_both_samplers(results, command_line):
    (classifier,) = (results / ".features").iterdir()
    before, changed = read_metrics(results / "few"), classifier.stat().st_mtime_ns
    flags = ["--mode=evaluate", "--run=few", "--sampler=gaussian_mixture"]
    out, _ = command_line(*flags, results=results)
    assert "Training" not in out
    assert classifier.stat().st_mtime_ns == changed
    after = read_metrics(results / "few")
    assert before.items() <= after.items()
    assert set(after) - set(before) == {
        f"{name}_gaussian_mixture"
        for name in (
            "num_codes",
            "num_components",
            "num_samples",
            "fid",
            "kid",
            "precision",
            "recall",
            "num_parzen_samples",
            "parzen",
            "parzen_standard_error",
            "parzen_sigma",
        )
    }


def test_sample_draws_from_the_prior_or_from_the_mixture(results, command_line):
    flags = ["--mode=sample", "--run=few", "--num_images=3"]
    command_line(*flags, results=results)
    command_line(*flags, "--sampler=gaussian_mixture", results=results)
    figures = [results / "few" / "figures" / f"sample{s}.png" for s in ("", "_gaussian_mixture")]
    shown = []
    for path in figures:
        with Image.open(path) as image:
            shown.append(np.asarray(image.convert("L")))
            assert shown[-1].std() > 10
    # Below the titles and around the middle, because one title can have another line.
    prior, mixture = (image[-800:, image.shape[1] // 2 - 150 :][:, :300] for image in shown)
    assert prior.shape == mixture.shape
    assert (prior != mixture).any()


def test_compare_prints_one_table_and_draws_one_figure(results, command_line):
    out, err = command_line("--mode=compare", "--runs=few,a-seed0,a-seed1", results=results)
    path = results / "comparison.png"
    assert err == ""
    *table, note, last = out.splitlines()
    rows = {line.split()[0]: line.split()[1:] for line in table}
    assert rows["run"] == ["few", "a-seed0", "a-seed1"]
    assert rows["model"] == ["semi_supervised_aae", "aae", "aae"]
    error = read_metrics(results / "few")["error"]
    assert rows["error"] == [f"{error:.4g}", "-", "-"]
    histories = [read_history(results / name)[-1] for name in rows["run"]]
    expected = [f"{float(row['val_reconstruction_loss']):.4g}" for row in histories]
    assert rows["val_reconstruction_loss"] == expected
    assert note.startswith("Not measured on test images yet: a-seed0, a-seed1. To do that: --mode")
    assert last == f"Wrote {path}"
    with Image.open(path) as image:
        assert np.asarray(image.convert("L")).std() > 10


def test_compare_warns_of_different_feature_classifiers(few, tmp_path, capsys):
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text((few / "few" / "config.json").read_text())
        space = {"x": 1, "y": 2}[name]
        Run(tmp_path / name).write_metrics({"epochs": 0, "fid": 3.5, "feature_space": space})
    modes.compare(Command(mode="compare", runs="x,y", results_dir=str(tmp_path)), {})
    captured = capsys.readouterr()
    expected = "Warning: these runs were measured with different feature classifiers"
    assert captured.err.startswith(expected)
    assert "val_" not in captured.out


@pytest.mark.usefixtures("eager")
def test_images_without_labels_are_evaluated_without_classes(dataset, command_line, tmp_path):
    np.savez(tmp_path / "images.npz", x_train=dataset.x_train[:300])
    flags = [f"--dataset={tmp_path / 'images.npz'}", "--hidden_units=32", "--batch_size=50"]
    results = tmp_path / "results"
    command_line(*flags, "--epochs=1", results=results)
    out, _ = command_line("--mode=evaluate", results=results)
    assert out.startswith("fid, kid, precision and recall are left out")
    (path,) = results.glob("*/metrics.json")
    assert not {"fid", "error", "linear_probe_error"} & set(json.loads(path.read_text()))


@pytest.mark.usefixtures("eager")
def test_too_few_images_to_measure_are_refused(dataset, command_line, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (24, 8, 8), dtype="uint8")
    np.savez(tmp_path / "few.npz", x_train=images, x_test=images[:9])
    flags = [f"--dataset={tmp_path / 'few.npz'}", "--hidden_units=32", "--batch_size=4"]
    results = tmp_path / "results"
    command_line(*flags, "--epochs=2", "--run_name=a", results=results)
    _, err = command_line("--mode=evaluate", "--run=a", results=results, status=2)
    assert "must have at least 10 validation images. Received: 4" in err
    assert not (results / "a" / "metrics.json").exists()
    few = dataclasses.replace(dataset, x_train=dataset.x_train[:9], y_train=dataset.y_train[:9])
    with pytest.raises(InputError, match="must have at least 10 training images. Received: 9"):
        measure.fitted_codes(None, few, 3)


def test_unreadable_metrics_are_refused(tmp_path):
    (tmp_path / "metrics.json").write_text('{"fid": "low"}')
    with pytest.raises(InputError, match="must have a readable metrics.json"):
        Run(tmp_path).read_metrics()
