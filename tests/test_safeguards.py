"""A training that goes wrong ends at once and says where; one that collapses is warned of."""

import types

import keras
import numpy as np
import pytest

from adversarial_autoencoder import phases
from adversarial_autoencoder.errors import TrainingError
from adversarial_autoencoder.training.callbacks import safeguards


class BreaksAt(phases.Regularization):
    """A discriminator whose loss is NaN in the step with a number."""

    def __init__(self, number):
        super().__init__()
        self.number = number

    def _discriminate(self, model, batch, fake, training):
        loss, metrics, logits = super()._discriminate(model, batch, fake, training)
        now = keras.ops.cast(model.optimizer.iterations, "float32")
        loss += keras.ops.where(training & (now == self.number), np.nan, 0.0)
        return loss, metrics | {"discriminator_loss": loss}, logits


@pytest.mark.parametrize("jit_compile", [False, True])
def test_the_phase_and_step_of_a_fault_are_named_within_a_group_of_steps(
    digits, make_model, jit_compile
):
    """From the step after it on, every loss is NaN; the means of a group show all of them."""
    model = make_model(phases=[phases.Reconstruction(), BreaksAt(26)])
    model.compile(steps_per_execution=10, jit_compile=jit_compile)
    message = "discriminator_loss.* in the breaksat phase must be .* in step 7 of epoch 2. .* 1, is"
    with pytest.raises(TrainingError, match=message):
        model.fit(
            digits[:1000],
            batch_size=50,
            epochs=3,
            verbose=0,
            callbacks=[safeguards.StopOnFault()],
        )


def test_a_variable_that_is_not_finite_ends_the_training_though_no_loss_shows_it(
    digits, make_model
):
    class Break(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            variable = self.model.optimizer.optimizers[0].variables[3]
            variable.assign(np.full(variable.shape, np.inf))

    callbacks = [Break(), safeguards.StopOnFault()]
    with pytest.raises(TrainingError, match="must be finite numbers; they are not in epoch 1"):
        make_model().fit(digits[:100], batch_size=50, verbose=0, callbacks=callbacks)


def warnings_of(epochs, logs, spread=1.0, infers_y=True, rate=1e-3):
    """The warnings of a training whose every epoch has the same logs."""
    warnings = []
    rng = np.random.default_rng(0)
    z = rng.normal(size=(500, 3))
    sample = types.SimpleNamespace(z_prior=z, z=z * [1, spread, 1])
    callback = safeguards.WarnOfCollapse(sample, warnings.append)
    generator = types.SimpleNamespace(learning_rate=rate)
    callback.set_model(
        types.SimpleNamespace(
            discriminators={"z": 0},
            num_classes=10,
            infers_y=infers_y,
            optimizer=types.SimpleNamespace(steps={"generator_z": generator}),
        )
    )
    callback.set_params({"epochs": epochs})
    for epoch in range(epochs):
        callback.on_epoch_end(epoch, logs)
    return warnings


def test_a_dead_discriminator_is_told_once_with_its_tag():
    logs = {"discriminator_accuracy_real_z": 1.0, "discriminator_accuracy_fake_z": 0.999}
    assert warnings_of(4, logs) == []
    (warning,) = warnings_of(20, logs)
    assert "metrics/discriminator_accuracy_real_z" in warning
    assert "for 5 epochs, up to epoch 5." in warning
    (warning,) = warnings_of(200, logs)
    assert "for 10 epochs, up to epoch 10." in warning
    assert warnings_of(20, logs | {"discriminator_accuracy_fake_z": 0.9}) == []
    assert warnings_of(20, logs, rate=0.0) == []


def test_collapsed_codes_are_told_with_their_figures():
    (warning,) = warnings_of(5, {"val_y_use": 0.12})
    assert "y has collapsed to 1.2 of its 10 values" in warning
    assert "images/cluster_grid" in warning
    assert warnings_of(5, {"val_y_use": 0.16}) == []
    (warning,) = warnings_of(5, {}, spread=0.01)
    assert "dimension 1 has 0.010 of the prior's spread" in warning
    assert "images/latent_scatter" in warning
