"""Files that survive a kill or a full disk: each is written completely or not at all.

`lock` gives one process the exclusive right to write to a folder. `atomic` names a temporary file
`.<name>.<pid>.tmp<suffix>`. The process id shows whether the process that wrote it is still alive.
"""

import contextlib
import os
import pathlib
import time
from collections.abc import Iterator

from adversarial_autoencoder.errors import InputError

try:
    import fcntl
except ImportError as error:
    raise ImportError(
        "Run folders need the file locks of Unix. Use Linux, macOS, or WSL on Windows."
    ) from error

LOCK = ".lock"


@contextlib.contextmanager
def atomic(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Replaces a file in one step, as a context manager.

    The file is replaced when the `with` block ends without an error. A reader sees the complete old
    file or the complete new file. The new file is on the disk before it replaces the old one.

    Args:
        path: The file to write or to replace. Its folder must exist.

    Yields:
        A temporary path in the same folder. The `with` block must write to it.

    Raises:
        OSError: If the file cannot be written. The old file is kept.

    Example:
        >>> import pathlib, tempfile
        >>> from adversarial_autoencoder.runs.durable import atomic
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "metrics.json")
        ...     with atomic(path) as temporary:
        ...         _ = temporary.write_text("{}")
        ...     path.read_text()
        '{}'
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
def lock(folder: pathlib.Path) -> Iterator[None]:
    """Locks a folder for this process, as a context manager.

    It also removes temporary files of killed processes. The operating system releases the lock when
    the process ends, even if it is killed, so there are no stale locks. The file `.lock` remains;
    it contains the id of the last process.

    Args:
        folder: The folder, which must exist.

    Raises:
        InputError: If another process holds the lock.
    """
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if not _take(descriptor, fcntl.LOCK_EX, tries=5):
            holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
            raise InputError(
                f"The run {folder.name} can be trained by one process at a time. "
                f"Received: a second process, while process {holder or 'unknown'} trains it"
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        _remove_leftovers(folder)
        yield
    finally:
        os.close(descriptor)


def is_locked(folder: pathlib.Path) -> bool:
    """Checks whether a process, this one or another, holds the lock of a folder.

    Args:
        folder: The folder.

    Returns:
        True if a process is inside `lock`.
    """
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not _take(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _take(descriptor, kind, tries=1):
    # `is_locked` of another process takes the lock for an instant, so one failure is not enough.
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
        # This process can have the same id as the killed one.
        if pid.isdecimal() and (int(pid) == os.getpid() or not _is_alive(int(pid))):
            path.unlink(missing_ok=True)


def _is_alive(pid):
    try:
        os.kill(pid, 0)  # Signal 0 does nothing; the call only checks the process id.
    except PermissionError:  # The process exists and belongs to another user.
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


def _flush(path):
    """Waits until a file, or the list of names in a folder, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
