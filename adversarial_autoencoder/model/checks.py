"""Checks that encoder, decoder, discriminators and priors fit each other."""

import keras
import numpy as np

from adversarial_autoencoder import priors
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
        if code.conditioned:
            _expect_components(code.prior, code.num_label_classes)


def check_prior(prior, dim):
    """Checks that a prior is a callable that gives samples of `dim` dimensions.

    Args:
        prior: The prior.
        dim: Number of dimensions.

    Raises:
        ValueError: If it is not.
    """
    if not callable(prior):
        raise ValueError(
            f"The prior must be a callable (n, dim, seed) -> tensor. Received: {prior!r}"
        )
    shape = priors.draw(prior, 2, dim).shape
    if shape != (2, dim):
        raise ValueError(
            f"The prior must give samples of the shape (n, dim), here (2, {dim}). Received: {shape}"
        )


def check_labels(y, codes) -> None:
    """Checks that an array of labels has only classes that the model has.

    Args:
        y: Labels, integers of shape (n,); anything else passes.
        codes: The `Codes` of the model.

    Raises:
        ValueError: If a label is too large, or negative although the model needs all labels.
    """
    if not (isinstance(y, np.ndarray) and y.ndim == 1 and y.dtype.kind in "iu" and y.size):
        return
    k = max(0 if codes.y is None else codes.y.size, *(c.num_label_classes for c in codes), 0)
    if k and y.max() >= k:
        raise ValueError(f"Labels must be below {k}. Received: labels up to {y.max()}")
    if codes.y is not None and not codes.y.inferred and y.min() < 0:
        raise ValueError(
            "Every image must have a label, because the model does not infer y. "
            f"Received: {y.min()}"
        )


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
    components = prior.num_components if getattr(prior, "has_components", False) else classes
    if components != classes:
        raise ValueError(
            f"The prior must have one component for each of the {classes} classes that the "
            f"discriminator sees. Received: {components} components"
        )


def _expect_logits(output, name):
    last = output._keras_history.operation
    while isinstance(last, (keras.layers.Reshape, keras.layers.Flatten, keras.layers.Cropping2D)):
        last = last.input._keras_history.operation
    activation = getattr(last, "activation", None)
    if activation in (keras.activations.sigmoid, keras.activations.softmax):
        raise ValueError(
            f"The {name} must end in logits, without an activation. "
            f"Received: activation={activation.__name__}"
        )
