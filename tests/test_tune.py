"""--mode tune: what is searched, and studies that are interrupted, resumed, or cannot be used."""

import dataclasses
import shutil
import signal
import sys

import numpy as np
import pytest
from helpers import start_process, tree, wait_for

from adversarial_autoencoder import data, runs, training
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.config.setting import value_type
from adversarial_autoencoder.errors import TrainingError
from adversarial_autoencoder.modes.tuning import plan, study, tune
from adversarial_autoencoder.systems import PRIORS, SYSTEMS

# Fast trials; a front of two measures with two settings to search.
WAE = ["--mode=tune", "--dataset=digits", "--model=wae_mmd", "--hidden_units=8", "--epochs=1"]
WAE += ["--batch_size=200", "--dropout=0", "--input_noise=0", "--run_name=s"]


def plan_of(**given):
    config = Config.of(**given)
    dataset = data.load("digits")
    return plan.make_plan(config.for_data(**dataset.sizes), dataset, given)


@pytest.fixture(scope="module")
def studied(command_line, tmp_path_factory):
    """A study of two trials; output.txt is what it printed."""
    pytest.importorskip("optuna")
    results = tmp_path_factory.mktemp("studied")
    out, err = command_line(*WAE, "--trials=2", results=results)
    assert err == ""
    (results / "output.txt").write_text(out)
    return results


@pytest.mark.parametrize("model", SYSTEMS)
def test_only_settings_that_the_system_reads_are_searched(model):
    found = plan_of(model=model, dropout=0.25)
    assert "hidden_units" in found.searched
    assert "dropout" not in found.searched
    assert ("generator_epsilon" in found.searched) == model.endswith("aae")
    assert ("mmd_weight" in found.searched) == (model == "wae_mmd")
    assert ("information_weight" in found.searched) == found.config.infers_clusters
    for name, search in found.searched.items():
        value = found.defaults()[name]
        assert search.low <= value <= search.high, name
    # Each end of the ranges makes a valid training.
    for end in ("low", "high"):
        settings = found.chosen({n: getattr(s, end) for n, s in found.searched.items()})
        config = Config.of(model=model, dropout=0.25, **settings)
        training.check(config, data.load("digits"))


@pytest.mark.parametrize("prior", PRIORS)
def test_the_defaults_of_a_prior_are_within_the_ranges(prior):
    found = plan_of(prior=prior)
    for name, search in found.searched.items():
        assert search.low <= found.defaults()[name] <= search.high, name


def test_ranges_fit_the_types_and_limits_of_their_settings():
    for field in dataclasses.fields(Config):
        if search := field.metadata["search"]:
            assert value_type(field) in (int, float)
            assert 0 <= search.low < search.high
            assert search.low > 0 or not search.log
            for end in (search.low, search.high):
                assert end in field.metadata["within"]
                assert float(f"{end:.3g}") == end


@pytest.mark.parametrize(
    ("settings", "measures"),
    [
        ({"model": "aae"}, ("reconstruction loss", "distance to the prior")),
        ({"model": "supervised_aae"}, ("reconstruction loss", "distance to the prior")),
        ({"model": "semi_supervised_aae"}, ("classification error",)),
        ({"model": "dimensionality_reduction_aae", "num_labels": 90}, ("classification error",)),
        ({"model": "clustering_aae"}, ("information loss", "VAT loss")),
        (
            {"model": "clustering_aae", "consistency": "augment"},
            ("information loss", "augmentation loss"),
        ),
        (
            {"model": "clustering_aae", "consistency": "none"},
            ("reconstruction loss", "distance to the prior"),
        ),
    ],
    ids=str,
)
def test_the_measures_say_what_the_system_is_for(settings, measures):
    assert plan_of(**settings).measures == measures


def test_the_best_trial_of_a_front_is_near_the_best_of_each_measure():
    assert plan.ranked([(5.0, 0.0), (1.0, 0.1), (0.0, 9.0)])[0] == 1
    front = [(5.0, 14.0), (4.5, 14.5)]
    assert plan.ranked(front) == [0, 1]
    # Among many trials, half a unit of the second measure is little.
    assert plan.ranked(front, [*front, (8.0, 50.0), (9.0, 60.0), (7.0, 70.0)]) == [1, 0]
    assert plan.ranked([(3.0,), (1.0,), (1.0,), (2.0,)]) == [1, 2, 3, 0]


def test_each_trial_is_a_run_and_the_first_one_has_the_defaults(studied):
    first, second = (runs.Run(studied / f"s-trial-000{i}") for i in range(2))
    assert first.read_config()[0].mmd_weight == 0.25
    assert first.completed_epochs() == second.completed_epochs() == 1
    assert first.read_config()[0].mmd_weight != second.read_config()[0].mmd_weight
    out = (studied / "output.txt").read_text()
    assert out.startswith("Searching mmd_weight, reconstruction_learning_rate for the lowest ")
    assert "\ns-trial-0001 (2 of 2): --mmd_weight=" in out
    assert "\n2 trials of the study s; measures of validation data:\n" in out
    assert f"\nWrote {studied / 's' / 'figures' / 'trials.png'}\n" in out
    assert (studied / "s" / "figures" / "trials.png").exists()


