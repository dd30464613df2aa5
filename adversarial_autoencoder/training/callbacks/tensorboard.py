"""Writes a training for TensorBoard."""

import re

import keras
import numpy as np
import tensorflow as tf
from tensorboard.plugins.histogram.metadata import create_summary_metadata

from adversarial_autoencoder.config.paths import expand_home
from adversarial_autoencoder.figures.distribution import MAX_DIMENSIONS
from adversarial_autoencoder.training.callbacks.time_budget import TimeBudget

# TensorBoard draws 30 bins over the range of all epochs. Its input needs more in each epoch.
HISTOGRAM_BINS = 100


class TensorBoard(keras.callbacks.Callback):
    """Writes losses, learning rates and histograms of the codes for TensorBoard.

    Every epoch it writes the logs, with the names of history.csv, and the learning rate of each
    step (Keras's own callback renames the logs, and writes each validation metric twice).

    After the first epoch, after the last epoch, and after as many between them as fit into a tenth
    of the time, it writes histograms of the encoder's output and of the prior, for each dimension
    and pooled, and of the most probable y. Both have the same tag and the same range, in the runs
    "encoder" and "prior": TensorBoard shows them next to each other, for any number of trainings.

    `Pictures` writes images to the same files.

    Args:
        log_dir: Folder of the event files.
        sample: The `PriorDistance` of the same training, whose codes are shown.
        settings: The settings of the training by name, for the text page.
    """

    def __init__(self, log_dir, sample, *, settings=None):
        super().__init__()
        self.log_dir = expand_home(log_dir, "log_dir")
        self.sample = sample
        self.settings = settings or {}
        self.budget = TimeBudget()
        self.unwritten = None

    def on_train_begin(self, logs=None):
        """Opens the event files."""
        self.writers = {
            name: tf.summary.create_file_writer(str(self.log_dir / name))
            for name in ("train", "validation", "encoder", "prior")
        }
        with self.writers["train"].as_default(step=0):
            tf.summary.text("configuration", markdown_table(("setting", "value"), self.settings))

    def on_epoch_end(self, epoch, logs=None):
        """Writes everything."""
        with self.writers["train"].as_default(step=epoch + 1):
            for name, value in logs.items():
                if not name.startswith("val_") and name != "loss":
                    tf.summary.scalar(f"metrics/{name}", value)
            for optimizer in self.model.optimizer.optimizers:
                tf.summary.scalar(f"learning_rate/{optimizer.name}", optimizer.learning_rate)
        with self.writers["validation"].as_default(step=epoch + 1):
            for name, value in logs.items():
                if name.startswith("val_") and name != "val_loss":
                    tf.summary.scalar(f"metrics/{name.removeprefix('val_')}", value)
        self.unwritten = epoch + 1
        if self.budget.is_due():
            self._write_histograms()
        for writer in self.writers.values():
            writer.flush()

    def on_train_end(self, logs=None):
        """Writes the histograms of the last epoch, and closes the event files."""
        if self.unwritten:
            self._write_histograms()
        for writer in self.writers.values():
            writer.close()

    def _write_histograms(self):
        with self.budget.spend():
            self._write_histograms_of(self.unwritten)
        self.unwritten = None

    def _write_histograms_of(self, step):
        z, z_prior = self.sample.z, self.sample.z_prior
        # Hundreds of histograms would hide the first ones and slow down the browser.
        shown = range(min(z.shape[1], MAX_DIMENSIONS))
        pairs = {f"latent_z{i}": (z[:, i], z_prior[:, i]) for i in shown}
        for tag, values in {"latent_pooled": (z, z_prior), **pairs}.items():
            low, high = (f([f(part) for part in values]) for f in (np.min, np.max))
            if low == high:
                low, high = low - 0.5, high + 0.5
            self._write_pair(tag, values, np.linspace(low, high, HISTOGRAM_BINS + 1), step)
        if self.model.infers_y:
            edges = np.arange(self.model.num_classes + 1) - 0.5
            self._write_pair("latent_y", (self.sample.y, self.sample.y_prior), edges, step)

    def _write_pair(self, tag, values, edges, step):
        """Writes the histograms of encoder and prior with the same bins."""
        metadata = create_summary_metadata(display_name=None, description=None)
        for source, part in zip(("encoder", "prior"), values, strict=True):
            counts, _ = np.histogram(part, edges)
            bins = np.stack([edges[:-1], edges[1:], counts], axis=1)
            with self.writers[source].as_default(step=step):
                tf.summary.write(tag, bins, metadata=metadata)


def markdown_table(header, rows):
    """Writes a table whose cells are text, never markup.

    Args:
        header: The two column names.
        rows: A dict from the first cell of each row to the second.

    Returns:
        Markdown.
    """
    table = [header, ("---", "---"), *((_escaped(name), _escaped(rows[name])) for name in rows)]
    return "\n".join(f"| {left} | {right} |" for left, right in table)


def _escaped(value):
    """A value as text in Markdown: each character that can have a meaning becomes its code."""
    text = " ".join(str(value).encode(errors="replace").decode().split())
    return re.sub(r"[^\w .,:/=-]|\b_|_\b|__", lambda m: "".join(f"&#{ord(c)};" for c in m[0]), text)
