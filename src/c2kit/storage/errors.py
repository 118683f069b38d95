"""What can go wrong with a log, for whoever must mend it.

::

    C2kitError
    └── LogError               a log cannot do what was asked
        ├── LogLocked          another writer has it
        ├── LogUnavailable     the disk is full or does not answer; nothing was kept, and trying again is right
        └── LogDamaged         bytes of it are not what was written; carries what was found

Wrong use of the classes raises :class:`~c2kit.errors.UsageError`, as everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.errors import C2kitError

if TYPE_CHECKING:
    from pathlib import Path

    from c2kit.storage.findings import Finding

__all__ = ["LogDamaged", "LogError", "LogLocked", "LogUnavailable"]


class LogError(C2kitError):
    """A log cannot do what was asked; subclasses say why."""


class LogLocked(LogError):
    """Another writer has the log, in this process or another one."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        super().__init__(f"log {directory} has another writer; a log has one at a time: stop that one first")


class LogUnavailable(LogError):
    """The disk does not take or give bytes: it is full, or broken.

    Nothing of the unfinished block was kept in the files, and what was appended is still held by the writer: ``sync()``
    may be tried again as often as it takes.
    """

    def __init__(self, doing: str, path: Path, error: OSError) -> None:
        self.path = path
        self.error = error
        super().__init__(
            f"{doing} {path} failed: {error.strerror or error}; nothing was kept, so that it can be redone"
        )


class LogDamaged(LogError):
    """Bytes of a log are missing, or are not what was written. ``finding`` tells which."""

    def __init__(self, finding: Finding, *, remedy: str) -> None:
        self.finding = finding
        super().__init__(f"{finding}; {remedy}")
