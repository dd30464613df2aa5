"""The page that decodes in the browser: equal to Keras, safe, and used with pointer and keys."""

import base64
import re

import keras
import numpy as np
import pytest
from helpers import config_of, content_of
from keras import layers

from adversarial_autoencoder import AdversarialAutoencoder, networks, training
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.export import explorer
from adversarial_autoencoder.systems import HIDDEN, SYSTEMS

# The weights of a page are float16.
TOLERANCE = 1e-2
NAMES = [f"class {k}" for k in range(10)]


def randomized(model):
    """A model whose variables, and statistics of normalizations, are not those of its start."""
    rng = np.random.default_rng(1)
    for variable in model.decoder.variables:
        if variable.name != "seed_generator_state":
            factor = rng.uniform(0.5, 1.5, variable.shape)
            shift = 0.1 if variable.name == "moving_variance" else rng.normal(0, 0.1, factor.shape)
            variable.assign(variable * factor + shift)
    return model


def model_of(shape=(8, 8, 1), z_dim=2, num_classes=0, decoder=None, **arguments):
    """A model with an untrained decoder of the given kind."""
    keras.utils.set_random_seed(3)
    arguments = {"hidden_units": 32} | arguments
    small = {"hidden_units": 8}
    decoder = decoder or networks.decoder(shape, z_dim, num_classes=num_classes, **arguments)
    encoder = networks.encoder(shape, z_dim, num_classes=num_classes, **small)
    discriminators = {"z": networks.discriminator(z_dim, **small)}
    if num_classes:
        discriminators["y"] = networks.discriminator(num_classes, name="discriminator_y", **small)
    return AdversarialAutoencoder(encoder, decoder, discriminators)


def own_decoder():
    """A decoder of a user: other layers, and a model within the model."""
    inside = keras.Sequential(
        [keras.Input((2,)), layers.Dense(12, "tanh"), layers.Dense(32), layers.Activation("relu")]
    )
    z = keras.Input((2,), name="z")
    h = layers.Reshape((4, 4, 2))(inside(layers.Rescaling(0.5, [0.1, -0.2])(z)))
    h = layers.Conv2DTranspose(3, (3, 5), strides=1, padding="valid", activation="relu")(h)
    h = layers.BatchNormalization()(h)
    h = layers.Conv2DTranspose(1, (2, 5), strides=(2, 1), padding="same", use_bias=False)(h)
    return keras.Model(z, layers.Cropping2D(((3, 1), (0, 0)))(h))


KINDS = {
    "mlp": {},
    "colour": {"shape": (6, 10, 3)},
    "without_channels": {"shape": (8, 8)},
    "one_dimension": {"z_dim": 1},
    "many_dimensions": {"z_dim": 16, "hidden_layers": 3},
    "conv": {"network": "conv", "hidden_units": 128},
    "conv_colour_odd": {"network": "conv", "hidden_units": 128, "shape": (9, 13, 3)},
    "batch_norm": {"batch_norm": True},
    "conv_batch_norm": {"network": "conv", "hidden_units": 128, "batch_norm": True},
    "dropout": {"dropout": 0.3},
    "y": {"num_classes": 10},
    "y_conv": {"num_classes": 10, "network": "conv", "hidden_units": 128},
    "cluster_heads": {"num_classes": 10, "head_margin": 1.0},
    "bfloat16": {"dtype": "mixed_bfloat16"},
}


