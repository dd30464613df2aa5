"""Files that outlive a kill or a full disk: written whole or not at all, by one process at a time.

A temporary file of `atomic` is named `.<name>.<pid>.tmp<suffix>`, so that what a killed process
left behind can be told from what a living one is writing.
"""

import contextlib
import os
import time

from adversarial_autoencoder.errors import InputError

try:
    import fcntl
except ImportError as error:
    raise ImportError(
        "Runs are locked as Unix does it: use Linux, macOS, or on Windows its WSL"
    ) from error

LOCK = ".lock"


@contextlib.contextmanager
def atomic(path):
    """Gives a temporary path to write to, which takes the place of `path` when all went well.

    A reader, or a run killed half-way, sees the old file or the new one, never half of one. The
    new one is on the disk before it takes the place of the old one.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp{path.suffix}")
    try:
        yield temporary
        _flush(temporary)
        temporary.replace(path)
        _flush(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def lock(folder):
    """Holds a folder for this process alone, and removes what killed ones left half-written in it.

    The lock is the system's own on an open file, which ends with the process however that ends:
    there is no stale one. The file `.lock` stays, with the pid of the last holder.

    Args:
        folder: The folder, a `pathlib.Path`.

    Raises:
        InputError: If another process holds it.
    """
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if not _take(descriptor, fcntl.LOCK_EX, tries=5):
            holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
            raise InputError(
                f"The run {folder.name} must be trained by one process at a time. "
                f"Received: one more, while process {holder or 'unknown'} trains it"
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        _remove_leftovers(folder)
        yield
    finally:
        os.close(descriptor)


def is_locked(folder):
    """Whether a process, this or another, holds a folder by `lock`."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not _take(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _take(descriptor, kind, tries=1):
    """Takes a lock, where `is_locked` of another process may be in the way for an instant."""
    for attempt in range(tries):
        if attempt:
            time.sleep(0.05)
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            return True
    return False


def _remove_leftovers(folder):
    for path in [*folder.glob(".*.tmp*"), *folder.glob("*/.*.tmp*")]:
        pid = path.name.partition(".tmp")[0].rpartition(".")[2]
        # A new process may have got the pid of the killed one.
        if pid.isdecimal() and (int(pid) == os.getpid() or not _is_alive(int(pid))):
            path.unlink(missing_ok=True)


def _is_alive(pid):
    try:
        os.kill(pid, 0)  # Signal 0 only asks.
    except PermissionError:  # It is that of another user.
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


def _flush(path):
    """Waits until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
