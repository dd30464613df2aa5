"""Writes a training for TensorBoard."""

import re

import keras
import numpy as np
import tensorflow as tf
from tensorboard.plugins.histogram.metadata import create_summary_metadata

from adversarial_autoencoder import figures
from adversarial_autoencoder.config.paths import expand_home
from adversarial_autoencoder.figures.distribution import MAX_DIMENSIONS
from adversarial_autoencoder.observations import Pixels
from adversarial_autoencoder.training.callbacks.time_budget import TimeBudget

# TensorBoard scales each image to this width, without smoothing.
CARD_PIXELS = 350
# TensorBoard draws 30 bins over the range of all epochs. Its input needs more in each epoch.
HISTOGRAM_BINS = 100


class TensorBoard(keras.callbacks.Callback):
    """Writes losses, learning rates, histograms of the codes, and images for TensorBoard.

    Every epoch it writes the logs, with the names of history.csv, and the learning rate of each
    step (Keras's own callback renames the logs, and writes each validation metric twice).

    After the first epoch, after the last epoch, and after as many between them as fit into a tenth
    of the time, it writes:

    - histograms of the encoder's output and of the prior, for each dimension and pooled, and of the
      most probable y. Both have the same tag and the same range, in the runs "encoder" and "prior":
      TensorBoard shows them next to each other, for any number of trainings.

    After the first epoch, every `image_every` epochs, and after the last epoch it also writes
    images: the histograms of the codes over those of the prior; reconstructions; samples of the
    prior, decoded; the style grid of a code y; and from z_dim 2 on the scatter of the codes and,
    without a y, the latent grid.

    Args:
        log_dir: Folder of the event files.
        sample: The `PriorDistance` of the same training, whose codes are shown.
        labels: Classes of its images, integers of shape (n,), or None.
        class_names: Names of the classes.
        image_every: Epochs between images, >= 1.
        settings: The settings of the training by name, for the text page.
    """

    def __init__(
        self, log_dir, sample, *, labels=None, class_names=(), image_every=1, settings=None
    ):
        super().__init__()
        self.log_dir = expand_home(log_dir, "log_dir")
        self.sample = sample
        self.labels = labels
        self.class_names = class_names
        self.image_every = image_every
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
            if (epoch + 1) % self.image_every == 0 or epoch + 1 in (1, self.params["epochs"]):
                self._write_images()
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

    def _pictures(self):
        """The figures whose parts are images."""
        model, sample, x = self.model, self.sample, self.sample.x
        labels = None if self.labels is None else self.labels[:10]
        views = {
            "reconstructions": figures.reconstructions(
                model, x[:10], labels if model.num_classes and not model.infers_y else None
            ),
            "samples": figures.samples(model),
        }
        if model.num_classes:
            views["style_grid"] = figures.style_grid(model, sample.z[:10])
        if model.infers_y:
            views["cluster_grid"] = figures.cluster_grid(model, x)
        if model.z_dim >= 2 and (not model.num_classes or model.cluster_heads is not None):
            views["latent_grid"] = figures.latent_grid(model, inches=4)
        return views

    def _write_images(self):
        model, sample, x = self.model, self.sample, self.sample.x
        y = (sample.y, sample.y_prior) if model.infers_y else ()
        views = self._pictures() if isinstance(model.observation, Pixels) else {}
        if model.z_dim >= 2:
            views["latent_scatter"] = figures.latent_scatter(
                model.represent(x, seed=0),
                model.draw_representation(len(x)),
                self.labels,
                self.class_names,
                heads=model.cluster_heads,
                columns=1,
                panel_inches=4,
                noun=model.observation.noun,
            )
        views["histograms"] = figures.histograms(
            sample.z,
            sample.z_prior,
            *y,
            columns=2,
            panel_inches=2.1,
            noun=model.observation.noun,
        )
        for name, figure in views.items():
            # Letters are readable if they are not scaled, or by a whole number. Images need more
            # pixels, which "Show actual image size" shows.
            dpi = CARD_PIXELS / figure.get_figwidth()
            dpi = dpi if name in ("histograms", "latent_scatter") else max(2 * dpi, 80)
            tf.summary.image(f"images/{name}", figures.to_array(figure, dpi)[None])


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
