"""Checks that encoder, decoder, discriminators and priors fit each other."""

import warnings

import keras
import tensorflow as tf

from adversarial_autoencoder import priors
from adversarial_autoencoder.errors import first_line
from adversarial_autoencoder.model.codes import by_name, code_sizes
from adversarial_autoencoder.systems import Y, Z


def check_networks(encoder, decoder, posterior):
    """Checks shapes and names, and that the outputs are logits.

    Args:
        encoder: Functional Keras model.
        decoder: Functional Keras model.
        posterior: "deterministic" or "gaussian".

    Raises:
        ValueError: If the networks do not fit each other.
    """
    _check_functional(encoder, "encoder", {"x"}, {"x", "noise"})
    heads = by_name(encoder.output, Z)
    _expect_names("The encoder's outputs", heads, {Z}, {Z, Y})
    for code, head in heads.items():
        if len(head.shape) != 2:
            raise ValueError(
                f"The encoder's output must have the shape (batch, {code}_dim). "
                f"Received: {head.shape}"
            )
    if Y in heads:
        _expect_logits(heads[Y], f"encoder's output {Y}")
    if posterior == "gaussian" and heads[Z].shape[-1] % 2:
        raise ValueError(
            "The head of a gaussian posterior must be twice as wide as z, for mean and log "
            f"variance. Received: {heads[Z].shape}"
        )
    _check_functional(decoder, "decoder", {Z}, {Z, Y})
    inputs = by_name(decoder.input, Z)
    for code, dim in code_sizes(encoder, decoder, posterior).items():
        what = "The decoder's input" + (f" {code}" if len(inputs) > 1 else "")
        if code not in inputs:
            raise ValueError(f"The decoder must have an input {code}. Received: {set(inputs)}")
        _expect(inputs[code].shape, (None, dim), what)
    _expect(decoder.output.shape, by_name(encoder.input, "x")["x"].shape, "The decoder's output")
    _expect_logits(decoder.output, "decoder")


def check_discriminators(discriminators, codes):
    """Checks that discriminators fit their codes and the components of the prior.

    Args:
        discriminators: Dict from the name of a code to a functional Keras model.
        codes: The `Codes` of the model.

    Raises:
        ValueError: If one does not fit.
    """
    names = [code.name for code in codes]
    for name in discriminators:
        if name not in names:
            raise ValueError(
                f"A discriminator must belong to a code, {' or '.join(names)}. Received: {name}"
            )
    for code in codes:
        if code.discriminator is None:
            continue
        name = "discriminator" + (f" of {code.name}" if len(discriminators) > 1 else "")
        known = {"code"} if code.categorical else {"code", "label"}
        _check_functional(code.discriminator, name, {"code"}, known)
        inputs = by_name(code.discriminator.input, "code")
        _expect(inputs["code"].shape, (None, code.size), f"The {name}'s input")
        _expect(code.discriminator.output.shape, (None, 1), f"The {name}'s output")
        _expect_logits(code.discriminator.output, name)
        if code.conditioned and getattr(code.prior, "has_components", False):
            _expect_components(code.prior, code.num_label_classes)
            if codes.y is not None:
                raise ValueError(
                    "A discriminator that sees the label needs a prior without components if there "
                    "is a y: z would depend on y, and samples of both would not fit together. "
                    f"Received: {type(code.prior).__name__}"
                )


def check_separate(networks):
    """Checks that no two networks share a variable.

    Args:
        networks: Keras models.

    Raises:
        ValueError: If two do: Keras saves each network on its own and could not load them.
    """
    owners = {}
    for network in networks:
        for variable in network.variables:
            if (other := owners.setdefault(id(variable), network)) is not network:
                raise ValueError(
                    "Networks must not share layers: a saved model could not be loaded. "
                    f"Received: {variable.path} in {other.name} and in {network.name}"
                )


def check_prior(prior, dim):
    """Checks that a prior gives samples of `dim` dimensions, also in the graph of a training step.

    Args:
        prior: The prior.
        dim: Number of dimensions.

    Raises:
        ValueError: If it does not.
    """
    if not callable(prior):
        raise ValueError(
            f"The prior must be a callable (n, dim, seed) -> tensor. Received: {prior!r}"
        )
    shape = (
        priors.draw(prior, 2, dim).shape if isinstance(prior, priors.Prior) else _trial(prior, dim)
    )
    if tuple(shape) != (2, dim):
        raise ValueError(
            f"The prior must give samples of the shape (n, dim), here (2, {dim}). Received: {shape}"
        )


