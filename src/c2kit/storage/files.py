"""All that a log asks of the operating system, so that what it relies on stands in one place.

What is written is safe once :func:`sync_data` of its file returned, and, for a file that was created or renamed,
:func:`sync_directory` of its directory. Until then a crash may keep any part of it. All functions raise ``OSError``.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

from c2kit.storage.errors import LogLocked, LogUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import Self

    from c2kit.kernel.contract import Buffer

__all__ = [
    "ReadFile",
    "begin_to_sync",
    "create",
    "cut",
    "disk",
    "has_name",
    "make_directory",
    "open_directory",
    "open_locked",
    "open_to_write",
    "remove",
    "replace",
    "sync_data",
    "sync_directory",
    "write_at",
]

# Not everywhere is there a way to sync only what is needed to read the data back.
_datasync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)

_advise: Callable[[int, int, int, int], None] | None = getattr(os, "posix_fadvise", None)
_PIECES = 1024
"""As many as every system writes at once."""


@contextlib.contextmanager
def disk(doing: str, path: Path) -> Iterator[None]:
    """Tell whoever uses a log of trouble with the disk in words of the log."""
    try:
        yield
    except OSError as error:
        raise LogUnavailable(doing, path, error) from error


def make_directory(path: Path) -> None:
    """Create a directory and those above it, so that they survive a crash."""
    missing = [each for each in (path, *path.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        parent = open_directory(each.parent)
        try:
            sync_directory(parent)
        finally:
            os.close(parent)


def open_directory(path: Path) -> int:
    """Open a directory, to sync it."""
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY)


def open_locked(path: Path) -> int:
    """Open a directory and lock it for as long as it is open: a process that dies gives the lock back.

    Raises LogLocked where somebody else has it.
    """
    descriptor = open_directory(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise LogLocked(path) from None
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def create(path: Path) -> int:
    """Create a file that must not be there yet."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)


def open_to_write(path: Path) -> int:
    """Open a file that is there."""
    return os.open(path, os.O_RDWR)


def write_at(descriptor: int, pieces: Sequence[Buffer], position: int) -> None:
    """Write all of these bytes, one after another, at a place of a file."""
    left = [memoryview(piece).cast("B") for piece in reversed(pieces) if len(piece)]
    while left:
        written = os.pwritev(descriptor, left[: -_PIECES - 1 : -1], position)
        position += written
        while left and written >= len(left[-1]):
            written -= len(left.pop())
        if written:
            left[-1] = left[-1][written:]


def begin_to_sync(descriptor: int, position: int, size: int) -> None:
    """Have the disk begin with these bytes, where the system can, while there is other work to do.

    On Linux this is what it does first when it is told that bytes will not be needed any more. Nothing depends on it.
    """
    if _advise is not None and size:
        _advise(descriptor, position, size, os.POSIX_FADV_DONTNEED)


def cut(descriptor: int, size: int) -> None:
    """Cut a file to this size."""
    os.ftruncate(descriptor, size)


def sync_data(descriptor: int) -> None:
    """Have the data of a file, and what is needed to read them back, on the disk."""
    _datasync(descriptor)


def has_name(descriptor: int) -> bool:
    """Whether an open file is still in some directory; one that was removed ends with who has it open."""
    return os.fstat(descriptor).st_nlink > 0


def sync_directory(descriptor: int) -> None:
    """Have the names in a directory on the disk."""
    os.fsync(descriptor)


def remove(path: Path) -> None:
    """Remove a file, if it is there."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()


def replace(path: Path, data: bytes) -> None:
    """Put a whole file in place of another, or of none: whoever opens it finds the old one or the new one, whole."""
    new = path.with_name(f"{path.name}.new")
    remove(new)
    descriptor = create(new)
    try:
        write_at(descriptor, [data], 0)
        sync_data(descriptor)
    finally:
        os.close(descriptor)
    new.replace(path)
    directory = open_directory(path.parent)
    try:
        sync_directory(directory)
    finally:
        os.close(directory)


class ReadFile:
    """A file that is read at any place, and may grow or be cut meanwhile."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY)

    @property
    def size(self) -> int:
        """Its bytes, now."""
        return os.fstat(self._descriptor).st_size

    def read(self, position: int, size: int) -> bytes:
        """The bytes of a place; fewer where the file ends before."""
        pieces = []
        while size > 0 and (piece := os.pread(self._descriptor, size, position)):
            pieces.append(piece)
            position += len(piece)
            size -= len(piece)
        return b"".join(pieces) if len(pieces) != 1 else pieces[0]

    def close(self) -> None:
        """Close it; once more does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
