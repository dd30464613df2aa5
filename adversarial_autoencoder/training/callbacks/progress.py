"""The progress of a training on the terminal."""

import sys
import time

import keras


class Progress(keras.callbacks.Callback):
    """A bar for each epoch with the time left, or, where there is no terminal, a line.

    At the end it says how long the epochs took that were trained now.

    Args:
        initial_epoch: Epochs finished before.
        metrics: Names of the logs shown behind the bar.
    """

    def __init__(self, initial_epoch=0, metrics=()):
        super().__init__()
        self.initial_epoch = initial_epoch
        self.shown = metrics
        self.bar = None

    def on_train_begin(self, logs=None):
        self.start, self.trained = time.monotonic(), 0

    def on_epoch_begin(self, epoch, logs=None):
        if sys.stdout.isatty():
            print(f"Epoch {epoch + 1}/{self.params['epochs']}{self._time_left(epoch)}")
            self.bar = keras.utils.Progbar(self.params["steps"], stateful_metrics=self.shown)

    def on_train_batch_end(self, batch, logs=None):
        # The last step waits for the validation, whose metrics belong behind the same bar.
        if self.bar and batch + 1 < self.params["steps"]:
            self.bar.update(batch + 1, self._values(logs))

    def on_epoch_end(self, epoch, logs=None):
        self.trained += 1
        if self.bar:
            self.bar.update(self.params["steps"], self._values(logs), finalize=True)
            return
        values = "".join(f" - {name}: {value:.4f}" for name, value in self._values(logs))
        left = self._time_left(epoch + 1)
        print(f"Epoch {epoch + 1}/{self.params['epochs']}{values}{left}", flush=True)

    def on_train_end(self, logs=None):
        if self.trained:
            epochs = f"{self.trained} epoch{'s' if self.trained > 1 else ''}"
            print(f"Trained {epochs} in {_minutes(time.monotonic() - self.start)}", flush=True)

    def _values(self, logs):
        return [(name, float(logs[name])) for name in self.shown if name in logs]

    def _time_left(self, epoch):
        done, left = epoch - self.initial_epoch, self.params["epochs"] - epoch
        if not done or not left:
            return ""
        return f" - {_minutes((time.monotonic() - self.start) / done * left)} left"


def _minutes(seconds):
    """A time as minutes:seconds."""
    return "{}:{:02d}".format(*divmod(round(seconds), 60))
