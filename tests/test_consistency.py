"""The consistency loss: q(y|x) changes little near every image, with or without a label."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from adversarial_autoencoder import AdversarialAutoencoder, losses, networks, priors
from adversarial_autoencoder.model.batch import make_batch
from adversarial_autoencoder.phases import Classification, Consistency, Reconstruction
from adversarial_autoencoder.phases.augmentation import MAX_ROTATION, MAX_SHIFT, shifted_and_rotated


def linear_model(weights, **kwargs):
    """A model whose q(y|x) is the softmax of (w . x, 0)."""
    x = keras.Input((8, 8, 1))
    flat = keras.layers.Flatten()(x)
    y = keras.layers.Dense(2, use_bias=False, name="y")
    heads = {"z": keras.layers.Dense(2)(flat), "y": y(flat)}
    encoder = keras.Model(x, heads)
    y.kernel.assign(np.stack([weights, np.zeros(64)], axis=1))
    decoder = networks.decoder((8, 8, 1), 2, num_classes=2, hidden_units=8)
    phases = [Reconstruction(), Classification()]
    return AdversarialAutoencoder(encoder, decoder, phases=phases, **kwargs)


@pytest.fixture
def batch(digits):
    labels = np.full(50, -1)
    labels[:10] = 1
    return make_batch((digits[:50] / 255.0, labels), tf.constant([1, 2], "int64"))


@pytest.mark.parametrize("epsilon", [0.5, 2.0])
def test_vat_moves_along_the_weights_of_a_linear_classifier(batch, epsilon):
    """The gradient of its q(y|x) by x is w for every image, so the step is +-epsilon w / |w|."""
    weights = np.random.default_rng(0).normal(size=64)
    model = linear_model(weights)
    phase = Consistency("vat", vat_epsilon=epsilon)
    x = tf.reshape(batch.x, (50, 64)).numpy()
    score = x @ weights
    moved = epsilon * np.linalg.norm(weights)
    p = 1 / (1 + np.exp(-score))
    divergences = []
    for sign in (-1, 1):
        q = 1 / (1 + np.exp(-(score + sign * moved)))
        divergences.append(p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q)))
    loss = float(phase.evaluate(model, batch)["vat_loss"])
    assert np.min(divergences, axis=0).mean() * 0.999 <= loss
    assert loss <= np.max(divergences, axis=0).mean() * 1.001
    # A random direction in 64 dimensions moves the score by about an eighth of that.
    random = np.random.default_rng(1).normal(size=(50, 64))
    random *= epsilon / np.linalg.norm(random, axis=1, keepdims=True)
    there = tf.constant(np.stack([(x + random) @ weights, np.zeros(50)], axis=1))
    here = tf.constant(np.stack([score, np.zeros(50)], axis=1))
    assert loss > 3 * float(losses.categorical_kl(here, there))


@pytest.mark.parametrize("kind", ["vat", "augment"])
def test_the_consistency_loss_needs_no_labels_and_moves_the_classifier_only(batch, kind):
    model = linear_model(np.random.default_rng(0).normal(size=64))
    unlabelled = batch._replace(y_labelled=tf.fill((50,), -1))
    phase = Classification(Consistency(kind))
    model.phases = (Reconstruction(), phase)
    model.compile("sgd")
    before = {v.path: v.numpy() for v in model.variables}
    logs = phase.step(model, unlabelled)
    moved = {v.path for v in model.variables if not np.array_equal(before[v.path], v.numpy())}
    assert logs["classification_loss"] == 0
    assert logs[f"{kind}_loss"] > 0
    assert {path for path in moved if "iteration" not in path} == {
        v.path for v in model.codes.y.encoder.trainable_variables
    }


@pytest.mark.parametrize("kind", ["vat", "augment"])
def test_the_information_loss_is_added_with_its_weight(batch, kind):
    weights = np.random.default_rng(0).normal(size=64)
    model = linear_model(weights)
    plain, informed = Consistency(kind), Consistency(kind, information_weight=0.3)
    model.phases = (Reconstruction(), informed)
    model.compile("sgd")
    loss, metrics = plain.loss_and_metrics(model, batch, training=False)
    more, more_metrics = informed.loss_and_metrics(model, batch, training=False)
    assert set(metrics) == set(plain.metrics) == {f"{kind}_loss"}
    assert set(more_metrics) == set(informed.metrics) == {f"{kind}_loss", "information_loss"}
    logits = model.codes.heads(batch.x, None)["y"]
    expected = losses.information_loss(logits, np.array([0.5, 0.5], "float32"))
    information = float(more_metrics["information_loss"])
    assert information == pytest.approx(float(expected), rel=1e-5)
    assert float(more) == pytest.approx(float(loss) + 0.3 * information)
    model = linear_model(weights, prior={"y": priors.Categorical([3, 1])})
    expected = losses.information_loss(logits, np.array([0.75, 0.25], "float32"))
    assert abs(float(expected) - information) > 0.01
    _, metrics = informed.loss_and_metrics(model, batch, training=False)
    assert float(metrics["information_loss"]) == pytest.approx(float(expected), rel=1e-5)


def test_the_shares_of_a_users_own_prior_are_estimated():
    assert linear_model(np.zeros(64)).codes.y.prior_shares == pytest.approx([0.5, 0.5])

    def quarter(n, dim, seed):
        return tf.one_hot(tf.cast(tf.random.stateless_uniform((n,), seed) < 0.25, "int32"), dim)

    model = linear_model(np.zeros(64), prior={"y": quarter})
    assert tf.function(lambda: model.codes.y.prior_shares)().numpy() == pytest.approx(
        [0.75, 0.25], abs=0.01
    )


def test_the_information_loss_makes_y_certain_and_balanced(batch):
    """It finds a plane between the images without labels."""
    model = linear_model(np.full(64, 0.02))
    phase = Consistency(vat_weight=0.0, information_weight=1.0)
    model.phases = (Reconstruction(), phase)
    model.compile(keras.optimizers.Adam(0.05))
    before = phase.evaluate(model, batch)["information_loss"]
    for _ in range(100):
        phase.step(model, batch)
    assert before > 0.6 > 0.3 > phase.evaluate(model, batch)["information_loss"]
    share = tf.nn.softmax(model.codes.heads(batch.x, None)["y"])[:, 0].numpy().mean()
    assert 0.35 < share < 0.65


def test_classification_without_consistency_has_no_such_loss(batch):
    model = linear_model(np.zeros(64))
    phase = Classification()
    assert "vat_loss" not in phase.metrics
    assert set(phase.evaluate(model, batch)) == set(phase.metrics)


@keras.saving.register_keras_serializable("test_consistency")
class Halved(Consistency):
    """A user's own consistency loss, with an argument of its own."""

    def __init__(self, share=0.5, **kwargs):
        super().__init__(**kwargs)
        self.share = share

    def get_config(self):
        return super().get_config() | {"share": self.share}


