"""The environment variable TF_CONFIG."""

import json

import pytest

from adversarial_autoencoder import modes
from adversarial_autoencoder.devices import tf_config
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.modes.command import Command


@pytest.mark.parametrize(
    "value",
    [
        None,
        "{",
        "[]",
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
        '{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "worker", "index": 0}}',
    ],
)
def test_several_workers_need_tf_config(monkeypatch, value):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert tf_config.task("mirrored") == (0, 1)
    if value:
        monkeypatch.setenv("TF_CONFIG", value)
    with pytest.raises(InputError, match="TF_CONFIG"):
        modes.train(Command(), {"dataset": "digits", "strategy": "multi_worker"})


def test_the_chief_is_the_task_chief_or_the_first_worker(monkeypatch):
    def task(kind, index, **tasks):
        document = {"cluster": tasks, "task": {"type": kind, "index": index}}
        monkeypatch.setenv("TF_CONFIG", json.dumps(document))
        return tf_config.task("multi_worker")

    assert task("worker", 0, worker=["a:1", "b:1"]) == (0, 2)
    assert task("worker", 1, worker=["a:1", "b:1"]) == (1, 2)
    assert task("worker", 0, chief=["c:1"], worker=["a:1", "b:1"]) == (1, 3)
    assert task("chief", 0, chief=["c:1"], worker=["a:1", "b:1"]) == (0, 3)
