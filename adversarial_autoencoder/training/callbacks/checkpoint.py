"""Writes the checkpoint of a run after each epoch."""

import keras


class Checkpoint(keras.callbacks.Callback):
    """Keeps history.csv and model.keras of a run at the last finished epoch.

    Stands behind the others, so that an epoch counts as finished when every callback has seen it.

    Args:
        run: The `runs.Run`.
        initial_epoch: Epochs finished before; rows of later ones are lived through again.
    """

    def __init__(self, run, initial_epoch=0):
        super().__init__()
        self.run = run
        self.rows = run.read_history()[:initial_epoch]

    def on_epoch_end(self, epoch, logs=None):
        row = {name: value for name, value in logs.items() if name not in ("loss", "val_loss")}
        self.rows.append({"epoch": epoch + 1, **row})
        self.run.write_checkpoint(self.model.save, self.rows)
