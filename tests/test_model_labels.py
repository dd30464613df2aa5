"""Models with two codes: z, and a class or cluster y that is inferred or given."""

import keras
import numpy as np
import pytest
from helpers import equal

from adversarial_autoencoder import AdversarialAutoencoder, networks, phases, priors

QUIET = {"hidden_units": 24, "input_noise": 0.0}


@pytest.fixture
def semi_supervised():
    """A semi-supervised AAE, built as in a notebook."""
    keras.utils.set_random_seed(7)
    model = AdversarialAutoencoder(
        networks.encoder((8, 8, 1), 3, num_classes=10, **QUIET),
        networks.decoder((8, 8, 1), 3, num_classes=10, hidden_units=24),
        {
            "z": networks.discriminator(3, **QUIET),
            "y": networks.discriminator(10, name="discriminator_y", **QUIET),
        },
        prior={"z": priors.Gaussian(1.0), "y": priors.Categorical()},
        phases=[
            phases.Reconstruction(),
            phases.Regularization("y"),
            phases.Regularization("z"),
            phases.Classification(),
        ],
    )
    model.compile(keras.optimizers.Adam(2e-3))
    return model


@pytest.fixture
def with_heads():
    """A model for dimensionality reduction: y selects a cluster head, which is added to z."""
    keras.utils.set_random_seed(7)
    return AdversarialAutoencoder(
        networks.encoder((8, 8, 1), 2, num_classes=5, hidden_units=24),
        networks.decoder((8, 8, 1), 2, num_classes=5, head_margin=2.0, hidden_units=24),
    )


def test_few_labels_are_enough_to_classify_the_other_images(semi_supervised, digits, classes):
    model, known = semi_supervised, np.where(np.arange(len(digits)) < 400, classes, -1)
    rates = dict.fromkeys(model.var_lists, 5e-4) | {"reconstruction": 0.01, "classification": 0.01}
    model.compile({step: keras.optimizers.Adam(rate) for step, rate in rates.items()})
    model.fit(digits, known, batch_size=100, epochs=15, verbose=0)
    probabilities = model.classify(digits)
    assert probabilities.shape == (len(digits), 10)
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)
    right = probabilities.argmax(axis=1) == classes
    assert right[:400].mean() > 0.9
    assert right[400:].mean() > 0.7
    logs = model.evaluate(digits[400:], classes[400:], return_dict=True, verbose=0)
    assert logs["classification_accuracy"] == pytest.approx(right[400:].mean(), abs=1e-3)


@pytest.mark.usefixtures("eager")
def test_every_negative_label_means_unlabelled(semi_supervised, digits):
    start, ends = semi_supervised.get_weights(), []
    for label in (-1, -5):
        semi_supervised.set_weights(start)
        semi_supervised.compile(keras.optimizers.Adam(1e-2))
        semi_supervised.train_on_batch(digits[:100], np.full(100, label))
        ends.append(semi_supervised.get_weights())
    assert equal(*ends)
    assert not equal(ends[0], start)


def test_each_code_of_a_semi_supervised_model_has_its_own_steps(semi_supervised):
    model = semi_supervised
    assert list(model.discriminators) == ["z", "y"]
    assert (model.z_dim, model.num_classes, model.infers_y, model.uses_labels) == (
        3,
        10,
        True,
        True,
    )
    assert model.prior.std == 1.0
    assert model.discriminator is model.discriminators["z"]
    steps = model.var_lists
    assert list(steps) == [
        "reconstruction",
        "discriminator_y",
        "generator_y",
        "discriminator_z",
        "generator_z",
        "classification",
    ]
    heads = {
        code: {variable.path for variable in steps[f"generator_{code}"]} for code in ("z", "y")
    }
    assert heads["z"] - heads["y"] == {"encoder_z/kernel", "encoder_z/bias"}
    assert heads["y"] - heads["z"] == {"encoder_y/kernel", "encoder_y/bias"}
    assert {variable.path for variable in steps["classification"]} == heads["y"]


