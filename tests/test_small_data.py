"""Small data: smaller minibatches by default, and epochs that are too short to save each."""

import dataclasses
import json
import os
import signal

import keras
import numpy as np
import pytest
from helpers import assert_equal_models, config_of
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from adversarial_autoencoder import data, runs, training
from adversarial_autoencoder.config import Config, files
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.training.callbacks import (
    Checkpoint,
    Pictures,
    StopOnSignal,
    time_budget,
)

SIZE = ["--hidden_units=8", "--hidden_layers=1"]
TINY = ["--model=autoencoder", *SIZE, "--epochs=2", "--run_name=a"]


@pytest.mark.parametrize(
    ("images", "batch_size"),
    [
        (50_000, 200),
        (2999, 200),
        (2000, 200),
        (1999, 199),
        (999, 99),
        (209, 20),
        (146, 14),
        (69, 10),
        (3, 3),
    ],
)
def test_the_default_minibatch_is_a_tenth_of_small_data(images, batch_size):
    config = Config().for_data(images)
    assert config.batch_size == batch_size
    assert config.epochs >= 2000 // (images // batch_size)
    assert config.for_data(images) == config


@pytest.mark.parametrize(
    ("settings", "images", "batch_size"),
    [
        ({"batch_size": 64}, 100, 64),
        ({"batch_size": 2}, 50_000, 2),
        ({"model": "supervised_aae", "num_labels": 60}, 50_000, 10),
        ({"model": "supervised_aae", "num_labels": 500}, 50_000, 50),
        ({"model": "semi_supervised_aae", "num_labels": 60}, 50_000, 100),
        ({"model": "supervised_aae"}, 50_000, 100),
        ({"model": "wae_mmd"}, 15, 10),
        ({"model": "clustering_aae", "consistency": "vat", "information_weight": 0.1}, 90, 16),
    ],
)
def test_the_default_follows_the_images_that_the_system_uses(settings, images, batch_size):
    assert Config.of(**settings).for_data(images).batch_size == batch_size


def test_a_given_minibatch_must_fit():
    with pytest.raises(InputError, match="batch_size must be at most the 69 training images"):
        Config(batch_size=100).for_data(69)
    with pytest.raises(InputError, match="wae_mmd compares at least 2 images"):
        Config(model="wae_mmd", batch_size=1)


def few(tmp_path, n=98):
    """An .npz file of a few digits."""
    x = data.load("digits").x_train[:n]
    np.savez(tmp_path / "few.npz", x_train=x)
    return f"--dataset={tmp_path / 'few.npz'}"


@pytest.mark.usefixtures("eager")
def test_the_training_says_that_its_minibatches_are_smaller(command_line, tmp_path):
    out, err = command_line(few(tmp_path), *TINY, results=tmp_path)
    assert err == ""
    assert out.splitlines()[1] == (
        "A minibatch has 10 images instead of 200, because the data is small. "
        "--batch_size sets another number."
    )
    assert json.loads((tmp_path / "a" / "config.json").read_text())["config"]["batch_size"] == 10
    assert "--batch_size=10\n" in (tmp_path / "a" / "flags.txt").read_text()
    # A run keeps its number, also without the flag.
    for flags in ((), ("--batch_size=10",)):
        out, _ = command_line(few(tmp_path), *TINY, *flags, results=tmp_path)
        assert out.startswith("The run has its 2 epochs.")
    _, err = command_line(few(tmp_path), *TINY, "--batch_size=20", results=tmp_path, status=2)
    assert err == "Error: The run a has batch_size=10. Received: batch_size=20\n"


@pytest.mark.parametrize(
    "flags",
    [["--dataset=digits", "--model=supervised_aae"], ["--dataset=TMP", "--batch_size=10"]],
)
@pytest.mark.usefixtures("eager")
def test_the_training_says_nothing_of_a_usual_or_given_number(command_line, tmp_path, flags):
    flags = [few(tmp_path) if "TMP" in flag else flag for flag in flags]
    out, _ = command_line(*TINY, *flags, results=tmp_path)
    assert "instead of" not in out


def test_settings_that_were_not_resolved_train_as_well(tmp_path, dataset):
    config = Config.of(dataset="digits", model="autoencoder", hidden_units=8, epochs=1)
    assert config.batch_size is None
    run = runs.create(tmp_path, "a")
    run.write_config(config, dataset)
    training.check(config, dataset)
    model = training.train(config, dataset, run)
    assert int(model.optimizer.iterations) == 10
    assert files.from_dict(dataclasses.asdict(run.read_config()[0])) == config


