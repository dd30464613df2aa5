"""The state of a run: whether it is trained, finished, stopped or failed."""

from adversarial_autoencoder.runs.durable import is_locked
from adversarial_autoencoder.runs.run import FAILED, Run


def status_of(run: Run, epochs: int) -> tuple[str, dict[str, float]]:
    """Determines the state of a run.

    Args:
        run: The run.
        epochs: Number of epochs of the complete training.

    Returns:
        "training", "finished", "failed" or "stopped"; and the last row of the history, as
        `Run.read_last` returns it.

    Raises:
        InputError: If the history cannot be read.
    """
    # In this order: a training that ends in between does not count as stopped.
    locked = is_locked(run.path)
    last = run.read_last()
    if locked:
        return "training", last
    if (run.path / FAILED).exists():
        return "failed", last
    return "finished" if last.get("epoch", 0) >= epochs else "stopped", last
