"""The modes that measure, and the repetition of a training, as their users run them."""

import contextlib
import dataclasses
import io
import json
import signal

import numpy as np
import pytest
from PIL import Image
from test_run import assert_equal_weights, read_history, run, start, wait_for

from adversarial_autoencoder import data, modes
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.modes import MODES, measure
from adversarial_autoencoder.modes.command import Command
from adversarial_autoencoder.runs import Run

SETTINGS = {"dataset": "digits", "hidden_units": 32, "batch_size": 200, "epochs": 2}
SMALL = [f"--{name}={value}" for name, value in SETTINGS.items()]


def call(mode, results, given=None, **command):
    """What a mode prints, without the seconds of a process of its own."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        MODES[mode](Command(mode=mode, results_dir=str(results), **command), given or {})
    return out.getvalue()


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A results folder with the runs of two seeds and one that classifies, which was evaluated."""
    results = tmp_path_factory.mktemp("results")
    out, err = run("--run_name=a", "--seeds=2", *SMALL, results=results)
    assert err == ""
    (results / "seeds.txt").write_text(out)
    system = {"model": "semi_supervised_aae", "num_labels": 100}
    call("train", results, SETTINGS | system, run_name="few")
    out, err = run("--mode=evaluate", "--run=few", results=results)
    assert err == ""
    (results / "evaluate.txt").write_text(out)
    return results


def read_metrics(path):
    return json.loads((path / "metrics.json").read_text())


def test_a_repetition_reports_mean_and_standard_deviation(results):
    lines = (results / "seeds.txt").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("  reconstruction_loss "))
    last = [read_history(results / f"a-seed{seed}")[-1] for seed in (0, 1)]
    values = np.array([float(row["val_reconstruction_loss"]) for row in last])
    assert values[0] != values[1]
    mean, sign, spread = line.split()[1:]
    assert float(mean) == pytest.approx(values.mean(), rel=1e-3)
    assert (sign, float(spread)) == ("+-", pytest.approx(values.std(ddof=1), rel=1e-3))


def test_each_seed_is_an_ordinary_run(results, tmp_path):
    call("train", tmp_path, SETTINGS | {"seed": 1}, run_name="alone")
    assert_equal_weights(results / "a-seed1", tmp_path / "alone")


def test_an_interrupted_repetition_goes_on_and_leaves_out_what_is_finished(tmp_path):
    given = SETTINGS | {"seed": 4, "epochs": 8}
    flags = [f"--{name}={value}" for name, value in given.items()]
    process = start("--run_name=b", "--seeds=2", *flags, results=tmp_path)
    wait_for(process, tmp_path / "b-seed5" / "model.keras")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "")
    assert out.splitlines()[-1].endswith("with --run_name b")
    first = (tmp_path / "b-seed4" / "model.keras").stat().st_mtime_ns
    out = call("train", tmp_path, given, run_name="b", seeds=2)
    assert out.startswith("Seed 4: the run b-seed4 is finished.\nTraining aae")
    assert (tmp_path / "b-seed4" / "model.keras").stat().st_mtime_ns == first
    assert len(read_history(tmp_path / "b-seed5")) == 8
    assert "over 2 seeds" in out


@pytest.mark.parametrize(
    ("settings", "given", "message"),
    [
        ({"seeds": 2, "run_name": "a"}, {"z_dim": 3}, "has z_dim=2. Received: z_dim=3"),
        ({"seeds": 2, "resume": True}, {}, "--seeds goes on by the same --run_name"),
        ({"seeds": 3, "run_name": "a"}, {"seed": 2**31 - 2}, "seed must be"),
        ({"seeds": 2, "run_name": "a/b"}, {}, "Received: 'a/b-seed0'"),
    ],
    ids=str,
)
def test_a_repetition_that_cannot_be_is_refused_before_it_begins(results, settings, given, message):
    before = sorted(results.iterdir())
    command = Command(results_dir=str(results), **settings)
    with pytest.raises(InputError) as error:
        modes.train(command, {"dataset": "digits"} | given)
    assert message in str(error.value)
    assert sorted(results.iterdir()) == before


def test_evaluate_writes_and_prints_every_measure(results):
    metrics = read_metrics(results / "few")
    lines = (results / "evaluate.txt").read_text().splitlines()
    assert lines[1] == "few on the test images of digits:"
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
    assert (metrics["num_classes"], metrics["seed"], metrics["epochs"]) == (10, 0, 2)
    out = call("classify", results, run="few")
    assert out.startswith(f"Test error: {metrics['error']:.2%} ")


