"""The training step of a 2-D adversarial autoencoder, by this project and by others.

Each contestant is a process of its own, started by step_speed.py, which asks it for a round of
steps by a line on its standard input and reads a line of JSON from its standard output.

The work: batches of 100 in random order, reconstruction phase, discriminator, generator, Adam in
each, no noise, the losses read at the end. Fully connected networks see MNIST, convolutional ones
random images.
"""

import argparse
import contextlib
import dataclasses
import json
import math
import os
import pathlib
import resource
import sys
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = pathlib.Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

BATCH, Z_DIM, PRIOR_STD = 100, 2, 5.0
STEPS = 200  # In a round; this project's is a whole epoch.
RANDOM_IMAGES = 6000


@dataclasses.dataclass(frozen=True)
class Work:
    """The networks and images of a step.

    Args:
        network: "mlp" or "conv".
        units: Units in each fully connected hidden layer; the deepest convolution has a sixteenth
            of it as filters.
        layers: Hidden layers of each network.
        shape: Height, width and channels of an image.
        dropout: Share of the hidden units that are dropped.
    """

    network: str = "mlp"
    units: int = 1000
    layers: int = 2
    shape: tuple[int, int, int] = (28, 28, 1)
    dropout: float = 0.0

    @property
    def is_mlp(self):
        return self.network == "mlp"

    @property
    def pixels(self):
        return math.prod(self.shape)

    @property
    def filters(self):
        """Filters of the convolutions, from the image on."""
        return [self.units // 2 ** (self.layers - 1 - i) // 16 for i in range(self.layers)]

    @property
    def sides(self):
        """Height and width of the images between the convolutions, from the image on."""
        return [tuple(-(-side // 2**i) for side in self.shape[:2]) for i in range(self.layers + 1)]

    def products(self, *sizes):
        """Multiplications of each layer of a fully connected network, for one image."""
        return [a * b for a, b in zip(sizes[:-1], sizes[1:], strict=True)]

    @property
    def flops(self):
        """Multiplications and additions of a step."""
        hidden = [self.units] * self.layers
        discriminator = self.products(Z_DIM, *hidden, 1)
        if self.is_mlp:
            encoder = self.products(self.pixels, *hidden, Z_DIM)
        else:
            channels = [self.shape[2], *self.filters]
            encoder = [
                16 * a * b * math.prod(side)
                for a, b, side in zip(channels, channels[1:], self.sides[1:], strict=False)
            ]
            encoder.append(math.prod(self.sides[-1]) * channels[-1] * Z_DIM)
        # The first layer needs no gradient of its input.
        once = 3 * sum(encoder) - encoder[0]
        both = 3 * sum(encoder) + 2 * (3 * sum(discriminator) - discriminator[0])
        return 2 * BATCH * (2 * once + both + 2 * sum(discriminator))


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


@contextlib.contextmanager
def settings(work, **kwargs):
    """The settings of this project, and the data."""
    import numpy as np

    from adversarial_autoencoder import data
    from adversarial_autoencoder.config import Config
    from adversarial_autoencoder.devices import hardware

    kwargs |= {
        "batch_size": BATCH,
        "input_noise": 0.0,
        "discriminator_noise": 0.0,
        "normalize_codes": False,
    }
    kwargs |= {"network": work.network, "hidden_units": work.units, "hidden_layers": work.layers}
    with tempfile.TemporaryDirectory() as folder:
        source = "mnist"
        if not work.is_mlp:
            source = f"{folder}/images.npz"
            random = np.random.default_rng(0)
            images = random.integers(256, size=(RANDOM_IMAGES, *work.shape), dtype="uint8")
            np.savez(source, x_train=images, x_test=images[:100])
        config = Config(dataset=source, dropout=work.dropout, **kwargs)
        dataset = data.load(config.dataset, config.data_dir)
        config = dataclasses.replace(config, epochs=10_000).for_data(**dataset.sizes)
        yield hardware.choose(config), dataset


def this_project(work, precision, jit_compile="auto"):
    """The path of `--mode train`, with everything that it does: a round is an epoch."""
    import keras

    from adversarial_autoencoder import runs, training

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

    chosen = settings(work, precision=precision, jit_compile=jit_compile)
    with chosen as (config, dataset), tempfile.TemporaryDirectory() as folder:
        training.train(config, dataset, runs.create(folder, "speed"), further_callbacks=[Round()])


def keras_model(work, precision):
    from adversarial_autoencoder import training
    from adversarial_autoencoder.training import build

    with settings(work, precision=precision) as (config, dataset):
        model = build(config, dataset.image_shape)
        return model, training.make_optimizer(config, model.steps, 500), dataset.x_train


def keras_loop(work):
    """The same Keras model, a call of `train_on_batch` for each minibatch."""
    import keras
    import numpy as np

    model, _, x = keras_model(work, "float32")
    model.compile(keras.optimizers.Adam(1e-3), jit_compile=False)
    order = np.random.default_rng(0).permutation(len(x))

    def step_many(n):
        for i in range(n):
            first = i * BATCH % (len(x) - BATCH + 1)
            model.train_on_batch(x[order[first : first + BATCH]])

    rounds(step_many)


def bound(work, precision):
    """This project's step without any optimizer: gradients are computed and thrown away."""
    import keras
    import tensorflow as tf

    from adversarial_autoencoder.data.pipeline import training_batches
    from adversarial_autoencoder.optimizers import PhaseOptimizer

    sink = tf.Variable(0.0)

    class Nothing(keras.optimizers.SGD):
        def update_step(self, gradient, variable, learning_rate):
            sink.assign_add(tf.cast(tf.reshape(gradient, [-1])[0], "float32"))

    model, optimizer, x = keras_model(work, precision)
    optimizer = PhaseOptimizer({step: Nothing() for step in optimizer.steps})
    model.compile(optimizer, jit_compile=False, steps_per_execution=20)
    batches = iter(training_batches(x, BATCH, seed=0))
    model.make_train_function()
    step = model.train_function

    def step_many(n):
        for _ in range(n // 20):
            step(batches)

    rounds(step_many)


def pytorch_networks(work):
    """Encoder, decoder and discriminator in plain PyTorch, as tutorials write them."""
    from torch import nn

    hidden = [work.units] * work.layers

    def activation():
        return [nn.ReLU(), nn.Dropout(work.dropout)] if work.dropout else [nn.ReLU()]

    def mlp(*sizes):
        layers = []
        for before, after in zip(sizes[:-1], sizes[1:], strict=True):
            layers += [nn.Linear(before, after), *activation()]
        last = next(i for i in reversed(range(len(layers))) if isinstance(layers[i], nn.Linear))
        return layers[: last + 1]

    discriminator = nn.Sequential(*mlp(Z_DIM, *hidden, 1))
    if work.is_mlp:
        encoder = nn.Sequential(nn.Flatten(), *mlp(work.pixels, *hidden, Z_DIM))
        decoder = [*mlp(Z_DIM, *hidden, work.pixels)]
        height, width, channels = work.shape
        return (
            encoder,
            nn.Sequential(*decoder, nn.Unflatten(1, (channels, height, width))),
            (discriminator),
        )
    channels, deepest = [work.shape[2], *work.filters], (work.filters[-1], *work.sides[-1])
    encoder, decoder = [], []
    for before, after in zip(channels[:-1], channels[1:], strict=True):
        encoder += [nn.Conv2d(before, after, 4, stride=2, padding=1), *activation()]
        decoder = [*activation(), nn.ConvTranspose2d(after, before, 4, stride=2, padding=1),
                   *decoder]  # fmt: skip
    encoder += [nn.Flatten(), nn.Linear(math.prod(deepest), Z_DIM)]
    decoder = [nn.Linear(Z_DIM, math.prod(deepest)), nn.Unflatten(1, deepest), *decoder]
    return nn.Sequential(*encoder), nn.Sequential(*decoder), discriminator


def pytorch(work, compiled):
    """Plain PyTorch; fused losses, one encoder pass for D and G, channels last."""
    import numpy as np
    import torch
    from torch import nn

    from adversarial_autoencoder import data

    networks = [n.to(memory_format=torch.channels_last) for n in pytorch_networks(work)]
    encoder, decoder, discriminator = networks

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
        x = x.permute(0, 3, 1, 2).float() / 255
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
    random = np.random.default_rng(0)
    if work.is_mlp:
        images = data.load("mnist", None).x_train
    else:
        images = random.integers(256, size=(RANDOM_IMAGES, *work.shape), dtype="uint8")
    x = torch.from_numpy(images)
    order = torch.from_numpy(random.permutation(len(x)))

    def step_many(n):
        total = 0.0
        for i in range(n):
            first = i * BATCH % (len(x) - BATCH + 1)
            total = total + step(x[order[first : first + BATCH]])
        float(total)

    rounds(step_many)


def matrix_products(work, dtype):
    """The matrix products of a step alone: what the processor can do at these shapes."""
    import tensorflow as tf

    def weights(*sizes):
        pairs = zip(sizes[:-1], sizes[1:], strict=True)
        return [tf.Variable(tf.cast(tf.random.normal(pair), dtype)) for pair in pairs]

    hidden = [work.units] * work.layers
    activations = {
        (n, size): tf.Variable(tf.cast(tf.random.normal((n, size)), dtype))
        for n in (BATCH, 2 * BATCH)
        for size in (1, Z_DIM, work.pixels, work.units)
    }
    encoder = weights(work.pixels, *hidden, Z_DIM)
    decoder = weights(Z_DIM, *hidden, work.pixels)
    discriminator = weights(Z_DIM, *hidden, 1)

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
    "this project": ("mixed_bfloat16", lambda w: this_project(w, "mixed_bfloat16")),
    "this project, float32": ("float32", lambda w: this_project(w, "float32")),
    "this project, float32, XLA": ("float32", lambda w: this_project(w, "float32", "true")),
    "Keras, train_on_batch": ("float32", keras_loop),
    "PyTorch, eager": ("float32", lambda w: pytorch(w, compiled=False)),
    "PyTorch, torch.compile": ("float32", lambda w: pytorch(w, compiled=True)),
    "bound: no optimizer, bfloat16": ("mixed_bfloat16", lambda w: bound(w, "mixed_bfloat16")),
    "bound: no optimizer, float32": ("float32", lambda w: bound(w, "float32")),
    "matrix products, bfloat16": ("bfloat16", lambda w: matrix_products(w, "bfloat16")),
    "matrix products, float32": ("float32", lambda w: matrix_products(w, "float32")),
}
# What can be measured with convolutions. This project computes them in float32.
WITH_CONVOLUTIONS = (
    "this project, float32",
    "this project, float32, XLA",
    "Keras, train_on_batch",
    "PyTorch, eager",
    "PyTorch, torch.compile",
    "bound: no optimizer, float32",
)


def add_work(parser):
    """Adds the arguments that describe the work."""
    for field in dataclasses.fields(Work):
        more = {"nargs": 3, "type": int} if field.name == "shape" else {"type": field.type}
        parser.add_argument(f"--{field.name}", default=field.default, **more)


def work_of(args):
    """The work that the arguments describe."""
    work = Work(**{field.name: getattr(args, field.name) for field in dataclasses.fields(Work)})
    return dataclasses.replace(work, shape=tuple(work.shape))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=CONTESTANTS)
    add_work(parser)
    args = parser.parse_args()
    with contextlib.redirect_stdout(sys.stderr):
        CONTESTANTS[args.name][1](work_of(args))
