"""A folder replaced at one stroke: the new one is made beside it, complete, and takes its place by one system call.

Files that do not change are linked, not copied: they stay the same files, with their times. Where the system cannot
exchange two folders, there is an instant at which neither is in its place; the next run puts the old one back. What a
power failure leaves is up to the file system.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import shutil
from typing import TYPE_CHECKING

from c2kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from pathlib import Path

__all__ = ["recover", "replace_folder", "workplace"]

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_CANNOT = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)


def workplace(folder: Path) -> Path:
    """Where the new folder is made: beside the old one. What a run that was killed left there is of no use."""
    folder = folder.resolve()
    return folder.with_name(f".{folder.name}.c2kit")


def replace_folder(folder: Path, *, written: Mapping[str, bytes], removed: AbstractSet[str]) -> None:
    """Write files into a folder and remove others, all at once; paths are relative, with ``/``. All else stays there.

    Whenever the process is stopped, the folder is as it was or as it should be.

    Raises:
        UsageError: somebody else does the same now; the folder cannot be replaced, such as a mount point; it holds
            something that is no file, folder or link.
        OSError: the disk is full, or may not be written.
    """
    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(workplace(folder)) as work:
        new, old = work / "new", work / "old"
        _recover(folder, work)
        try:
            _link_tree(folder, new, without={*written, *removed})
            for path, data in written.items():
                _write(new / path, data)
            _remove_empty(new, removed)
            _put_in_place(folder, new, old)
        except OSError as error:
            error.filename = error.filename or str(folder)  # that of a full disk tells none
            raise
        finally:
            _discard(new)
        _discard(old)


def recover(folder: Path) -> None:
    """Clean up what a process left that was stopped while it replaced a folder, if one was. Raises as the above."""
    work = workplace(folder)
    if work.exists():
        with _locked(work):
            _recover(folder.resolve(), work)


# -- one at a time ------------------------------------------------------------------------------


@contextlib.contextmanager
def _locked(work: Path) -> Iterator[Path]:
    """The workplace, for this process alone; a process that dies gives it back."""
    descriptor = _lock(work)
    try:
        yield work
    finally:
        with contextlib.suppress(OSError):  # something was left that the next run cleans up
            work.rmdir()
        os.close(descriptor)


def _lock(work: Path) -> int:
    while True:
        work.mkdir(exist_ok=True)
        descriptor = os.open(work, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise UsageError(f"another process writes to the same folder, in {work}", remedy="let it finish") from None
        if _is_there(work, descriptor):
            return descriptor
        os.close(descriptor)  # who had it before took it away when it was done


def _is_there(work: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(work.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _recover(folder: Path, work: Path) -> None:
    """Put back what a process took away that was stopped before it put the new one there."""
    old = work / "old"
    if old.exists() and not folder.exists():
        old.rename(folder)
    _discard(old)
    _discard(work / "new")


def _discard(tree: Path) -> None:
    if tree.exists():
        shutil.rmtree(tree)


# -- the new folder -----------------------------------------------------------------------------


def _link_tree(old: Path, new: Path, *, without: AbstractSet[str], prefix: str = "") -> None:
    new.mkdir()
    if not old.exists():
        return
    for entry in sorted(os.scandir(old), key=lambda entry: entry.name):
        path = f"{prefix}{entry.name}"
        if entry.is_symlink():
            if path not in without:
                (new / entry.name).symlink_to((old / entry.name).readlink())
        elif entry.is_dir():
            if (old / entry.name).is_mount():
                raise UsageError(f"{entry.path} is a mount point", remedy="put a link to it in its place")
            _link_tree(old / entry.name, new / entry.name, without=without, prefix=f"{path}/")
        elif not entry.is_file():
            raise UsageError(f"{entry.path} is no file, folder or link", remedy="move it away")
        elif path not in without:
            _link(old / entry.name, new / entry.name)
    shutil.copystat(old, new)


def _link(old: Path, new: Path) -> None:
    try:
        new.hardlink_to(old)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.EXDEV):
            raise
        shutil.copy2(old, new)  # not every file system has links


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _remove_empty(new: Path, removed: AbstractSet[str]) -> None:
    """Folders of which nothing is left, after what was removed."""
    for path in removed:
        for parent in (new / path).relative_to(new).parents:
            with contextlib.suppress(OSError):  # something is still there, or it is gone already
                if parent.name:
                    (new / parent).rmdir()


# -- the one stroke -----------------------------------------------------------------------------


def _put_in_place(folder: Path, new: Path, old: Path) -> None:
    try:
        if not folder.exists():
            new.rename(folder)
        elif not _exchange(folder, new):
            folder.rename(old)
            new.rename(folder)
    except OSError as error:
        if error.errno not in (errno.EBUSY, errno.EXDEV):
            raise
        what = f"the folder {folder} cannot be replaced: {error.strerror}"
        raise UsageError(what, remedy="it may be a mount point; give a folder within it") from error


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change places, at one stroke; False where the system or the file system cannot."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    if rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT:
        return False
    raise OSError(number, os.strerror(number), str(one))
