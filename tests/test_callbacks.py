"""The callbacks of a training: its progress, its faults, and warnings of a collapse."""

import re

import keras
import numpy as np
import pytest

from adversarial_autoencoder import phases
from adversarial_autoencoder.errors import TrainingError
from adversarial_autoencoder.training import callbacks
from adversarial_autoencoder.training.callbacks import safeguards


def test_the_number_of_trained_epochs_is_printed_at_the_end(digits, make_model, capsys):
    """A resumed training that a callback stops early."""
    model = make_model()
    model.compile()

    def stop(epoch, logs):
        model.stop_training = epoch == 4

    progress = [callbacks.Progress(3), keras.callbacks.LambdaCallback(on_epoch_end=stop)]
    model.fit(digits[:100], initial_epoch=3, epochs=9, verbose=0, callbacks=progress)
    last = capsys.readouterr().out.splitlines()[-1]
    assert re.fullmatch(r"Trained 2 epochs in \d+:\d\d", last)


class BreaksAt(phases.Regularization):
    """A discriminator whose loss is NaN in one step."""

    def __init__(self, number):
        super().__init__()
        self.number = number

    def step(self, model, batch):
        self.now = keras.ops.cast(model.optimizer.iterations, "float32")
        return super().step(model, batch)

    def _discriminate(self, code, batch, fake, training):
        loss, metrics, logits = super()._discriminate(code, batch, fake, training)
        loss += keras.ops.where(training & (self.now == self.number), np.nan, 0.0)
        return loss, metrics | {"discriminator_loss": loss}, logits


@pytest.mark.parametrize("jit_compile", [False, True])
def test_the_error_names_phase_and_step_of_a_fault(digits, make_model, jit_compile):
    """Ten steps run as a group, and every loss after the fault is NaN as well."""
    model = make_model(phases=[phases.Reconstruction(), BreaksAt(26)])
    model.compile(steps_per_execution=10, jit_compile=jit_compile)
    message = "discriminator_loss.* in the breaksat phase must be .* in step 7 of epoch 2. Lower"
    with pytest.raises(TrainingError, match=message):
        model.fit(
            digits[:1000],
            batch_size=50,
            epochs=3,
            verbose=0,
            callbacks=[safeguards.StopOnFault()],
        )


def test_a_variable_that_is_not_finite_stops_the_training(digits, make_model):
    """No loss shows the fault."""

    class Break(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            variable = self.model.optimizer.optimizers[0].variables[3]
            variable.assign(np.full(variable.shape, np.inf))

    further = [Break(), safeguards.StopOnFault()]
    with pytest.raises(TrainingError, match="must be finite numbers; they are not in epoch 1"):
        make_model().fit(digits[:100], batch_size=50, verbose=0, callbacks=further)
