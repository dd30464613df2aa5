"""The networks of the package: their shapes, names, noise and initial weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from adversarial_autoencoder import AdversarialAutoencoder, networks
from adversarial_autoencoder.networks import CLUSTER_HEADS, Margin

SHAPES = [(28, 28, 1), (32, 32, 3), (64, 64, 1), (8, 8, 1), (9, 14, 3)]


@pytest.fixture(autouse=True)
def seeded():
    """With few filters, some initial weights give a constant output."""
    keras.utils.set_random_seed(0)


def images(shape, n=3):
    return np.random.default_rng(0).random((n, *shape)).astype("float32")


def kernels_of(network):
    return {
        layer.name: layer.kernel.numpy() for layer in network.layers if hasattr(layer, "kernel")
    }


def kinds_of(network):
    return [type(layer).__name__ for layer in network.layers]


@pytest.mark.parametrize("network", ["mlp", "conv"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_an_encoder_maps_images_to_codes_and_a_decoder_maps_them_back(network, shape):
    small = {"network": network, "hidden_units": 256, "hidden_layers": 3}
    encoder = networks.encoder(shape, 5, **small)
    assert encoder(images(shape)).shape == (3, 5)
    decoder = networks.decoder(shape, 5, **small)
    x_logits = decoder(np.random.default_rng(1).normal(0, 5, (50, 5))).numpy()
    assert x_logits.shape == (50, *shape)
    # Every pixel depends on the code.
    assert (x_logits.std(axis=0) > 0).all()


@pytest.mark.parametrize("network", ["mlp", "conv"])
def test_networks_with_two_codes_and_noise_use_dicts(network):
    encoder = networks.encoder(
        (8, 8, 1), 3, num_classes=4, noise_dim=6, network=network, hidden_units=32
    )
    heads = encoder({"x": images((8, 8, 1)), "noise": np.zeros((3, 6))})
    assert {name: tuple(head.shape) for name, head in heads.items()} == {"z": (3, 3), "y": (3, 4)}
    decoder = networks.decoder((8, 8, 1), 3, num_classes=4, network=network, hidden_units=32)
    assert decoder({"z": np.zeros((3, 3)), "y": np.eye(4)[:3]}).shape == (3, 8, 8, 1)


@pytest.mark.parametrize("noise_dim", [0, 6])
@pytest.mark.parametrize("network", ["mlp", "conv"])
def test_a_separate_y_shares_no_layer_with_z(network, noise_dim):
    encoder = networks.encoder(
        (8, 8, 1),
        3,
        num_classes=4,
        separate_y=True,
        noise_dim=noise_dim,
        network=network,
        input_noise=0.0,
        normalize_codes=False,
        batch_norm=True,
        hidden_units=32,
    )
    decoder = networks.decoder((8, 8, 1), 3, num_classes=4, hidden_units=32)
    model = AdversarialAutoencoder(encoder, decoder)
    variables = {
        code: {variable.path for variable in model.codes[code].encoder.variables}
        for code in ("z", "y")
    }
    assert len(variables["y"]) >= 10  # Two layers with their normalisation, and the head.
    assert not variables["z"] & variables["y"]
    assert variables["z"] | variables["y"] == {variable.path for variable in encoder.variables}
    # One code alone has the same value, and does not change the statistics of the other.
    x, seed = tf.constant(images((8, 8, 1))), tf.constant([1, 2], "int64")
    both = model.codes.heads(x, seed)
    before = {variable.path: variable.numpy() for variable in encoder.non_trainable_variables}
    for code, other in (("y", "z"), ("z", "y")):
        assert np.array_equal(model.codes.heads(x, seed, code=model.codes[code])[code], both[code])
        assert set(model.codes.heads(x, seed, training=True, code=model.codes[code])) == {code}
        after = {variable.path: variable.numpy() for variable in encoder.non_trainable_variables}
        moved = {path for path in before if not np.array_equal(before[path], after[path])}
        assert moved
        assert not moved & variables[other]
        before = after


@pytest.mark.parametrize("network", ["mlp", "conv"])
def test_noise_inputs_do_more_than_shift_the_codes(network):
    settings = {"noise_dim": 6, "network": network, "input_noise": 0.0, "hidden_units": 32}
    encoder = networks.encoder((8, 8, 1), 3, normalize_codes=False, **settings)
    noise = np.random.default_rng(1).normal(size=(3, 6)) * 3
    with_noise, without = (
        encoder({"x": images((8, 8, 1)), "noise": values}).numpy()
        for values in (np.tile(noise[:1], (3, 1)), np.zeros((3, 6)))
    )
    shifts = with_noise - without
    assert np.abs(shifts).max() > 0.1
    assert np.abs(shifts - shifts[0]).max() > 1e-3


def test_a_discriminator_gives_one_logit_and_can_see_a_label():
    assert networks.discriminator(3, hidden_units=8)(np.zeros((5, 3))).shape == (5, 1)
    conditioned = networks.discriminator(3, num_classes=3, hidden_units=8)
    code = np.zeros((4, 3))
    logits = conditioned({"code": code, "label": np.eye(4)}).numpy()
    assert logits.shape == (4, 1)
    assert len(np.unique(logits)) == 4


def test_the_head_of_a_gaussian_posterior_is_twice_as_wide():
    encoder = networks.encoder((8, 8, 1), 3, posterior="gaussian", num_classes=4, hidden_units=8)
    assert encoder.output["z"].shape == (None, 6)
    assert encoder.output["y"].shape == (None, 4)


@pytest.mark.parametrize("network", ["mlp", "conv"])
def test_batch_norm_is_off_by_default(network):
    plain, normalised = (
        networks.encoder(
            (8, 8, 1),
            2,
            network=network,
            normalize_codes=False,
            hidden_units=32,
            hidden_layers=2,
            batch_norm=batch_norm,
        )
        for batch_norm in (False, True)
    )
    assert "BatchNormalization" not in kinds_of(plain)
    assert kinds_of(normalised).count("BatchNormalization") == 2
    # The normalization has its own offset.
    layers = [layer for layer in normalised.layers if "_0" in layer.name and layer.weights]
    assert not any(getattr(layer, "use_bias", False) for layer in layers)
    h = keras.Model(normalised.input, normalised.get_layer("encoder_batch_norm_0").output)
    values = h(images((8, 8, 1), 50), training=True).numpy()
    axes = tuple(range(values.ndim - 1))
    assert values.mean(axis=axes) == pytest.approx(np.zeros(values.shape[-1]), abs=1e-4)


@pytest.mark.parametrize("network", ["mlp", "conv"])
def test_every_layer_is_named_after_its_network(network):
    hidden = {"hidden_units": 32, "dropout": 0.1, "batch_norm": True}
    built = [
        networks.encoder(
            (9, 14, 3),
            2,
            num_classes=3,
            noise_dim=2,
            input_noise=0.1,
            network=network,
            **hidden,
        ),
        networks.decoder((9, 14, 3), 2, num_classes=3, network=network, **hidden),
        networks.decoder((9, 14, 3), 2, num_classes=3, head_margin=1.0, network=network, **hidden),
        networks.discriminator(2, num_classes=2, input_noise=0.1, **hidden),
        networks.discriminator(2, name="discriminator_y", **hidden),
    ]
    for model in built:
        for layer in model.layers:
            if not isinstance(layer, keras.layers.InputLayer) and layer.name != CLUSTER_HEADS:
                assert layer.name.startswith(f"{model.name}_"), layer.name


def corrupted(x, **corruption):
    """The input of the first hidden layer, in training mode and in inference mode."""
    encoder = networks.encoder(x.shape[1:], 2, hidden_units=8, **corruption)
    layer = keras.Model(encoder.input, encoder.get_layer("encoder_corruption").output)
    return layer(x, training=True).numpy(), layer(x, training=False).numpy()


def test_gaussian_corruption_adds_noise_in_training_only():
    x = images((28, 28, 1), 100)
    seen, undisturbed = corrupted(x, input_noise=0.3)
    assert np.array_equal(undisturbed, x)
    assert (seen - x).std() == pytest.approx(0.3, rel=0.02)
    assert (seen - x).mean() == pytest.approx(0, abs=0.01)


def test_masking_sets_a_share_of_the_pixels_to_0_and_scales_the_others():
    x = images((28, 28, 1), 100) + 0.5
    seen, undisturbed = corrupted(x, input_noise=0.3, corruption="masking")
    assert np.array_equal(undisturbed, x)
    assert (seen == 0).mean() == pytest.approx(0.3, abs=0.01)
    assert seen[seen > 0] == pytest.approx((x / 0.7)[seen > 0], rel=1e-5)


def test_without_input_noise_nothing_is_corrupted():
    quiet = {"input_noise": 0.0, "hidden_units": 8}
    assert "GaussianNoise" not in kinds_of(networks.encoder((8, 8), 2, **quiet))
    assert "GaussianNoise" not in kinds_of(networks.discriminator(2, **quiet))


def test_a_discriminator_sees_noise_on_the_code_in_training_only():
    discriminator = networks.discriminator(3, num_classes=1, input_noise=0.5, hidden_units=8)
    inputs = {"code": np.ones((5000, 3), "float32"), "label": np.ones((5000, 2), "float32")}
    layer = keras.Model(discriminator.input, discriminator.get_layer("discriminator_noise").output)
    assert np.array_equal(layer(inputs, training=False), inputs["code"])
    seen = layer(inputs, training=True).numpy()
    assert seen.std() == pytest.approx(0.5, rel=0.05)
    # The label is unchanged.
    concatenated = discriminator.get_layer("discriminator_with_label").output
    both = keras.Model(discriminator.input, concatenated)(inputs, training=True)
    assert np.array_equal(both[:, 3:], inputs["label"])


def test_dropout_acts_in_training_only():
    encoder = networks.encoder((8, 8, 1), 2, hidden_units=500, dropout=0.4)
    layer = keras.Model(
        encoder.input,
        [encoder.get_layer(f"encoder_{name}_0").output for name in ("relu", "dropout")],
    )
    before, after = (part.numpy() for part in layer(images((8, 8, 1), 40), training=True))
    assert (after[before > 0] == 0).mean() == pytest.approx(0.4, abs=0.02)
    before, after = layer(images((8, 8, 1), 40), training=False)
    assert np.array_equal(before, after)


def test_margin_equals_its_formula_by_hand():
    heads = np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]], "float32")
    # The distances are 5, 1 and the root of 18; the last two are below 4.5.
    expected = (4.5 - 1) ** 2 + (4.5 - np.sqrt(18)) ** 2
    assert float(Margin(4.5)(ops.convert_to_tensor(heads))) == pytest.approx(expected, rel=1e-5)
    assert float(Margin(1.0)(ops.convert_to_tensor(heads))) == pytest.approx(0, abs=1e-9)


def test_margin_separates_heads_that_are_almost_equal():
    heads = keras.Variable(np.array([[0.0, 0.0], [0.001, 0.0]], "float32"))
    optimizer = keras.optimizers.SGD(0.1)
    for _ in range(100):
        with tf.GradientTape() as tape:
            loss = Margin(2.0)(heads.value)
        optimizer.apply(tape.gradient(loss, [heads.value]), [heads])
    distance = np.linalg.norm(heads.numpy()[0] - heads.numpy()[1])
    assert distance == pytest.approx(2.0, rel=1e-3)


def test_a_decoder_reports_the_margin_as_its_loss():
    decoder = networks.decoder((8, 8, 1), 2, num_classes=3, head_margin=2.0, hidden_units=8)
    decoder.get_layer(CLUSTER_HEADS).kernel.assign([[0.0, 0.0], [1.0, 0.0], [9.0, 9.0]])
    assert float(sum(decoder.losses)) == pytest.approx(1.0, rel=1e-5)


@pytest.mark.parametrize("network", ["mlp", "conv"])
def test_cluster_heads_are_points_added_to_z(network):
    decoder = networks.decoder(
        (8, 8, 1), 2, num_classes=3, head_margin=2.0, network=network, hidden_units=32
    )
    heads = decoder.get_layer(CLUSTER_HEADS).kernel.numpy()
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(4, 2)).astype("float32"), rng.dirichlet(np.ones(3), 4).astype("float32")
    whole = decoder({"z": z, "y": y}).numpy()
    moved = decoder({"z": z + y @ heads, "y": np.zeros_like(y)}).numpy()
    assert np.allclose(whole, moved, atol=1e-5)
    unmoved = decoder({"z": z, "y": np.zeros_like(y)}).numpy()
    assert np.abs(whole - unmoved).max() > 1e-2


@pytest.mark.parametrize("weight_std", [0.0, 0.01])
@pytest.mark.parametrize("network", ["mlp", "conv"])
def test_no_two_layers_start_with_the_same_weights(network, weight_std):
    hidden = {"network": network, "hidden_units": 64, "hidden_layers": 3, "weight_std": weight_std}
    kernels = [
        *kernels_of(networks.encoder((16, 16, 1), 8, num_classes=8, **hidden)).values(),
        *kernels_of(networks.decoder((16, 16, 1), 8, **hidden)).values(),
    ]
    assert len(kernels) == 9
    beginnings = {tuple(np.sort(kernel.ravel())[:3]) for kernel in kernels}
    beginnings |= {tuple(kernel.ravel()[:3]) for kernel in kernels}
    assert len(beginnings) == 2 * len(kernels)


@pytest.mark.parametrize("network", ["mlp", "conv"])
def test_weight_std_applies_to_every_layer(network):
    hidden = {"network": network, "hidden_units": 1000, "weight_std": 0.03}
    kernels = kernels_of(networks.decoder((28, 28, 1), 8, **hidden))
    kernels |= kernels_of(networks.discriminator(8, hidden_units=1000, weight_std=0.03))
    for name, kernel in kernels.items():
        assert kernel.std() == pytest.approx(0.03, rel=0.1), name


def test_convolutions_halve_the_sides_and_double_the_filters():
    encoder = networks.encoder((28, 28, 1), 2, network="conv", hidden_units=512, hidden_layers=3)
    outputs = [encoder.get_layer(f"encoder_conv_{i}").output.shape[1:] for i in range(3)]
    assert outputs == [(14, 14, 8), (7, 7, 16), (4, 4, 32)]


@pytest.mark.parametrize("build", [networks.encoder, networks.decoder])
def test_networks_that_cannot_be_built_are_refused(build):
    with pytest.raises(ValueError, match=r"\(height, width, channels\). Received: \(8, 8\)"):
        build((8, 8), 2, network="conv")
    with pytest.raises(ValueError, match="mlp, conv. Received: network='cnn'"):
        build((8, 8, 1), 2, network="cnn")
    with pytest.raises(ValueError, match=r"sides above 8, because .* Received: \(8, 9, 1\)"):
        build((8, 9, 1), 2, network="conv", hidden_layers=4)
    with pytest.raises(TypeError, match="hidden_unit"):
        build((8, 8, 1), 2, hidden_unit=8)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"posterior": "gausian"}, "one of deterministic, gaussian, universal. Did you mean gauss"),
        ({"posterior": "universal"}, "needs noise inputs. Received: noise_dim=0"),
        ({"corruption": "salt"}, "one of gaussian, masking. Received: corruption='salt'"),
        ({"corruption": None, "input_noise": 0.0}, "Received: corruption=None"),
    ],
)
def test_an_encoder_refuses_what_is_no_choice(choice, message):
    with pytest.raises(ValueError, match=message):
        networks.encoder((8, 8, 1), 2, **choice)
