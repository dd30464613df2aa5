"""Chooses the precision and the compiler that are fastest on this machine."""

import dataclasses
import pathlib
import platform

import tensorflow as tf

from adversarial_autoencoder.config import Config

# Flags in /proc/cpuinfo of processors with instructions for bfloat16 matrix products.
BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}


def device() -> str:
    """Returns the kind of device that a training uses: "CPU" or "GPU"."""
    return "GPU" if tf.config.list_physical_devices("GPU") else "CPU"


def has_bfloat16() -> bool:
    """Returns whether the device of a training is faster in bfloat16 than in float32."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        capability = tf.config.experimental.get_device_details(gpus[0]).get("compute_capability")
        return bool(capability) and capability >= (8, 0)
    try:
        words = set(pathlib.Path("/proc/cpuinfo").read_text().split())
    except OSError:
        words = set()
    return platform.system() == "Linux" and bool(words & BFLOAT16_FLAGS)


def choose(config: Config) -> Config:
    """Replaces the value "auto" of `precision` and `jit_compile` by a choice for this machine.

    Fully connected networks compute in bfloat16 if the device is faster in it. Variables, codes,
    logits and losses are float32 in any case. XLA is used on a GPU. On a CPU, it is used only for
    optimizers other than Adam, and only in float32: TensorFlow has its own CPU kernel for Adam,
    which XLA does not improve, and XLA makes bfloat16 slower (docs/speed.md).

    Args:
        config: The `config.Config`.

    Returns:
        A `config.Config` without "auto" in these two settings.
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