def assert_decodes_as_keras(model, page, run_in_node):
    rng = np.random.default_rng(0)
    z = rng.normal(0, 3, (5, model.z_dim)).astype("float32")
    y = np.eye(max(model.num_classes, 1), dtype="float32")[[0] * 5] if model.num_classes else None
    codes = [{"z": row.tolist()} for row in z]
    for i, code in enumerate(codes if model.num_classes else ()):
        y[i] = rng.dirichlet(np.ones(model.num_classes))
        code["y"] = y[i].tolist()
    expected = model.decode(z, y).reshape(5, -1)
    assert expected.std() > 0.01
    received = run_in_node(content_of(page)["decoder"], codes)
    np.testing.assert_allclose(received, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_decodes_as_in_keras(kind, run_in_node):
    model = randomized(model_of(**KINDS[kind]))
    shape = model.image_shape
    x = np.random.default_rng(0).integers(0, 256, (20, *shape), "uint8")
    page = explorer.explorer_page(model, x, np.arange(20) % 10, NAMES)
    assert_decodes_as_keras(model, page, run_in_node)


def test_a_users_decoder_decodes_as_in_keras(run_in_node, digits):
    model = randomized(model_of(decoder=own_decoder()))
    assert_decodes_as_keras(model, explorer.explorer_page(model, digits[:20]), run_in_node)


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_system_has_a_page(system, run_in_node, digits, classes):
    labels = {"num_labels": 100} if system == "semi_supervised_aae" else {}
    config = config_of(system, **labels)
    shares = [0.1] * 10
    model = training.build(config, (8, 8, 1), shares if config.uses_labels else None)
    page = explorer.explorer_page(model, digits[:50], classes[:50], NAMES)
    content = content_of(page)
    assert_decodes_as_keras(model, page, run_in_node)
    assert (content["heads"] is not None) == config.system.cluster_heads
    assert (content["yValues"] is not None) == bool(
        config.system.y and not config.system.cluster_heads
    )
    codes = np.frombuffer(base64.b64decode(content["points"]), "<f4").reshape(-1, model.z_dim)
    np.testing.assert_allclose(codes, model.represent(digits[:50]), atol=1e-6)


def test_a_layer_that_the_page_cannot_run_is_named(digits):
    z = keras.Input((2,), name="z")
    h = layers.Reshape((2, 2, 1))(layers.Dense(4)(z))
    h = layers.UpSampling2D(4, name="larger")(h)
    model = model_of(decoder=keras.Model(z, h))
    with pytest.raises(InputError, match="Received: UpSampling2D larger"):
        explorer.explorer_page(model, digits[:5])
    h = layers.Reshape((8, 8, 1))(layers.Dense(64)(layers.Dense(4, "gelu", name="soft")(z)))
    with pytest.raises(InputError, match="Received: gelu in soft"):
        explorer.explorer_page(model_of(decoder=keras.Model(z, h)), digits[:5])


def test_weights_that_float16_cannot_hold_are_refused(digits):
    model = model_of()
    kernel = model.decoder.get_layer("decoder_dense_0").kernel
    kernel.assign(kernel * 0 + 1e5)
    with pytest.raises(
        InputError, match=r"at most 65504 .* Received: 1e\+05 in kernel of decoder_"
    ):
        explorer.explorer_page(model, digits[:5])


def test_the_page_of_the_default_network_is_below_six_megabytes():
    model = model_of((28, 28, 1), **HIDDEN["mlp"])
    rng = np.random.default_rng(0)
    # As many grey pixels as in MNIST, and harder to compress.
    x = rng.integers(0, 256, (10_000, 28, 28, 1)) * (rng.random((10_000, 28, 28, 1)) < 0.2)
    page = explorer.explorer_page(model, x.astype("uint8"))
    assert len(page.encode()) < 6e6
    assert 100 < content_of(page)["numImages"] <= explorer.MAX_POINTS


def test_names_are_text_and_the_page_runs_only_its_own_script(digits):
    names = ["</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>"]
    page = explorer.explorer_page(
        model_of(), digits[:4], np.array([0, 1, 1, 0]), names, title=names[0]
    )
    assert page.count("<script") == 2
    assert "<img" not in page
    assert content_of(page)["classes"][1]["name"] == names[1]
    assert "default-src 'none'" in page
    assert not re.search(r"https?://|src=|@import|url\(", page.split("<body>")[0])


def test_the_mode_writes_a_page(demo, few, command_line):
    for results, name in ((demo, "demo"), (few, "few")):
        out, err = command_line("--mode=explore", results=results)
        assert err == ""
        path = results / name / "figures" / "explorer.html"
        assert out.startswith(f"Wrote {path} (0.")
        content = content_of(path.read_text())
        assert len(content["labels"]) == 249
        assert content["title"].startswith(f"{name}: ")
        assert [kind["name"] for kind in content["classes"]] == [str(k) for k in range(10)]


# A function in JavaScript: the RGBA pixels of a canvas.
PIXELS = """(id) => {
  const {width, height} = element(id);
  return [...element(id).getContext("2d").getImageData(0, 0, width, height).data];
}"""


def state_of(page):
    """The code that a page shows, and the pixels that it draws for it, in [0, 1]."""
    # `wait_for_function` would evaluate text inside the page, which its policy forbids.
    while not page.evaluate("!due && !state.waiting.length"):
        page.wait_for_timeout(10)
    z, y = page.evaluate("[[...state.z], state.y]")
    pixels = page.evaluate(PIXELS, "decoded")
    return np.array([z], "float32"), np.array([y]), np.array(pixels).reshape(-1, 4)[:, 0] / 255


@pytest.mark.parametrize("kind", ["mlp", "conv_batch_norm", "y", "cluster_heads", "one_dimension"])
def test_chromium_draws_what_keras_decodes(kind, opened, digits, classes):
    model = randomized(model_of(**KINDS[kind]))
    page = opened(explorer.explorer_page(model, digits[:200], classes[:200], NAMES))
    assert float(page.evaluate("document.body.dataset.difference")) < TOLERANCE
    assert page.locator("#problem").is_hidden()
    before = state_of(page)[0]
    box = page.locator("#plane").bounding_box()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.3 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.6 * box["height"], steps=5)
    page.mouse.up()
    if kind == "y":
        page.locator("#values button").nth(7).click()
    z, y, pixels = state_of(page)
    assert np.abs(z - before).max() > 0
    weights = y if kind == "y" else np.zeros((1, 10)) if model.num_classes else None
    assert y == (7 if kind == "y" else 0)
    expected = model.decode(z, weights).reshape(-1)
    np.testing.assert_allclose(pixels, expected, rtol=0, atol=TOLERANCE + 1 / 255)