@pytest.mark.parametrize(
    "consistency", [None, Consistency("augment", information_weight=0.1), Halved(0.2, vat_warmup=3)]
)
def test_a_saved_classification_keeps_its_consistency(consistency):
    config = json.dumps(keras.saving.serialize_keras_object(Classification(consistency)))
    again = keras.saving.deserialize_keras_object(json.loads(config))
    assert type(again.consistency) is type(consistency)
    assert consistency is None or again.consistency.get_config() == consistency.get_config()


def test_shifts_and_rotations_are_small_and_differ_between_images():
    # A point in the middle shows the shift, because a rotation hardly moves it.
    x = np.zeros((200, 29, 29, 1), "float32")
    x[:, 14, 14] = 1
    moved = shifted_and_rotated(tf.constant(x), tf.constant([1, 2], "int64")).numpy()[..., 0]
    rows, columns = (
        (moved * axis).sum(axis=(1, 2)) / moved.sum(axis=(1, 2)) - 14
        for axis in (np.arange(29)[:, None], np.arange(29))
    )
    for shift in (rows, columns):
        assert 1.8 < np.abs(shift).max() <= 29 * MAX_SHIFT + 0.5
        assert abs(shift.mean()) < 0.3
        assert len(np.unique(shift)) > 100
    # The two ends of a line through the middle show the angle.
    x = np.zeros((200, 29, 29, 1), "float32")
    x[:, 14, 4:25] = 1
    moved = shifted_and_rotated(tf.constant(x), tf.constant([1, 2], "int64")).numpy()[..., 0]
    left, right = (
        (part * np.arange(29)[:, None]).sum(axis=(1, 2)) / part.sum(axis=(1, 2))
        for part in (moved[:, :, 5:11], moved[:, :, 18:24])
    )
    degrees = np.degrees(np.arctan2(right - left, 13))
    assert MAX_ROTATION - 2 < np.abs(degrees).max() < MAX_ROTATION + 2
    assert abs(degrees.mean()) < 2


@pytest.mark.parametrize("kind", ["vat", "augment"])
def test_consistency_keeps_the_moving_statistics_of_batch_norm(digits, kind):
    encoder = networks.encoder((8, 8, 1), 2, num_classes=3, hidden_units=16, batch_norm=True)
    decoder = networks.decoder((8, 8, 1), 2, num_classes=3, hidden_units=16)
    model = AdversarialAutoencoder(encoder, decoder, phases=[Consistency(kind)])
    batch = make_batch(digits[:50] / 255.0, tf.constant([1, 2], "int64"))
    model.compile("sgd")
    trained, kept = ([v.numpy() for v in of] for of in weights_and_statistics(encoder))
    tf.function(lambda: model.phases[0].step(model, batch))()
    trained_after, kept_after = ([v.numpy() for v in of] for of in weights_and_statistics(encoder))
    assert not np.array_equal(trained[0], trained_after[0])
    assert all(map(np.array_equal, kept, kept_after))


