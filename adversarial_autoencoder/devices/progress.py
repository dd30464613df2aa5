"""The progress of work on a long file, on the terminal."""

import sys
import time

from adversarial_autoencoder.errors import counted

# Without a terminal, a line appears after so many seconds.
SECONDS = 60.0


class Progress:
    """Shows how much is done, and the time left. What is short shows nothing without a terminal.

    On a terminal one line is written again and again, and removed at the end.

    Args:
        verb: What is done, such as "Encoded".
        noun: With what, in the singular, such as "row".

    Example:
        >>> from adversarial_autoencoder.devices.progress import Progress
        >>> with Progress("Encoded", "row") as progress:
        ...     progress.add(1000, share=0.5)
    """

    def __init__(self, verb: str, noun: str) -> None:
        self.verb, self.noun, self.done = verb, noun, 0
        self.start = self.shown = time.monotonic()
        self.width = 0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *error: object) -> None:
        if self.width:
            print(f"\r{' ' * self.width}\r", end="", flush=True)

    def add(self, number: int, share: float) -> None:
        """Shows that more is done.

        Args:
            number: Number of further images or rows.
            share: The share of the whole that is done, in [0, 1].
        """
        self.done += number
        now = time.monotonic()
        on_terminal = sys.stdout.isatty()
        if now - self.shown < (0.2 if on_terminal else SECONDS):
            return
        self.shown = now
        left = ""
        if 0 < share < 1:
            left = f" - {share:.0%} - {minutes((now - self.start) * (1 - share) / share)} left"
        text = f"{self.verb} {counted(self.done, self.noun)}{left}"
        if not on_terminal:
            print(text, flush=True)
            return
        print(f"\r{text.ljust(self.width)}", end="", flush=True)
        self.width = max(self.width, len(text))


def minutes(seconds: float) -> str:
    """Writes a duration.

    Args:
        seconds: The duration in seconds.

    Returns:
        Minutes and seconds, such as "1:05".
    """
    return "{}:{:02d}".format(*divmod(round(seconds), 60))
