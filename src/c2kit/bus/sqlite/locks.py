"""Signs of life between processes: a lock file a worker, which the operating system frees when its holder dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from c2kit.bus.base import BusUnavailable
from c2kit.errors import UsageError

__all__ = ["WorkerLock", "check_local"]

_NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "fuse.sshfs", "fuse.s3fs"}
)


def check_local(path: Path) -> None:
    """Refuse a bus file on a network file system, where neither SQLite's locks nor ours can be relied upon."""
    kind = _file_system_of(path.resolve())
    if kind in _NETWORK_FILE_SYSTEMS:
        raise UsageError(
            f"the bus file {path} lies on a network file system",
            expected="a local disk",
            found=kind,
            remedy="put it on a local disk, or use kafka: for a bus across machines",
        )


def _file_system_of(path: Path) -> str | None:
    """The type of the file system that holds a path, as far as the operating system tells (Linux does)."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8")
    except OSError:
        return None
    entries = [line.split()[1:3] for line in mounts.splitlines()]
    holding = [(point, kind) for point, kind in entries if path.is_relative_to(point.replace("\\040", " "))]
    return max(holding, key=lambda entry: len(entry[0]))[1] if holding else None


class WorkerLock:
    """The lock of one worker: held for as long as its process lives, whatever way that ends."""

    def __init__(self, folder: Path, worker: int) -> None:
        self._path = folder / f"{worker}.lock"
        self._file: int | None = None

    def take(self) -> None:
        """Hold the lock until :meth:`release` or the end of the process. Raises BusUnavailable."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.release(is_removed=False)
            raise BusUnavailable(f"the lock file {self._path} of a worker cannot be taken now: {error}") from error

    def is_held(self) -> bool:
        """Whether a living process holds it."""
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(file)
        return False

    def release(self, *, is_removed: bool = True) -> None:
        """Give the lock up and remove its file, unless its worker was never entered and another may have its number."""
        file, self._file = self._file, None
        if file is not None:
            if is_removed:
                self._path.unlink(missing_ok=True)
            os.close(file)

    def forget(self) -> None:
        """Remove the file that a dead holder left behind."""
        self._path.unlink(missing_ok=True)
