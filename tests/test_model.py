"""The model as an ordinary Keras model."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from adversarial_autoencoder import AdversarialAutoencoder, networks, phases, priors


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
        moved[step] = {
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
        ({"phases": [phases.Reconstruction(), phases.Reconstruction()]}, "in one phase"),
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
    with pytest.raises(ValueError, match="images alone. Received: y"):
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
