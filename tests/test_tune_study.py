"""The study of --mode tune, whose process can be killed at each line that it writes."""

import dataclasses

import pytest

from adversarial_autoencoder import data
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.modes.tuning import plan, study

optuna = pytest.importorskip("optuna")


def plan_of_digits():
    given, dataset = {"model": "wae_mmd", "hidden_units": 8}, data.load("digits")
    return plan.make_plan(Config.of(**given).for_data(**dataset.sizes), dataset, given)


@pytest.mark.parametrize("num_measures", [1, 2])
def test_a_trial_that_was_killed_while_it_was_drawn_gets_all_its_values(tmp_path, num_measures):
    found = plan_of_digits()
    found = dataclasses.replace(found, measures=found.measures[:num_measures])
    journal = tmp_path / study.JOURNAL
    # The first trial has the defaults, then ten are random; the sampler learns from them.
    for number in range(14):
        drawn = study.open_study(tmp_path, found).next()
        assert drawn[0] == number
        assert list(drawn[1]) == list(found.searched)
        lines = journal.read_text().splitlines(keepends=True)
        for cut in range(1, len(found.searched) + 1) if number in (0, 1, 13) else ():
            journal.write_text("".join(lines[:-cut]))
            study.check_study(tmp_path, found)
            assert study.open_study(tmp_path, found).next() == drawn
        scores = None if number in (2, 5) else [number % 5.0, 2.0][:num_measures]
        study.open_study(tmp_path, found).finish(number, scores)
    finished = study.open_study(tmp_path, found).finished()
    assert len(finished) == 12
    assert all(trial.settings.keys() == found.searched.keys() for trial in finished)


def test_the_settings_of_a_trial_are_those_that_it_was_trained_with():
    """A trial whose values are not all recorded has the defaults of the others."""
    found = plan_of_digits()
    made = optuna.create_study(directions=["minimize"] * 2)
    made.tell(made.ask(), [1.0, 1.0])
    assert study.Study(made, found).best()[0].settings == found.chosen(found.defaults())


def test_a_study_that_was_killed_before_its_first_trial_is_resumed(tmp_path):
    found = plan_of_digits()
    study.open_study(tmp_path, found)
    lines = (tmp_path / study.JOURNAL).read_text().splitlines(keepends=True)
    for kept in range(len(lines)):
        (tmp_path / study.JOURNAL).write_text("".join(lines[:kept]))
        study.check_study(tmp_path, found)
        assert study.open_study(tmp_path, found).next()[1] == found.chosen(found.defaults())


def test_the_name_of_a_study_is_no_pattern(tmp_path):
    found = plan_of_digits()
    (tmp_path / "a1-trial-0000").mkdir()
    study.check_study(tmp_path / "a[1]", found)
    (tmp_path / "a[1]-trial-0000").mkdir()
    with pytest.raises(InputError, match=r"Received: a\[1\]-trial-0000"):
        study.check_study(tmp_path / "a[1]", found)
