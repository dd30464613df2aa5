"""Several devices or machines, over which minibatches are divided: the weights of one process."""

import dataclasses
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

from adversarial_autoencoder import data, modes, runs, training
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.data.pipeline import training_batches
from adversarial_autoencoder.devices import replicas, tf_config
from adversarial_autoencoder.devices.strategy import make_strategy
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.modes.command import Command
from adversarial_autoencoder.systems import CLASSIFICATION
from adversarial_autoencoder.training import build

ROOT = pathlib.Path(__file__).parent.parent
SMALL = {
    "dataset": "digits",
    "hidden_units": 16,
    "batch_size": 100,
    "epochs": 2,
    "precision": "float32",
    "jit_compile": "false",
    # Adam would turn the rounding of a gradient near 0 into steps of full size.
    "optimizer": "sgd",
    # Every replica draws the noise of its layers itself.
    "input_noise": 0.0,
    "discriminator_noise": 0.0,
}


@pytest.fixture(scope="module")
def mirrored():
    """Two of the processor's logical devices, see conftest.py."""
    strategy = make_strategy(Config(strategy="mirrored"))
    assert strategy.num_replicas_in_sync == 2
    return strategy


def train(settings, strategy=None):
    """Trains two epochs of the digits, without what a run leaves behind."""
    config = Config.of(**SMALL | settings)
    dataset = data.load("digits")
    labels, shares = data.training_labels(config, dataset)
    strategy = strategy or tf.distribute.get_strategy()
    with strategy.scope():
        model = build(config, dataset.image_shape, shares)
        model.compile(training.make_optimizer(config, model.steps, 12), jit_compile=False)

    def batches(worker):
        return training_batches(
            dataset.x_train,
            config.batch_size,
            config.seed,
            labels=labels,
            labelled_stream=config.has_phase(CLASSIFICATION),
            worker=worker,
        )

    batches = strategy.distribute_datasets_from_function(batches)
    logs = model.fit(
        batches, shuffle=False, steps_per_epoch=12, epochs=config.epochs, verbose=0
    ).history
    return model, logs


def assert_close(a, b, tolerance):
    for u, v in zip(a, b, strict=True):
        np.testing.assert_allclose(np.asarray(u), np.asarray(v), rtol=0, atol=tolerance)


def weights_of(model):
    return [variable.numpy() for variable in model.variables]


@pytest.mark.parametrize(
    "settings",
    [
        {
            "model": "semi_supervised_aae",
            "num_labels": 50,
            "posterior": "gaussian",
            "batch_norm": True,
        },
        {
            "prior": "gaussian_mixture",
            "condition_prior_on_labels": True,
            "num_labels": 500,
            "posterior": "universal",
            "adversarial_loss": "wasserstein_gp",
        },
    ],
    ids=["semi_supervised", "conditional"],
)
def test_replicas_train_to_the_weights_of_one_device(mirrored, settings):
    one, logs_of_one = train(settings)
    several, logs = train(settings, mirrored)
    assert_close(weights_of(several), weights_of(one), 1e-4)
    for name in logs:
        assert logs[name] == pytest.approx(logs_of_one[name], abs=1e-3), name
    # 201 images leave one, and so a replica without any, for the last minibatch.
    digits = data.load("digits")
    x, y = digits.x_test[:201], digits.y_test[:201].astype("int32")
    evaluated = several.evaluate(x, y, batch_size=50, verbose=0, return_dict=True)
    assert np.isfinite(list(evaluated.values())).all()


def test_a_model_compiled_in_the_scope_of_a_strategy_trains_alike(make_model, digits, mirrored):
    """Adam in TensorFlow's kernel and Keras's, over minibatches that Keras divides."""
    one = make_model()
    with mirrored.scope():
        several = make_model()
    for model in (one, several):
        model.fit(digits[:1000], batch_size=100, epochs=2, shuffle=False, verbose=0)
    assert_close(weights_of(several), weights_of(one), 2e-3)
    # 201 images leave one, and so a replica without any, for the last minibatch.
    a, b = (
        m.evaluate(digits[:201], batch_size=50, verbose=0, return_dict=True) for m in (one, several)
    )
    assert b["reconstruction_loss"] == pytest.approx(a["reconstruction_loss"], abs=1e-4)
    assert np.isfinite(list(b.values())).all()


def test_replicas_draw_different_rows_of_the_noise_of_one_device(mirrored):
    def draw(n):
        return tf.random.stateless_normal((n, 3), (1, 2))

    assert np.array_equal(replicas.own_rows(draw, 4), draw(4))
    parts = mirrored.run(lambda: replicas.own_rows(draw, 4)).values
    assert np.array_equal(np.concatenate(parts), draw(8))


