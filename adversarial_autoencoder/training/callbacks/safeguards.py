"""What stops a training that has gone wrong or is asked to stop, and what warns."""

import signal
import sys
import threading

import keras
import numpy as np
import tensorflow as tf

from adversarial_autoencoder.errors import TrainingError, print_warning

# A discriminator that is right about this share of samples and codes teaches the encoder nothing.
# On MNIST it stayed below 0.66 in the default training, below 0.93 in semi-supervised ones.
DEAD_ACCURACY = 0.995
# Values of y in use, of which a game that has collapsed leaves one.
COLLAPSED_VALUES = 1.5
# Spread of the codes, in any dimension, as a share of the prior's.
COLLAPSED_SPREAD = 0.02
# Epochs in a row that a sign has to last, at least, and as a share of the training.
PATIENCE, PATIENT_SHARE = 5, 0.05


class StopOnFault(keras.callbacks.Callback):
    """Ends a training whose losses, gradients or variables are not finite, before that is saved.

    Stands first, so that no other callback sees the epoch. The losses and gradients of a group of
    steps are looked at as soon as it is done, the variables after every epoch.

    Raises:
        TrainingError: With the phase and the step in which it began.
    """

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        strategy = self.model.distribute_strategy
        # Between machines every look is an exchange; so there it is left to the losses' means.
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
        for name, value in logs.items():
            if not np.isfinite(value):
                self._fail(name, f"epoch {epoch + 1}")
        of_optimizers = [v for o in self.model.optimizer.optimizers for v in o.variables]
        for variable in [*self.model.variables, *of_optimizers]:
            value = tf.convert_to_tensor(variable)
            if value.dtype.is_floating and not tf.reduce_all(tf.math.is_finite(value)):
                self._fail(variable.path, f"epoch {epoch + 1}")

    def _fail(self, what, when):
        raise TrainingError(
            f"{what} must be finite numbers; they are not in {when}. The last finished epoch, "
            f"{self.epoch}, is kept. Lower learning rates may help."
        )


class StopOnSignal(keras.callbacks.Callback):
    """Ends a training on Ctrl-C or SIGTERM after the step, or after the epoch if that was its last.

    It is a context manager too, in which the two signals are caught. A second one acts at once.
    Stands last, so that an epoch whose steps are done is saved before.

    Raises:
        KeyboardInterrupt: On Ctrl-C.
        SystemExit: On SIGTERM, with the status 143.
    """

    def __init__(self):
        super().__init__()
        self.received = None
        self.before = {}

    def __enter__(self):
        # Only there does Python allow it.
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self.before[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, *exception):
        self._restore()

    def on_train_batch_end(self, batch, logs=None):
        if batch + 1 < self.params["steps"]:
            self._stop()

    def on_epoch_end(self, epoch, logs=None):
        self._stop()

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


class WarnOfCollapse(keras.callbacks.Callback):
    """Warns, once each, of a discriminator that is always right and of codes that collapse.

    A sign has to last for 5 epochs, and a twentieth of the training.

    Args:
        sample: The `PriorDistance` of the same training.
        warn: Function that is called with the text of a warning.
    """

    def __init__(self, sample, warn=print_warning):
        super().__init__()
        self.sample = sample
        self.warn = warn
        self.lasting = {}

    def on_epoch_end(self, epoch, logs=None):
        signs = self._signs(logs)
        patience = max(PATIENCE, round(PATIENT_SHARE * self.params["epochs"]))
        # Those that are gone are counted anew.
        self.lasting = {sign: self.lasting.get(sign, 0) + 1 for sign in signs}
        for sign, text in signs.items():
            if self.lasting[sign] == patience:
                self.warn(f"{text} for {patience} epochs, up to epoch {epoch + 1}.")

    def _signs(self, logs):
        """The signs that an epoch shows: a dict from a name to a text."""
        signs = {}
        for suffix in ("", "_y", "_z"):
            generator = self.model.optimizer.steps.get(f"generator{suffix}")
            if generator is None or not float(generator.learning_rate):
                continue  # The encoder does not play yet.
            names = [f"discriminator_accuracy_{kind}{suffix}" for kind in ("real", "fake")]
            right = [logs.get(name, 0) for name in names]
            if min(right) >= DEAD_ACCURACY:
                signs[names[0]] = (
                    f"The discriminator tells every code from the prior ({names[0]} "
                    f"{right[0]:.3f}, {names[1]} {right[1]:.3f}; TensorBoard: metrics/{names[0]}) "
                    "and teaches the encoder nothing,"
                )
        used = logs.get("val_y_use", 1) * self.model.num_classes
        if self.model.infers_y and used < COLLAPSED_VALUES:
            signs["y"] = (
                f"The code y has collapsed to {used:.1f} of its {self.model.num_classes} values "
                "(TensorBoard: metrics/y_use, images/cluster_grid)"
            )
        spread = self.sample.z.std(axis=0) / self.sample.z_prior.std(axis=0)
        i = int(spread.argmin())
        if "z" in self.model.discriminators and spread[i] < COLLAPSED_SPREAD:
            signs["z"] = (
                f"The code z has collapsed: dimension {i} has {spread[i]:.3f} of the prior's "
                f"spread (TensorBoard: latent_z{i}/encoder, images/latent_scatter)"
            )
        return signs
