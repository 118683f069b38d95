"""What is set aside, and the event that says so."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from c2kit.batches.kinds import Kind
from c2kit.bus.records import DeadLetter, Severity

if TYPE_CHECKING:
    from c2kit.bus import Received, Record
    from c2kit.pipeline.chain import Poison
    from c2kit.pipeline.surroundings import StageSurroundings

__all__ = ["letter_of_packet", "letter_of_record"]


def letter_of_record(surroundings: StageSurroundings, record: Received, error: Exception) -> list[Record]:
    """A whole record that cannot be read, for the stage's own streams: the dead letter, and the event."""
    kind = surroundings.inputs[record.stream].kind
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
    letter = DeadLetter(
        stage=surroundings.name,
        processor=processor,
        error=f"{type(error).__name__}: {error}",
        traceback="".join(traceback.format_exception(error)),
        kind=kind,
        stream=record.stream,
        partition=record.partition,
        offset=record.offset,
        lane=record.lane,
        value=value,
        time_ns=surroundings.now(),
    )
    event = surroundings.event(
        "dead-letter",
        Severity.ERROR,
        f"{what} was set aside: {letter.error}",
        stream=record.stream,
        partition=record.partition,
        offset=record.offset,
    )
    return [surroundings.own_record(Kind.DEAD_LETTER, letter), surroundings.own_record(Kind.EVENTS, event)]
