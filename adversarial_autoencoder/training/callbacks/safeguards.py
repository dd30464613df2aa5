"""Callbacks that stop a training on a fault or a signal."""

import signal
import sys
import threading

import keras
import numpy as np
import tensorflow as tf

from adversarial_autoencoder.errors import TrainingError


def not_finite(what, when, run):
    """The error about numbers that are not finite.

    Args:
        what: The numbers.
        when: The epoch, and the step if it is known.
        run: The `runs.Run`, whose last saved epoch is kept if there is one; or None.

    Returns:
        A `TrainingError`.
    """
    kept = "The last saved epoch is kept. " if run is not None and run.is_trained else ""
    return TrainingError(
        f"{what} must be finite numbers; they are not in {when}. {kept}"
        "Lower learning rates may help."
    )


class StopOnFault(keras.callbacks.Callback):
    """Ends a training whose losses, gradients or variables are not finite, before it is saved.

    It comes first, so that no other callback sees the epoch. It checks the losses and gradients
    after each group of steps, and the variables after every epoch.

    Args:
        run: The `runs.Run` that a `Checkpoint` saves, or None.

    Raises:
        TrainingError: With the phase and the step in which the fault began.
    """

    def __init__(self, run=None):
        super().__init__()
        self.run = run

    def on_epoch_begin(self, epoch, logs=None):
        """Remembers the epoch."""
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        """Checks losses and gradients."""
        strategy = self.model.distribute_strategy
        # Between machines each look is an exchange, so that there the mean losses have to do.
        if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy) and all(
            np.isfinite(value) for value in logs.values()
        ):
            return
        if first := self.model.finite_steps.first():
            phase, step = self.model.phases[first[0]], first[1]
            names = [name for name in phase.metrics if not np.isfinite(logs[name])]
            what = f"{', '.join([*names, 'gradients'])} in the {phase.name} phase"
            self._fail(what, f"step {step + 1} of epoch {self.epoch + 1}")

    def on_epoch_end(self, epoch, logs=None):
        """Checks the logs and the variables."""
        for name, value in logs.items():
            if not np.isfinite(value):
                self._fail(name, f"epoch {epoch + 1}")
        of_optimizers = [v for o in self.model.optimizer.optimizers for v in o.variables]
        for variable in [*self.model.variables, *of_optimizers]:
            value = tf.convert_to_tensor(variable)
            if value.dtype.is_floating and not tf.reduce_all(tf.math.is_finite(value)):
                self._fail(variable.path, f"epoch {epoch + 1}")

    def _fail(self, what, when):
        raise not_finite(what, when, self.run)


class StopOnSignal(keras.callbacks.Callback):
    """Ends a training on Ctrl-C or SIGTERM, after the current step.

    If a completed epoch is not saved, it waits for the end of the current one, so that both are
    saved first. `Checkpoint` leaves out only epochs that are short. A second signal acts at once.

    Use it as a context manager too: it catches both signals inside. It comes last. It raises
    KeyboardInterrupt on Ctrl-C, and SystemExit with status 143 on SIGTERM.

    If another worker that was stopped too ends first, the exchange with it fails. This failure is
    not reported, because this process was asked to stop as well.

    Args:
        run: The `runs.Run` that a `Checkpoint` saves; None: stop after the current step.
    """

    def __init__(self, run=None):
        super().__init__()
        self.run = run
        self.received = None
        self.before = {}

    def __enter__(self):
        # Python allows signal handlers only there.
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self.before[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, kind, error, traceback):
        self._restore()
        if isinstance(error, tf.errors.OpError):
            self._stop()

    def on_epoch_begin(self, epoch, logs=None):
        """Remembers the number of completed epochs."""
        self.completed = epoch

    def on_train_batch_end(self, batch, logs=None):
        """Stops, unless the epoch is about to end or an earlier one is not saved."""
        if self.received and batch + 1 < self.params["steps"] and self._is_saved():
            self._stop()

    def on_epoch_end(self, epoch, logs=None):
        """Ends the training, at whose end the epoch is saved."""
        if self.received:
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        """Stops after the last epoch is saved."""
        self._stop()

    def _is_saved(self):
        return self.run is None or self.run.completed_epochs() >= self.completed

    def _receive(self, number, frame):
        self.received = number
        self._restore()

    def _restore(self):
        for number, handler in self.before.items():
            signal.signal(number, handler)
        self.before = {}

    def _stop(self):
        if self.received == signal.SIGINT:
            raise KeyboardInterrupt
        if self.received:
            sys.exit(128 + self.received)
