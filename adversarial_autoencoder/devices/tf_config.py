"""The machines that train together, as the environment variable TF_CONFIG names them.

Every launcher of TensorFlow sets it: of two machines, the first is given
{"cluster": {"worker": ["host0:2222", "host1:2222"]}, "task": {"type": "worker", "index": 0}}
and the second the same with the index 1.
"""

import contextlib
import json
import os

from adversarial_autoencoder.errors import InputError

# The tasks that train; TensorFlow's other ones, of parameter servers, do not go with this strategy.
TASKS = ("chief", "worker")


def task(strategy):
    """The place of this process among those that train together.

    Args:
        strategy: "none", "mirrored" or "multi_worker".

    Returns:
        Its number, 0 for the chief, and how many there are; 0 and 1 but for "multi_worker".

    Raises:
        InputError: If TF_CONFIG is not set or does not name this process.
    """
    if strategy != "multi_worker":
        return 0, 1
    text = os.environ.get("TF_CONFIG", "")
    try:
        document = json.loads(text)
        cluster, own = document["cluster"], document["task"]
        tasks = [(kind, i) for kind in TASKS for i in range(len(cluster.get(kind, ())))]
        if set(cluster) <= set(TASKS):
            return tasks.index((own["type"], int(own["index"]))), len(tasks)
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise InputError(
        'strategy multi_worker needs the environment variable TF_CONFIG, such as {"cluster":'
        ' {"worker": ["host0:2222", "host1:2222"]}, "task": {"type": "worker", "index": 0}}. '
        f"Received: TF_CONFIG={text!r}"
    )


def is_chief(strategy):
    """Whether this process is the one that writes and prints."""
    return task(strategy)[0] == 0


def output_of_chief(strategy):
    """A context in which the processes other than the chief print nothing."""
    return contextlib.nullcontext() if is_chief(strategy) else contextlib.redirect_stdout(None)
