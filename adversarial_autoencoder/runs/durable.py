"""Files that survive a kill or a full disk: each is written completely or not at all.

`lock` gives one process the exclusive right to write to a folder, and `check_lock` tells it whether
the folder is still the one that it locked. `atomic` and `snapshot` name a temporary
file `.<name>.<pid>.tmp<suffix>`. The process id shows whether the process that wrote it is still
alive.
"""

import contextlib
import os
import pathlib
import stat
import time
from collections.abc import Iterator

from adversarial_autoencoder.errors import InputError, TrainingError

try:
    import fcntl
except ImportError as error:
    raise ImportError(
        "Run folders need the file locks of Unix. Use Linux, macOS, or WSL on Windows."
    ) from error

LOCK = ".lock"
# Descriptors of the locks that this process holds, by the path of the folder.
_held: dict[pathlib.Path, int] = {}


@contextlib.contextmanager
def atomic(path: pathlib.Path, overwrite: bool = True) -> Iterator[pathlib.Path]:
    """Replaces a file in one step, as a context manager.

    The file is replaced when the `with` block ends without an error. A reader sees the complete old
    file or the complete new file. The new file is on the disk before it replaces the old one.

    Args:
        path: The file to write or to replace. Its folder must exist.
        overwrite: Whether a file that exists at the end is replaced.

    Yields:
        A temporary path in the same folder. The `with` block must write to it.

    Raises:
        OSError: If the file cannot be written. The old file is kept.
        InputError: If the file exists and must not be replaced.

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
        if overwrite:
            temporary.replace(path)
        else:
            _rename_to_free(temporary, path)
        _flush(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def snapshot(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Names a file for several reads that must see the same content, as a context manager.

    `atomic` can replace the file at any time. The snapshot is another name of the same file (a hard
    link) in its folder, which keeps the old content.

    Args:
        path: The file.

    Yields:
        The path of the snapshot. It is `path` itself if the folder cannot be written to or its file
        system has no hard links.
    """
    link = path.with_name(f".{path.name}.{os.getpid()}.tmp.read{path.suffix}")
    try:
        link.unlink(missing_ok=True)
        os.link(path, link, follow_symlinks=False)
    except OSError:
        yield path
        return
    try:
        yield link
    finally:
        link.unlink(missing_ok=True)


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
    # Without O_NONBLOCK, to open a pipe waits until another process opens it.
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK, 0o666)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise InputError(f"{LOCK} of the run {folder.name} must be a file. Received: a pipe")
        if not _take(descriptor, fcntl.LOCK_EX, tries=5):
            holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
            raise InputError(
                f"The run {folder.name} can be trained by one process at a time. "
                f"Received: a second process, while process {holder or 'unknown'} trains it"
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        _remove_leftovers(folder)
        _held[folder.absolute()] = descriptor
        yield
    finally:
        _held.pop(folder.absolute(), None)
        os.close(descriptor)


def check_lock(folder: pathlib.Path) -> None:
    """Checks that a lock of this process still protects the folder.

    If the file `.lock` was removed, or the folder was moved and copied back, another process can
    lock the folder too.

    Args:
        folder: The folder. A folder that this process has not locked passes.

    Raises:
        TrainingError: If the file `.lock` is not the one that this process has locked.
    """
    descriptor = _held.get(folder.absolute())
    if descriptor is None:
        return
    with contextlib.suppress(OSError):
        if os.path.samestat(os.fstat(descriptor), (folder / LOCK).stat()):
            return
    raise TrainingError(
        f"The run {folder.name} must keep its file {LOCK} while it is trained. Received: another "
        "file or none, so another process can train the run. Nothing more is written to it."
    )


def is_locked(folder: pathlib.Path) -> bool:
    """Checks whether a process, this one or another, holds the lock of a folder.

    Args:
        folder: The folder.

    Returns:
        True if a process is inside `lock`.
    """
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY | os.O_NONBLOCK)
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


def _rename_to_free(temporary, path):
    """Renames a file unless the name is taken, which the operating system checks."""
    try:
        try:
            os.link(temporary, path)
        except FileExistsError:
            raise
        except OSError:  # A file system without hard links.
            path.touch(exist_ok=False)
            temporary.replace(path)
    except FileExistsError as error:
        raise taken(path) from error


def taken(path: pathlib.Path) -> InputError:
    """The error of an output that something else made in the meantime."""
    return InputError(f"output must not exist; --overwrite replaces it. Received: {path}")


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
