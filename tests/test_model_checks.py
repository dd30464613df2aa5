"""Networks, arguments and inputs that do not fit are refused with a clear message."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from adversarial_autoencoder import AdversarialAutoencoder, networks, phases, priors


def test_layers_of_float16_are_refused(digits):
    """Without a scaled loss, their gradients would silently underflow."""
    model = AdversarialAutoencoder(
        networks.encoder((8, 8, 1), 2, hidden_units=8, dtype="mixed_float16"),
        networks.decoder((8, 8, 1), 2, hidden_units=8),
    )
    with pytest.raises(ValueError, match="float32 or bfloat16. Received: float16"):
        model.compile("adam")


def dense(inputs, units, activation=None):
    x = keras.Input(inputs)
    return keras.Model(x, keras.layers.Dense(units, activation=activation)(x))


@pytest.mark.parametrize(
    ("networks_", "message"),
    [
        ((dense((64,), 2), dense((3,), 64), None), "decoder's input must have the shape (None, 2)"),
        (
            (dense((64,), 2), dense((2,), 63), None),
            "decoder's output must have the shape (None, 64)",
        ),
        ((dense((8, 8), 2), dense((2,), 64), None), "encoder's output must have the shape"),
        ((dense((64,), 2), dense((2,), 64, "sigmoid"), None), "decoder must end in logits"),
        ((dense((64,), 2), dense((2,), 64), dense((3,), 1)), "discriminator's input must"),
        ((dense((64,), 2), dense((2,), 64), dense((2,), 2)), "discriminator's output must"),
        ((dense((64,), 2), dense((2,), 64), dense((2,), 1, "sigmoid")), "must end in logits"),
        ((keras.layers.Dense(2), dense((2,), 64), None), "encoder must be a functional"),
        ((dense((8, 8, 1), 2), networks.decoder((8, 8, 1), 2), None), "encoder's output must"),
    ],
)
def test_networks_that_do_not_fit_are_refused(networks_, message):
    with pytest.raises(ValueError, match="Received:") as error:
        AdversarialAutoencoder(*networks_)
    assert message in str(error.value)


def test_a_sigmoid_before_a_reshape_is_refused():
    z = keras.Input((2,))
    x = keras.layers.Reshape((8, 8))(keras.layers.Dense(64, activation="sigmoid")(z))
    encoder = networks.encoder((8, 8), 2, hidden_units=8)
    with pytest.raises(ValueError, match="decoder must end in logits"):
        AdversarialAutoencoder(encoder, keras.Model(z, x))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"prior": 5.0}, "prior must be a callable"),
        ({"prior": lambda n, dim, seed: tf.zeros((n, dim + 1))}, "samples of the shape"),
        (
            {"phases": [phases.Reconstruction(), phases.Reconstruction()]},
            "Names of metrics must be unique",
        ),
    ],
)
def test_arguments_that_do_not_fit_are_refused(make_model, arguments, message):
    with pytest.raises(ValueError, match=message):
        make_model(**arguments)


def test_regularization_without_a_discriminator_is_refused():
    pair = (networks.encoder((8, 8), 2), networks.decoder((8, 8), 2))
    model = AdversarialAutoencoder(*pair, phases=[phases.Regularization()])
    with pytest.raises(ValueError, match="needs a discriminator"):
        model.compile()


def test_labels_that_no_phase_uses_are_refused(make_model, digits):
    with pytest.raises(ValueError, match="images alone. Received: x and y"):
        make_model().fit(digits, np.zeros(len(digits), int), verbose=0)


def test_a_missing_optimizer_and_an_unknown_loss_are_refused(make_model):
    with pytest.raises(ValueError, match="reconstruction, discriminator, generator. Received: gen"):
        make_model().compile({"generator": "adam"})
    with pytest.raises(
        ValueError, match="mse, bce. Did you mean mse. Received: reconstruction_loss='mae'"
    ):
        make_model(reconstruction_loss="mae")


@pytest.mark.parametrize("value", [255.0, np.nan, -0.5, np.int64(256)])
@pytest.mark.parametrize("method", ["fit", "evaluate", "encode"])
def test_images_that_are_not_scaled_are_refused(make_model, method, value):
    with pytest.raises(ValueError, match="floats in"):
        getattr(make_model(), method)(np.full((4, 8, 8, 1), value))


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda model: model.decode(np.zeros((2, 3), "float32")), "one of 10 values.*: y=None"),
        (lambda model: model(np.zeros((2, 8, 8, 1))), "one of 10 values for each image"),
        (lambda model: model(np.zeros((2, 8, 8, 1)), np.full(2, 10)), "Received: 10 to 10"),
        (lambda model: model.classify(np.zeros((2, 8, 8, 1))), "must infer y to classify"),
        (lambda model: model.decode(np.zeros((2, 3), "float32"), [0, 1, 2]), "Received"),
        (lambda model: model.decode(np.zeros((2, 3), "float32"), np.zeros((2, 9))), "shape"),
        (lambda model: model.decode(np.zeros((2, 3), "float32"), [0, 10]), "Received"),
        (lambda model: model.decode(np.zeros((2, 3), "float32"), [-1, 0]), "Received"),
        (
            lambda model: model.decode(np.zeros((4, 3), "float32"), np.zeros(8, int), batch_size=4),
            "Received",
        ),
        (lambda model: model.generate(3, [0, 1]), "Received"),
    ],
)
def test_a_y_that_does_not_fit_is_refused(supervised, use, message):
    with pytest.raises(ValueError, match=message):
        use(supervised)


def test_a_y_for_a_model_without_y_is_refused(make_model, digits):
    with pytest.raises(ValueError, match="no code y. Received: y"):
        make_model().decode(np.zeros((2, 2), "float32"), [0, 1])
    with pytest.raises(ValueError, match="no code y. Received: y"):
        make_model()(digits[:2], np.array([0, 1]))


@pytest.mark.parametrize("method", ["fit", "evaluate"])
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "takes images and labels. Received: images alone"),
        (np.zeros(50, "float32"), "Labels must be integers.* Received: float32"),
        (np.zeros(50, bool), "Labels must be integers.* Received: bool"),
        (np.eye(10, dtype=int)[np.zeros(50, int)], "Labels must be .* Received: int64 of shape"),
        (np.full(50, 10), "Received: .*10"),
    ],
    ids=["none", "floats", "booleans", "one-hot", "too large"],
)
def test_labels_that_cannot_be_used_are_refused(supervised, digits, method, labels, message):
    with pytest.raises(ValueError, match=message):
        getattr(supervised, method)(digits[:50], labels, verbose=0)


def test_sample_weights_are_refused(supervised, digits, classes):
    with pytest.raises(
        ValueError, match="not supported: all images count equally. Received: sample_weight"
    ):
        supervised.fit(digits, classes, sample_weight=np.ones(len(digits)), verbose=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"discriminator": {"y": networks.discriminator(3)}}, "must belong to a code, z"),
        ({"discriminator": {"z": networks.discriminator(4)}}, "discriminator's input must have"),
        ({"prior": {"z": 5.0}}, "prior must be a callable"),
        ({"prior": {"zz": priors.Gaussian()}}, "Received: .*zz"),
        ({"phases": [phases.Classification()]}, "must have a code y. Received: z only"),
        ({"phases": [phases.Regularization("y")]}, "must have a code y. Received: z only"),
        ({"phases": []}, "at least one phase. Received: phases="),
        ({"phases": [phases.Variational()]}, "needs a gaussian posterior and a Gaussian prior"),
        ({"posterior": "universal"}, "posterior must be one of deterministic, gaussian. Received"),
        ({"posterior": "gaussian"}, "twice as wide as z"),
    ],
)
def test_codes_priors_and_phases_that_do_not_fit_are_refused(arguments, message):
    pair = (
        networks.encoder((8, 8), 3, hidden_units=24),
        networks.decoder((8, 8), 3, hidden_units=24),
    )
    with pytest.raises(ValueError, match=message):
        AdversarialAutoencoder(*pair, **arguments).compile()


@pytest.mark.parametrize("inferred", [False, True])
def test_a_y_excludes_a_prior_whose_components_depend_on_the_label(inferred):
    """The decoder would get pairs of z and y that the training does not have."""
    encoder = networks.encoder((8, 8), 2, num_classes=4 if inferred else 0, hidden_units=8)
    decoder = networks.decoder((8, 8), 2, num_classes=4, hidden_units=8)
    seen = networks.discriminator(2, num_classes=4, hidden_units=8)
    for prior in (priors.GaussianMixture(4), priors.SwissRoll(4)):
        with pytest.raises(ValueError, match="needs a prior without components if there is a y: z"):
            AdversarialAutoencoder(encoder, decoder, {"z": seen}, prior=prior)
    AdversarialAutoencoder(encoder, decoder, {"z": seen}, prior=priors.Gaussian())
    AdversarialAutoencoder(encoder, decoder, None, prior=priors.GaussianMixture(4))


def test_an_encoder_that_infers_y_needs_a_decoder_that_takes_it():
    encoder = networks.encoder((8, 8), 3, num_classes=4, hidden_units=24)
    with pytest.raises(ValueError, match="decoder must have an input y"):
        AdversarialAutoencoder(encoder, networks.decoder((8, 8), 3, hidden_units=24))
    with pytest.raises(ValueError, match="input y must have the shape .None, 4.. Received"):
        AdversarialAutoencoder(encoder, networks.decoder((8, 8), 3, num_classes=5, hidden_units=24))
