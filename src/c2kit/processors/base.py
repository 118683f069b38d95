"""The contract of a processor."""

from __future__ import annotations

import abc
import json
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from c2kit.errors import MessageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.processors.asides import Aside

__all__ = ["Processor", "pack_snapshot", "unpack_snapshot"]

Taken = TypeVar("Taken")
Given = TypeVar("Given")


class Processor(abc.ABC, Generic[Taken, Given]):
    """Turns batches of one kind into batches of another, and nothing else: no threads, no clock, no bus.

    *Nothing vanishes.* What comes in comes out, or is in an aside that says what became of it. *Batches do not matter:*
    however the same packets are cut into batches, the same come out. *Bad bytes never raise;* what raises is wrong use,
    or a user's own function.

    An instance is for one lane (packets in one order) and one thread.
    """

    @abc.abstractmethod
    def process(self, batch: Taken) -> Iterator[Given]:
        """Process a batch. All of it is done once the iterator is at its end, not before."""

    @abc.abstractmethod
    def take_asides(self) -> list[Aside]:
        """What fell aside since the last call, in order; aggregated, so that it cannot flood."""

    def snapshot(self) -> bytes:
        """What the processor remembers, to be given to :meth:`restore` of another one; empty where it has no memory."""
        return b""

    def restore(self, snapshot: bytes) -> None:
        """Remember what another one did. Raises :class:`~c2kit.errors.MessageError` for what is no snapshot of it."""
        if snapshot:
            raise MessageError(f"a snapshot for {type(self).__name__}", expected="none: it has no memory")


def pack_snapshot(processor: str, version: int, memory: Any) -> bytes:  # noqa: ANN401 - whatever JSON holds
    """A snapshot that says whose it is, in which form."""
    return json.dumps({"processor": processor, "version": version, "memory": memory}, separators=(",", ":")).encode()


def unpack_snapshot(snapshot: bytes, processor: str, version: int) -> Any:  # noqa: ANN401 - whatever was packed
    """The memory in a snapshot. Raises :class:`~c2kit.errors.MessageError` for another processor's or version's."""
    try:
        content = json.loads(snapshot)
        found = (content["processor"], content["version"])
        memory = content["memory"]
    except (ValueError, KeyError, TypeError) as error:
        raise MessageError(f"a snapshot for {processor}", expected="JSON of ours", found=snapshot[:40]) from error
    if found != (processor, version):
        raise MessageError(
            f"a snapshot for {processor}",
            expected=f"version {version}",
            found=f"{found[0]} version {found[1]}",
            remedy="run the c2kit that wrote it, or begin without it",
        )
    return memory
