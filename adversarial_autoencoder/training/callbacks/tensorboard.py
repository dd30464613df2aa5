"""Writes a training for TensorBoard."""

import pathlib

import keras
import tensorflow as tf

from adversarial_autoencoder import figures


class TensorBoard(keras.callbacks.Callback):
    """Writes losses, learning rates, histograms of the codes, and images for TensorBoard.

    Every epoch it writes:

    - the logs, with the names of history.csv, and the learning rate of each step (Keras's own
      callback renames the logs, and writes each validation metric twice);
    - histograms of the encoder's output and of the prior, for each dimension and pooled, and of the
      most probable y.

    After the first epoch, every `image_every` epochs, and after the last epoch it also writes
    images: reconstructions; samples of the prior, decoded; the style grid of a code y; and from
    z_dim 2 on the scatter of the codes and, without a y, the latent grid.

    Args:
        log_dir: Folder of the event files.
        sample: The `PriorDistance` of the same training, whose codes are shown.
        labels: Classes of its images, integers of shape (n,), or None.
        class_names: Names of the classes.
        image_every: Epochs between images, >= 1.
        text: Markdown for the text page.
    """

    # Hundreds of histograms would hide the first ones and slow down the browser.
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
        """Opens the event files."""
        self.writers = {
            name: tf.summary.create_file_writer(str(self.log_dir / name))
            for name in ("train", "validation")
        }
        with self.writers["train"].as_default(step=0):
            tf.summary.text("configuration", self.text)

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
            self._write_histograms()
            if (epoch + 1) % self.image_every == 0 or epoch + 1 in (1, self.params["epochs"]):
                self._write_images()
        for writer in self.writers.values():
            writer.flush()

    def on_train_end(self, logs=None):
        """Closes the event files."""
        for writer in self.writers.values():
            writer.close()

    def _write_histograms(self):
        # One group for each dimension, so that TensorBoard shows its two histograms side by side.
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
