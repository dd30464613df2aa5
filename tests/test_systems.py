"""One contract for every system: it trains, saves and resumes exactly."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import STEPS, assert_equal_models, built, config_of

from adversarial_autoencoder import AdversarialAutoencoder, training
from adversarial_autoencoder.systems import ADVERSARIAL_LOSSES, CLASSIFICATION, PRIORS, SYSTEMS

# Each system, and each posterior with and without a y.
COMBINATIONS = dict.fromkeys((*SYSTEMS, "conditioned", "detached"), "deterministic") | {
    "vae": "gaussian",
    "aae": "universal",
    "labelled_reduction": "gaussian",
    "separate": "universal",
}


def fit(model, batches, epoch):
    return model.fit(batches(epoch), steps_per_epoch=STEPS, epochs=1, verbose=0).history


@pytest.mark.parametrize(
    ("model", "posterior"),
    [
        pytest.param(*pair, marks=[pytest.mark.long] if pair[0] in ("detached", "separate") else [])
        for pair in COMBINATIONS.items()
    ],
)
def test_a_system_trains_saves_and_resumes_exactly(model, posterior, dataset, tmp_path):
    small = {"hidden_layers": 1, "dropout": 0.1, "learning_rate_schedule": "constant"}
    config = config_of(model, posterior=posterior, **small)
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

    # After it is saved and loaded, the training continues as if it had not been interrupted.
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
    assert_equal_models(model, loaded)


@pytest.mark.long
@pytest.mark.parametrize(
    ("prior", "loss"),
    # The losses do not see the prior, so that each one with one prior is enough.
    list(itertools.zip_longest(PRIORS, ADVERSARIAL_LOSSES, fillvalue="non_saturating")),
)
def test_every_prior_and_adversarial_loss_trains_with_xla(prior, loss, dataset):
    config = config_of("aae", prior=prior, adversarial_loss=loss, hidden_layers=1)
    model, batches = built(config, dataset)
    model.compile(training.make_optimizer(config, model.steps, STEPS), jit_compile=True)
    logs = fit(model, batches, 0)
    assert all(np.isfinite(values).all() for values in logs.values())


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


def test_labels_reach_the_discriminator(dataset):
    """The loss of a conditioned discriminator depends on the labels."""
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
