"""Writes the checkpoint of a run."""

import keras

from adversarial_autoencoder.training.callbacks.time_budget import SHARE, TimeBudget


class Checkpoint(keras.callbacks.Callback):
    """Saves history.csv and model.keras of a run after completed epochs.

    It saves the first epoch, the last one, and as many between them as fit into a share of the
    time: all of them, unless epochs are very short. Each checkpoint has the rows of all epochs up
    to it.

    It comes after the callbacks that measure and print an epoch, so that an epoch counts as
    completed when all have seen it, and before `Pictures`.

    Args:
        run: The `runs.Run`.
        initial_epoch: Number of completed epochs. Later rows of the history are discarded and
            trained again.
        share: Largest fraction of the time for saving, above 0. 1: save every epoch.
        frames: The `Frames` of the same training, which comes before this callback; or None.
    """

    def __init__(self, run, initial_epoch=0, share=SHARE, frames=None):
        super().__init__()
        self.run = run
        self.rows = run.read_history()[:initial_epoch]
        self.budget = TimeBudget(share)
        self.frames = frames
        self.is_saved = True

    def on_epoch_end(self, epoch, logs=None):
        """Writes the checkpoint if it is due."""
        row = {name: value for name, value in logs.items() if name not in ("loss", "val_loss")}
        self.rows.append({"epoch": epoch + 1, **row})
        self.is_saved = False
        if self.budget.is_due():
            self.save()

    def on_train_end(self, logs=None):
        """Writes the checkpoint of the last epoch, also if the training stops early."""
        self.save()

    def save(self):
        """Writes the checkpoint of the last completed epoch, unless it is written."""
        if self.is_saved:
            return
        with self.budget.spend():
            # Before the model, which completes the epoch. A failure is a warning.
            if self.frames:
                self.frames.write()
            self.run.write_checkpoint(self.model.save, self.rows)
        self.is_saved = True
