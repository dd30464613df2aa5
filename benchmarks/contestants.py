"""The training step of a 2-D adversarial autoencoder on MNIST, by this project and by others.

Each contestant is a process of its own, started by step_speed.py, which asks it for a round of
steps by a line on its standard input and reads a line of JSON from its standard output.

The work: 784-1000-1000-2, batches of 100 from the 50 000 training images in random order,
reconstruction phase, discriminator, generator, Adam in each, no noise, the losses read at the end.
"""

import argparse
import contextlib
import json
import os
import pathlib
import resource
import sys
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = pathlib.Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

BATCH, HIDDEN, PIXELS, Z_DIM, PRIOR_STD = 100, 1000, 784, 2, 5.0
STEPS = 200  # In a round; this project's is a whole epoch.

answers = sys.stdout


def answer(steps, seconds, **more):
    """Tells the result of a round, then waits until the next is asked for."""
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"steps": steps, "seconds": seconds, "mb": memory, **more}), file=answers)
    answers.flush()
    if not sys.stdin.readline():
        sys.exit()


def rounds(step_many):
    step_many(20)  # Compiles, and fills the caches.
    answer(0, 0.0)
    while True:
        start = time.perf_counter()
        step_many(STEPS)
        answer(STEPS, time.perf_counter() - start)


def settings(dropout, **kwargs):
    from adversarial_autoencoder import data
    from adversarial_autoencoder.config import Config
    from adversarial_autoencoder.devices import hardware

    plain = {"input_noise": 0.0, "discriminator_noise": 0.0, "normalize_codes": False}
    plain |= {"hidden_units": HIDDEN}
    config = Config(dataset="mnist", dropout=dropout, **plain | kwargs)
    dataset = data.load(config.dataset, config.data_dir)
    return hardware.choose(config.for_data(**dataset.sizes)), dataset


def this_project(dropout, precision, jit_compile="auto"):
    """The path of `--mode train`, with everything that it does: a round is an epoch."""
    import keras

    from adversarial_autoencoder import runs, training

    config, dataset = settings(dropout, precision=precision, jit_compile=jit_compile)

    class Round(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.start = time.perf_counter()

        def on_train_batch_end(self, batch, logs=None):
            self.steps, self.seconds = batch + 1, time.perf_counter() - self.start

        def on_epoch_end(self, epoch, logs=None):
            with_callbacks = time.perf_counter() - self.start
            if epoch == 0:
                answer(0, 0.0)
            else:
                answer(self.steps, self.seconds, seconds_with_callbacks=with_callbacks)

    with tempfile.TemporaryDirectory() as folder:
        training.train(config, dataset, runs.create(folder, "speed"), further_callbacks=[Round()])


def keras_model(dropout, precision):
    from adversarial_autoencoder import training
    from adversarial_autoencoder.training import build

    config, dataset = settings(dropout, precision=precision)
    model = build(config, dataset.image_shape)
    return model, training.make_optimizer(config, model.steps, 500), dataset.x_train


def keras_loop(dropout):
    """The same Keras model, a call of `train_on_batch` for each minibatch."""
    import keras
    import numpy as np

    model, _, x = keras_model(dropout, "float32")
    model.compile(keras.optimizers.Adam(1e-3), jit_compile=False)
    order = np.random.default_rng(0).permutation(len(x))

    def step_many(n):
        for i in range(n):
            model.train_on_batch(x[order[i * BATCH : (i + 1) * BATCH]])

    rounds(step_many)


def bound(dropout, precision):
    """This project's step without any optimizer: gradients are computed and thrown away."""
    import keras
    import tensorflow as tf

    from adversarial_autoencoder.data.pipeline import training_batches
    from adversarial_autoencoder.optimizers import PhaseOptimizer

    sink = tf.Variable(0.0)

    class Nothing(keras.optimizers.SGD):
        def update_step(self, gradient, variable, learning_rate):
            sink.assign_add(tf.cast(tf.reshape(gradient, [-1])[0], "float32"))

    model, optimizer, x = keras_model(dropout, precision)
    optimizer = PhaseOptimizer({step: Nothing() for step in optimizer.steps})
    model.compile(optimizer, jit_compile=False, steps_per_execution=20)
    batches = iter(training_batches(x, BATCH, seed=0))
    model.make_train_function()
    step = model.train_function

    def step_many(n):
        for _ in range(n // 20):
            step(batches)

    rounds(step_many)


def pytorch(dropout, compiled):
    """Plain PyTorch, as it is written in tutorials; fused losses, one encoder pass for D and G."""
    import numpy as np
    import torch
    from torch import nn

    from adversarial_autoencoder import data

    def mlp(*sizes):
        layers = []
        for before, after in zip(sizes[:-1], sizes[1:], strict=True):
            layers += [nn.Linear(before, after), nn.ReLU()]
            layers += [nn.Dropout(dropout)] if dropout else []
        last = next(i for i in reversed(range(len(layers))) if isinstance(layers[i], nn.Linear))
        return nn.Sequential(*layers[: last + 1])

    encoder = mlp(PIXELS, HIDDEN, HIDDEN, Z_DIM)
    decoder = mlp(Z_DIM, HIDDEN, HIDDEN, PIXELS)
    discriminator = mlp(Z_DIM, HIDDEN, HIDDEN, 1)

    def adam(*networks):
        return torch.optim.Adam([p for network in networks for p in network.parameters()], 1e-3)

    optimizers = [adam(encoder, decoder), adam(discriminator), adam(encoder)]
    softplus = nn.functional.softplus

    def update(optimizer, loss):
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss.detach()

    def step(x):
        x = x.float() / 255
        images = torch.sigmoid(decoder(encoder(x)))
        reconstruction = update(optimizers[0], nn.functional.mse_loss(images, x))
        z = encoder(x)
        real, fake = discriminator(PRIOR_STD * torch.randn_like(z)), discriminator(z.detach())
        game = update(optimizers[1], softplus(-real).mean() + softplus(fake).mean())
        generator = update(optimizers[2], softplus(-discriminator(z)).mean())
        return reconstruction + game + generator

    if compiled:
        # The whole step cannot be: it goes backward through the encoder twice.
        encoder, decoder, discriminator = map(torch.compile, (encoder, decoder, discriminator))
    x = torch.from_numpy(data.load("mnist", None).x_train.reshape(-1, PIXELS))
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(x)))

    def step_many(n):
        total = 0.0
        for i in range(n):
            total = total + step(x[order[i * BATCH : (i + 1) * BATCH]])
        float(total)

    rounds(step_many)