def _trial(sampler, dim):
    """The shape of two samples of the user's function, called eagerly and in a graph."""

    def sample(n, seed):
        return tf.convert_to_tensor(sampler(n, dim, seed))

    seed = tf.constant([0, 0], "int64")
    try:
        shape = sample(2, seed).shape
        # In the graph of a training step, the number of samples is a tensor.
        tf.function(sample)(tf.constant(2), seed)
    except Exception as error:  # Whatever the user's function raises.
        raise ValueError(
            "The prior must be made of TensorFlow operations, with a seed as for"
            " tf.random.stateless_normal; for NumPy samples use priors.Samples. "
            f"Received: {first_line(error)}"
        ) from error
    return shape


def warn_of_unregistered(prior):
    """Warns of a function as a prior that a saved model could not find again.

    Args:
        prior: The prior.
    """
    name = getattr(prior, "__name__", "")
    if name and keras.saving.get_registered_name(prior) == name:
        warnings.warn(
            f"A saved model cannot find its prior {name} again. Decorate it with "
            "@keras.saving.register_keras_serializable()",
            stacklevel=4,
        )


def functional(network):
    """Converts a Sequential model to a functional one; returns any other network unchanged.

    Args:
        network: A Keras model.

    Returns:
        The same network, or a functional Keras model with the same layers.

    Raises:
        ValueError: If the Sequential model does not know its input.
    """
    if not isinstance(network, keras.Sequential):
        return network
    if not network.built:
        raise ValueError(
            "A Sequential network must begin with keras.Input(shape). "
            f"Received: {network.name}, without it"
        )
    return keras.Model(network.inputs[0], network.outputs[0], name=network.name)


def _check_functional(network, name, needed, known):
    if not isinstance(network, keras.Model) or not getattr(network, "inputs", None):
        raise ValueError(f"The {name} must be a functional Keras model. Received: {network!r}")
    inputs = network.input
    if isinstance(inputs, (list, tuple)):
        raise ValueError(
            f"The {name} must take its input as a tensor, or several inputs as a dict. "
            f"Received: a list of {len(inputs)}"
        )
    _expect_names(f"The {name}'s inputs", by_name(inputs, next(iter(needed))), needed, known)


def _expect_names(what, tensors, needed, known):
    if not needed <= set(tensors) <= known:
        raise ValueError(
            f"{what} must be {' and '.join(sorted(known))}. Received: {', '.join(sorted(tensors))}"
        )


def _expect(shape, expected, what):
    if tuple(shape) != tuple(expected):
        raise ValueError(f"{what} must have the shape {tuple(expected)}. Received: {shape}")


def _expect_components(prior, classes):
    """Checks that a prior with components has one for each class."""
    if prior.num_components != classes:
        raise ValueError(
            f"The prior must have one component for each of the {classes} classes that the "
            f"discriminator sees. Received: {prior.num_components} components"
        )


# Names of the layers and operations that pass values on, so that what comes before them decides.
PASSING = {
    *("AlphaDropout", "Cast", "Cropping1D", "Cropping2D", "Dropout", "ExpandDims", "Flatten"),
    *("GaussianDropout", "GaussianNoise", "GetItem", "Identity", "Permute", "Rescaling", "Reshape"),
    *("SpatialDropout2D", "Squeeze", "Transpose", "UpSampling2D", "ZeroPadding2D"),
}
# Names of activations, which do not give logits: the output of each is bounded on one side.
ACTIVATIONS = {
    *("Abs", "Celu", "Clip", "ELU", "Elu", "Exp", "Gelu", "HardSigmoid", "HardSilu", "HardTanh"),
    *("LogSigmoid", "LogSoftmax", "ReLU", "Relu", "Relu6", "Selu", "Sigmoid", "Silu", "Softmax"),
    *("Softplus", "Softsign", "SparseSigmoid", "Sparsemax", "Square", "Squareplus", "Tanh"),
}
LINEAR = ("linear", "leaky_relu")


def _expect_logits(output, name):
    last = _last_operation(output)
    activation = getattr(getattr(last, "activation", None), "__name__", "linear")
    kind = type(last).__name__
    if activation not in LINEAR or kind in ACTIVATIONS:
        raise ValueError(
            f"The {name} must end in logits, without an activation: the model applies the sigmoid "
            f"itself. Received: {kind if activation in LINEAR else activation}"
        )


def _last_operation(tensor):
    """The operation that decides the range of a Keras tensor, also within nested models."""
    while True:
        operation, node, index = tensor._keras_history
        if isinstance(operation, keras.Model):
            tensor = operation.outputs[index]
        elif type(operation).__name__ in PASSING:
            tensor = operation._inbound_nodes[node].input_tensors[0]
        else:
            return operation
