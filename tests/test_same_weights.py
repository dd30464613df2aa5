"""A seed decides every weight, in every process. Real processes."""

import subprocess
import sys

import pytest
from helpers import PATIENCE, ROOT

from adversarial_autoencoder.systems import SYSTEMS

pytestmark = pytest.mark.long

TRAIN_ALL = """
import hashlib, sys
import tensorflow as tf
from adversarial_autoencoder import data, training
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.data.labels import training_labels
from adversarial_autoencoder.data.pipeline import training_batches
from adversarial_autoencoder.systems import CLASSIFICATION

tf.config.experimental.enable_op_determinism()  # As --deterministic does.
digits = data.load("digits")
for model in sys.argv[1:]:
    config = Config.of(
        dataset="digits", model=model, hidden_units=8, hidden_layers=1, epochs=1, dropout=0.1,
        num_labels=100 if model.startswith("semi") else None,
    )
    labels, shares = training_labels(config, digits)
    trained = training.build(config, digits.image_shape, shares)
    trained.compile(training.make_optimizer(config, trained.steps, 3), jit_compile=False)
    classify = config.has_phase(CLASSIFICATION)
    batches = training_batches(digits.x_train, 100, config.seed, 0, labels, classify)
    trained.fit(batches, steps_per_epoch=3, verbose=0)
    optimizers = [v for o in trained.optimizer.optimizers for v in o.variables]
    digest = hashlib.sha256()
    for variable in [*trained.variables, *optimizers]:
        digest.update(variable.numpy().tobytes())
    print("weights of", model, digest.hexdigest(), flush=True)
"""


def test_a_seed_gives_the_same_weights_of_every_system_in_every_process():
    """In two processes and in another order; benchmarks/reliability.py does it with whole runs."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TRAIN_ALL, *models],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for models in (list(SYSTEMS), reversed(SYSTEMS))
    ]
    one, other = (process.communicate(timeout=PATIENCE)[0].splitlines() for process in processes)
    assert len({line.split()[-1] for line in one}) == len(SYSTEMS)
    assert one == other[::-1]
