"""The model as an ordinary Keras model."""

import gc
import importlib
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_digits

from adversarial_autoencoder import AdversarialAutoencoder, networks, phases, priors
from adversarial_autoencoder.optimizers import FusedAdam


def weights_of(model):
    return [variable.numpy() for variable in model.variables]


def optimizer_state(model):
    return {
        step: [variable.numpy() for variable in optimizer.variables]
        for step, optimizer in model.optimizer.steps.items()
    }


def equal(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def batch_of(model, x):
    return model._batch(tf.constant(x), step=0)


def test_fit_lowers_the_reconstruction_loss(make_model, digits):
    model = make_model()
    before = model.evaluate(digits, return_dict=True, verbose=0)
    model.fit(digits, batch_size=100, epochs=8, verbose=0)
    after = model.evaluate(digits, return_dict=True, verbose=0)
    assert after["reconstruction_loss"] < 0.8 * before["reconstruction_loss"]
    assert after["loss"] == after["reconstruction_loss"]


@pytest.mark.parametrize(
    ("phase", "moved"),
    [
        (phases.Reconstruction(), {"encoder", "decoder"}),
        (phases.Regularization(), {"encoder", "discriminator"}),
    ],
)
def test_a_phase_moves_exactly_its_own_networks(make_model, digits, phase, moved):
    model = make_model(phases=[phase])
    names = ("encoder", "decoder", "discriminator")
    before = {name: getattr(model, name).get_weights() for name in names}
    model.train_on_batch(digits[:100])
    for name in names:
        after = getattr(model, name).get_weights()
        pairs = zip(before[name], after, strict=True)
        changed = [not np.array_equal(old, new) for old, new in pairs]
        assert all(changed) if name in moved else not any(changed), name


def test_each_step_moves_exactly_its_own_variables(make_model, digits):
    """The discriminator's step leaves the encoder alone, the generator's the discriminator."""
    model = make_model()
    moved = {}

    def record(step, tape, loss):
        before = weights_of(model)
        AdversarialAutoencoder.update(model, step, tape, loss)
        moved[step.name] = {
            variable.path
            for old, variable in zip(before, model.variables, strict=True)
            if not np.array_equal(old, variable.numpy())
        }

    model.update = record
    for phase in model.phases:
        phase.step(model, batch_of(model, digits[:100]))
    assert list(moved) == ["reconstruction", "discriminator", "generator"]
    for step, variables in model.var_lists.items():
        assert moved[step] == {variable.path for variable in variables}


def test_discriminator_sees_the_prior_as_real_and_the_codes_as_fake(make_model, digits):
    """With the encoder held still, the discriminator learns to answer 1 on the prior."""
    model = make_model()
    model.compile(
        {
            "reconstruction": keras.optimizers.SGD(0.0),
            "discriminator": keras.optimizers.Adam(1e-2),
            "generator": keras.optimizers.SGD(0.0),
        }
    )
    model.fit(digits, epochs=5, verbose=0)
    real = model.discriminator(priors.draw(model.prior, 500, 2, seed=5)).numpy()
    fake = model.discriminator(model.encode(digits[:500])).numpy()
    assert np.mean(real > 0) > 0.8
    assert np.mean(fake < 0) > 0.8


def test_evaluate_weighs_a_short_last_batch_by_its_size(make_model, digits):
    model = make_model()
    whole = model.evaluate(digits[:150], batch_size=150, return_dict=True, verbose=0)
    split = model.evaluate(digits[:150], batch_size=100, return_dict=True, verbose=0)
    assert split["reconstruction_loss"] == pytest.approx(whole["reconstruction_loss"], rel=1e-5)


def test_evaluate_changes_nothing(make_model, digits):
    model = make_model(dropout=0.2)
    before = weights_of(model)
    model.evaluate(digits, verbose=0)
    assert equal(before, weights_of(model))


def test_integers_and_floats_are_the_same_images(make_model, digits):
    model = make_model()
    z = model.encode(digits[:20])
    assert np.allclose(z, model.encode(digits[:20] / 255.0), atol=1e-6)
    assert z.shape == (20, 2)
    assert z.dtype == "float32"


def test_encode_decode_call_and_generate_fit_together(make_model, digits):
    model = make_model()
    x = model.decode(model.encode(digits[:30], batch_size=7), batch_size=7)
    assert np.allclose(x, model(digits[:30]).numpy(), atol=1e-6)
    assert np.allclose(x, model.predict(digits[:30], verbose=0), atol=1e-6)
    samples = model.generate(5)
    assert samples.shape == (5, 8, 8, 1)
    assert 0 <= samples.min() <= samples.max() <= 1
    assert np.array_equal(samples, model.generate(5))
    assert not np.array_equal(samples, model.generate(5, seed=1))
    z = np.zeros((3, 2), "float32")
    assert np.array_equal(model.generate(3, z=z), model.decode(z))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_saving_and_loading_resumes_exactly(make_model, digits, tmp_path, jit_compile):
    """Weights, optimizer moments and noise: what follows equals an uninterrupted training."""
    model = make_model(dropout=0.2)
    model.compile(keras.optimizers.Adam(1e-3), jit_compile=jit_compile)
    model.fit(digits, batch_size=100, epochs=1, shuffle=False, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert equal(weights_of(model), weights_of(loaded))
    for step, state in optimizer_state(model).items():
        assert equal(state, optimizer_state(loaded)[step]), step
    for m in (model, loaded):
        m.fit(digits, batch_size=100, epochs=1, shuffle=False, verbose=0)
    assert equal(weights_of(model), weights_of(loaded))


def test_optimizer_state_is_stored_once(make_model, tmp_path):
    model = make_model()
    model.save(tmp_path / "model.keras")
    values = sum(variable.numpy().size for variable in model.variables)
    values += sum(v.numpy().size for state in model.optimizer.optimizers for v in state.variables)
    assert (tmp_path / "model.keras").stat().st_size < 4 * values + 200_000


def test_a_model_that_is_let_go_leaves_no_graph_behind(make_model, digits):
    """The exchange of gradients in Keras's own optimizers does, also where there is no other."""

    def graphs():
        gc.collect()
        return {id(o) for o in gc.get_objects() if type(o).__name__ == "FuncGraph"}

    before, model = graphs(), make_model()
    model.compile(FusedAdam(1e-3), jit_compile=False)
    model.fit(digits[:200], batch_size=100, verbose=0)
    assert graphs() - before
    del model
    assert not graphs() - before


def test_keras_backup_and_restore_knows_the_optimizers(make_model, digits, tmp_path):
    def fit(model, epochs):
        backup = keras.callbacks.BackupAndRestore(tmp_path / "backup", delete_checkpoint=False)
        model.fit(
            digits, batch_size=100, epochs=epochs, shuffle=False, verbose=0, callbacks=[backup]
        )
        return weights_of(model)

    whole = make_model()
    whole.fit(digits, batch_size=100, epochs=2, shuffle=False, verbose=0)
    fit(make_model(), epochs=1)
    assert equal(fit(make_model(), epochs=2), weights_of(whole))


def test_an_optimizer_that_scales_its_loss_trains_alike(make_model, digits):
    trained = []
    for factor in (None, 1024.0):
        model = make_model()
        model.compile(keras.optimizers.SGD(0.1, loss_scale_factor=factor), jit_compile=False)
        model.fit(digits[:200], batch_size=100, shuffle=False, verbose=0)
        trained.append(weights_of(model))
    for a, b in zip(*trained, strict=True):
        assert b == pytest.approx(a, abs=1e-6)


def test_layers_of_float16_are_refused(digits):
    """Without a scale of the loss their gradients would vanish without a word."""
    model = AdversarialAutoencoder(
        networks.encoder((8, 8, 1), 2, hidden_units=8, dtype="mixed_float16"),
        networks.decoder((8, 8, 1), 2, hidden_units=8),
    )
    with pytest.raises(ValueError, match="float32 or bfloat16. Received: float16"):
        model.compile("adam")


def test_a_regularizer_of_the_discriminator_is_a_part_of_its_loss(digits):
    def size(strength):
        code = keras.Input((2,))
        regularizer = keras.regularizers.L2(strength)
        head = keras.layers.Dense(1, kernel_regularizer=regularizer)
        model = AdversarialAutoencoder(
            networks.encoder((8, 8, 1), 2, hidden_units=8),
            networks.decoder((8, 8, 1), 2, hidden_units=8),
            keras.Model(code, head(keras.layers.Dense(8)(code))),
        )
        model.compile("sgd", jit_compile=False)
        model.fit(digits[:1000], batch_size=100, verbose=0)
        return np.abs(head.kernel).max()

    assert size(30.0) < 0.2 * size(0.0)


def test_learning_rate_callbacks_reach_every_step(make_model, digits):
    model = make_model()
    scheduler = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 10)
    model.fit(digits, epochs=1, verbose=0, callbacks=[scheduler])
    assert [float(o.learning_rate) for o in model.optimizer.optimizers] == pytest.approx([1e-4] * 3)


def test_a_plain_autoencoder_has_no_discriminator(digits):
    model = AdversarialAutoencoder(
        networks.encoder((8, 8, 1), 2, hidden_units=8),
        networks.decoder((8, 8, 1), 2, hidden_units=8),
    )
    model.compile()
    logs = model.fit(digits, verbose=0).history
    assert set(logs) == {"loss", "reconstruction_loss"}


def test_networks_of_the_users_own(digits):
    """Convolutions, and images without a channel axis."""
    x = keras.Input((8, 8))
    h = keras.layers.Reshape((8, 8, 1))(x)
    h = keras.layers.Conv2D(4, 3, strides=2, activation="relu")(h)
    encoder = keras.Model(x, keras.layers.Dense(3)(keras.layers.Flatten()(h)))
    z = keras.Input((3,))
    decoder = keras.Model(z, keras.layers.Reshape((8, 8))(keras.layers.Dense(64)(z)))
    model = AdversarialAutoencoder(encoder, decoder, networks.discriminator(3, hidden_units=8))
    model.compile()
    model.fit(digits[..., 0], verbose=0)
    assert model.generate(2).shape == (2, 8, 8)


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
            "Step names must be unique",
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


def test_a_model_is_made_again_from_its_config(make_model, digits):
    model = make_model(prior=priors.Gaussian(2.0), reconstruction_loss="bce")
    again = AdversarialAutoencoder.from_config(model.get_config())
    again.set_weights(model.get_weights())
    assert np.array_equal(again.encode(digits), model.encode(digits))
    assert (again.prior.std, again.reconstruction_loss) == (2.0, "bce")


def test_no_images_give_no_codes(make_model, digits):
    assert make_model().encode(digits[:0]).shape == (0, 2)


def test_a_missing_optimizer_and_an_unknown_loss_are_refused(make_model):
    with pytest.raises(ValueError, match="reconstruction, discriminator, generator. Received: gen"):
        make_model().compile({"generator": "adam"})
    with pytest.raises(ValueError, match="mse, bce. Received: reconstruction_loss='mae'"):
        make_model(reconstruction_loss="mae")


@pytest.mark.parametrize("value", [255.0, np.nan, -0.5, np.int64(256)])
@pytest.mark.parametrize("method", ["fit", "evaluate", "encode"])
def test_images_that_are_not_scaled_are_refused(make_model, method, value):
    with pytest.raises(ValueError, match="floats in"):
        getattr(make_model(), method)(np.full((4, 8, 8, 1), value))


def test_weights_are_drawn_with_the_standard_deviation_asked_for():
    kernels = [
        layer.kernel.numpy()
        for layer in networks.encoder((28, 28, 1), 2, weight_std=0.01).layers
        if hasattr(layer, "kernel")
    ]
    assert len(kernels) == 3
    for kernel in kernels:
        assert kernel.std() == pytest.approx(0.01, rel=0.05)
    assert not np.array_equal(kernels[0][:2], kernels[2].T[:2, :1000])


SMALL = {"hidden_units": 24}


@pytest.fixture(scope="session")
def classes():
    """The classes of the digits."""
    return load_digits().target


@pytest.fixture
def semi_supervised():
    """A semi-supervised AAE as a notebook would build it."""
    keras.utils.set_random_seed(7)
    model = AdversarialAutoencoder(
        networks.encoder((8, 8, 1), 3, num_classes=10, **SMALL),
        networks.decoder((8, 8, 1), 3, num_classes=10, **SMALL),
        {
            "z": networks.discriminator(3, **SMALL),
            "y": networks.discriminator(10, name="discriminator_y", **SMALL),
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
def supervised():
    """A supervised AAE: the encoder infers z alone, y is the label."""
    keras.utils.set_random_seed(7)
    model = AdversarialAutoencoder(
        networks.encoder((8, 8, 1), 3, **SMALL),
        networks.decoder((8, 8, 1), 3, num_classes=10, **SMALL),
        networks.discriminator(3, **SMALL),
    )
    model.compile(keras.optimizers.Adam(2e-3))
    return model


@pytest.fixture
def with_heads():
    """A dimensionality reduction: y chooses a cluster head that is added to z."""
    keras.utils.set_random_seed(7)
    return AdversarialAutoencoder(
        networks.encoder((8, 8, 1), 2, num_classes=5, **SMALL),
        networks.decoder((8, 8, 1), 2, num_classes=5, head_margin=2.0, **SMALL),
    )


def test_few_labels_teach_the_classes_of_the_others(semi_supervised, digits, classes):
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


def test_every_negative_label_means_unlabelled(semi_supervised, digits):
    start, ends = semi_supervised.get_weights(), []
    for label in (-1, -5):
        semi_supervised.set_weights(start)
        semi_supervised.compile(keras.optimizers.Adam(1e-2))
        semi_supervised.train_on_batch(digits[:100], np.full(100, label))
        ends.append(semi_supervised.get_weights())
    assert equal(*ends)
    assert not equal(ends[0], start)


def test_each_code_of_a_semi_supervised_model_has_its_game(semi_supervised):
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


def test_decode_takes_values_of_y_or_weights_of_them(semi_supervised):
    z, y = np.random.default_rng(0).normal(size=(6, 3)).astype("float32"), np.arange(6)
    images = semi_supervised.decode(z, y, batch_size=4)
    assert images.shape == (6, 8, 8, 1)
    assert np.allclose(images, semi_supervised.decode(z, np.eye(10)[y]), atol=1e-6)
    assert np.allclose(images, semi_supervised.decode(z, y.tolist()), atol=1e-6)
    other = semi_supervised.decode(z, y + 1)
    assert np.abs(images - other).max() > 1e-3
    # A share of each lies between the two in the logits only, but is another image than both.
    mixed = semi_supervised.decode(z, (np.eye(10)[y] + np.eye(10)[y + 1]) / 2)
    assert not np.allclose(mixed, images, atol=1e-4)
    assert not np.allclose(mixed, other, atol=1e-4)


def test_generate_takes_y_or_draws_it(semi_supervised):
    model = semi_supervised
    z = priors.draw(model.prior, 4, 3, seed=5)
    expected = model.decode(z, [3, 1, 4, 1])
    assert np.allclose(model.generate(4, [3, 1, 4, 1], seed=5), expected, atol=1e-6)
    drawn = model.generate(4, seed=5)
    assert np.array_equal(drawn, model.generate(4, seed=5))
    assert not np.allclose(drawn, expected, atol=1e-3)


def test_call_uses_the_y_that_is_inferred_or_given(semi_supervised, supervised, digits, classes):
    x, y = digits[:20], classes[:20]
    for given in (None, y):
        expected = semi_supervised.decode(
            semi_supervised.encode(x), semi_supervised.classify(x) if given is None else y
        )
        assert np.allclose(semi_supervised(x, given), expected, atol=1e-5)
    assert np.allclose(supervised(x, y), supervised.decode(supervised.encode(x), y), atol=1e-5)


def test_a_supervised_model_learns_what_the_label_says(supervised, digits, classes):
    """With the wrong label the reconstruction is worse, so that the decoder reads it."""
    supervised.fit(digits, classes, batch_size=100, epochs=15, verbose=0)

    def loss(y):
        return np.mean((supervised(digits, y).numpy() - digits / 255.0) ** 2)

    assert loss(classes) < 0.8 * loss((classes + 1) % 10)


def test_cluster_heads_are_places_among_the_codes(with_heads, digits):
    heads = with_heads.cluster_heads
    assert heads.shape == (5, 2)
    x = digits[:30]
    expected = with_heads.encode(x) + with_heads.classify(x) @ heads
    assert np.allclose(with_heads.represent(x), expected, atol=1e-5)
    # The decoder sees nothing but the place.
    zeros = np.zeros((30, 5), "float32")
    whole = with_heads(x).numpy()
    assert np.allclose(with_heads.decode(with_heads.represent(x), zeros), whole, atol=1e-5)
    origin = np.zeros((5, 2), "float32")
    of_heads = with_heads.decode(origin, np.arange(5))
    assert np.allclose(of_heads, with_heads.decode(heads, np.zeros((5, 5))), atol=1e-5)


def test_the_margin_between_heads_is_a_part_of_the_reconstruction_step(with_heads, digits):
    heads = with_heads.decoder.get_layer("cluster_heads").kernel
    heads.assign(np.random.default_rng(0).normal(0, 0.1, (5, 2)))
    with_heads.compile(keras.optimizers.Adam(0.01))
    with_heads.fit(digits, batch_size=200, epochs=30, verbose=0)
    distances = np.linalg.norm(heads.numpy()[:, None] - heads.numpy(), axis=-1)
    assert distances[~np.eye(5, dtype=bool)].min() > 1.4


def test_a_model_without_y_represents_images_by_their_codes(make_model, supervised, digits):
    for model in (make_model(), supervised):
        assert np.array_equal(model.represent(digits[:5]), model.encode(digits[:5]))
        assert model.cluster_heads is None


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


def test_a_y_for_a_model_without_one_is_refused(make_model, digits):
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
    with pytest.raises(ValueError, match="takes no sample weights. Received: sample_weight"):
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
        ({"phases": [phases.Variational()]}, "needs a gaussian posterior and a Gaussian prior"),
        ({"posterior": "universal"}, "posterior must be one of deterministic, gaussian. Received"),
        ({"posterior": "gaussian"}, "twice as wide as z"),
    ],
)
def test_codes_priors_and_phases_that_do_not_fit_are_refused(arguments, message):
    pair = (networks.encoder((8, 8), 3, **SMALL), networks.decoder((8, 8), 3, **SMALL))
    with pytest.raises(ValueError, match=message):
        AdversarialAutoencoder(*pair, **arguments).compile()


def test_an_encoder_that_infers_y_needs_a_decoder_that_takes_it():
    encoder = networks.encoder((8, 8), 3, num_classes=4, **SMALL)
    with pytest.raises(ValueError, match="decoder must have an input y"):
        AdversarialAutoencoder(encoder, networks.decoder((8, 8), 3, **SMALL))
    with pytest.raises(ValueError, match="input y must have the shape .None, 4.. Received"):
        AdversarialAutoencoder(encoder, networks.decoder((8, 8), 3, num_classes=5, **SMALL))


def test_the_discrepancy_of_a_last_minibatch_of_one_image_is_finite(digits):
    model = AdversarialAutoencoder(
        networks.encoder((8, 8, 1), 2, **SMALL),
        networks.decoder((8, 8, 1), 2, **SMALL),
        phases=[phases.MaximumMeanDiscrepancy()],
    )
    model.compile()
    logs = model.evaluate(digits[:101], batch_size=50, return_dict=True, verbose=0)
    assert np.isfinite(logs["mmd"])


# A prior of the user's own, and a file that tells that its module was executed.
MODULE = """
import pathlib
import tensorflow as tf

pathlib.Path(__file__).with_name("executed").touch()


def registered(n, dim, seed):
    return tf.random.stateless_uniform((n, dim), seed, -2.0, 2.0)


def unregistered(n, dim, seed):
    return tf.random.stateless_uniform((n, dim), seed, -2.0, 2.0)
"""


@pytest.fixture
def users_module(tmp_path, monkeypatch):
    (tmp_path / "users_prior.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield importlib.import_module("users_prior")
    sys.modules.pop("users_prior", None)


def test_a_registered_function_as_a_prior_is_found_again(make_model, users_module, tmp_path):
    keras.saving.register_keras_serializable("users_prior", "registered")(users_module.registered)
    model = make_model(prior=users_module.registered)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.prior is users_module.registered
    samples = model.generate(5)
    assert np.array_equal(samples, loaded.generate(5))
    assert np.abs(priors.draw(loaded.prior, 1000, 2)).max() <= 2


def test_a_function_that_is_not_registered_is_not_imported(make_model, users_module, tmp_path):
    make_model(prior=users_module.unregistered).save(tmp_path / "model.keras")
    del sys.modules["users_prior"]
    (tmp_path / "executed").unlink()
    with pytest.raises(TypeError, match="(?s)unregistered.*register_keras_serializable"):
        keras.saving.load_model(tmp_path / "model.keras")
    assert "users_prior" not in sys.modules
    assert not (tmp_path / "executed").exists()
    scope = {"unregistered": priors.Gaussian(2.0)}
    loaded = keras.saving.load_model(tmp_path / "model.keras", custom_objects=scope)
    assert loaded.prior.std == 2.0


def test_a_discriminator_may_name_its_only_input(digits):
    """A dict with the key "code" alone is no discriminator that sees labels."""
    named = {}
    for code in ("z", "y"):
        x = keras.Input((2,), name="code")
        named[code] = keras.Model({"code": x}, keras.layers.Dense(1)(x))
    hidden = {"num_classes": 2, "hidden_units": 8}
    model = AdversarialAutoencoder(
        networks.encoder((8, 8, 1), 2, **hidden), networks.decoder((8, 8, 1), 2, **hidden), named
    )
    model.compile("adam")
    assert not model.uses_labels
    losses = model.fit(digits[:100], batch_size=50, verbose=0).history
    assert np.isfinite([*losses.values()]).all()