class FakeClock:
    """Seconds that pass only when told."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class FakeRun:
    """A run whose checkpoint takes some seconds."""

    def __init__(self, clock, seconds):
        self.clock, self.seconds, self.saved = clock, seconds, []

    def read_history(self):
        return []

    def write_checkpoint(self, save, rows):
        self.clock.now += self.seconds
        self.saved.append([row["epoch"] for row in rows])


def train_epochs(number, epoch_seconds, save_seconds):
    """Simulates a training; returns the saved epochs and the share of the time for saving."""
    clock = FakeClock()
    run = FakeRun(clock, save_seconds)
    checkpoint = Checkpoint(run)
    checkpoint.budget.clock = clock
    checkpoint.set_model(keras.Sequential())
    for epoch in range(number):
        clock.now += epoch_seconds
        checkpoint.on_epoch_end(epoch, {"loss": 1.0, "val_loss": 1.0, "a": 2.0})
    checkpoint.on_train_end()
    for rows in run.saved:
        assert rows == [*range(1, rows[-1] + 1)]
    return [rows[-1] for rows in run.saved], save_seconds * len(run.saved) / clock.now


def test_short_epochs_are_saved_in_a_tenth_of_the_time():
    saved, share = train_epochs(1000, epoch_seconds=0.05, save_seconds=0.4)
    assert (saved[0], saved[-1]) == (1, 1000)
    assert 0.05 < share < 0.11
    assert max(np.diff(saved)) * 0.05 < 10 * 0.4


@pytest.mark.parametrize(("epoch_seconds", "save_seconds"), [(10, 0.4), (4, 0.4), (600, 30)])
def test_other_epochs_are_all_saved(epoch_seconds, save_seconds):
    saved, share = train_epochs(20, epoch_seconds, save_seconds)
    assert saved == [*range(1, 21)]
    assert share < 0.1


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_last_epoch_is_saved_once(number):
    saved, _ = train_epochs(number, epoch_seconds=0.01, save_seconds=5)
    assert saved == ([1] if number == 1 else [1, number])


@pytest.fixture
def no_time(monkeypatch):
    """Costly work runs only once, as if it took very long. Pictures are left out."""
    monkeypatch.setattr(time_budget.TimeBudget, "is_due", lambda self: self.next is None)
    monkeypatch.setattr(Pictures, "on_epoch_end", lambda self, epoch, logs=None: None)


class Signal(keras.callbacks.Callback):
    """Sends a signal to this process in a step of an epoch, or at the end of an epoch."""

    def __init__(self, number, epoch, batch=None):
        super().__init__()
        self.number, self.epoch, self.batch = number, epoch, batch

    def on_epoch_begin(self, epoch, logs=None):
        self.current = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if (self.current, batch) == (self.epoch, self.batch):
            os.kill(os.getpid(), self.number)

    def on_epoch_end(self, epoch, logs=None):
        if self.batch is None and epoch == self.epoch:
            os.kill(os.getpid(), self.number)


def short_epochs(**settings):
    small = {"model": "autoencoder", "hidden_layers": 1, "epochs": 6}
    return config_of(learning_rate_schedule="constant", **small | settings)


@pytest.mark.parametrize(
    ("number", "epoch", "batch", "completed"),
    [
        # The second epoch is saved with the third.
        (signal.SIGTERM, 2, 0, 3),
        (signal.SIGINT, 2, None, 3),
        (signal.SIGTERM, 5, None, 6),
        # The first epoch is saved: nothing is lost if the second one stops at once.
        (signal.SIGINT, 1, 0, 1),
        (signal.SIGTERM, 0, 0, 0),
    ],
)
def test_a_signal_saves_all_completed_epochs(
    no_time, dataset, tmp_path, number, epoch, batch, completed
):
    # Twelve steps in two groups.
    config = short_epochs(batch_size=12, hidden_units=8)
    run = runs.create(tmp_path, "a")
    run.write_config(config, dataset)
    ended = KeyboardInterrupt if number == signal.SIGINT else SystemExit
    with pytest.raises(ended), StopOnSignal(run) as stop:
        sender = Signal(number, epoch, batch)
        training.train(config, dataset, run, further_callbacks=[sender, stop])
    assert [row["epoch"] for row in run.read_history()] == [*range(1, completed + 1)]


def test_a_training_that_skipped_checkpoints_resumes_as_if_it_had_not(no_time, dataset, tmp_path):
    whole, run = (runs.create(tmp_path, name) for name in ("whole", "stopped"))
    for one in (whole, run):
        one.write_config(short_epochs(), dataset)
    expected = training.train(short_epochs(), dataset, whole)
    assert len(whole.read_history()) == 6
    with pytest.raises(KeyboardInterrupt), StopOnSignal(run) as stop:
        sender = Signal(signal.SIGINT, 3)
        training.train(short_epochs(), dataset, run, further_callbacks=[sender, stop])
    assert len(run.read_history()) == 4
    assert_equal_models(training.train(short_epochs(), dataset, run), expected)
    assert run.read_history() == whole.read_history()


def test_a_callback_that_stops_the_training_saves_its_last_epoch(no_time, dataset, tmp_path):
    run = runs.create(tmp_path, "a")
    run.write_config(short_epochs(), dataset)
    stop = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: setattr(stop.model, "stop_training", epoch == 2)
    )
    training.train(short_epochs(), dataset, run, further_callbacks=[stop])
    assert [row["epoch"] for row in run.read_history()] == [1, 2, 3]


def test_tensorboard_gets_every_scalar_and_the_first_and_last_histograms(
    no_time, dataset, tmp_path
):
    run = runs.create(tmp_path, "a")
    config = short_epochs(model="aae")
    run.write_config(config, dataset)
    training.train(config, dataset, run)

    def steps(name, tag):
        events = EventAccumulator(str(run.logs_path / name), {"tensors": 0}).Reload()
        return [event.step for event in events.Tensors(tag)]

    assert steps("validation", "metrics/prior_distance") == [1, 2, 3, 4, 5, 6]
    for name in ("encoder", "prior"):
        assert steps(name, "latent_z0") == [1, 6]


@pytest.mark.parametrize("settings", [{}, {"model": "clustering_aae"}])
def test_a_minibatch_of_one_image_cannot_be_normalized(settings):
    with pytest.raises(InputError, match="at least 2 images, over which the encoder normalizes"):
        Config(batch_size=1, **settings).for_data(100)
    assert Config(batch_size=1, model="autoencoder").for_data(100).batch_size == 1