def test_the_best_settings_are_a_flag_file(studied, program):
    text = (studied / "s" / "best.flags").read_text()
    flags = dict(line.removeprefix("--").split("=") for line in text.splitlines())
    assert flags.keys() == {
        *("dataset", "model", "hidden_units", "epochs", "batch_size", "dropout", "input_noise"),
        *("mmd_weight", "reconstruction_learning_rate"),
    }
    lines = (studied / "output.txt").read_text().splitlines()
    (best,) = (line.split()[1] for line in lines if line.startswith("Best: "))
    config, _ = runs.Run(studied / best.rpartition("/")[2]).read_config()
    kinds = {field.name: value_type(field) for field in dataclasses.fields(Config)}
    for name, value in flags.items():
        assert kinds[name](value) == getattr(config, name)


def test_a_study_goes_on_where_it_was_interrupted(studied, command_line, tmp_path, monkeypatch):
    """It has the same trials as one that was not; a trial that was interrupted is continued."""
    train_run, begun = tune.train_run, []

    def stop_in_the_second(command, overrides):
        begun.append(command.run_name)
        if len(begun) == 2:
            raise KeyboardInterrupt
        train_run(command, overrides)

    monkeypatch.setattr(tune, "train_run", stop_in_the_second)
    out, _ = command_line(*WAE, "--trials=2", results=tmp_path, status=130)
    assert "The study s has 1 finished trial.\nTo resume the study: the same command" in out
    assert (tmp_path / "s" / "best.flags").exists()
    # What a killed process did not write completely.
    with (tmp_path / "s" / "study.journal").open("a") as file:
        file.write('{"op_code":4,')
    out, err = command_line(*WAE, "--trials=2", results=tmp_path)
    assert err == ""
    assert begun == ["s-trial-0000", "s-trial-0001", "s-trial-0001"]
    for trial in ("s-trial-0000", "s-trial-0001"):
        one, other = (runs.Run(folder / trial) for folder in (tmp_path, studied))
        assert one.read_config() == other.read_config()
        assert one.read_last() == other.read_last()
    best = [(folder / "s" / "best.flags").read_text() for folder in (tmp_path, studied)]
    assert best[0] == best[1]
    # Nothing is left to do but what a process killed after its last trial has not written.
    (tmp_path / "s" / "best.flags").unlink()
    out, _ = command_line(*WAE, "--trials=2", results=tmp_path)
    assert len(begun) == 3
    assert "2 trials of the study s" in out
    assert (tmp_path / "s" / "best.flags").read_text() == best[1]


def test_after_its_time_a_study_starts_no_further_trial(studied, command_line, tmp_path):
    shutil.copytree(studied, tmp_path, dirs_exist_ok=True)
    command_line(*WAE, "--minutes=1e-9", results=tmp_path)
    assert sorted(path.name for path in tmp_path.glob("s-*")) == [
        f"s-trial-000{i}" for i in range(3)
    ]


def test_a_table_has_a_study_too(tmp_path):
    np.save(tmp_path / "rows.npy", np.random.default_rng(0).normal(size=(200, 3)))
    config = Config.of(dataset=str(tmp_path / "rows.npy"))
    dataset = data.load_of(config)
    found = plan.make_plan(config.for_data(**dataset.sizes), dataset, {})
    assert "hidden_units" in found.searched
    assert found.measures == ("reconstruction loss", "distance to the prior")


def test_a_study_has_one_prior(tmp_path):
    """Its file can move, but other samples would be another study."""
    identities = []
    for seed in (0, 0, 1):
        path = tmp_path / f"{len(identities)}.npy"
        np.save(path, np.random.default_rng(seed).normal(size=(50, 2)))
        identities.append(plan_of(prior=str(path)).identity)
    assert identities[0] == identities[1] != identities[2]


