"""A model that is saved, loaded, copied or deleted."""

import gc
import importlib
import sys

import keras
import numpy as np
import pytest
from helpers import equal, optimizer_state, weights_of

from adversarial_autoencoder import AdversarialAutoencoder, priors
from adversarial_autoencoder.optimizers import FusedAdam


@pytest.mark.parametrize("jit_compile", [False, pytest.param(True, marks=pytest.mark.long)])
def test_a_loaded_model_continues_exactly(make_model, digits, tmp_path, jit_compile):
    """Weights, optimizer moments and noise continue as in an uninterrupted training."""
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


def test_a_deleted_model_leaves_no_graph_in_memory(make_model, digits):
    """Keras's own optimizers leave one, even with a single replica, because of `all_reduce`."""

    def graphs():
        gc.collect()
        return {id(o) for o in gc.get_objects() if type(o).__name__ == "FuncGraph"}

    before, model = graphs(), make_model()
    model.compile(FusedAdam(1e-3), jit_compile=False)
    model.fit(digits[:200], batch_size=100, verbose=0)
    assert graphs() - before
    del model
    assert not graphs() - before


@pytest.mark.usefixtures("eager")
def test_backup_and_restore_of_keras_includes_the_optimizers(make_model, digits, tmp_path):
    x = digits[:300]

    def fit(model, epochs):
        backup = keras.callbacks.BackupAndRestore(tmp_path / "backup", delete_checkpoint=False)
        model.fit(x, batch_size=100, epochs=epochs, shuffle=False, verbose=0, callbacks=[backup])
        return weights_of(model)

    whole = make_model()
    whole.fit(x, batch_size=100, epochs=2, shuffle=False, verbose=0)
    fit(make_model(), epochs=1)
    assert equal(fit(make_model(), epochs=2), weights_of(whole))


def test_get_config_describes_the_model(make_model, digits):
    model = make_model(prior=priors.Gaussian(2.0), reconstruction_loss="bce")
    again = AdversarialAutoencoder.from_config(model.get_config())
    again.set_weights(model.get_weights())
    assert np.array_equal(again.encode(digits), model.encode(digits))
    assert (again.prior.std, again.reconstruction_loss) == (2.0, "bce")


# A user's own prior. The file "executed" shows that its module was executed.
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


def test_a_registered_function_as_a_prior_is_loaded(make_model, users_module, tmp_path):
    keras.saving.register_keras_serializable("users_prior", "registered")(users_module.registered)
    model = make_model(prior=users_module.registered)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.prior is users_module.registered
    samples = model.generate(5)
    assert np.array_equal(samples, loaded.generate(5))
    assert np.abs(priors.draw(loaded.prior, 1000, 2)).max() <= 2


def test_an_unregistered_function_is_not_imported(make_model, users_module, tmp_path):
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