def test_replicas_drop_different_units(mirrored):
    x = keras.Input((1000,))
    with mirrored.scope():
        model = keras.Model(x, keras.layers.Dropout(0.5)(x))
        replicas.seed_apart(model)
    seen = [mirrored.run(lambda: model(tf.ones((1, 1000)), training=True)).values for _ in range(2)]
    masks = [np.asarray(mask).ravel() > 0 for step in seen for mask in step]
    for i, mask in enumerate(masks):
        for other in masks[:i]:
            assert 400 < np.sum(mask != other) < 600


@pytest.mark.parametrize("stream", [False, True])
def test_the_parts_of_all_workers_are_the_minibatches_of_one(stream):
    n, batch, workers, replicas = 23, 8, 2, 4
    x = np.arange(n, dtype="uint8")
    labels = np.where(x % 2 == 0, 1, -1).astype("int32")

    def take(count, worker=None):
        batches = training_batches(x, batch, 0, 1, labels, labelled_stream=stream, worker=worker)
        return list(batches.take(count).as_numpy_iterator())

    whole, steps = take(6), 6
    of_worker = [
        take(steps * replicas // workers, tf.distribute.InputContext(workers, i, replicas))
        for i in range(workers)
    ]
    for step, expected in enumerate(whole):
        parts = [p for of_one in of_worker for p in of_one[2 * step : 2 * step + 2]]
        for key in expected:
            assert np.array_equal(np.concatenate([part[key] for part in parts]), expected[key])


def test_a_minibatch_that_cannot_be_divided_is_refused(mirrored):
    with pytest.raises(InputError, match="multiple of the 2 replicas. Received: batch_size=25"):
        make_strategy(Config(strategy="mirrored", batch_size=25))
    with pytest.raises(InputError, match="2 images on each of the 2 replicas.*batch_size=2"):
        make_strategy(Config.of(model="wae_mmd", strategy="mirrored", batch_size=2))
    config = Config(model="semi_supervised_aae", num_labels=15, strategy="mirrored")
    with pytest.raises(InputError, match="multiple of the 2 replicas. Received: num_labels=15"):
        make_strategy(config)


def test_consistency_and_the_statistics_of_a_minibatch_need_one_replica_a_process(mirrored):
    config = Config.of(model="clustering_aae", consistency="vat", strategy="mirrored")
    with pytest.raises(InputError, match="consistency needs batch_norm=False. .* 2 devices"):
        make_strategy(config)
    make_strategy(dataclasses.replace(config, batch_norm=False))


def test_information_needs_an_image_for_each_value_of_y_on_each_replica(mirrored):
    settings = {"model": "clustering_aae", "consistency": "vat", "information_weight": 0.1}
    config = Config.of(**SMALL | settings | {"num_clusters": 51, "batch_norm": False})
    digits = data.load("digits")
    training.check(config, digits)
    received = "at least 51 images.*on each of 2 replicas. Received: batch_size=100"
    with pytest.raises(InputError, match=received):
        training.check(config, digits, mirrored)
    with pytest.raises(InputError, match="51 images.*value of y. Received: batch_size=50"):
        training.check(dataclasses.replace(config, batch_size=50), digits)
    # With fewer values it trains.
    _, logs = train(settings | {"batch_norm": False}, mirrored)
    assert np.isfinite(logs["information_loss"]).all()


@pytest.mark.parametrize(
    "tf_config",
    [
        None,
        "{",
        "[]",
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
        '{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "worker", "index": 0}}',
    ],
)
def test_several_workers_need_tf_config(monkeypatch, tf_config):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert tf_config.task("mirrored") == (0, 1)
    if tf_config:
        monkeypatch.setenv("TF_CONFIG", tf_config)
    with pytest.raises(InputError, match="TF_CONFIG"):
        modes.train(Command(), {"dataset": "digits", "strategy": "multi_worker"})


def test_the_chief_is_the_task_of_that_name_or_the_first_worker(monkeypatch):
    def task(kind, index, **tasks):
        document = {"cluster": tasks, "task": {"type": kind, "index": index}}
        monkeypatch.setenv("TF_CONFIG", json.dumps(document))
        return tf_config.task("multi_worker")

    assert task("worker", 0, worker=["a:1", "b:1"]) == (0, 2)
    assert task("worker", 1, worker=["a:1", "b:1"]) == (1, 2)
    assert task("worker", 0, chief=["c:1"], worker=["a:1", "b:1"]) == (1, 3)
    assert task("chief", 0, chief=["c:1"], worker=["a:1", "b:1"]) == (0, 3)


def test_bytes_per_step_are_those_of_the_variables_of_each_step(make_model, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from scaling import bytes_per_step

    model = make_model()
    sizes = {name: 4 * getattr(model, name).count_params() for name in ("encoder", "discriminator")}
    assert bytes_per_step(model, 1) == dict.fromkeys(model.var_lists, 0)
    sent = bytes_per_step(model, 4)
    assert sent["generator"] == 1.5 * sizes["encoder"]
    assert sent["discriminator"] == 1.5 * sizes["discriminator"]
    assert sent["reconstruction"] == 1.5 * (sizes["encoder"] + 4 * model.decoder.count_params())


# A worker as run.py starts it, which leaves its weights where a test finds them.
WORKER = """
import sys
import numpy as np
from adversarial_autoencoder import modes, training
from adversarial_autoencoder.modes.command import Command

def train(*args, **kwargs):
    model = original(*args, **kwargs)
    np.savez(sys.argv[2], *[variable.numpy() for variable in model.variables])

original, training.train = training.train, train
settings = dict(pair.split("=") for pair in sys.argv[3:])
settings = {k: int(v) if v.isdigit() else v for k, v in settings.items()}
settings |= {k: float(v) for k, v in settings.items() if k.endswith("_noise")}
modes.train(Command(results_dir=sys.argv[1], run_name="several"), settings)
"""


def start_workers(results, settings, of_second=()):
    """Two processes on the loopback address, on ports that are free."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    addresses = [f"127.0.0.1:{s.getsockname()[1]}" for s in sockets]
    for s in sockets:
        s.close()
    processes = []
    for i, given in enumerate((settings, settings | dict(of_second))):
        flags = [f"{name}={value}" for name, value in given.items()]
        task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": i}}
        processes.append(
            subprocess.Popen(
                [sys.executable, "-c", WORKER, results, results / f"worker{i}.npz", *flags],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                cwd=ROOT,
                env=os.environ | {"TF_CONFIG": json.dumps(task)},
            )
        )
    return processes


def wait_for(path, processes):
    deadline = time.monotonic() + 120
    while not path.exists():
        assert all(process.poll() is None for process in processes), processes[0].stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_two_workers_killed_and_restarted_train_to_the_weights_of_one_process(tmp_path):
    settings = SMALL | {"epochs": 3, "strategy": "multi_worker"}
    processes = start_workers(tmp_path, settings)
    try:
        wait_for(tmp_path / "several" / "model.keras", processes)
        processes[1].send_signal(signal.SIGKILL)
        # The other one does not wait for it without end, so that a launcher can restart both.
        processes[0].communicate(timeout=200)
        assert processes[0].returncode == 1
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert not (tmp_path / "worker0.npz").exists(), "killed too late"
    processes = start_workers(tmp_path, settings)
    (out, err), (silent, silent_err) = (process.communicate(timeout=200) for process in processes)
    assert [process.returncode for process in processes] == [0, 0], err + silent_err
    assert "divided over 2 replicas" in out
    assert silent == ""
    run = runs.Run(tmp_path / "several")
    history = run.read_history()
    assert [row["epoch"] for row in history] == [1, 2, 3]
    assert {path.name for path in tmp_path.iterdir()} == {"several", "worker0.npz", "worker1.npz"}

    weights, of_other = (list(np.load(tmp_path / f"worker{i}.npz").values()) for i in range(2))
    for a, b in zip(weights, of_other, strict=True):
        assert np.array_equal(a, b)
    one, history_of_one = train(settings | {"strategy": "none"})
    assert_close(weights, weights_of(one), 1e-4)
    assert_close(weights, weights_of(keras.saving.load_model(run.model_path)), 0)
    for name in ("reconstruction_loss", "discriminator_loss", "generator_loss"):
        losses = [row[name] for row in history]
        assert losses == pytest.approx(history_of_one[name], abs=1e-4)


def test_workers_that_do_not_agree_end_before_anything_is_written(tmp_path):
    """Of settings, data and finished epochs: here the second of them was given another seed."""
    settings = SMALL | {"strategy": "multi_worker"}
    for process in start_workers(tmp_path, settings, of_second={"seed": 1}):
        _, err = process.communicate(timeout=200)
        assert "InputError: All workers must have the same settings" in err
    assert not list(tmp_path.iterdir())
