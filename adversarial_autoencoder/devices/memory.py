"""How much memory this process may use."""

import contextlib
import os
import pathlib

# Limits of a container, of version 2 and of version 1 of the control groups of Linux.
_CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
# To check, to shuffle and to split a data set takes copies: at its peak 2.2 times its size.
SHARE = 4
MAX_DATA_BYTES = 16 * 2**30


def total() -> int:
    """Finds the memory of this machine, or of its container if that is less.

    Returns:
        The number of bytes.
    """
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for path in _CGROUPS:
        # The file contains "max" if there is no limit.
        with contextlib.suppress(OSError, ValueError):
            limits.append(int(pathlib.Path(path).read_text()))
    return min(limits)


def max_data_bytes() -> int:
    """Finds how large a data set in memory can be.

    Returns:
        The number of bytes: a quarter of `total`, at most `MAX_DATA_BYTES`.
    """
    return min(MAX_DATA_BYTES, total() // SHARE)