def test_failed_trials_are_recorded_and_left_out(command_line, tmp_path, monkeypatch):
    pytest.importorskip("optuna")
    train_run = tune.train_run

    def fail(command, overrides):
        if command.run_name != "s-trial-0001":
            raise TrainingError("the loss must be finite")
        train_run(command, overrides)

    monkeypatch.setattr(tune, "train_run", fail)
    _, err = command_line(*WAE, "--trials=1", results=tmp_path, status=1)
    warning, error = err.splitlines()
    assert warning == "Warning: The trial s-trial-0000 failed: the loss must be finite"
    assert error.startswith("Error: All 1 trial of the study s failed.")
    out, err = command_line(*WAE, "--trials=3", results=tmp_path)
    assert "1 trial of the study s, and 2 that failed; measures" in out
    assert err.count("\n") == 1
    assert not (tmp_path / "s-trial-0002").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--hidden_units=16"], "The study s has hidden_units=8. Received: hidden_units=16"),
        (["--seed=3"], "The study s has no seed. Received: seed=3"),
        (["--epochs=2"], "The study s has epochs=1. Received: epochs=2"),
        (["--mmd_weight=1"], "The study s has no mmd_weight. Received: mmd_weight=1"),
        (["--run_name=s-trial-0000"], "Received: s-trial-0000, which is no study"),
        (["--run_name=../s"], "A run's name must have"),
        (["--run_name=" + "x" * 195], "A run's name must have"),
        (["--run_name="], "A run's name must have"),
        (["--run_name=new", "--strategy=multi_worker"], "works on one machine only"),
        (["--run_name=new", "--batch_size=5000"], "batch_size must be at most the 1249"),
        (["--run_name=new", "--image_size=1x1", "--network=conv"], "Received"),
        (
            ["--run_name=new", "--mmd_weight=1", "--reconstruction_learning_rate=0.1"],
            "leave out hidden_units or dropout",
        ),
        (["--resume"], "--resume needs --mode train"),
        (["--seeds=2"], "--seeds needs --mode train"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else "",
)
def test_what_cannot_be_searched_is_refused(studied, command_line, flags, message):
    before = tree(studied)
    out, err = command_line(*WAE, *flags, results=studied, status=2)
    assert out == ""
    assert message in err
    assert err.count("\n") == 1
    assert tree(studied) == before


def test_runs_with_the_names_of_trials_are_kept(studied, command_line, tmp_path):
    (tmp_path / "s-trial-0004").mkdir()
    _, err = command_line(*WAE, results=tmp_path, status=2)
    assert "a name without runs s-trial-*. Received: s-trial-0004" in err
    assert len(tree(tmp_path)) == 1


@pytest.mark.parametrize("text", ["", "{}\n{}\n", "no json\n\n", '{"op_code":0}\n' * 3, "[]\n[]\n"])
def test_a_damaged_study_is_refused(studied, command_line, tmp_path, text):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "study.journal").write_text(text)
    if text:
        _, err = command_line(*WAE, results=tmp_path, status=2)
        assert "The study s must have a readable study.journal. Received: " in err
        assert err.count("\n") == 1
    else:  # A process that was killed before the first line.
        study.check_study(tmp_path / "s", plan_of(model="wae_mmd"))


def test_without_optuna_the_extra_is_named(refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert "pip install 'adversarial-autoencoder[tune]'" in refused("--mode=tune")


@pytest.mark.parametrize("measures", [1, 2])
def test_the_figure_shows_each_trial_and_each_setting(measures):
    from adversarial_autoencoder import figures

    scores = {"error": [4.0, 1.0, 2.0], "distance": [1.0, 5.0, 2.0]}
    scores = dict(list(scores.items())[:measures])
    best = [1] if measures == 1 else [4, 1, 0]
    settings = {"rate": [1e-3, 1e-5, 1e-2], "dropout": [0.0, 0.1, 0.2]}
    figure = figures.trials([0, 1, 4], scores, settings, best, ["rate"])
    large, rate, dropout, colours = figure.axes
    assert (large.get_xlabel(), large.get_ylabel()) == (
        ("trial", "error") if measures == 1 else ("error", "distance")
    )
    assert (rate.get_xscale(), dropout.get_xscale()) == ("log", "linear")
    assert colours.get_ylabel() == ("trial" if measures == 1 else "distance")
    for axes, x in ((large, [0, 1, 4]), (rate, settings["rate"]), (dropout, settings["dropout"])):
        points, first, star = (c.get_offsets() for c in axes.collections)
        x = scores["error"] if axes is large and measures == 2 else x
        assert points[:, 0].tolist() == x
        assert first.tolist() == points[[0]].tolist()
        assert star.tolist() == points[[1 if measures == 1 else 2]].tolist()


@pytest.mark.slow
def test_ctrl_c_keeps_the_study_and_says_how_to_resume(command_line, tmp_path):
    pytest.importorskip("optuna")
    flags = [flag for flag in WAE if "epochs" not in flag]
    process = start_process(*flags, "--epochs=60", "--trials=1", results=tmp_path)
    wait_for(tmp_path / "s-trial-0000" / "model.keras", process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=600)
    assert process.returncode == 130
    assert err == ""
    assert out.endswith("To resume the study: the same command, with --run_name s\n")
    run = runs.Run(tmp_path / "s-trial-0000")
    assert 0 < run.completed_epochs() < 60
    _, err = command_line(*flags, "--epochs=60", "--trials=1", results=tmp_path)
    assert err == ""
    assert run.completed_epochs() == 60
