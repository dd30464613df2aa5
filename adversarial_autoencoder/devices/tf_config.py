"""Reads the environment variable TF_CONFIG, which lists the machines that train together.

Cluster managers such as Slurm and Ray Train set it. For the first of two machines it is
{"cluster": {"worker": ["host0:2222", "host1:2222"]}, "task": {"type": "worker", "index": 0}}.
For the second machine, the index is 1.
"""

import contextlib
import os
import re

from adversarial_autoencoder.config.small_files import parse_json
from adversarial_autoencoder.errors import InputError

# The kinds of tasks that train. `MultiWorkerMirroredStrategy` has no parameter servers.
TASKS = ("chief", "worker")
# A host and a port.
_ADDRESS = re.compile(r"[^\s/]+:\d{1,5}")


def task(strategy: str) -> tuple[int, int]:
    """Finds the position of this process among the processes that train together.

    Args:
        strategy: "none", "mirrored" or "multi_worker".

    Returns:
        The number of this process, 0 for the chief, and the number of processes. They are 0 and 1
        for the strategies with one process.

    Raises:
        InputError: If the strategy is "multi_worker" and TF_CONFIG is missing, damaged, or does not
            contain this process.

    Example:
        >>> from adversarial_autoencoder.devices import tf_config
        >>> tf_config.task("mirrored")
        (0, 1)
    """
    if strategy != "multi_worker":
        return 0, 1
    text = os.environ.get("TF_CONFIG", "")
    try:
        document = parse_json(text)
        cluster, own = document["cluster"], document["task"]
        addresses = {
            (kind, i): address for kind in TASKS for i, address in enumerate(cluster.get(kind, ()))
        }
        known = all(map(_ADDRESS.fullmatch, addresses.values()))
        if known and set(cluster) <= set(TASKS):
            return list(addresses).index((own["type"], int(own["index"]))), len(addresses)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        pass
    raise InputError(
        'strategy=multi_worker needs the environment variable TF_CONFIG, such as {"cluster":'
        ' {"worker": ["host0:2222", "host1:2222"]}, "task": {"type": "worker", "index": 0}}. '
        f"Received: TF_CONFIG={text!r}"
    )


def is_chief(strategy: str) -> bool:
    """Returns whether this process is the chief, the only process that writes and prints.

    Args:
        strategy: "none", "mirrored" or "multi_worker".

    Returns:
        True for the chief, and for strategies with one process.

    Raises:
        InputError: If the strategy is "multi_worker" and TF_CONFIG cannot be used.
    """
    return task(strategy)[0] == 0


def output_of_chief(strategy: str) -> contextlib.AbstractContextManager:
    """Makes a context in which only the chief prints on stdout.

    Args:
        strategy: "none", "mirrored" or "multi_worker".

    Returns:
        A context manager.

    Raises:
        InputError: If the strategy is "multi_worker" and TF_CONFIG cannot be used.
    """
    return contextlib.nullcontext() if is_chief(strategy) else contextlib.redirect_stdout(None)
