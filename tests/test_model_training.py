"""The model as an ordinary Keras model: training, evaluation and use."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import equal, weights_of

from adversarial_autoencoder import AdversarialAutoencoder, networks, phases, priors


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
    """The step of the discriminator does not change the encoder, nor the reverse."""
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


def test_the_discriminator_sees_the_prior_as_real_and_the_codes_as_fake(make_model, digits):
    """With a constant encoder, the discriminator learns to answer 1 on the prior."""
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


def test_encode_decode_call_and_generate_agree(make_model, digits):
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


def test_a_scaled_loss_trains_the_same_weights(make_model, digits):
    trained = []
    for factor in (None, 1024.0):
        model = make_model()
        model.compile(keras.optimizers.SGD(0.1, loss_scale_factor=factor), jit_compile=False)
        model.fit(digits[:200], batch_size=100, shuffle=False, verbose=0)
        trained.append(weights_of(model))
    for a, b in zip(*trained, strict=True):
        assert b == pytest.approx(a, abs=1e-6)


def test_a_regularizer_of_the_discriminator_is_part_of_its_loss(digits):
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


def test_the_users_own_networks(digits):
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


def test_no_images_give_no_codes(make_model, digits):
    assert make_model().encode(digits[:0]).shape == (0, 2)


def test_weight_std_is_the_standard_deviation_of_the_initial_weights():
    kernels = [
        layer.kernel.numpy()
        for layer in networks.encoder((28, 28, 1), 2, weight_std=0.01, hidden_layers=2).layers
        if hasattr(layer, "kernel")
    ]
    assert len(kernels) == 3
    for kernel in kernels:
        assert kernel.std() == pytest.approx(0.01, rel=0.05)
    assert not np.array_equal(kernels[0][:2], kernels[2].T[:2, :1000])


def test_the_mmd_of_a_last_minibatch_of_one_image_is_finite(digits):
    model = AdversarialAutoencoder(
        networks.encoder((8, 8, 1), 2, hidden_units=24),
        networks.decoder((8, 8, 1), 2, hidden_units=24),
        phases=[phases.MaximumMeanDiscrepancy()],
    )
    model.compile()
    logs = model.evaluate(digits[:101], batch_size=50, return_dict=True, verbose=0)
    assert np.isfinite(logs["mmd"])


def test_a_discriminator_can_name_its_only_input(digits):
    """A dict with the key "code" only is not a discriminator that sees labels."""
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
