"""Says on paper how a training grows over several machines, and checks it with two processes.

python benchmarks/scaling.py                                the default system on images like MNIST,
                                                            with two layers of 1000 units
python benchmarks/scaling.py model=wae_mmd hidden_units=500 with other settings of a training

A worker computes for t(b) = fixed + image * b seconds on its part of b images (measured on this
machine, on a straight line through a few b), and sends the gradients of each step of the procedure
by a ring all-reduce, 2 (n - 1) / n times their bytes, while it computes nothing. Its efficiency is
the share of the time in which it computes.
"""

import dataclasses
import json
import os
import pathlib
import socket
import subprocess
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

import numpy as np
import tensorflow as tf

from adversarial_autoencoder import training
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.config.setting import value_type
from adversarial_autoencoder.data.pipeline import training_batches
from adversarial_autoencoder.devices.strategy import make_strategy
from adversarial_autoencoder.training import build

IMAGE_SHAPE = (28, 28, 1)
BATCHES = (50, 150, 450)
STEPS, ROUNDS = 5, 4
EFFICIENCY = 0.8
GIGABIT = 1e9 / 8


def seconds_per_step(config, strategy):
    """Measures one step of a training on random images, whose values do not matter here."""
    x = np.random.default_rng(0).integers(0, 256, (config.batch_size, *IMAGE_SHAPE), "uint8")
    with strategy.scope():
        model = build(config, IMAGE_SHAPE)
        model.compile(training.make_optimizer(config, model.steps, 1), jit_compile=False)
    batches = strategy.distribute_datasets_from_function(
        lambda worker: training_batches(x, config.batch_size, 0, worker=worker)
    )
    times = []
    for _ in range(1 + ROUNDS):
        start = time.perf_counter()
        model.fit(batches, shuffle=False, steps_per_epoch=STEPS, verbose=0)
        times.append((time.perf_counter() - start) / STEPS)
    # The first round compiles; the shortest one is the least disturbed by the machine's other work.
    return min(times[1:])


def seconds_per_exchange(strategy, shapes):
    """Measures the all-reduce of tensors of the given lists of shapes, one list after the other."""

    def exchange():
        context = tf.distribute.get_replica_context()
        total = 0.0
        for of_step in shapes:
            # Each waits for the one before, as the steps of the procedure do.
            tensors = context.all_reduce("SUM", [tf.zeros(shape) + total for shape in of_step])
            total = tf.add_n([tf.reduce_sum(tensor) for tensor in tensors])
        return total

    function = tf.function(lambda: strategy.run(exchange))
    times = []
    for _ in range(12):
        start = time.perf_counter()
        function().numpy()
        times.append(time.perf_counter() - start)
    return min(times[2:])


def worker(task):
    """What one process does, by the JSON on its command line; prints what it measured."""
    if task["core"] is not None:
        os.sched_setaffinity(0, {task["core"]})
    tf.get_logger().setLevel("ERROR")
    config = Config.of(**task["settings"])
    strategy = make_strategy(config)
    measured = {}
    if config.strategy == "multi_worker":
        model = build(config, IMAGE_SHAPE)
        shapes = [[v.shape for v in variables] for variables in model.var_lists.values()]
        # Keras asks for the sum and the count of each metric in every step.
        scalars = [[()]] * (2 * len(model.metrics))
        num_values = sum(shape.num_elements() for step in shapes for shape in step)
        measured["exchange"] = seconds_per_exchange(strategy, shapes + scalars)
        measured["vector"] = seconds_per_exchange(strategy, [[(num_values,)]])
        measured["scalar"] = seconds_per_exchange(strategy, [[()]])
    measured["steps"] = [
        seconds_per_step(Config.of(**task["settings"] | {"batch_size": batch}), strategy)
        for batch in task["batches"]
    ]
    print(json.dumps(measured))


def bytes_per_step(model, workers):
    """Bytes that each of several workers sends in one step of the training.

    Each step of the procedure adds up the gradients of the variables that it updates. A ring
    all-reduce sends and receives 2 (n - 1) / n times their size (Patarasuk and Yuan 2009).

    Args:
        model: An `AdversarialAutoencoder`.
        workers: Number of workers n, >= 1, with one replica each.

    Returns:
        A dict from the name of each step of the procedure to bytes.
    """
    share = 2 * (workers - 1) / workers
    return {
        step: share * sum(4 * variable.shape.num_elements() for variable in variables)
        for step, variables in model.var_lists.items()
    }


