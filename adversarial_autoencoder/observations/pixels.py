"""Images: pixels in [0, 1]."""

import warnings

import keras
import tensorflow as tf

from adversarial_autoencoder import losses
from adversarial_autoencoder.errors import check_choice
from adversarial_autoencoder.observations.observation import Observation, as_array, expect

# Integers below it fill so little of 0..255 that they are probably masks or a few grey levels.
NARROW = 64


@keras.saving.register_keras_serializable("adversarial_autoencoder")
class Pixels(Observation):
    """Images, whose pixels are integers in 0..255 or floats in [0, 1].

    The decoder outputs the logits of the pixels.

    Args:
        loss: "mse" or "bce".

    Raises:
        ValueError: If there is no such loss.
    """

    def __init__(self, loss="mse"):
        check_choice("reconstruction_loss", loss, losses.RECONSTRUCTION)
        self.loss_name = loss

    def check(self, x, shape, warn=True):
        """Checks the shape and the range of images."""
        check_images(x, shape, warn)

    def check_in_graph(self, x):
        """Checks the range of images; those of bytes need no check."""
        if x.dtype in (tf.uint8, tf.bool):
            return
        high = 255 if x.dtype.is_integer else 1
        expect(
            tf.reduce_all((x >= 0) & (x <= high)),  # NaN compares false with everything.
            f"Images must be integers in 0..255 or floats in [0, 1]. Received: {x.dtype.name} from",
            x,
        )

    def shape(self, shape):
        """The shape of one image: that of the encoder's input."""
        return shape

    def prepare(self, x):
        """Scales images to [0, 1]."""
        return to_unit_interval(x)

    def loss(self, x, outputs):
        """The squared error of the sigmoid of the outputs, or their cross-entropy, for a pixel."""
        return losses.RECONSTRUCTION[self.loss_name](x, outputs)

    def errors(self, x, outputs):
        """The squared error of the sigmoid of the outputs."""
        return tf.square(x - tf.sigmoid(outputs))

    def terms(self, x):
        """The number of pixels, times the channels."""
        return tf.reduce_prod(tf.shape(x)[1:])

    def restore(self, outputs, seed=None):
        """The sigmoid of the outputs."""
        del seed
        return tf.sigmoid(outputs)

    def get_config(self):
        """The constructor's arguments, for saving."""
        return {"loss": self.loss_name}

    @classmethod
    def from_config(cls, config):
        """Makes the object that `get_config` describes."""
        return cls(**config)


def to_unit_interval(x):
    """Scales integers in 0..255 to [0, 1]; floats stay unchanged.

    Args:
        x: Images, an array or a tensor.

    Returns:
        A float32 tensor of the same shape.
    """
    x = tf.convert_to_tensor(x)
    if x.dtype.is_integer:
        return tf.cast(x, "float32") / 255.0
    return tf.cast(x, "float32")


def check_images(x, shape, warn=True) -> None:
    """Checks the shape and the range of images.

    Args:
        x: Images, an array or an eager tensor; anything else passes.
        shape: Shape of one image that the encoder takes; None for any size.
        warn: Whether to warn of integers of a narrow range.

    Raises:
        ValueError: If the shape differs, or integers are outside 0..255, or floats outside [0, 1].
    """
    x = as_array(x)
    if x is None or x.dtype.kind not in "biuf":
        return
    given = x.shape[1:]
    fits = len(given) == len(shape) and all(
        b in (None, a) for a, b in zip(given, shape, strict=True)
    )
    if not fits:
        hint = ""
        if (*given, 1) == tuple(shape):
            hint = ": add the channel axis with x[..., None]"
        elif given == (*shape, 1):
            hint = ": remove the channel axis with x[..., 0]"
        raise ValueError(
            f"Images must have the shape (n, {', '.join(map(str, shape))}). "
            f"Received: {x.shape}{hint}"
        )
    if not x.size:
        return
    low, high = x.min(), x.max()
    limit = 1 if x.dtype.kind in "fb" else 255
    if not (low >= 0 and high <= limit):  # NaN compares false with everything.
        raise ValueError(
            "Images must be integers in 0..255 or floats in [0, 1]. "
            f"Received: {x.dtype} from {low} to {high}{_conversion(x, low, high)}"
        )
    if warn and x.dtype.kind in "iu" and 0 < high < NARROW:
        warnings.warn(
            f"The images are integers in {low}..{high}, which is nearly black on the scale 0..255. "
            f"If {high} is white, give x / {high:.1f}",
            stacklevel=2,
        )


def _conversion(x, low, high):
    """A line of NumPy that brings images into the range, or nothing."""
    if x.dtype.kind == "f" and low >= -1 and high <= 1:
        return ": give (x + 1) / 2"
    if x.dtype.kind == "f" and low >= 0 and high <= 255:
        return ": give x / 255"
    if x.dtype.kind in "iu" and low >= 0:
        return f": give x / {high:.1f} if {high} is white"
    return ""
