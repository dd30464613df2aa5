"""One contract for every system with every posterior: it trains, saves and goes on exactly."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from adversarial_autoencoder import AdversarialAutoencoder, data, runs, training
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.data.labels import training_labels
from adversarial_autoencoder.data.pipeline import training_batches
from adversarial_autoencoder.errors import InputError, TrainingError
from adversarial_autoencoder.systems import CLASSIFICATION, PRIORS, SYSTEMS
from adversarial_autoencoder.training import build

POSTERIORS = ("deterministic", "gaussian", "universal")
COMBINATIONS = [
    (model, posterior)
    for model in SYSTEMS
    for posterior in (("gaussian",) if model == "vae" else POSTERIORS)
] + [
    *((name, "deterministic") for name in ("labelled_reduction", "conditioned", "detached")),
    ("separate", "universal"),
]
SPECIAL = {
    "detached": {"model": "semi_supervised_aae", "detach_y": True},
    "separate": {
        "model": "clustering_aae",
        "separate_y": True,
        "detach_y": True,
        "consistency": "vat",
        "information_weight": 0.1,
    },
    "late": {"model": "semi_supervised_aae", "detach_y": True, "y_start": 4},
    "labelled_reduction": {"model": "dimensionality_reduction_aae", "num_labels": 100},
    "conditioned": {
        "model": "aae",
        "prior": "gaussian_mixture",
        "condition_prior_on_labels": True,
        "num_labels": 300,
        "z_dim": 2,
    },
}
STEPS = 6


@pytest.fixture(scope="module")
def dataset():
    return data.load("digits")


def config_of(model, **settings):
    small = {"hidden_units": 16, "batch_size": 200, "epochs": 2, "dataset": "digits"}
    return Config.of(**small | SPECIAL.get(model, {"model": model}) | settings)


def built(config, dataset):
    """A compiled model, and a function that gives its training batches from an epoch on."""
    labels, shares = training_labels(config, dataset)
    model = build(config, dataset.image_shape, shares)
    model.compile(training.make_optimizer(config, model.steps, STEPS), jit_compile=False)

    def batches(epoch):
        classify = config.has_phase(CLASSIFICATION)
        return training_batches(dataset.x_train, 200, config.seed, epoch, labels, classify)

    return model, batches


def fit(model, batches, epoch):
    return model.fit(batches(epoch), steps_per_epoch=STEPS, epochs=1, verbose=0).history


@pytest.mark.parametrize(("model", "posterior"), COMBINATIONS)
def test_contract(model, posterior, dataset, tmp_path):
    config = config_of(model, posterior=posterior, dropout=0.1, learning_rate_schedule="constant")
    model, batches = built(config, dataset)

    # Each step moves exactly its own variables.
    moved = {}

    def record(step, tape, loss):
        before = [variable.numpy() for variable in model.variables]
        AdversarialAutoencoder.update(model, step, tape, loss)
        moved[step.name] = {
            variable.path
            for old, variable in zip(before, model.variables, strict=True)
            if "seed_generator" not in variable.path
            if not np.array_equal(old, variable.numpy())
        }

    model.update = record
    batch = model._batch(next(iter(batches(0))), step=0)
    for i, phase in enumerate(model.phases):
        metrics = phase.step(model, batch.for_phase(i))
        assert set(metrics) == set(phase.metrics)
    del model.update
    assert list(moved) == list(model.var_lists)
    for step, variables in model.var_lists.items():
        assert moved[step] == {variable.path for variable in variables}, step

    # It trains, saves and loads; what follows equals a training without interruption.
    logs = fit(model, batches, 0)
    assert all(np.isfinite(values).all() for values in logs.values())
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    x, y = dataset.x_test[:50], dataset.y_test[:50]
    y = y if config.system.y == "given" else None
    for one, other in (
        (model.encode(x, seed=3), loaded.encode(x, seed=3)),
        (model(x, y), loaded(x, y)),
        (model.generate(5), loaded.generate(5)),
    ):
        assert np.array_equal(one, other)
    assert model.encode(x).shape == (50, config.z_dim)
    assert model.generate(5).shape == (5, 8, 8, 1)
    if model.infers_y:
        assert model.classify(x).sum(axis=1) == pytest.approx(np.ones(50), abs=1e-5)
    for m in (model, loaded):
        fit(m, batches, 1)
    for a, b in zip(model.variables, loaded.variables, strict=True):
        assert np.array_equal(a, b), a.path


@pytest.mark.parametrize(
    ("prior", "loss"),
    [(prior, "non_saturating") for prior in PRIORS]
    + [("gaussian", loss) for loss in ("least_squares", "hinge", "wasserstein_gp")],
)
def test_every_prior_and_game_compiles_and_trains(prior, loss, dataset):
    config = config_of("aae", prior=prior, adversarial_loss=loss)
    model, batches = built(config, dataset)
    model.compile(training.make_optimizer(config, model.steps, STEPS), jit_compile=True)
    logs = fit(model, batches, 0)
    assert all(np.isfinite(values).all() for values in logs.values())


@pytest.mark.parametrize(
    ("name", "kind", "momentum"),
    [("sgd", keras.optimizers.SGD, "momentum"), ("adam", keras.optimizers.Adam, "beta_1")],
)
def test_the_papers_optimizer_can_be_expressed_and_adam_on_its_schedule(name, kind, momentum):
    config = config_of(
        "aae",
        optimizer=name,
        learning_rate_schedule="step",
        step_epochs="2,4",
        step_factors="0.1,0.5",
        discriminator_learning_rate=0.1,
        discriminator_momentum=0.1,
    )
    optimizers = training.make_optimizer(
        config, ["reconstruction", "discriminator"], steps_per_epoch=10
    )
    optimizer = optimizers.steps["discriminator"]
    assert isinstance(optimizer, kind)
    assert getattr(optimizer, momentum) == 0.1
    rates = [float(optimizer._learning_rate(step)) for step in (0, 19, 20, 39, 40)]
    assert rates == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.005])


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_the_encoder_can_begin_the_game_on_y_late(schedule, dataset):
    config = config_of("late", learning_rate_schedule=schedule)
    plain = config_of("late", y_start=0, learning_rate_schedule=schedule)
    late, usual = (
        training.make_optimizer(c, built(c, dataset)[0].steps, STEPS).steps for c in (config, plain)
    )
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(late["generator_y"])
    )
    for step, share in ((0, 0.0), (4, 0.0), (6, 0.5), (8, 1.0), (11, 1.0)):
        for name, optimizer in [*late.items(), ("generator_y", again)]:
            optimizer.iterations.assign(step)
            usual[name].iterations.assign(step)
            expected = float(usual[name].learning_rate)
            expected *= share if name == "generator_y" else 1.0
            assert float(optimizer.learning_rate) == pytest.approx(expected), (name, step)


@pytest.mark.parametrize("model", ["supervised_aae", "semi_supervised_aae", "late"])
def test_a_run_trains_and_goes_on_as_if_it_had_not_stopped(model, dataset, tmp_path):
    def config(epochs):
        return config_of(model, epochs=epochs, learning_rate_schedule="constant")

    def train(run, epochs):
        run.write_config(config(epochs), dataset)
        return training.train(config(epochs), dataset, run)

    whole = train(runs.create(tmp_path, "whole"), 2)
    run = runs.create(tmp_path, "two")
    train(run, 1)
    two = train(run, 2)
    for a, b in zip(whole.variables, two.variables, strict=True):
        assert np.array_equal(a, b), a.path
    rows = run.read_history()
    assert [row["epoch"] for row in rows] == [1, 2]
    assert rows[1]["val_reconstruction_loss"] < rows[0]["val_reconstruction_loss"]
    assert np.array_equal(training.load(run).generate(5), two.generate(5))


@pytest.mark.parametrize("model", ["semi_supervised_aae", "labelled_reduction", "conditioned"])
def test_labels_of_unlabelled_images_never_enter_the_graph(model, dataset):
    config = config_of(model)
    _, batches = built(config, dataset)
    true = {x.tobytes(): y for x, y in zip(dataset.x_train, dataset.y_train, strict=True)}
    seen = set()
    for batch in batches(0).take(STEPS).as_numpy_iterator():
        for x, y in zip(batch["x"], batch["y"], strict=True):
            assert y in (-1, true[x.tobytes()])
            seen |= {x.tobytes()} if y >= 0 else set()
        if config.has_phase(CLASSIFICATION):
            pairs = zip(batch["x_labelled"], batch["y_labelled"], strict=True)
            assert all(y == true[x.tobytes()] for x, y in pairs)
            assert len(batch["y_labelled"]) == config.num_labels
    assert len(seen) <= config.num_labels


@pytest.mark.parametrize(
    ("model", "settings", "part"),
    [
        ("wae_mmd", {"mmd_weight": 0.5}, lambda m: {"mmd_weight": m.phases[0].weight}),
        (
            "aae",
            {"prior": "gamma", "prior_shape": 3.0, "prior_std": 2.0},
            lambda m: {"prior_shape": m.prior.shape, "prior_std": m.prior.std},
        ),
        (
            "aae",
            {
                "prior": "gaussian_mixture",
                "prior_components": 6,
                "prior_radius": 7.0,
                "prior_width": 0.3,
                "prior_length": 1.5,
            },
            lambda m: {
                "prior_components": m.prior.num_components,
                "prior_radius": m.prior.radius,
                "prior_width": m.prior.std_across,
                "prior_length": m.prior.std_along,
            },
        ),
        (
            "aae",
            {"prior": "swiss_roll", "prior_turns": 1.5, "prior_width": 0.2, "prior_radius": 7.0},
            lambda m: {
                "prior_turns": m.prior.turns,
                "prior_width": m.prior.std,
                "prior_radius": m.prior.radius,
            },
        ),
        (
            "aae",
            {"adversarial_loss": "wasserstein_gp", "gradient_penalty": 3.0},
            lambda m: {"gradient_penalty": m.phases[1].gradient_penalty},
        ),
        (
            "semi_supervised_aae",
            {"y_temperature": 0.3, "prior_std": 2.0, "detach_y": True},
            lambda m: {
                "y_temperature": m.priors["y"].temperature,
                "prior_std": m.prior.std,
                "detach_y": m.phases[0].detach_y,
            },
        ),
        (
            "clustering_aae",
            {
                "consistency": "vat",
                "vat_weight": 2.0,
                "vat_epsilon": 0.7,
                "vat_warmup": 5,
                "information_weight": 0.2,
            },
            lambda m: vars(m.phases[-1]),
        ),
    ],
)
def test_settings_reach_the_model(model, settings, part, dataset):
    reached = part(built(config_of(model, **settings), dataset)[0])
    numbers = {name: value for name, value in settings.items() if not isinstance(value, str)}
    assert {name: reached[name] for name in numbers} == numbers


def test_labels_reach_the_discriminator(dataset):
    """With other labels, and with none, the loss of the conditioned discriminator is another."""
    config = config_of("conditioned", num_labels=0)
    model, batches = built(config, dataset)
    batch = model._batch(next(iter(batches(0))), step=0)
    phase = model.phases[1]
    losses = []
    for labels in (batch.labels, (batch.labels + 1) % 10, tf.fill(batch.labels.shape, -1)):
        losses.append(
            float(phase.evaluate(model, batch._replace(labels=labels))["discriminator_loss"])
        )
    assert len(set(losses)) == 3


def test_a_file_that_lacks_optimizer_state_is_refused(dataset, tmp_path):
    """Keras only warns; the training would go on without its moments."""
    run = runs.create(tmp_path, "run")
    training.train(config_of("aae", epochs=1), dataset, run)
    other = config_of("aae", learning_rate_schedule="constant")
    with pytest.raises(InputError, match="readable model.keras"):
        training.train(other, dataset, run)


def test_deterministic_asks_tensorflow_for_it(dataset, tmp_path, monkeypatch):
    """For good it would hold for all tests that follow."""
    asked = []
    monkeypatch.setattr(tf.config.experimental, "enable_op_determinism", lambda: asked.append(1))
    for name, deterministic in (("a", False), ("b", True)):
        config = config_of("autoencoder", epochs=1, deterministic=deterministic)
        training.train(config, dataset, runs.create(tmp_path, name))
        assert len(asked) == deterministic


def test_the_cosine_lets_the_discriminator_keep_its_rate(dataset, tmp_path):
    model = training.train(config_of("aae"), dataset, runs.create(tmp_path, "run"))
    rates = {step: float(o.learning_rate) for step, o in model.optimizer.steps.items()}
    assert rates["reconstruction"] == pytest.approx(0, abs=1e-9)
    assert rates["generator"] == pytest.approx(0, abs=1e-9)
    assert rates["discriminator"] == pytest.approx(Config.of().discriminator_learning_rate)


@pytest.mark.parametrize(
    ("noise", "where"),
    [
        (0.0, "discriminator_loss.* in the regularization phase .* step 1 of epoch 2"),
        # A ReLU swallows what is not a number: the losses stay finite, and the gradients tell it.
        (0.1, "^gradients in the regularization phase .* step 1 of epoch 2"),
    ],
)
def test_codes_that_are_not_finite_stop_the_training_and_keep_the_last_model(
    dataset, tmp_path, noise, where
):
    run = runs.create(tmp_path, "run")
    noises = {"input_noise": noise, "discriminator_noise": noise}
    config = config_of("aae", epochs=1, **noises)
    run.write_config(config, dataset)
    training.train(config, dataset, run)
    before = run.model_path.read_bytes()
    # The first update of the encoder takes the codes out of the range of floats.
    bad = config_of("aae", epochs=30, reconstruction_learning_rate=1e30, **noises)
    with pytest.raises(TrainingError, match=f"{where}. .* epoch, 1, is"):
        training.train(bad, dataset, run)
    keras.saving.load_model(run.model_path)
    assert np.isfinite(training.load(run).encode(dataset.x_test)).all()
    assert run.model_path.read_bytes() == before