def test_the_classifier_of_features_is_trained_once_and_the_other_sampler_is_added(results):
    (classifier,) = (results / ".features").iterdir()
    before, changed = read_metrics(results / "few"), classifier.stat().st_mtime_ns
    out = call("evaluate", results, run="few", sampler="gaussian_mixture")
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


def test_sample_draws_a_row_of_the_mixture_for_each_class(results):
    call("sample", results, run="few", num_images=3)
    call("sample", results, run="few", num_images=3, sampler="gaussian_mixture")
    figures = [results / "few" / "figures" / f"sample{s}.png" for s in ("", "_gaussian_mixture")]
    shown = []
    for path in figures:
        with Image.open(path) as image:
            shown.append(np.asarray(image.convert("L")))
            assert shown[-1].std() > 10
    # Below the titles, of which one may be a line longer.
    prior, mixture = (image[-800:] for image in shown)
    assert prior.shape == mixture.shape
    assert (prior != mixture).any()


def test_compare_prints_one_table_and_draws_one_figure(results):
    out, err = run("--mode=compare", "--runs=few,a-seed0,a-seed1", results=results)
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
    assert note.startswith("Not evaluated yet, of the validation images alone (val_): a-seed0, a-")
    assert last == f"Wrote {path}"
    with Image.open(path) as image:
        assert np.asarray(image.convert("L")).std() > 10


def test_features_of_different_classifiers_are_not_compared_in_silence(results, tmp_path, capsys):
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text((results / "few" / "config.json").read_text())
        space = {"x": 1, "y": 2}[name]
        Run(tmp_path / name).write_metrics({"fid": 3.5, "feature_space": space})
    modes.compare(Command(mode="compare", runs="x,y", results_dir=str(tmp_path)), {})
    captured = capsys.readouterr()
    assert captured.err.startswith("Warning: the features of these runs are of different")
    assert "val_" not in captured.out


def test_images_without_labels_are_evaluated_without_classes(tmp_path):
    np.savez(tmp_path / "images.npz", x_train=data.load("digits").x_train[:300])
    given = SETTINGS | {"dataset": str(tmp_path / "images.npz"), "epochs": 1, "batch_size": 50}
    call("train", tmp_path / "results", given)
    out = call("evaluate", tmp_path / "results")
    assert out.startswith("Without classes there are no features: fid, kid, precision and recall")
    (path,) = (tmp_path / "results").glob("*/metrics.json")
    assert not {"fid", "error", "linear_probe_error"} & set(json.loads(path.read_text()))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--mode=evaluate"], "Received: 0 runs"),
        (["--mode=compare"], "--runs must name runs, as a,b,c. Received: runs=None"),
        (["--mode=compare", "--runs=a,b"], "Received: run='a'"),
        (["--mode=train", "--seeds=0"], "seeds must be at least 1"),
        (["--mode=sample", "--seeds=3"], "--seeds needs --mode train"),
        (["--mode=evaluate", "--sampler=mixture"], "Did you mean gaussian_mixture?"),
        (
            ["--mode=reconstruct", "--sampler=prior"],
            "--sampler needs --mode evaluate, sample",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_gives_one_line_and_writes_nothing(tmp_path, flags, message):
    out, err = run(*flags, results=tmp_path / "results", status=2)
    assert out == ""
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert message in err
    assert not (tmp_path / "results").exists()


def test_too_few_images_to_measure_are_refused(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (24, 8, 8), dtype="uint8")
    np.savez(tmp_path / "few.npz", x_train=images, x_test=images[:9])
    settings = SETTINGS | {"dataset": str(tmp_path / "few.npz"), "batch_size": 4}
    call("train", tmp_path / "results", settings, run_name="a")
    with pytest.raises(InputError, match="must have at least 10 validation images. Received: 4"):
        call("evaluate", tmp_path / "results", run="a")
    assert not (tmp_path / "results" / "a" / "metrics.json").exists()
    digits = data.load("digits", None)
    few = dataclasses.replace(digits, x_train=digits.x_train[:9], y_train=digits.y_train[:9])
    with pytest.raises(InputError, match="must have at least 10 training images. Received: 9"):
        measure.fitted_codes(None, few, 3)


def test_metrics_that_cannot_be_read_are_refused(tmp_path):
    (tmp_path / "metrics.json").write_text('{"fid": "low"}')
    with pytest.raises(InputError, match="must have a readable metrics.json"):
        Run(tmp_path).read_metrics()