def matrix_products(dropout, dtype):
    """The matrix products of a step alone: what the processor can do at these shapes."""
    del dropout
    import tensorflow as tf

    def weights(*sizes):
        pairs = zip(sizes[:-1], sizes[1:], strict=True)
        return [tf.Variable(tf.cast(tf.random.normal(pair), dtype)) for pair in pairs]

    activations = {
        (n, size): tf.Variable(tf.cast(tf.random.normal((n, size)), dtype))
        for n in (BATCH, 2 * BATCH)
        for size in (1, Z_DIM, PIXELS, HIDDEN)
    }
    encoder = weights(PIXELS, HIDDEN, HIDDEN, Z_DIM)
    decoder = weights(Z_DIM, HIDDEN, HIDDEN, PIXELS)
    discriminator = weights(Z_DIM, HIDDEN, HIDDEN, 1)

    def products(layers, n, *, to_weights=True, to_inputs=True):
        """Forward and backward products of a network: one number of each result."""
        for i, w in enumerate(layers):
            x, y = (activations[n, size] for size in w.shape)
            yield tf.matmul(x, w)[0, 0]
            if to_weights:
                yield tf.matmul(x, y, transpose_a=True)[0, 0]
            if i or to_inputs:
                yield tf.matmul(y, w, transpose_b=True)[0, 0]

    # A call for each pass: as equal products, TensorFlow would compute those of several only once.
    def compiled(*args, **kwargs):
        return tf.function(lambda: [*products(*args, **kwargs)])

    of_encoder = compiled(encoder, BATCH, to_inputs=False)
    passes = [
        of_encoder,
        compiled(decoder, BATCH),
        compiled(discriminator, 2 * BATCH, to_inputs=False),
        of_encoder,
        compiled(discriminator, BATCH, to_weights=False),
    ]

    def step_many(n):
        for _ in range(n):
            for call in passes:
                call()

    rounds(step_many)


# Name -> (dtype, how it is run).
CONTESTANTS = {
    "this project": ("mixed_bfloat16", lambda d: this_project(d, "mixed_bfloat16")),
    "this project, float32": ("float32", lambda d: this_project(d, "float32")),
    "this project, float32, XLA": ("float32", lambda d: this_project(d, "float32", "true")),
    "Keras, train_on_batch": ("float32", keras_loop),
    "PyTorch, eager": ("float32", lambda d: pytorch(d, compiled=False)),
    "PyTorch, torch.compile": ("float32", lambda d: pytorch(d, compiled=True)),
    "bound: no optimizer, bfloat16": ("mixed_bfloat16", lambda d: bound(d, "mixed_bfloat16")),
    "bound: no optimizer, float32": ("float32", lambda d: bound(d, "float32")),
    "matrix products, bfloat16": ("bfloat16", lambda d: matrix_products(d, "bfloat16")),
    "matrix products, float32": ("float32", lambda d: matrix_products(d, "float32")),
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=CONTESTANTS)
    parser.add_argument("--dropout", type=float, default=0.0)
    args = parser.parse_args()
    with contextlib.redirect_stdout(sys.stderr):
        CONTESTANTS[args.name][1](args.dropout)
