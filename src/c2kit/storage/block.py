"""What a block says of itself: which bytes it is about, how far the bus was read, and where its packets came from.

It travels as JSON in the metadata of the block's message; ``docs/reference/packet-log.md`` lays it down.
"""

from __future__ import annotations

import json
from typing import Any

from attrs import frozen

from c2kit.bus.base import Position
from c2kit.errors import MessageError

__all__ = ["BlockHeader", "Source", "Span", "Totals", "widest"]

Span = tuple[int, int]
"""The least and the greatest of some times: POSIX nanoseconds, UTC."""


def widest(*spans: Span | None) -> Span | None:
    """The span of all of these; ``None`` where none has a time."""
    known = [span for span in spans if span is not None]
    return (min(low for low, _ in known), max(high for _, high in known)) if known else None


@frozen(kw_only=True)
class Source:
    """What packets of a block have in common: where they came from and by which definitions they are known."""

    interface: str = ""
    origin: str = "realtime"
    """As it was when they were logged; what is read from a log is stored."""
    target: str | None = None
    dictionary_hash: str | None = None
    command: str | None = None
    """The name of the command that the bytes are, and its id; of commands only."""
    command_id: str | None = None

    def to_json(self) -> dict[str, str]:
        """What is not empty."""
        told = {
            "interface": self.interface,
            "origin": self.origin,
            "target": self.target,
            "dictionary": self.dictionary_hash,
            "command": self.command,
            "id": self.command_id,
        }
        return {name: value for name, value in told.items() if value is not None}

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Source:
        """The inverse."""
        return cls(
            interface=_typed(told["interface"], str),
            origin=_typed(told["origin"], str),
            target=_typed(told.get("target"), str, type(None)),
            dictionary_hash=_typed(told.get("dictionary"), str, type(None)),
            command=_typed(told.get("command"), str, type(None)),
            command_id=_typed(told.get("id"), str, type(None)),
        )


@frozen(kw_only=True)
class Totals:
    """What some blocks hold together."""

    packets: int = 0
    received: Span | None = None
    generated: Span | None = None

    def plus(self, other: Totals) -> Totals:
        """Both together."""
        return Totals(
            packets=self.packets + other.packets,
            received=widest(self.received, other.received),
            generated=widest(self.generated, other.generated),
        )

    def to_json(self) -> dict[str, Any]:
        """Spans as lists of two, null where no packet has such a time."""
        return {"packets": self.packets, "received": self.received, "generated": self.generated}

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Totals:
        """The inverse."""
        return cls(
            packets=_typed(told["packets"], int),
            received=_span(told["received"]),
            generated=_span(told["generated"]),
        )


@frozen(kw_only=True)
class BlockHeader:
    """What a block says of itself, apart from its rows."""

    offset: int
    """The first byte of its packets in the segment's data file."""
    size_bytes: int
    """The bytes of its packets, which lie back to back."""
    crc32: int
    """The CRC-32 of these bytes."""
    schema_crc32: int
    """The CRC-32 of the schema message that begins the index: what proves that, and that the block belongs to it."""
    holds: Totals
    segment: Totals
    """What the segment holds up to and with this block."""
    positions: tuple[Position, ...] | None = ()
    """How far the bus was read when the block was complete; ``None`` where nobody knows any more."""
    sources: tuple[Source, ...] = ()
    """Rows refer to these by their place."""
    is_rebuilt: bool = False
    """Whether it was put back into a lost index: its CRC says nothing of what its packets once were."""

    @property
    def end(self) -> int:
        """The byte after its packets in the data file."""
        return self.offset + self.size_bytes

    def to_json(self) -> str:
        """The header as text."""
        told = {
            "offset": self.offset,
            "size": self.size_bytes,
            "crc32": self.crc32,
            "schema_crc32": self.schema_crc32,
            **self.holds.to_json(),
            "segment": self.segment.to_json(),
            "positions": None if self.positions is None else [_position_to_json(each) for each in self.positions],
            "sources": [source.to_json() for source in self.sources],
        }
        if self.is_rebuilt:
            told["rebuilt"] = True
        return json.dumps(told, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> BlockHeader:
        """The inverse. Raises MessageError for anything else."""
        try:
            told = _typed(json.loads(text), dict)
            header = cls(
                offset=_typed(told["offset"], int),
                size_bytes=_typed(told["size"], int),
                crc32=_typed(told["crc32"], int),
                schema_crc32=_typed(told["schema_crc32"], int),
                holds=Totals.from_json(told),
                segment=Totals.from_json(told["segment"]),
                positions=_positions(told["positions"]),
                sources=tuple(Source.from_json(each) for each in _typed(told["sources"], list)),
                is_rebuilt=_typed(told.get("rebuilt", False), bool),
            )
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            raise MessageError("the header of a block is damaged", found=repr(error)) from None
        if min(header.offset, header.size_bytes, header.holds.packets) < 0:
            raise MessageError("the header of a block is damaged", found="a negative number of bytes or packets")
        return header


def _typed(value: Any, *kinds: type) -> Any:  # noqa: ANN401 - as it comes out of JSON
    if type(value) not in kinds:
        raise TypeError(value)
    return value


def _span(told: Any) -> Span | None:  # noqa: ANN401 - as it comes out of JSON
    if told is None:
        return None
    low, high = _typed(told, list)
    return _typed(low, int), _typed(high, int)


def _positions(told: Any) -> tuple[Position, ...] | None:  # noqa: ANN401 - as it comes out of JSON
    return None if told is None else tuple(_position_from_json(each) for each in _typed(told, list))


def _position_to_json(position: Position) -> dict[str, Any]:
    return {
        "stream": position.stream,
        "uuid": position.stream_uuid,
        "partition": position.partition,
        "offset": position.offset,
    }


def _position_from_json(told: dict[str, Any]) -> Position:
    return Position(
        _typed(told["stream"], str),
        _typed(told["uuid"], str),
        _typed(told["partition"], int),
        _typed(told["offset"], int),
    )
