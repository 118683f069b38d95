"""The folder that is generated: what would become of each file there, and whether that may be.

Three kinds of files are in it. *Generated* ones are c2kit's: they are overwritten, unless somebody edited them. Those
that are made *once* are the user's from then on. Of all others c2kit knows nothing, and leaves them alone.
"""

from __future__ import annotations

import difflib
from enum import StrEnum, unique
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from attrs import field, frozen

from c2kit.errors import UsageError
from c2kit.scaffold.lock import LOCK, Lock, hash_of, read_lock
from c2kit.scaffold.swap import replace_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["SETTINGS", "Change", "Changes", "Fate", "Tree", "changes_of", "owned", "write"]

SETTINGS = "settings.yaml"
"""The user's file. It may be there before anything else is."""


@frozen(kw_only=True)
class Tree:
    """What a folder should hold, by paths with ``/`` relative to it."""

    c2kit: str
    """The version that makes it."""
    mission: str
    description: str
    """The hash of the mission's description."""
    files: Mapping[str, bytes] = field(repr=False)
    once: Mapping[str, bytes] = field(repr=False, factory=dict)
    """What is made where it was never made before."""
    partitions: Mapping[str, int] = field(repr=False, factory=dict)
    """Of each topic; they never change."""
    templates: Mapping[str, str] = field(repr=False, factory=dict)
    """The user's own that it was made with, with their hashes."""


@unique
class Fate(StrEnum):
    """What becomes of a file."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    """It is not generated any more, and is as it was generated."""
    KEPT = "kept"
    """It is not generated any more; it was edited, and is the user's now."""
    REFUSED = "edited"
    """It was edited, and would be overwritten."""


@frozen(kw_only=True)
class Change:
    """A file that is not as it would be."""

    path: str
    fate: Fate
    old: bytes | None
    new: bytes | None

    def diff(self) -> str:
        """From what is there to what would be, as a unified diff; what is no text is told in a line."""
        try:
            old, new = ((data or b"").decode().splitlines(keepends=True) for data in (self.old, self.new))
        except UnicodeDecodeError:
            return f"{self.path} differs, and is no text\n"
        names = (
            "/dev/null" if self.old is None else f"a/{self.path}",
            "/dev/null" if self.new is None else f"b/{self.path}",
        )
        lines = difflib.unified_diff(old, new, *names)
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


@frozen(kw_only=True)
class Changes:
    """All that would change in a folder, by path, and the lock that it would have."""

    changes: tuple[Change, ...]
    lock: Lock
    has_old_lock: bool
    """Whether the lock is there already, as it would be."""

    def __bool__(self) -> bool:
        return bool(self.changes) or not self.has_old_lock

    def of(self, *fates: Fate) -> list[Change]:
        """Those with one of these fates."""
        return [change for change in self.changes if change.fate in fates]


def changes_of(folder: Path, tree: Tree) -> Changes:
    """What would change in a folder, which need not be there. Nothing is written.

    Raises:
        UsageError: the folder is not c2kit's, or another mission's, or has something else where a file belongs; a
            topic would have other partitions than it was made with.
    """
    old = owned(folder, tree.mission)
    fixed = {} if old is None else old.partitions
    _check_partitions(fixed, tree.partitions)
    _check_folders(folder, tree)
    known = {} if old is None else old.files
    made = () if old is None else old.once
    changes = [_generated(folder, path, new, known.get(path)) for path, new in tree.files.items()]
    changes += [_no_longer_generated(folder, path, known[path]) for path in known.keys() - tree.files.keys()]
    for path, new in tree.once.items():
        if _content(folder, path) is None and (path == SETTINGS or path not in made):
            changes.append(Change(path=path, fate=Fate.ADDED, old=None, new=new))
    lock = Lock(
        c2kit=tree.c2kit,
        mission=tree.mission,
        description=tree.description,
        files={path: hash_of(data) for path, data in tree.files.items()},
        once=tuple(sorted({*tree.once, *made})),
        partitions={**fixed, **tree.partitions},
        templates=dict(tree.templates),
    )
    return Changes(
        changes=tuple(sorted((change for change in changes if change is not None), key=lambda change: change.path)),
        lock=lock,
        has_old_lock=_content(folder, LOCK) == lock.as_bytes(),
    )