def run(settings, batches, cores=(None,)):
    """Runs one worker process for each core of `cores` and returns what the first one measured."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in cores]
    addresses = [f"127.0.0.1:{s.getsockname()[1]}" for s in sockets]
    for s in sockets:
        s.close()
    if len(cores) > 1:
        settings = settings | {"strategy": "multi_worker"}
    processes = []
    for i, core in enumerate(cores):
        task = {"settings": settings, "batches": batches, "core": core}
        cluster = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": i}}
        processes.append(
            subprocess.Popen(
                [sys.executable, __file__, "--worker", json.dumps(task)],
                env=os.environ | {"TF_CONFIG": json.dumps(cluster)},
                stdout=subprocess.PIPE,
                stderr=None if i == 0 else subprocess.DEVNULL,
                text=True,
            )
        )
    try:
        outputs = [process.communicate()[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    if any(process.returncode for process in processes):
        sys.exit("Error: a worker failed")
    return json.loads(outputs[0].splitlines()[-1])


def read(name, text):
    """The value of a setting of a training, of its text."""
    fields = {field.name: field for field in dataclasses.fields(Config)}
    if name not in fields:
        sys.exit(f"Error: Settings must be those of a training. Received: {name}")
    kind = value_type(fields[name])
    try:
        return {"true": True, "false": False}[text.lower()] if kind is bool else kind(text)
    except (KeyError, ValueError):
        sys.exit(f"Error: {name} must be of type {kind.__name__}. Received: {text}")


def line_through(batches, seconds):
    """The fixed time of a step and that of an image: a straight line, never below 0."""
    image, fixed = np.polyfit(batches, seconds, 1, w=1 / np.asarray(seconds))
    return max(fixed, 0.0), image


def main(arguments):
    pairs = dict(argument.split("=", 1) for argument in arguments)
    settings = {name: read(name, text) for name, text in pairs.items()}
    fixed = {"precision": "float32", "learning_rate_schedule": "constant"}
    settings = fixed | {"hidden_units": 1000, "hidden_layers": 2} | settings
    model = build(Config.of(**settings), IMAGE_SHAPE)

    print("| step of the procedure | parameters | MB of 2 workers | of 8 | of 64 |")
    print("|---|---|---|---|---|")
    sent = {n: bytes_per_step(model, n) for n in (2, 8, 64)}
    for step in sent[2]:
        megabytes = " | ".join(f"{sent[n][step] / 1e6:.1f}" for n in sent)
        print(f"| {step} | {sent[2][step] / 4:,.0f} | {megabytes} |")
    total = {n: sum(sent[n].values()) for n in sent}
    megabytes = " | ".join(f"{total[n] / 1e6:.1f}" for n in total)
    print(f"| all | {total[2] / 4:,.0f} | {megabytes} |\n", flush=True)

    seconds = run(settings, BATCHES)["steps"]
    fixed, image = line_through(BATCHES, seconds)
    told = ", ".join(f"{1e3 * t:.1f} ms of {b}" for b, t in zip(BATCHES, seconds, strict=True))
    print(f"One worker needs for a minibatch {told} images: {1e3 * fixed:.1f} ms + ", end="")
    print(f"{1e6 * image:.0f} us for each image.\n")
    print(
        f"| workers | network | exchange, ms | images of each worker for {EFFICIENCY:.0%} | batch |"
    )
    print("|---|---|---|---|---|")
    for n in (8, 64):
        for gigabits in (10, 100):
            exchange = total[n] / (gigabits * GIGABIT)
            compute = exchange * EFFICIENCY / (1 - EFFICIENCY)
            images = max(1, int(np.ceil((compute - fixed) / image)))
            print(f"| {n} | {gigabits} Gbit/s | {1e3 * exchange:.1f} | {images} | {n * images} |")

    print("\nTwo processes on the loopback address, each on a processor core of its own:\n")
    cores = sorted(os.sched_getaffinity(0))[:2]
    alone = run(settings, BATCHES, cores[:1])["steps"]
    together = run(settings, [2 * b for b in BATCHES], cores)
    exchange = together["exchange"]
    print("| images of each worker | alone, ms | predicted, ms | measured, ms | efficiency |")
    print("|---|---|---|---|---|")
    for batch, one, two in zip(BATCHES, alone, together["steps"], strict=True):
        times = " | ".join(f"{1e3 * t:.1f}" for t in (one, one + exchange, two))
        print(f"| {batch} | {times} | {one / two:.0%} |")
    vector, scalar = together["vector"], together["scalar"]
    print(
        f"\nThe prediction adds {1e3 * exchange:.1f} ms, measured for the gradients and metrics of "
        f"a step without the computation. Their bytes in one vector take {1e3 * vector:.1f} ms, "
        f"{total[2] / (vector - scalar) / GIGABIT:.1f} Gbit/s, and a scalar {1e3 * scalar:.2f} ms."
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        worker(json.loads(sys.argv[2]))
    else:
        main(sys.argv[1:])
