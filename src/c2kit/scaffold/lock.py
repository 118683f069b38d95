"""What a run of the scaffold wrote, and of what: so that the next one knows whose each file is."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from attrs import asdict, field, frozen

from c2kit.errors import UsageError
from c2kit.pipeline.composition.structuring import Faulty, structured

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LOCK", "Lock", "hash_of", "read_lock"]

LOCK = ".c2kit/scaffold.lock"
"""Where it stands in the folder. It is the marker by which a folder is one of c2kit's, and of which mission."""

_FORMAT = 1


def hash_of(data: bytes) -> str:
    """What stands for the content of a file."""
    return hashlib.sha256(data).hexdigest()


@frozen(kw_only=True)
class Lock:
    """The files of a folder that c2kit owns, by their paths with the hash of what was written."""

    format: int = _FORMAT
    c2kit: str
    """The version that wrote it."""
    mission: str
    description: str
    """The hash of the mission's description."""
    files: dict[str, str]
    once: tuple[str, ...] = field(default=())
    """What was made once and is the user's since then."""
    partitions: dict[str, int] = field(factory=dict)
    """Of each topic that was ever generated here: one that is generated no more is still in its cluster."""

    templates: dict[str, str] = field(factory=dict)
    """The user's own, with their hashes: without them other files are generated."""

    def as_bytes(self) -> bytes:
        """As it is written."""
        return json.dumps(asdict(self), indent=2, sort_keys=True).encode() + b"\n"


def read_lock(folder: Path) -> Lock | None:
    """The lock of a folder, None where there is none.

    Raises:
        UsageError: it is damaged, or of a newer c2kit.
    """
    path = folder / LOCK
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise _damaged(path, error) from None
    found = data.get("format") if isinstance(data, dict) else None
    if isinstance(found, int) and found > _FORMAT:
        remedy = "use the c2kit that wrote it, or a newer one"
        raise UsageError(f"the format of {path}", expected=f"at most {_FORMAT}", found=found, remedy=remedy)
    try:
        return structured(Lock, data)
    except Faulty as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> UsageError:
    remedy = "restore it from version control, or generate into an empty folder"
    return UsageError(f"{path} cannot be read", found=error, remedy=remedy)
