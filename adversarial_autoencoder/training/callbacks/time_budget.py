"""Limits what a callback does between epochs to a share of the time."""

import contextlib
import time

# With this share for each, the checkpoint and the histograms of TensorBoard take a fifth together.
SHARE = 0.1


class TimeBudget:
    """Says when costly work between epochs is due, so that it takes at most a share of the time.

    After work of one second, the next is due when nine seconds have passed, if the share is 0.1. A
    training whose epochs are longer does the work after every epoch.

    Args:
        share: Largest fraction of the time for the work, above 0 and at most 1.
        clock: Function that returns the time in seconds.

    Example:
        >>> from adversarial_autoencoder.training.callbacks.time_budget import TimeBudget
        >>> times = iter([0, 2, 5, 20])
        >>> budget = TimeBudget(0.1, clock=lambda: next(times))
        >>> budget.is_due()
        True
        >>> with budget.spend():  # From 0 to 2 seconds.
        ...     pass
        >>> budget.is_due(), budget.is_due()  # After 5 and 20 seconds.
        (False, True)
    """

    def __init__(self, share=SHARE, clock=time.monotonic):
        self.share = share
        self.clock = clock
        self.next = None

    def is_due(self):
        """Whether the work can be done now."""
        return self.next is None or self.clock() >= self.next

    @contextlib.contextmanager
    def spend(self):
        """Measures the work, as a context manager."""
        start = self.clock()
        yield
        end = self.clock()
        self.next = end + (end - start) * (1 / self.share - 1)
