"""The copy of the definitions that every log keeps, so that its packets can be decoded wherever it is taken.

``definitions/<hash>.json`` is the canonical form of a target, of which the hash is taken.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from c2kit.errors import MessageError, UsageError
from c2kit.model.canonical import canonical_json
from c2kit.model.restore import from_canonical
from c2kit.storage import files

if TYPE_CHECKING:
    from pathlib import Path

    from c2kit.model.target import Target

__all__ = ["Definitions"]


class Definitions:
    """The definitions that are kept with a log; read once each."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "definitions"
        self._targets: dict[str, Target] = {}

    def __contains__(self, dictionary_hash: str) -> bool:
        """Whether there is a sound copy."""
        try:
            self.target(dictionary_hash)
        except MessageError:
            return False
        return True

    @property
    def hashes(self) -> list[str]:
        """The hashes of all definitions that there seems to be a copy of, sorted."""
        return sorted(path.stem for path in self._directory.glob("*.json"))

    @property
    def targets(self) -> list[Target]:
        """All of which there is a sound copy, or that were made known, sorted by name and hash."""
        hashes = {each for each in (*self.hashes, *self._targets) if each in self}
        return sorted(map(self.target, hashes), key=lambda target: (target.name, target.hash))

    def path(self, dictionary_hash: str) -> Path:
        """Where the copy is, or would be."""
        return self._directory / f"{dictionary_hash}.json"

    def target(self, dictionary_hash: str) -> Target:
        """The target of that hash. Raises MessageError where there is no copy, or one that is not sound."""
        known = self._targets.get(dictionary_hash)
        if known is not None:
            return known
        path = self.path(dictionary_hash)
        try:
            canonical = path.read_bytes()
        except FileNotFoundError:
            remedy = "put the canonical form of the target there"
            raise MessageError(f"{path} is missing, by which packets are known", remedy=remedy) from None
        found = hashlib.sha256(canonical).hexdigest()
        if found != dictionary_hash:
            raise MessageError(f"{path} is damaged", expected=f"bytes of SHA-256 {dictionary_hash}", found=found)
        target = self._targets[dictionary_hash] = from_canonical(canonical)
        return target

    def add(self, target: Target | bytes) -> str:
        """Keep a target, or the canonical form of one; gives its hash. It is on the disk when this returns.

        Raises MessageError for bytes that are no canonical form, OSError where the disk does not take it.
        """
        canonical = target if isinstance(target, bytes) else canonical_json(target)
        dictionary_hash = hashlib.sha256(canonical).hexdigest()
        if dictionary_hash not in self:
            restored = from_canonical(canonical)
            files.make_directory(self._directory)
            files.replace(self.path(dictionary_hash), canonical)
            self._targets[dictionary_hash] = restored
        return dictionary_hash

    def add_known(self, target: Target) -> None:
        """Know a target without keeping it."""
        self._targets[target.hash] = target

    def require(self, dictionary_hash: str) -> None:
        """Raises UsageError where packets could not be decoded any more."""
        if dictionary_hash not in self:
            remedy = "define() it before the first packets that name it"
            raise UsageError("the log has no copy of the definitions", expected=dictionary_hash, remedy=remedy)