def test_keys_sliders_pins_and_axes(opened, digits, classes):
    model = model_of(z_dim=4)
    page = opened(explorer.explorer_page(model, digits[:200], classes[:200], NAMES))
    start = state_of(page)[0][0]
    page.locator("#plane").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    moved = state_of(page)[0][0]
    assert moved[0] > start[0]
    assert moved[1] > start[1]
    assert page.locator("#play").is_disabled()
    page.click("#pin-a")
    slider = page.locator("#sliders input").nth(1)
    slider.fill(slider.get_attribute("max"))
    assert state_of(page)[0][0][3] > moved[3]
    page.click("#sample")
    page.click("#pin-b")
    end = state_of(page)[0][0]
    page.click("#play")
    page.wait_for_timeout(300)
    page.click("#play")
    between = state_of(page)[0][0]
    share = (between - moved)[:2] / (end - moved)[:2]
    assert share[0] == pytest.approx(share[1], abs=1e-3)
    page.select_option("#horizontal", "2")
    assert page.locator("#sliders label").all_inner_texts()[0].startswith("z0")
    page.select_option("#vertical", "2")  # The two axes change places.
    assert page.evaluate("state.dims") == [1, 2]


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_wider_than_the_screen(width, opened, digits, classes):
    names = ["a very long name of a class " * 4, "y" * 90] + NAMES[2:]
    model = model_of(num_classes=10)
    text = explorer.explorer_page(model, digits[:99], classes[:99], names, names, title="t" * 200)
    page = opened(text, width, 800, color_scheme="dark", is_mobile=width < 500, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.touchscreen.tap(width / 4, 500)
    point = page.evaluate("state.near")
    if point is not None:
        assert page.locator("#original-name").inner_text().startswith("Nearest: ")


def test_a_point_shows_its_image_and_its_reconstruction(opened, digits, classes):
    model = model_of(num_classes=10)
    page = opened(explorer.explorer_page(model, digits[:50], classes[:50], NAMES))
    page.evaluate("setNear(17)")
    original, again = (
        np.array(page.evaluate(PIXELS, name)).reshape(8, 8, 4)[..., 0]
        for name in ("original", "reconstruction")
    )
    assert np.array_equal(original, digits[17, ..., 0])
    np.testing.assert_allclose(
        again / 255, model.predict(digits[17:18], verbose=0)[0, ..., 0], atol=0.02
    )
    page.click("#use")
    z, y, _ = state_of(page)
    np.testing.assert_allclose(z, model.encode(digits[17:18]), atol=1e-5)
    assert y == model.classify(digits[17:18]).argmax()
