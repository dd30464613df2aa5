"""What this machine computes fastest: the choice of precision and compiler."""

import dataclasses
import pathlib
import platform

import tensorflow as tf

# Flags in /proc/cpuinfo of processors that multiply matrices of bfloat16.
BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}


def device():
    """The kind of device that a training uses: "CPU" or "GPU"."""
    return "GPU" if tf.config.list_physical_devices("GPU") else "CPU"


def has_bfloat16():
    """Whether the device of a training computes in bfloat16 faster than in float32."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        capability = tf.config.experimental.get_device_details(gpus[0]).get("compute_capability")
        return bool(capability) and capability >= (8, 0)
    try:
        words = set(pathlib.Path("/proc/cpuinfo").read_text().split())
    except OSError:
        words = set()
    return platform.system() == "Linux" and bool(words & BFLOAT16_FLAGS)


def choose(config):
    """Fills in the precision and the compiler where they were left open.

    Fully connected networks compute in bfloat16 where the device does so faster; their variables,
    codes, logits and losses stay float32. XLA is for GPUs, and for optimizers other than Adam: on a
    CPU Adam has a kernel of its own, beside which XLA brings nothing in float32, and slows down
    bfloat16 (benchmarks/RESULTS.md).

    Args:
        config: A `Config`.

    Returns:
        The `Config` with `precision` and `jit_compile` resolved.
    """
    precision, jit_compile = config.precision, config.jit_compile
    if precision == "auto":
        fast = config.network == "mlp" and has_bfloat16()
        precision = "mixed_bfloat16" if fast else "float32"
    if jit_compile == "auto":
        compiled = config.strategy == "none" and (
            device() == "GPU" or (config.optimizer != "adam" and precision == "float32")
        )
        jit_compile = "true" if compiled else "false"
    return dataclasses.replace(config, precision=precision, jit_compile=jit_compile)
