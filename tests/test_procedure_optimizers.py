"""`compile()` sets the optimizers of the procedure, whose rates fall over the length of `fit`."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from adversarial_autoencoder import (
    AdversarialAutoencoder,
    Config,
    load_model,
    networks,
    priors,
    training,
)

PRIOR = priors.Gaussian(2.0)


class Rates(keras.callbacks.Callback):
    """The learning rate of the reconstruction after each epoch."""

    def on_train_begin(self, logs=None):
        self.values = []

    def on_epoch_end(self, epoch, logs=None):
        steps = self.model.optimizer.steps
        self.values.append(float(steps["reconstruction"].learning_rate))


@pytest.fixture
def model():
    hidden = {"hidden_units": 8}
    model = AdversarialAutoencoder(
        networks.encoder((8, 8, 1), 2, **hidden),
        networks.decoder((8, 8, 1), 2, **hidden),
        networks.discriminator(2, prior=PRIOR, **hidden),
        prior=PRIOR,
    )
    model.compile()
    return model


def test_the_kinds_of_steps_have_the_rates_of_the_settings(model):
    config = Config()
    for name, optimizer in model.optimizer.steps.items():
        expected = getattr(config, f"{model.steps[name].kind}_learning_rate")
        assert float(optimizer.learning_rate) == pytest.approx(expected)
    assert model.optimizer.steps["generator"].epsilon == config.generator_epsilon


def test_the_rates_fall_to_0_over_each_call_of_fit(model, digits):
    rates = Rates()
    x = digits[:101]
    for options in (
        {},
        {"validation_split": 0.1},  # 90 images remain, and 3 minibatches.
        {"validation_split": 0.9, "validation_data": x},
        {"validation_split": None},
    ):
        model.fit(x, batch_size=30, epochs=4, verbose=0, callbacks=[rates], **options)
        shares = np.array(rates.values) / Config().reconstruction_learning_rate
        assert shares == pytest.approx([0.5 * (1 + np.cos(np.pi * i / 4)) for i in (1, 2, 3, 4)])


@pytest.mark.parametrize("known", [True, False])
def test_a_data_set_of_unknown_length_keeps_the_rate(model, digits, known):
    batches = tf.data.Dataset.from_tensor_slices(digits[:100]).batch(50)
    if not known:
        batches = batches.filter(lambda x: True)
    rates = Rates()
    model.fit(batches, epochs=2, verbose=0, callbacks=[rates])
    start = Config().reconstruction_learning_rate
    expected = [0.5 * start, 0.0] if known else [start, start]
    assert rates.values == pytest.approx(expected, abs=1e-9)


def test_a_saved_model_keeps_them(model, digits, tmp_path):
    model.fit(digits[:100], verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    for one in (model, loaded):
        one.fit(digits[:100], epochs=2, shuffle=False, verbose=0)
    for a, b in zip(model.variables, loaded.variables, strict=True):
        assert np.array_equal(a, b), a.path


def test_the_codes_are_normalized_by_default_and_the_discriminator_sees_units_of_the_prior(model):
    """Whatever the scale of the prior, and however large the features of the encoder."""
    encoder = model.encoder
    features = encoder.get_layer("encoder_z_features")
    x = np.random.default_rng(0).random((200, 8, 8, 1), "float32")
    both = keras.Model(encoder.input, [features.input, features.output])
    raw, values = (part.numpy() for part in both(x, training=True))
    assert values.mean(axis=0) == pytest.approx(np.zeros(values.shape[1]), abs=1e-4)
    expected = raw.std(axis=0) / np.sqrt(raw.var(axis=0) + features.epsilon)
    assert values.std(axis=0) == pytest.approx(expected, abs=0.05)
    wide = networks.discriminator(3, prior=priors.Gamma(2.0, 7.0), hidden_units=8)
    z = priors.draw(priors.Gamma(2.0, 7.0), 20_000, 3)
    seen = keras.Model(wide.input, wide.get_layer("discriminator_scaled").output)(z).numpy()
    assert np.sqrt((seen**2).sum(axis=1).mean()) == pytest.approx(np.sqrt(50), rel=0.03)
    assert seen.mean(axis=0) == pytest.approx(np.zeros(3), abs=0.1)


def test_a_resumed_fit_follows_the_cosine_of_the_whole(model, digits):
    rates = Rates()
    model.fit(digits[:100], batch_size=50, epochs=2, verbose=0)
    model.fit(digits[:100], batch_size=50, epochs=4, initial_epoch=2, verbose=0, callbacks=[rates])
    expected = [0.5 * (1 + np.cos(np.pi * i / 4)) for i in (3, 4)]
    shares = np.array(rates.values) / Config().reconstruction_learning_rate
    assert shares == pytest.approx(expected, abs=1e-6)


class Stop(keras.callbacks.Callback):
    """Saves the model in the middle of a training, and interrupts it."""

    def __init__(self, path):
        super().__init__()
        self.path = path

    def on_epoch_end(self, epoch, logs=None):
        self.model.save(self.path)
        raise KeyboardInterrupt


def test_the_rates_are_constant_outside_of_fit(model, digits, tmp_path):
    model.fit(digits[:100], verbose=0)
    before = model.decoder.get_weights()[0]
    model.train_on_batch(digits[:50])
    assert not np.array_equal(before, model.decoder.get_weights()[0])
    with pytest.raises(KeyboardInterrupt):
        model.fit(digits[:100], epochs=2, verbose=0, callbacks=[Stop(tmp_path / "a.keras")])
    for one in (model, load_model(tmp_path / "a.keras")):
        rate = one.optimizer.steps["reconstruction"].learning_rate
        assert float(rate) == pytest.approx(Config().reconstruction_learning_rate)


def described(part):
    """The configuration of a network or an optimizer, without its precision and its names."""
    if isinstance(part, dict):
        left_out = ("dtype", "name", "registered_name", "build_config", "loss_scale_factor")
        return {key: described(value) for key, value in part.items() if key not in left_out}
    return [described(item) for item in part] if isinstance(part, (list, tuple)) else part


def test_the_defaults_of_the_library_are_those_of_the_command_line(digits):
    """The model of the README is the one that `--mode train` trains."""
    config = dataclasses.replace(Config(), precision="float32").for_data(1000)
    trained = training.build(config, (8, 8, 1))
    trained.compile(training.make_optimizer(config, trained.steps, 10))
    prior = priors.Gaussian(std=5.0)
    library = AdversarialAutoencoder(
        encoder=networks.encoder((8, 8, 1), z_dim=2, prior=prior),
        decoder=networks.decoder((8, 8, 1), z_dim=2),
        discriminator=networks.discriminator(2, prior=prior),
        prior=prior,
    )
    library.compile()
    for name in ("encoder", "decoder", "discriminator"):
        one, other = (getattr(model, name).get_config() for model in (trained, library))
        assert described(one) == described(other), name
    assert [p.get_config() for p in trained.phases] == [p.get_config() for p in library.phases]
    trained.optimizer.plan(0, 10 * config.epochs)
    library.optimizer.plan(0, 10 * config.epochs)
    for iteration in (0, 100, 399):
        for model in (trained, library):
            for optimizer in model.optimizer.steps.values():
                optimizer.iterations.assign(iteration)
        for name, optimizer in trained.optimizer.steps.items():
            other = library.optimizer.steps[name]
            assert float(optimizer.learning_rate) == pytest.approx(float(other.learning_rate))
            for setting in ("epsilon", "beta_1", "beta_2"):
                assert getattr(optimizer, setting) == getattr(other, setting), (name, setting)
