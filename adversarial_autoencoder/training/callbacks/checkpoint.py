"""Writes the checkpoint of a run after each epoch."""

import keras


class Checkpoint(keras.callbacks.Callback):
    """Saves history.csv and model.keras of a run after every completed epoch.

    It comes after the other callbacks, so that an epoch counts as completed when all have seen it.

    Args:
        run: The `runs.Run`.
        initial_epoch: Number of completed epochs. Later rows of the history are discarded and
            trained again.
    """

    def __init__(self, run, initial_epoch=0):
        super().__init__()
        self.run = run
        self.rows = run.read_history()[:initial_epoch]

    def on_epoch_end(self, epoch, logs=None):
        """Writes the checkpoint."""
        row = {name: value for name, value in logs.items() if name not in ("loss", "val_loss")}
        self.rows.append({"epoch": epoch + 1, **row})
        self.run.write_checkpoint(self.model.save, self.rows)