def weights_and_statistics(encoder):
    return encoder.trainable_variables, encoder.non_trainable_variables


def test_the_length_of_the_vat_step_grows_from_0(batch):
    model = linear_model(np.random.default_rng(0).normal(size=64))
    phase = Consistency("vat", vat_warmup=10)
    model.phases = (Reconstruction(), phase)
    model.compile("sgd")
    lengths = []
    for iterations in (0, 4, 9, 1000):
        model.optimizer.iterations.assign(iterations)
        loss = phase.loss_and_metrics(model, batch, training=True)[0]
        lengths.append(float(loss))
    assert lengths[0] < lengths[1] < lengths[2] == lengths[3]
    assert lengths[3] == phase.evaluate(model, batch)["vat_loss"]


@pytest.mark.parametrize("corruption", ["gaussian", "masking"])
def test_the_noise_of_the_network_does_not_count_as_a_change(digits, corruption):
    hidden = {"num_classes": 3, "hidden_units": 16, "batch_norm": True, "dropout": 0.5}
    encoder = networks.encoder((8, 8, 1), 2, input_noise=0.5, corruption=corruption, **hidden)
    decoder = networks.decoder((8, 8, 1), 2, num_classes=3, hidden_units=16)
    model = AdversarialAutoencoder(encoder, decoder, phases=[Consistency("vat", vat_epsilon=1e-6)])
    batch = make_batch(digits[:50] / 255.0, tf.constant([1, 2], "int64"))
    model.compile("sgd")
    assert float(model.phases[0].step(model, batch)["vat_loss"]) < 1e-6
    # The other phases still have the noise.
    passes = [encoder(batch.x, training=True)["y"].numpy() for _ in range(2)]
    assert not np.allclose(*passes)


def test_augmentation_needs_images(digits):
    x = keras.Input((64,))
    heads = {"z": keras.layers.Dense(2)(x), "y": keras.layers.Dense(3)(x)}
    codes = {"z": keras.Input((2,)), "y": keras.Input((3,))}
    decoder = keras.Model(
        codes, keras.layers.Dense(64)(keras.layers.Concatenate()([*codes.values()]))
    )
    model = AdversarialAutoencoder(
        keras.Model(x, heads), decoder, phases=[Reconstruction(), Consistency("augment")]
    )
    model.compile("sgd")
    with pytest.raises(ValueError, match=r"height, width, channels.*Received: \(64,\)"):
        model.fit(digits.reshape(-1, 64), verbose=0)


@pytest.mark.parametrize("detach_y", [True, False])
def test_a_detached_y_gets_no_gradient_of_the_reconstruction(batch, detach_y):
    hidden = {"num_classes": 2, "hidden_units": 16}
    decoder = networks.decoder((8, 8, 1), 2, **hidden)
    model = AdversarialAutoencoder(
        networks.encoder((8, 8, 1), 2, **hidden), decoder, phases=[Reconstruction(detach_y)]
    )
    first = decoder.get_layer("decoder_dense_0").kernel
    assert [code.shape[-1] for code in decoder.get_layer("decoder_codes").input] == [2, 2]
    first.assign(first * [[0.0], [0.0], [1.0], [1.0]])  # It looks at y alone.
    with tf.GradientTape() as tape:
        loss, _ = model.phases[0].loss_and_metrics(model, batch, training=True)
    trunk = model.encoder.get_layer("encoder_dense_0").kernel
    gradient = tape.gradient(loss, trunk, unconnected_gradients="zero")
    assert np.any(gradient) == (not detach_y)
    updated = {variable.path for variable in model.var_lists["reconstruction"]}
    assert ("encoder_y/kernel" in updated) == (not detach_y)
    assert {trunk.path, "encoder_z/kernel", first.path} <= updated


@pytest.mark.long
def test_the_consistency_phase_compiles_with_xla(digits):
    encoder = networks.encoder((8, 8, 1), 2, num_classes=3, hidden_units=8, batch_norm=True)
    decoder = networks.decoder((8, 8, 1), 2, num_classes=3, hidden_units=8)
    model = AdversarialAutoencoder(
        encoder, decoder, phases=[Reconstruction(), Consistency("augment")]
    )
    model.compile("sgd", jit_compile=True)
    logs = model.fit(digits[:100], batch_size=50, verbose=0).history
    assert logs["augment_loss"][0] > 0
