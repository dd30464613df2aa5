"""The progress of a training on the terminal."""

import sys
import time

import keras

from adversarial_autoencoder.devices.progress import minutes
from adversarial_autoencoder.errors import counted


class Progress(keras.callbacks.Callback):
    """A progress bar for each epoch with the time left; without a terminal, one line an epoch.

    At the end it prints how many epochs it trained, and how long they took.

    Args:
        initial_epoch: Number of completed epochs.
        metrics: Names of the logs to show.
    """

    def __init__(self, initial_epoch=0, metrics=()):
        super().__init__()
        self.initial_epoch = initial_epoch
        self.shown = metrics
        self.bar = None

    def on_train_begin(self, logs=None):
        """Starts the clock."""
        self.start, self.trained = time.monotonic(), 0

    def on_epoch_begin(self, epoch, logs=None):
        """Starts a bar."""
        if sys.stdout.isatty():
            print(f"Epoch {epoch + 1}/{self.params['epochs']}{self._time_left(epoch)}")
            self.bar = keras.utils.Progbar(self.params["steps"], stateful_metrics=self.shown)

    def on_train_batch_end(self, batch, logs=None):
        """Moves the bar."""
        # The last step waits for the validation metrics, which belong to the same bar.
        if self.bar and batch + 1 < self.params["steps"]:
            self.bar.update(batch + 1, self._values(logs))

    def on_epoch_end(self, epoch, logs=None):
        """Completes the bar, or prints the line."""
        self.trained += 1
        if self.bar:
            self.bar.update(self.params["steps"], self._values(logs), finalize=True)
            return
        values = "".join(f" - {name}: {value:.4f}" for name, value in self._values(logs))
        left = self._time_left(epoch + 1)
        print(f"Epoch {epoch + 1}/{self.params['epochs']}{values}{left}", flush=True)

    def on_train_end(self, logs=None):
        """Prints how long the training took."""
        if self.trained:
            duration = minutes(time.monotonic() - self.start)
            print(f"Trained {counted(self.trained, 'epoch')} in {duration}", flush=True)

    def _values(self, logs):
        return [(name, float(logs[name])) for name in self.shown if name in logs]

    def _time_left(self, epoch):
        done, left = epoch - self.initial_epoch, self.params["epochs"] - epoch
        if not done or not left:
            return ""
        return f" - {minutes((time.monotonic() - self.start) / done * left)} left"
