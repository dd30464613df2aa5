"""What happens around the training loop: the latent space in TensorBoard, progress, checkpoints."""

import math
import pathlib
import sys
import time

import keras
import numpy as np
import tensorflow as tf

from adversarial_autoencoder import figures, priors
from adversarial_autoencoder.errors import TrainingError
from adversarial_autoencoder.evaluation.prior_match import perplexity, sliced_wasserstein

# Pixels encoded at once, 5000 images of MNIST: fewer take longer in all, as the weights are
# converted to bfloat16 anew each time.
ENCODED_PIXELS = 5000 * 28 * 28


class PriorDistance(keras.callbacks.Callback):
    """Encodes a fixed sample of images after every epoch and measures how it follows the prior.

    Adds `val_prior_distance` to the logs, and `val_prior_distance_floor`, the same between two
    samples of the prior; where y is inferred also `val_y_use`, how many values of y are in use
    (the exponential of the entropy of their shares), as a share of all. So it stands
    before the callbacks that report them.

    Args:
        x: Images, shape (n, height, width, channels).
    """

    def __init__(self, x):
        super().__init__()
        self.x = x

    def on_train_begin(self, logs=None):
        self.z_prior, other = (
            priors.draw(self.model.prior, len(self.x), self.model.z_dim, seed) for seed in (0, 1)
        )
        self.floor = sliced_wasserstein(other, self.z_prior)
        if self.model.infers_y:
            y = priors.draw(self.model.priors["y"], len(self.x), self.model.num_classes)
            self.y_prior = y.argmax(axis=1)

    def on_epoch_end(self, epoch, logs=None):
        # Drawn from the posterior: it is all codes together that follow the prior.
        batch_size = max(ENCODED_PIXELS // math.prod(self.x.shape[1:]), 1)
        self.z = self.model.encode(self.x, seed=0, batch_size=batch_size)
        if not np.isfinite(self.z).all():
            raise TrainingError(
                f"The codes are not finite any more in epoch {epoch + 1}; the epoch before is kept."
                " Lower learning rates may help."
            )
        logs["val_prior_distance"] = sliced_wasserstein(self.z, self.z_prior)
        logs["val_prior_distance_floor"] = self.floor
        if self.model.infers_y:
            self.y = self.model.classify(self.x).argmax(axis=1)
            shares = np.bincount(self.y, minlength=self.model.num_classes) / len(self.y)
            logs["val_y_use"] = perplexity(shares) / self.model.num_classes


class TensorBoard(keras.callbacks.Callback):
    """Writes a training for TensorBoard.

    Every epoch: the logs, by the names that they have in history.csv, and each step's learning rate
    (Keras's own callback renames them, and writes each validation metric twice); and histograms of
    the encoder's output and of the prior, per dimension and pooled, and of the most probable y.
    At the first epoch, every `image_every` and at the last: reconstructions, images decoded from
    the prior, the style grid of a code y, and from z_dim 2 on the scatter of the codes in the first
    two dimensions and, without a y, the latent grid.

    Args:
        log_dir: Folder of the event files.
        sample: The `PriorDistance` of the same training, whose codes are shown.
        labels: Classes of its images, or None.
        class_names: Names of the classes.
        image_every: Epochs between images, >= 1.
        text: Markdown for the text page.
    """

    # A dashboard of hundreds of histograms helps nobody and slows the browser.
    max_dimensions = 16

    def __init__(self, log_dir, sample, *, labels=None, class_names=(), image_every=1, text=""):
        super().__init__()
        self.log_dir = pathlib.Path(log_dir)
        self.sample = sample
        self.labels = labels
        self.class_names = class_names
        self.image_every = image_every
        self.text = text

    def on_train_begin(self, logs=None):
        self.writers = {
            name: tf.summary.create_file_writer(str(self.log_dir / name))
            for name in ("train", "validation")
        }
        with self.writers["train"].as_default(step=0):
            tf.summary.text("configuration", self.text)

    def on_epoch_end(self, epoch, logs=None):
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
            self._write_histograms()
            if (epoch + 1) % self.image_every == 0 or epoch + 1 in (1, self.params["epochs"]):
                self._write_images()
        for writer in self.writers.values():
            writer.flush()

    def on_train_end(self, logs=None):
        for writer in self.writers.values():
            writer.close()

    def _write_histograms(self):
        # One group of TensorBoard's page for each dimension: its two histograms side by side.
        for source, z in (("encoder", self.sample.z), ("prior", self.sample.z_prior)):
            tf.summary.histogram(f"latent_pooled/{source}", z)
            for i in range(min(z.shape[1], self.max_dimensions)):
                tf.summary.histogram(f"latent_z{i}/{source}", z[:, i])
        if self.model.infers_y:
            for source, y in (("encoder", self.sample.y), ("prior", self.sample.y_prior)):
                tf.summary.histogram(f"latent_y/{source}", y, buckets=self.model.num_classes)

    def _write_images(self):
        model, x = self.model, self.sample.x
        labels = None if self.labels is None else self.labels[:10]
        views = {
            "reconstructions": figures.reconstructions(
                model, x[:10], labels if model.num_classes and not model.infers_y else None
            ),
            "samples": figures.samples(model),
        }
        if model.num_classes:
            views["style_grid"] = figures.style_grid(model, self.sample.z[:10])
        if model.infers_y:
            views["cluster_grid"] = figures.cluster_grid(model, x)
        if model.z_dim >= 2:
            if not model.num_classes or model.cluster_heads is not None:
                views["latent_grid"] = figures.latent_grid(model)
            views["latent_scatter"] = figures.latent_scatter(
                model.represent(x, seed=0),
                model.draw_representation(len(x)),
                self.labels,
                self.class_names,
                heads=model.cluster_heads,
            )
        for name, figure in views.items():
            tf.summary.image(f"images/{name}", figures.to_array(figure)[None])


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
