"""A decoder as a list of steps with float16 weights, which `assets/decoder.js` runs.

Each value of the network is a vector: an image is stored row by row, with its channels last.
"""

import dataclasses
import typing

import keras
import numpy as np

from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.model.codes import by_name
from adversarial_autoencoder.systems import Z
from adversarial_autoencoder.tables import Schema

# Largest magnitude of a float16 number.
MAX_FLOAT16 = 65504


@dataclasses.dataclass(frozen=True)
class Step:
    """One step of a decoder.

    Args:
        kind: The function of `LAYERS` in `assets/decoder.js` that runs it.
        sizes: Its settings: numbers and lists of numbers by name.
        weights: Its weights by name, arrays.
        inputs: Positions of the steps whose results it reads.
    """

    kind: str
    sizes: dict[str, typing.Any] = dataclasses.field(default_factory=dict)
    weights: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    inputs: tuple[int, ...] = ()


def decoder_steps(decoder: typing.Any, schema: Schema | None = None) -> list[Step]:
    """Describes a decoder as steps.

    Args:
        decoder: Functional Keras model from codes to the logits of the images, or to the outputs
            for a row. It may contain other models.
        schema: The `tables.Schema` of the rows, or None for images.

    Returns:
        The steps. The first ones are the inputs, of the kind "input". The result of the last one is
        the image in [0, 1], or `observations.Columns.distribution` of the row.

    Raises:
        InputError: If a layer or its setting has no step, or a weight is too large for float16.
    """
    inputs = by_name(decoder.input, Z)
    positions = {id(tensor): i for i, tensor in enumerate(inputs.values())}
    steps = [Step("input", {"name": name}) for name in inputs]
    logits = _trace(decoder.outputs[0], positions, steps)
    last = Step("activation", {"function": "sigmoid"}) if schema is None else _columns(schema)
    return [*steps, dataclasses.replace(last, inputs=(logits,))]


def _columns(schema):
    """The step that restores numbers and probabilities."""
    numeric = [schema.columns[i] for i in schema.indices(numeric=True)]
    names = ("mean", "std", "centre", "unit", "heavy", "low", "high")
    sizes = {
        "numbers": [{name: getattr(column, name) for name in names} for column in numeric],
        "indicators": sum(column.width - 1 for column in numeric),
        "depths": [schema.columns[i].width for i in schema.indices(numeric=False)],
    }
    return Step("columns", sizes)


def _trace(tensor, positions, steps):
    """Appends the steps that compute a Keras tensor, and returns the position of the last one."""
    if id(tensor) in positions:
        return positions[id(tensor)]
    layer, node, _ = tensor._keras_history
    sources = layer._inbound_nodes[node].input_tensors
    inputs = tuple(_trace(source, positions, steps) for source in sources)
    if isinstance(layer, keras.Model):
        inside = {id(one): i for one, i in zip(layer.inputs, inputs, strict=True)}
        inputs = (_trace(layer.outputs[0], inside, steps),)
    else:
        for step in _steps_of(layer, sources, tensor):
            steps.append(dataclasses.replace(step, inputs=inputs))
            inputs = (len(steps) - 1,)
    positions[id(tensor)] = inputs[0]
    return inputs[0]


def _steps_of(layer, sources, output):
    """The steps of one layer, with its activation."""
    function = LAYERS.get(type(layer).__name__)
    if function is None:
        raise InputError(
            "The page runs decoders of the layers "
            f"{', '.join(LAYERS)}. Received: {type(layer).__name__} {layer.name}"
        )
    steps = function(layer, sources, output)
    for step in steps:
        for name, weight in step.weights.items():
            if not np.abs(weight).max(initial=0) <= MAX_FLOAT16:  # NaN is not.
                raise InputError(
                    f"The weights of a decoder must be at most {MAX_FLOAT16} for the page. "
                    f"Received: {np.abs(weight).max():.3g} in {name} of {layer.name}"
                )
    return steps


def _activation(layer):
    """The step of a layer's activation function, or none for a linear one."""
    name = getattr(layer.activation, "__name__", "")
    if name == "linear":
        return []
    if name not in ("relu", "sigmoid", "tanh"):
        raise InputError(
            "The page runs the activations linear, relu, sigmoid and tanh. "
            f"Received: {name} in {layer.name}"
        )
    return [Step("activation", {"function": name})]


