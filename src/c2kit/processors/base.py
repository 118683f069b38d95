"""The contract of a processor, and of what it remembers."""

from __future__ import annotations

import abc
import copy
import json
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

from c2kit.errors import MessageError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from c2kit.batches.kinds import Kind
    from c2kit.dictionaries import Dictionary
    from c2kit.model.target import Target
    from c2kit.processors.asides import Aside

__all__ = ["Processor", "needs_dictionary", "pack_snapshot", "unpack_snapshot"]

Taken = TypeVar("Taken")
Given = TypeVar("Given")


class Processor(abc.ABC, Generic[Taken, Given]):
    """Turns batches of one kind into batches of another, and nothing else: no threads, no clock, no bus.

    *Nothing vanishes.* What comes in comes out, or is in an aside that says what became of it. *Batches do not matter:*
    however the same packets are cut into batches, the same come out. *Bad bytes never raise;* what raises is wrong use,
    or a user's own function.

    An instance is for one lane (packets in one order) and one thread.

    A mission is composed of processors that were given no dictionary, such as ``Identifier()``. Those are
    specifications:
    they say what they take and give, and :meth:`bind` makes one that works, for each lane.
    """

    takes: ClassVar[tuple[Kind, ...]]
    """The kinds of records that it processes, the main one first."""
    gives: ClassVar[Kind]
    also_gives: ClassVar[tuple[Kind, ...]] = ()
    """The kinds of streams that its asides go to, beside events."""

    def bind(self, dictionary: Dictionary, targets: Sequence[str]) -> Self:  # noqa: ARG002 - many need neither
        """Another one with the same settings, for these definitions and the targets that a stage serves."""
        return copy.deepcopy(self)

    @property
    def settings(self) -> dict[str, Any]:
        """What it was told apart from definitions, as plain data, for the description of a mission."""
        return {}

    @abc.abstractmethod
    def process(self, batch: Taken) -> Iterator[Given]:
        """Process a batch. All of it is done once the iterator is at its end, not before."""

    @abc.abstractmethod
    def take_asides(self) -> list[Aside]:
        """What fell aside since the last call; aggregated, so that it cannot flood."""

    @property
    def held(self) -> int:
        """How many packets it has taken and neither given nor set aside: they wait for more."""
        return 0

    def snapshot(self) -> bytes:
        """What the processor remembers, to be given to :meth:`restore` of another one; empty where it has no memory."""
        return b""

    def restore(self, snapshot: bytes) -> None:
        """Remember what another one did. Raises :class:`~c2kit.errors.MessageError` for what is no snapshot of it.

        What was remembered before is kept then.
        """
        if snapshot:
            raise MessageError(f"a snapshot for {type(self).__name__}", expected="none: it has no memory")


def needs_dictionary(processor: str) -> UsageError:
    """What to raise where a specification is used as if it could work."""
    return UsageError(
        f"{processor}() without a dictionary is a part of a mission, and processes nothing by itself",
        remedy=f"give it one: {processor}(Dictionary.load(...))",
    )


def pack_snapshot(processor: str, version: int, targets: Iterable[Target], memory: dict[str, Any]) -> bytes:
    """A snapshot that says whose it is, in which form, and by which definitions it came about."""
    definitions = {target.name: target.hash for target in targets}
    content = {"processor": processor, "version": version, "definitions": definitions, "memory": memory}
    return json.dumps(content, separators=(",", ":")).encode()


def unpack_snapshot(snapshot: bytes, processor: str, version: int) -> dict[str, Any]:
    """The memory in a snapshot. Raises :class:`~c2kit.errors.MessageError` for another processor's or version's.

    It may have come about by other definitions: what processors remember today (counts of APIDs and of commands) means
    the same under all of them, and must outlive a new version of the dictionary.
    """
    what = f"a snapshot for {processor}"
    try:
        content = json.loads(snapshot)
    except ValueError as error:
        raise MessageError(what, expected="JSON of ours", found=bytes(snapshot[:40])) from error
    match content:
        case {"processor": str(found), "version": int(found_version), "memory": dict(memory)}:
            if (found, found_version) == (processor, version):
                return memory
            found = f"{found} version {found_version}"
        case _:
            found = str(content)[:80]
    expected, remedy = f"{processor} version {version}", "run the c2kit that wrote it, or begin without it"
    raise MessageError(what, expected=expected, found=found, remedy=remedy)
