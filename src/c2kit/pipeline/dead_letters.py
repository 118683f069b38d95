"""What is set aside, and the event that says so."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from c2kit.batches.kinds import Kind
from c2kit.bus.records import DeadLetter, Severity, pack
from c2kit.errors import C2kitError

if TYPE_CHECKING:
    from c2kit.bus import Received, Record
    from c2kit.pipeline.chain import Poison
    from c2kit.pipeline.surroundings import StageSurroundings

__all__ = ["TooLarge", "letter_of_packet", "letter_of_record"]

_LONGEST_TEXT = 65_536
"""What an exception says may be as long as its author likes."""


class TooLarge(C2kitError):
    """What one packet was made into is larger than a record of the bus may be."""

    def __init__(self, kind: Kind, largest_bytes: int | None) -> None:
        super().__init__(f"one packet makes {kind} that are larger than the {largest_bytes} bytes that the bus takes")


def letter_of_record(surroundings: StageSurroundings, record: Received, error: Exception) -> list[Record]:
    """A whole record that cannot be read, for the stage's own streams: the dead letter, and the event.

    Likewise one with a packet that is TooLarge, which is lost to whoever reads what the stage makes.
    """
    kind = surroundings.inputs[record.stream].kind
    if isinstance(error, TooLarge):
        what = "what was made of a packet of a record"
        return _letter(surroundings, record, error, what, "", kind, record.value)
    return _letter(surroundings, record, error, "a record that cannot be read", "", kind, record.value)


def letter_of_packet(surroundings: StageSurroundings, record: Received, poison: Poison, value: bytes) -> list[Record]:
    """A packet of a record on which a processor fails, as ``value``, likewise."""
    what = f"a packet that {poison.key} fails on"
    return _letter(surroundings, record, poison.error, what, poison.key, str(poison.takes), value)


def _letter(
    surroundings: StageSurroundings,
    record: Received,
    error: Exception | SystemExit,
    what: str,
    processor: str,
    kind: str,
    value: bytes,
) -> list[Record]:
    def letter(told: str, kept: bytes) -> DeadLetter:
        return DeadLetter(
            stage=surroundings.name,
            processor=processor,
            error=told,
            traceback="".join(traceback.format_exception(error))[-_LONGEST_TEXT:],
            kind=kind,
            stream=record.stream,
            partition=record.partition,
            offset=record.offset,
            lane=record.lane,
            value=kept,
            time_ns=surroundings.now(),
        )

    told = f"{type(error).__name__}: {error}"[:_LONGEST_TEXT]
    made = letter(told, value)
    largest_bytes = surroundings.bus.largest_value_bytes
    if largest_bytes is not None and len(pack(made)) > largest_bytes:
        told += f"; its {len(value)} bytes are too many for a dead letter, and are left on its stream"
        made = letter(told, b"")
    event = surroundings.event(
        "dead-letter",
        Severity.CRITICAL if isinstance(error, TooLarge) else Severity.ERROR,
        f"{what} was set aside: {told}",
        stream=record.stream,
        partition=record.partition,
        offset=record.offset,
    )
    return [surroundings.own_record(Kind.DEAD_LETTER, made), surroundings.own_record(Kind.EVENTS, event)]