def _array(variable):
    return np.asarray(keras.ops.convert_to_numpy(variable), "float32")


def _with_bias(layer, weights):
    return weights | ({"bias": _array(layer.bias)} if layer.use_bias else {})


def _dense(layer, sources, output):
    _expect_vector(layer, sources)
    weights = _with_bias(layer, {"kernel": _array(layer.kernel)})
    return [Step("dense", {"units": layer.units}, weights), *_activation(layer)]


def _transposed_convolution(layer, sources, output):
    _expect_channels_last(layer)
    plain = layer.groups == 1 if hasattr(layer, "groups") else True
    if layer.dilation_rate not in (1, (1, 1)) or layer.output_padding is not None or not plain:
        raise InputError(
            "The page runs transposed convolutions without dilation and output_padding. "
            f"Received: {layer.name}"
        )
    excess = [max(k - s, 0) for k, s in zip(layer.kernel_size, layer.strides, strict=True)]
    sizes = {
        "input": list(sources[0].shape[1:]),
        "output": list(output.shape[1:]),
        "kernel_size": list(layer.kernel_size),
        "strides": list(layer.strides),
        "cut": [e // 2 if layer.padding == "same" else 0 for e in excess],
    }
    # From (height, width, outputs, inputs): the outputs of one input next to each other.
    kernel = _array(layer.kernel).transpose(0, 1, 3, 2)
    weights = _with_bias(layer, {"kernel": kernel})
    return [Step("transposed_convolution", sizes, weights), *_activation(layer)]


def _batch_normalization(layer, sources, output):
    if layer.axis not in (-1, len(output.shape) - 1):
        raise InputError(
            f"The page normalizes the last axis. Received: axis {layer.axis} in {layer.name}"
        )
    scale = 1 / np.sqrt(_array(layer.moving_variance) + layer.epsilon)
    if layer.scale:
        scale = scale * _array(layer.gamma)
    offset = -_array(layer.moving_mean) * scale
    if layer.center:
        offset = offset + _array(layer.beta)
    return [Step("affine", {}, {"scale": scale, "offset": offset})]


def _rescaling(layer, sources, output):
    scale, offset = (np.atleast_1d(np.asarray(v, "float32")) for v in (layer.scale, layer.offset))
    size = max(scale.size, offset.size)
    weights = {"scale": np.broadcast_to(scale, size), "offset": np.broadcast_to(offset, size)}
    return [Step("affine", {}, weights)]


def _cropping(layer, sources, output):
    _expect_channels_last(layer)
    sizes = {
        "input": list(sources[0].shape[1:]),
        "output": list(output.shape[1:]),
        "cut": [first for first, _ in layer.cropping],
    }
    return [Step("crop", sizes)]


def _concatenate(layer, sources, output):
    _expect_vector(layer, sources)
    return [Step("concatenate")]


def _add(layer, sources, output):
    if len({tuple(source.shape) for source in sources}) > 1:
        raise InputError(f"The page adds values of one shape. Received: {layer.name}")
    return [Step("add")]


def _relu(layer, sources, output):
    if layer.max_value is not None or layer.negative_slope or layer.threshold:
        raise InputError(f"The page runs a plain ReLU. Received: settings of {layer.name}")
    return [Step("activation", {"function": "relu"})]


def _nothing(layer, sources, output):
    """A layer that does nothing to a trained network, or only to its shape."""
    return []


def _expect_vector(layer, sources):
    if any(len(source.shape) != 2 for source in sources):
        raise InputError(f"The page runs {type(layer).__name__} on vectors. Received: {layer.name}")


def _expect_channels_last(layer):
    if layer.data_format != "channels_last":
        raise InputError(
            f"The page needs channels_last. Received: {layer.data_format} in {layer.name}"
        )


# From the class of a layer to its steps.
LAYERS = {
    "Dense": _dense,
    "Conv2DTranspose": _transposed_convolution,
    "BatchNormalization": _batch_normalization,
    "Rescaling": _rescaling,
    "ReLU": _relu,
    "Activation": lambda layer, sources, output: _activation(layer),
    "Concatenate": _concatenate,
    "Add": _add,
    "Cropping2D": _cropping,
    "Reshape": _nothing,
    "Flatten": _nothing,
    "Dropout": _nothing,
    "GaussianNoise": _nothing,
    "GaussianDropout": _nothing,
}
