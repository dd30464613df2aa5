"""Draws pictures of a training for TensorBoard."""

import contextlib

import keras
import tensorflow as tf

from adversarial_autoencoder import figures
from adversarial_autoencoder.errors import MALFORMED, first_line, print_warning
from adversarial_autoencoder.figures.latent import has_latent_grid
from adversarial_autoencoder.observations import Pixels
from adversarial_autoencoder.training.callbacks.kept_frames import chosen
from adversarial_autoencoder.training.callbacks.projector import write_projector

# TensorBoard scales each image to this width, without smoothing.
CARD_PIXELS = 350


class Pictures(keras.callbacks.Callback):
    """Writes images for TensorBoard after some epochs.

    After the first epoch, every `every` epochs, and after the last epoch it writes: the histograms
    of the codes over those of the prior; reconstructions; samples of the prior, decoded; the style
    grid of a code y; and from z_dim 2 on the scatter of the codes and, without a y, the latent
    grid. At the end, from z_dim 2 on, it writes the codes of 500 images with their classes and
    small copies of the images, for the tab Projector.

    A picture that fails is a warning. Whatever happens, it costs no epoch: the checkpoint is saved
    before.

    Args:
        tensorboard: The `TensorBoard` of the same training, whose files have the images.
        labels: Classes of the images of its `PriorDistance`, integers of shape (n,), or None.
        class_names: Names of the classes.
        every: Epochs between images, >= 1.
        checkpoint: The `Checkpoint` of the same training, which comes before this callback; or
            None.
        warn: Function that is called with the text of a warning.
    """

    def __init__(
        self,
        tensorboard,
        *,
        labels=None,
        class_names=(),
        every=1,
        checkpoint=None,
        warn=print_warning,
    ):
        super().__init__()
        self.tensorboard = tensorboard
        self.labels = labels
        self.class_names = class_names
        self.every = every
        self.checkpoint = checkpoint
        self.warn = warn

    def on_epoch_end(self, epoch, logs=None):
        """Draws and writes the images if they are due."""
        if (epoch + 1) % self.every and epoch + 1 not in (1, self.params["epochs"]):
            return
        if self.checkpoint:
            self.checkpoint.save()
        writer = self.tensorboard.writers["validation"]
        for name, draw in self._views().items():
            with self._guarded(f"picture images/{name} of epoch {epoch + 1}"):
                image = self._render(name, draw())
                with writer.as_default(step=epoch + 1):
                    tf.summary.image(f"images/{name}", image[None])
                writer.flush()

    def on_train_end(self, logs=None):
        """Writes the codes of some images for the tab Projector."""
        if self.model.z_dim < 2:
            return
        x, labels = self.tensorboard.sample.x, self.labels
        index = chosen(len(x))
        with self._guarded("projector"):
            write_projector(
                self.tensorboard.log_dir / "validation",
                self.model,
                x.take(index, axis=0),
                None if labels is None else labels[index],
                self.class_names,
            )

    @contextlib.contextmanager
    def _guarded(self, what):
        """Makes a failure a warning."""
        try:
            yield
        except (*MALFORMED, tf.errors.OpError) as error:
            self.warn(
                f"The {what} for TensorBoard is left out: "
                f"{type(error).__name__}: {first_line(error)}"
            )

    def _views(self):
        """The functions that draw the figures of this model, by name."""
        model, sample = self.model, self.tensorboard.sample
        y = (sample.y, sample.y_prior) if model.infers_y else ()
        views = self._views_of_images() if isinstance(model.observation, Pixels) else {}
        if model.z_dim >= 2:
            views["latent_scatter"] = lambda: figures.latent_scatter(
                model.represent(sample.x, seed=0),
                model.draw_representation(len(sample.x)),
                self.labels,
                self.class_names,
                heads=model.cluster_heads,
                columns=1,
                panel_inches=4,
                noun=model.observation.noun,
            )
        views["histograms"] = lambda: figures.histograms(
            sample.z,
            sample.z_prior,
            *y,
            columns=2,
            panel_inches=2.1,
            noun=model.observation.noun,
        )
        return views

    def _views_of_images(self):
        """The functions that draw the figures whose parts are images."""
        model, sample = self.model, self.tensorboard.sample
        x, labels = sample.x, None if self.labels is None else self.labels[:10]
        given = labels if model.codes.needs_y else None
        views = {
            "reconstructions": lambda: figures.reconstructions(model, x[:10], given),
            "samples": lambda: figures.samples(model),
        }
        if model.num_classes:
            views["style_grid"] = lambda: figures.style_grid(model, sample.z[:10])
        if model.infers_y:
            views["cluster_grid"] = lambda: figures.cluster_grid(model, x)
        if has_latent_grid(model):
            views["latent_grid"] = lambda: figures.latent_grid(model, inches=4)
        return views

    def _render(self, name, figure):
        """The pixels of a figure."""
        # Letters are readable if they are not scaled, or by a whole number. Images need more
        # pixels, which "Show actual image size" shows.
        dpi = CARD_PIXELS / figure.get_figwidth()
        dpi = dpi if name in ("histograms", "latent_scatter") else max(2 * dpi, 80)
        return figures.to_array(figure, dpi)
