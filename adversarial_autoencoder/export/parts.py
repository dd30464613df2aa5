"""The parts of a trained model as networks of Keras layers alone, in float32.

They contain the preparation of images or rows and the last step of the decoder, and no noise. A
program can run them without this package.
"""

import math

import keras
import numpy as np
from keras import layers, ops

from adversarial_autoencoder.export.rows import Rows
from adversarial_autoencoder.model.codes import by_name
from adversarial_autoencoder.model.float32 import float32_copy
from adversarial_autoencoder.systems import Y, Z

PROBABILITIES, IMAGE, SCORE = "probabilities", "image", "score"


def parts_of(model, dtype="uint8"):
    """Makes the parts of a model.

    Args:
        model: An `AdversarialAutoencoder`; it need not have been called.
        dtype: Data type of the images that the parts take: "uint8" for integers in 0..255, or
            "float32" for numbers in [0, 1].

    Returns:
        A dict from name to functional Keras model. Inputs and outputs have names: "x" are images,
        or rows of a table in the form of an array, "z" and "y" codes.

        - "encoder": x to z, without noise.
        - "decoder": z, or z and y, to the image in [0, 1], or to the numbers and probabilities of
          a row (`observations.Columns.distribution`). y are weights of its values, such as one-hot
          vectors.
        - "classifier": x to the probabilities of y, if the model infers y.
        - "scorer": x, or x and y if the model does not infer y, to the mean squared error of the
          reconstruction of each image, or the loss of each row. Those that differ from the training
          data have a high score.

    Example:
        >>> from adversarial_autoencoder import AdversarialAutoencoder, networks
        >>> from adversarial_autoencoder.export.parts import parts_of
        >>> model = AdversarialAutoencoder(
        ...     networks.encoder((8, 8, 1), z_dim=2, hidden_units=16),
        ...     networks.decoder((8, 8, 1), z_dim=2, hidden_units=16),
        ...     networks.discriminator(2, hidden_units=16),
        ... )
        >>> parts = parts_of(model)
        >>> sorted(parts), parts["decoder"].output_shape
        (['decoder', 'encoder', 'scorer'], (None, 8, 8, 1))
    """
    encoder, decoder = float32_copy(model.encoder), float32_copy(model.decoder)
    form = Rows(model.observation.schema) if model.is_table else Images(model.image_shape, dtype)

    def prepared():
        x = keras.Input(model.image_shape, dtype=form.dtype, name="x")
        return x, form.prepare(x)

    def codes_of(scaled):
        """The means of the codes, from what the encoder sees."""
        source = encoder.input
        if isinstance(source, dict):  # With noise inputs, here 0.
            pixels = layers.Reshape((math.prod(model.input_shape_of_x),))(scaled)
            zeros = ops.zeros_like(pixels[:, :1])
            source = {"x": scaled, "noise": ops.repeat(zeros, source["noise"].shape[-1], axis=1)}
        heads = by_name(encoder(scaled if not isinstance(source, dict) else source), Z)
        codes = {Z: heads[Z][:, : model.z_dim]}  # A gaussian posterior has the variance behind it.
        if Y in heads:
            codes[Y] = layers.Softmax(name=PROBABILITIES)(heads[Y])
        return codes

    def decoded(codes):
        return decoder(codes if isinstance(decoder.input, dict) else codes[Z])

    x, scaled = prepared()
    parts = {"encoder": keras.Model({"x": x}, _named(codes_of(scaled)[Z], Z), name="encoder")}
    codes = {code.name: keras.Input((code.size,), name=code.name) for code in model.codes}
    parts["decoder"] = keras.Model(codes, form.restore(decoded(codes)), name="decoder")
    if model.infers_y:
        x, scaled = prepared()
        parts["classifier"] = keras.Model({"x": x}, codes_of(scaled)[Y], name="classifier")
    x, scaled = prepared()
    codes, inputs = codes_of(scaled), {"x": x}
    if model.codes.needs_y:
        codes[Y] = inputs[Y] = keras.Input((model.num_classes,), name=Y)
    score = form.score(scaled, decoded(codes))
    parts["scorer"] = keras.Model(inputs, _named(score, SCORE), name="scorer")
    return parts


class Images:
    """The layers before the encoder and behind the decoder of images.

    Args:
        shape: Shape of an image.
        dtype: "uint8" or "float32".
    """

    def __init__(self, shape, dtype):
        self.shape, self.dtype = shape, dtype

    def prepare(self, x):
        """Images in [0, 1]."""
        return layers.Rescaling(1 / 255 if self.dtype == "uint8" else 1.0, name="scaled")(x)

    def restore(self, logits):
        """Images in [0, 1], from the outputs of the decoder."""
        return layers.Activation("sigmoid", name=IMAGE)(logits)

    def score(self, scaled, logits):
        """The mean squared error of each image."""
        error = ops.square(scaled - self.restore(logits))
        return ops.mean(layers.Reshape((math.prod(self.shape),))(error), axis=-1)


def expected_outputs(model, x, y=None):
    """What the parts of a model give for some images or rows, computed by the model.

    Args:
        model: An `AdversarialAutoencoder`.
        x: Images or rows, shape (n, ...).
        y: Classes, integers of shape (n,), if the model does not infer y.

    Returns:
        A dict from the name of a part to its inputs, a dict of arrays by name, and its output.
    """
    z = model.encode(x)
    codes, weights = {Z: z}, None
    if model.num_classes:
        weights = model.classify(x) if model.infers_y else np.eye(model.num_classes)[y]
        codes[Y] = weights = weights.astype("float32")
    if model.is_table:
        tensors = {name: ops.convert_to_tensor(code) for name, code in codes.items()}
        logits = model.decode_logits(tensors, training=False)
        decoded = model.observation.distribution(logits).numpy()
        score = model.observation.losses(model.observation.prepare(x), logits).numpy()
    else:
        decoded = model.decode(z, weights)
        scaled = x / np.float32(255) if x.dtype == np.uint8 else x
        score = np.square(scaled - decoded).reshape(len(x), -1).mean(axis=1)
    given = {Y: weights} if model.codes.needs_y else {}
    outputs = {
        "encoder": ({"x": x}, z),
        "decoder": (codes, decoded),
        "scorer": ({"x": x} | given, score),
    }
    if model.infers_y:
        outputs["classifier"] = ({"x": x}, weights)
    return outputs


def _named(tensor, name):
    """The same tensor, as the output of a layer with a name."""
    return layers.Identity(name=name)(tensor)
