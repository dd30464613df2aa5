"""Your own networks and priors: what is accepted, what is refused, and what has an effect."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from adversarial_autoencoder import AdversarialAutoencoder, load_model, networks, phases, priors

SMALL = {"hidden_units": 8}
SHAPE = (8, 8, 1)


def built(encoder=None, decoder=None, discriminator=None, **kwargs):
    return AdversarialAutoencoder(
        encoder or networks.encoder(SHAPE, 2, **SMALL),
        decoder or networks.decoder(SHAPE, 2, **SMALL),
        discriminator or networks.discriminator(2, **SMALL),
        **kwargs,
    )


def network(dim, units, shape, *last):
    """A functional network that ends in the layers or operations `last`."""
    x = inputs = keras.Input((dim,))
    x = layers.Dense(units)(x)
    for operation in last:
        x = operation(x)
    return keras.Model(inputs, layers.Reshape(shape)(x))


def nested(*last):
    return keras.Sequential([keras.Input((64,)), *last])


ENDS = {
    "tanh": [layers.Dense(64, activation="tanh")],
    "relu": [layers.Dense(64, activation="relu")],
    "ReLU layer": [layers.ReLU()],
    "Softmax layer": [layers.Softmax()],
    "Activation layer": [layers.Activation("sigmoid")],
    "operation": [ops.sigmoid],
    "rescaled": [ops.sigmoid, layers.Rescaling(2.0, -1.0)],
    "nested": [nested(layers.Dense(64, activation="sigmoid"))],
    "nested twice": [nested(nested(layers.Dense(64), layers.Activation("tanh")))],
}


@pytest.mark.parametrize("end", ENDS)
def test_a_network_that_ends_in_an_activation_is_refused(end):
    with pytest.raises(ValueError, match="decoder must end in logits, without an activation"):
        built(decoder=network(2, 64, SHAPE, *ENDS[end]))
    with pytest.raises(ValueError, match="discriminator must end in logits"):
        built(discriminator=network(2, 64, (1,), *ENDS[end], layers.Dense(1, activation="relu")))


@pytest.mark.parametrize(
    "end",
    [
        [layers.Dense(64)],
        [layers.LeakyReLU()],
        [nested(layers.Dense(64, activation="tanh"), layers.Dense(64))],
        [layers.Dense(64), layers.Rescaling(3.0)],
    ],
    ids=["linear", "leaky", "nested", "rescaled"],
)
def test_a_network_that_ends_in_logits_is_accepted(end):
    built(decoder=network(2, 64, SHAPE, *end))


def test_sequential_networks_are_accepted(digits):
    model = built(
        keras.Sequential([keras.Input(SHAPE), layers.Flatten(), layers.Dense(2)]),
        keras.Sequential([keras.Input((2,)), layers.Dense(64), layers.Reshape(SHAPE)]),
        keras.Sequential([keras.Input((2,)), layers.Dense(8, "relu"), layers.Dense(1)]),
    )
    model.compile()
    model.fit(digits[:100], verbose=0)
    assert model.generate(3).shape == (3, 8, 8, 1)
    with pytest.raises(ValueError, match=r"must begin with keras.Input\(shape\)"):
        built(keras.Sequential([layers.Flatten(), layers.Dense(2)]))


def regularized(kind):
    """Networks whose loss is dominated by a penalty on their weights or activities."""
    l2 = keras.regularizers.L2({"kernel": 100.0, "activity": 10.0}[kind])
    kwargs = {"kernel": {"kernel_regularizer": l2}, "activity": {"activity_regularizer": l2}}[kind]
    x = keras.Input(SHAPE)
    encoder = keras.Model(x, layers.Dense(2, name="encoder_z", **kwargs)(layers.Flatten()(x)))
    z = keras.Input((2,))
    discriminator = keras.Model(z, layers.Dense(1, name="logit", **kwargs)(z))
    return built(encoder, discriminator=discriminator)


@pytest.mark.parametrize("kind", ["kernel", "activity"])
@pytest.mark.parametrize(
    ("name", "layer"), [("discriminator", "logit"), ("generator", "encoder_z")]
)
def test_a_penalty_of_a_network_acts_in_every_step_that_trains_it(digits, kind, name, layer):
    model = regularized(kind)
    steps = dict.fromkeys(model.steps, "sgd")
    model.compile(steps | {name: keras.optimizers.SGD(1e-3)})
    for step, optimizer in model.optimizer.steps.items():
        if step != name:
            optimizer.learning_rate = 0.0
    owner = model.discriminator if layer == "logit" else model.encoder
    inputs = model.codes.z.sample_prior(50) if layer == "logit" else digits[:50] / 255.0

    def size_of_output():
        return np.linalg.norm(owner(inputs).numpy())

    before = size_of_output()
    model.fit(digits[:100], batch_size=10, epochs=3, verbose=0)
    assert size_of_output() < 0.7 * before


def test_the_learning_rate_of_all_steps_can_be_read_and_set(make_model, tmp_path):
    model = make_model()
    model.compile({name: keras.optimizers.Adam(1e-3 * i) for i, name in enumerate(model.steps, 1)})
    model.save(tmp_path / "model.keras")
    for one in (model, load_model(tmp_path / "model.keras")):
        assert float(one.optimizer.learning_rate) == pytest.approx(1e-3)
        one.optimizer.learning_rate = 1e-4
        rates = [float(step.learning_rate) for step in one.optimizer.optimizers]
        assert rates == pytest.approx([1e-4, 2e-4, 3e-4])


@pytest.mark.parametrize("frozen", ["encoder", "discriminator", "model", "layer"])
def test_frozen_networks_keep_their_weights(make_model, digits, frozen):
    model = make_model()
    if frozen == "layer":
        model.encoder.get_layer("encoder_z").trainable = False
    else:
        (model if frozen == "model" else getattr(model, frozen)).trainable = False
    whole = frozen in ("model", "discriminator", "encoder")
    names = {"encoder": "generator", "discriminator": "discriminator", "model": "reconstruction"}
    if whole:
        with pytest.warns(UserWarning, match=f"Steps without .* skipped: .*{names[frozen]}"):
            model.compile("adam")
    else:
        model.compile("adam")
    owner = model.encoder if frozen == "layer" else getattr(model, frozen, model)
    watched = owner.get_layer("encoder_z") if frozen == "layer" else owner
    before = [v.numpy() for v in watched.variables]
    model.fit(digits[:100], verbose=0)
    for old, variable in zip(before, watched.variables, strict=True):
        assert "seed" in variable.path or np.array_equal(old, variable.numpy()), variable.path
    (watched if frozen != "model" else model).trainable = True
    model.compile("adam")
    model.fit(digits[:100], verbose=0)
    pairs = zip(before, watched.variables, strict=True)
    assert any(not np.array_equal(old, variable.numpy()) for old, variable in pairs)


def test_a_model_that_is_not_compiled_is_saved_whole_or_not_at_all(make_model, tmp_path):
    path = tmp_path / "model.keras"
    built().save(path)
    model = load_model(path, compile=False)
    model.save(path)
    assert np.array_equal(load_model(path).generate(2), model.generate(2))
    for name in ("model.h5", "model", "model.weights.h5"):
        with pytest.raises(ValueError, match="must end in .keras.*Received: "):
            model.save(tmp_path / name)
    whole = path.read_bytes()
    model.codes.z.prior.get_config = lambda: {"std": object()}
    with pytest.raises(Exception, match="."):
        model.save(path)
    assert path.read_bytes() == whole
    assert [p.name for p in tmp_path.iterdir()] == ["model.keras"]


@pytest.mark.parametrize("trained", [True, False])
def test_a_model_can_be_exported(make_model, digits, tmp_path, trained):
    model = make_model()
    if trained:
        model.fit(digits[:100], verbose=0)
    model.export(tmp_path / "exported", verbose=False)
    x = digits[:5].astype("float32") / 255
    loaded = tf.saved_model.load(str(tmp_path / "exported"))
    assert np.allclose(loaded.serve(x), model(x), atol=1e-5)


def numpy_prior(n, dim, seed):
    return np.random.default_rng(0).normal(size=(n, dim))


def seeded_by_numpy(n, dim, seed):
    return np.random.default_rng(int(seed[0])).normal(size=(int(n), dim)).astype("float32")


@pytest.mark.parametrize("prior", [numpy_prior, seeded_by_numpy])
def test_a_prior_of_numpy_functions_is_refused_when_it_is_given(prior):
    with pytest.raises(ValueError, match="TensorFlow operations.*use priors.Samples. Received: "):
        built(prior=prior)


def plain(n, dim, seed):
    return tf.random.stateless_normal((n, dim), seed)


def test_a_function_that_a_file_cannot_name_is_warned_about():
    with pytest.warns(UserWarning, match="cannot find its prior plain again. Decorate it"):
        built(prior=plain)


def test_networks_in_another_precision_train(digits):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = built(network_of_images(), network(2, 64, SHAPE), network(2, 1, (1,)))
        ours = built()
    finally:
        keras.config.set_dtype_policy(policy)
    for one in (model, ours):
        one.compile()
        logs = one.fit(digits[:100], verbose=0).history
        assert np.isfinite(logs["loss"]).all()
        assert one.generate(2).dtype == one.encode(digits[:2]).dtype == "float32"


def network_of_images():
    x = keras.Input(SHAPE)
    return keras.Model(x, layers.Dense(2)(layers.Flatten()(x)))


def test_channels_first_and_float64_of_keras_do_not_matter_or_are_refused(digits):
    keras.config.set_image_data_format("channels_first")
    try:
        model = built(
            networks.encoder(SHAPE, 2, network="conv", **SMALL),
            networks.decoder(SHAPE, 2, network="conv", **SMALL),
        )
    finally:
        keras.config.set_image_data_format("channels_last")
    model.compile()
    model.fit(digits[:100], verbose=0)
    keras.config.set_floatx("float64")
    try:
        with pytest.raises(ValueError, match="set_floatx.'float32'.*Received: floatx float64"):
            built()
    finally:
        keras.config.set_floatx("float32")


def process(code, **environment):
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    return result.returncode, result.stderr.strip().splitlines()[-1:]


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_another_backend_is_one_clear_error(backend):
    status, lines = process("import adversarial_autoencoder", KERAS_BACKEND=backend)
    assert status == 1
    assert "needs the TensorFlow backend" in lines[0] and f"Received: {backend}" in lines[0]


@pytest.mark.parametrize(
    "code",
    [
        "import keras, adversarial_autoencoder; keras.saving.load_model({path!r})",
        "import adversarial_autoencoder as aae; aae.load_model({path!r})",
    ],
    ids=["keras first", "load_model"],
)
@pytest.mark.slow
def test_a_saved_model_loads_after_importing_the_package_alone(make_model, tmp_path, code):
    make_model(prior=priors.Gaussian(1.0)).save(tmp_path / "model.keras")
    status, lines = process(code.format(path=str(tmp_path / "model.keras")))
    assert status == 0, lines


def test_a_phase_without_the_code_it_trains_is_refused():
    with pytest.raises(ValueError, match="must have a code y. Received: z only"):
        built(phases=[phases.Reconstruction(), phases.Regularization("y")]).compile()


class Careless(phases.Reconstruction):
    metrics = ("reconstruction_loss", "b")


def test_a_phase_that_forgets_a_metric_is_named(digits):
    model = built(phases=[Careless()])
    model.compile()
    with pytest.raises(ValueError, match="careless phase must return.*b. Received: reconstruction"):
        model.fit(digits[:100], verbose=0)
    with pytest.raises(ValueError, match="Names of metrics must be unique"):
        built(phases=[phases.Reconstruction(), Careless()])


def test_networks_that_share_a_layer_are_refused():
    """A file of such a model could not be loaded."""
    shared = layers.Dense(64, name="shared")
    x, z = keras.Input(SHAPE), keras.Input((2,))
    encoder = keras.Model(x, layers.Dense(2)(shared(layers.Flatten()(x))))
    decoder = keras.Model(z, layers.Reshape(SHAPE)(shared(layers.Dense(64)(z))))
    with pytest.raises(ValueError, match="must not share layers.*shared/kernel"):
        built(encoder, decoder)


def test_a_constant_prior_cannot_scale_the_discriminator():
    prior = priors.Samples(np.ones((5, 2)))
    with pytest.raises(ValueError, match="standard deviation above 0. Received"):
        networks.discriminator(2, prior=prior, **SMALL)


def test_an_optimizer_of_other_variables_is_refused(make_model):
    model = make_model()
    model.encoder.trainable = False
    with pytest.raises(ValueError, match="Compile with a new optimizer"):
        model.compile(model.optimizer)