def test_decode_takes_values_of_y_or_their_weights(semi_supervised):
    z, y = np.random.default_rng(0).normal(size=(6, 3)).astype("float32"), np.arange(6)
    images = semi_supervised.decode(z, y, batch_size=4)
    assert images.shape == (6, 8, 8, 1)
    assert np.allclose(images, semi_supervised.decode(z, np.eye(10)[y]), atol=1e-6)
    assert np.allclose(images, semi_supervised.decode(z, y.tolist()), atol=1e-6)
    other = semi_supervised.decode(z, y + 1)
    assert np.abs(images - other).max() > 1e-3
    # Half of each value gives another image than both.
    mixed = semi_supervised.decode(z, (np.eye(10)[y] + np.eye(10)[y + 1]) / 2)
    assert not np.allclose(mixed, images, atol=1e-4)
    assert not np.allclose(mixed, other, atol=1e-4)


def test_generate_takes_y_or_samples_it(semi_supervised):
    model = semi_supervised
    z = priors.draw(model.prior, 4, 3, seed=5)
    expected = model.decode(z, [3, 1, 4, 1])
    assert np.allclose(model.generate(4, [3, 1, 4, 1], seed=5), expected, atol=1e-6)
    drawn = model.generate(4, seed=5)
    assert np.array_equal(drawn, model.generate(4, seed=5))
    assert not np.allclose(drawn, expected, atol=1e-3)


def test_a_call_uses_the_given_y_or_infers_it(semi_supervised, supervised, digits, classes):
    x, y = digits[:20], classes[:20]
    for given in (None, y):
        expected = semi_supervised.decode(
            semi_supervised.encode(x), semi_supervised.classify(x) if given is None else y
        )
        assert np.allclose(semi_supervised(x, given), expected, atol=1e-5)
    assert np.allclose(supervised(x, y), supervised.decode(supervised.encode(x), y), atol=1e-5)


def test_the_decoder_of_a_supervised_model_uses_the_label(supervised, digits, classes):
    """With the wrong label the reconstruction is worse."""
    supervised.fit(digits, classes, batch_size=100, epochs=15, verbose=0)

    def loss(y):
        return np.mean((supervised(digits, y).numpy() - digits / 255.0) ** 2)

    assert loss(classes) < 0.8 * loss((classes + 1) % 10)


def test_cluster_heads_are_points_of_the_latent_space(with_heads, digits):
    heads = with_heads.cluster_heads
    assert heads.shape == (5, 2)
    x = digits[:30]
    expected = with_heads.encode(x) + with_heads.classify(x) @ heads
    assert np.allclose(with_heads.represent(x), expected, atol=1e-5)
    # The decoder sees the point only.
    zeros = np.zeros((30, 5), "float32")
    whole = with_heads(x).numpy()
    assert np.allclose(with_heads.decode(with_heads.represent(x), zeros), whole, atol=1e-5)
    origin = np.zeros((5, 2), "float32")
    of_heads = with_heads.decode(origin, np.arange(5))
    assert np.allclose(of_heads, with_heads.decode(heads, np.zeros((5, 5))), atol=1e-5)


def test_the_reconstruction_step_keeps_cluster_heads_apart(with_heads, digits):
    heads = with_heads.decoder.get_layer("cluster_heads").kernel
    heads.assign(np.random.default_rng(0).normal(0, 0.1, (5, 2)))
    with_heads.compile(keras.optimizers.Adam(0.01))
    with_heads.fit(digits, batch_size=200, epochs=30, verbose=0)
    distances = np.linalg.norm(heads.numpy()[:, None] - heads.numpy(), axis=-1)
    assert distances[~np.eye(5, dtype=bool)].min() > 1.4


def test_a_model_without_y_represents_images_by_z(make_model, supervised, digits):
    for model in (make_model(), supervised):
        assert np.array_equal(model.represent(digits[:5]), model.encode(digits[:5]))
        assert model.cluster_heads is None
