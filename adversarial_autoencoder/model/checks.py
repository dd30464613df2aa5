"""Checks that encoder, decoder, discriminators and priors fit each other."""

import keras

from adversarial_autoencoder import priors


def by_name(tensors, name):
    """The inputs or outputs of a network as a dict; `name` is that of a single one."""
    return tensors if isinstance(tensors, dict) else {name: tensors}


def check_networks(encoder, decoder, posterior):
    """Raises ValueError where shapes do not fit, or where an output is no logit.

    Args:
        encoder, decoder: Functional Keras models.
        posterior: "deterministic" or "gaussian".
    """
    _check_functional(encoder, "encoder", {"x"}, {"x", "noise"})
    heads = by_name(encoder.output, "z")
    _expect_names("The encoder's outputs", heads, {"z"}, {"z", "y"})
    for code, head in heads.items():
        if len(head.shape) != 2:
            raise ValueError(
                f"The encoder's output must have the shape (batch, {code}_dim). "
                f"Received: {head.shape}"
            )
    if "y" in heads:
        _expect_logits(heads["y"], "encoder's output y")
    if posterior == "gaussian" and heads["z"].shape[-1] % 2:
        raise ValueError(
            "The head of a gaussian posterior must be twice as wide as z, for mean and log "
            f"variance. Received: {heads['z'].shape}"
        )
    _check_functional(decoder, "decoder", {"z"}, {"z", "y"})
    inputs = by_name(decoder.input, "z")
    for code, dim in code_dims(encoder, decoder, posterior).items():
        what = "The decoder's input" + (f" {code}" if len(inputs) > 1 else "")
        if code not in inputs:
            raise ValueError(f"The decoder must have an input {code}. Received: {set(inputs)}")
        _expect(inputs[code].shape, (None, dim), what)
    _expect(decoder.output.shape, by_name(encoder.input, "x")["x"].shape, "The decoder's output")
    _expect_logits(decoder.output, "decoder")


def check_discriminators(discriminators, dims, prior):
    """Raises ValueError where discriminators do not fit the codes, or the components of the prior.

    Args:
        discriminators: Dict from the name of a code to a functional Keras model.
        dims: Dict from the name of each code to its dimensions.
        prior: The prior p(z).
    """
    for code, discriminator in discriminators.items():
        if code not in dims:
            raise ValueError(
                f"A discriminator must be of a code, {' or '.join(dims)}. Received: {code}"
            )
        name = "discriminator" + (f" of {code}" if len(discriminators) > 1 else "")
        known = {"code", "label"} if code == "z" else {"code"}
        _check_functional(discriminator, name, {"code"}, known)
        inputs = by_name(discriminator.input, "code")
        _expect(inputs["code"].shape, (None, dims[code]), f"The {name}'s input")
        _expect(discriminator.output.shape, (None, 1), f"The {name}'s output")
        _expect_logits(discriminator.output, name)
        if "label" in inputs:
            _expect_components(prior, inputs["label"].shape[-1] - 1)


def code_dims(encoder, decoder, posterior):
    """The dimensions of the codes: a dict with "z" and, where there is a y, "y"."""
    heads = by_name(encoder.output, "z")
    dims = {"z": heads["z"].shape[-1] // (2 if posterior == "gaussian" else 1)}
    y = heads.get("y", by_name(decoder.input, "z").get("y"))
    if y is not None:
        dims["y"] = y.shape[-1]
    return dims


def check_prior(prior, dim):
    """Raises ValueError unless `prior` gives samples of `dim` dimensions."""
    if not callable(prior):
        raise ValueError(
            f"The prior must be a callable (n, dim, seed) -> tensor. Received: {prior!r}"
        )
    shape = priors.draw(prior, 2, dim).shape
    if shape != (2, dim):
        raise ValueError(
            f"The prior must give samples of the shape (n, dim), here (2, {dim}). Received: {shape}"
        )


def _check_functional(network, name, needed, known):
    if not isinstance(network, keras.Model) or not getattr(network, "inputs", None):
        raise ValueError(f"The {name} must be a functional Keras model. Received: {network!r}")
    inputs = network.input
    if isinstance(inputs, (list, tuple)):
        raise ValueError(
            f"The {name} must take its input as a tensor, or several as a dict. "
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
    """Raises ValueError unless the components of a prior that has some are the classes."""
    components = prior.num_components if getattr(prior, "has_components", False) else classes
    if components != classes:
        raise ValueError(
            f"The prior must have a component for each of the {classes} classes that the "
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