def write(folder: Path, changes: Changes) -> None:
    """Make the folder so, at one stroke: whatever stops the process, it is as it was or as it should be.

    What was edited is overwritten: whether that is wanted was asked before.
    """
    written = {change.path: change.new for change in changes.changes if change.new is not None}
    removed = {change.path for change in changes.of(Fate.REMOVED)}
    replace_folder(folder, written={**written, LOCK: changes.lock.as_bytes()}, removed=removed)


def owned(folder: Path, mission: str) -> Lock | None:
    """The lock of a folder that is the mission's; None of one that is new. Raises UsageError for any other folder."""
    if not folder.exists():
        return None
    if not folder.is_dir():
        raise UsageError("where the scaffold writes", expected="a folder", found=str(folder))
    lock = read_lock(folder)
    if lock is None:
        others = sorted(path.name for path in folder.iterdir() if path.name != SETTINGS)
        if others:
            raise UsageError(
                f"the folder {folder} is not one that c2kit made",
                expected=f"an empty one, or one with {LOCK}",
                found=", ".join(others[:5]) + (", ..." if len(others) > 5 else ""),
                remedy="give another folder",
            )
    elif lock.mission != mission:
        raise UsageError(
            f"the folder {folder} holds another mission",
            expected=mission,
            found=lock.mission,
            remedy="give each mission a folder and a namespace of its own",
        )
    return lock


def _check_partitions(fixed: Mapping[str, int], wanted: Mapping[str, int]) -> None:
    """Raise UsageError for topics that would grow or shrink: whoever applies that destroys the order of their lanes."""
    changed = [name for name in sorted(wanted) if fixed.get(name, wanted[name]) != wanted[name]]
    if changed:
        raise UsageError(
            "topics would have another number of partitions, which is fixed at their creation: lanes would go on in "
            "other partitions than they began in, and records overtake each other; nothing was written",
            expected=", ".join(f"{name}: {fixed[name]}" for name in changed),
            found=", ".join(f"{name}: {wanted[name]}" for name in changed),
            remedy="compose the mission as it was, or give it another name, folder and namespace for a new set of "
            "streams; --force does not override this",
        )


def _check_folders(folder: Path, tree: Tree) -> None:
    """Raise UsageError for a link in place of a folder: what is behind it could not be replaced at one stroke."""
    parents = {parent for path in (*tree.files, *tree.once) for parent in PurePosixPath(path).parents if parent.name}
    for parent in sorted(parents):
        if (folder / parent).is_symlink():
            what = f"{folder / parent} is in the way of a folder that c2kit makes"
            raise UsageError(what, found="a link", remedy="move it away")


def _generated(folder: Path, path: str, new: bytes, known: str | None) -> Change | None:
    there = _content(folder, path)
    if there == new:
        return None
    if there is None:
        return Change(path=path, fate=Fate.ADDED, old=None, new=new)
    fate = Fate.CHANGED if hash_of(there) == known else Fate.REFUSED
    return Change(path=path, fate=fate, old=there, new=new)


def _no_longer_generated(folder: Path, path: str, known: str) -> Change | None:
    there = _content(folder, path)
    if there is None:
        return None
    is_ours = hash_of(there) == known
    return Change(path=path, fate=Fate.REMOVED if is_ours else Fate.KEPT, old=there, new=None)


def _content(folder: Path, path: str) -> bytes | None:
    """What stands there; None where nothing does."""
    place = folder / path
    try:
        return place.read_bytes()
    except FileNotFoundError:
        return None
    except (IsADirectoryError, NotADirectoryError) as error:
        what = f"{place} is in the way of a file that c2kit makes"
        raise UsageError(what, found=error.strerror, remedy="move it away") from None
