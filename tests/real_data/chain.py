"""The whole chain from recorded bytes to values, as a user runs it; and what came out, ready to be compared."""

from __future__ import annotations

import functools
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from attrs import define, field

from c2kit.dictionaries import Dictionary
from c2kit.processors import Anomalies, Decommutator, Identifier, SequenceBreaks, UnknownPackets

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from c2kit.protocols import CcsdsPackets

__all__ = ["Decode", "Decoded", "decode", "decode_with", "load"]


@define(eq=False)
class Decoded:
    """What became of the bytes."""

    size_bytes: int = 0
    frames: int = 0
    unknown: int = 0
    discarded_bytes: int = 0
    sequence_breaks: Counter[int] = field(factory=Counter)
    """By APID."""
    repeats: Counter[int] = field(factory=Counter)
    """By APID; they are sequence breaks too."""
    anomalies: Counter[str] = field(factory=Counter)
    packets: Counter[str] = field(factory=Counter)
    """Decommutated packets, by name."""
    raw: dict[str, dict[str, list[Any]]] = field(factory=lambda: defaultdict(lambda: defaultdict(list)))
    """Raw values by packet and item, in the order in which they were received."""
    text: dict[str, dict[str, list[Any]]] = field(factory=lambda: defaultdict(lambda: defaultdict(list)))
    """Engineering values by packet and item, states by name."""
    spans: list[tuple[int, int]] = field(factory=list)
    """Of all frames and discards."""
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


Decode = Callable[..., Decoded]
"""A way to decode: bytes, definition file, framing, and perhaps ``offsets_from``."""


@functools.lru_cache
def load(definitions: Path, offsets_from: Literal["packet", "data"] | None = None) -> Dictionary:
    """A dictionary, loaded once: the files do not change while tests run."""
    return Dictionary.load(definitions, offsets_from=offsets_from)


def decode(
    data: bytes | Sequence[bytes],
    definitions: Path,
    framing: CcsdsPackets,
    *,
    offsets_from: Literal["packet", "data"] | None = None,
) -> Decoded:
    """Decode bytes (or chunks of them) by definition files, through the Python interface."""
    dictionary = load(definitions, offsets_from)
    decoded = decode_with(data, dictionary, framing)
    decoded.notes, decoded.warnings = dictionary.notes, dictionary.warnings
    return decoded


def decode_with(data: bytes | Iterable[bytes], dictionary: Dictionary, framing: CcsdsPackets) -> Decoded:
    """Decode bytes (or chunks of them) by a dictionary."""
    decoded = Decoded()
    identify, decommutate = Identifier(dictionary), Decommutator(dictionary)
    chunks = [data] if isinstance(data, bytes) else data
    for receive in (*(lambda chunk=chunk: framing.receive(chunk) for chunk in chunks), framing.end):
        for frames in receive():
            decoded.frames += len(frames)
            assert frames.spans is not None
            decoded.spans += map(tuple, frames.spans.tolist())
            for packets in identify.process(frames):
                for telemetry in decommutate.process(packets):
                    _add(decoded, telemetry)
        for discarded in framing.take_asides():
            decoded.discarded_bytes += discarded.size_bytes
            decoded.spans.append(discarded.span)
        for aside in (*identify.take_asides(), *decommutate.take_asides()):
            _set_aside(decoded, aside)
    decoded.size_bytes = sum(map(len, chunks))
    return decoded


def _add(decoded: Decoded, telemetry: Any) -> None:  # noqa: ANN401 - a batch of telemetry
    name = telemetry.packet.name
    decoded.packets[name] += len(telemetry)
    for item in telemetry:
        decoded.text[name][item] += telemetry.text(item)
    for item, column in telemetry.raw.items():
        decoded.raw[name][item] += column.to_list()


def _set_aside(decoded: Decoded, aside: object) -> None:
    match aside:
        case UnknownPackets():
            decoded.unknown += len(aside.packets)
        case SequenceBreaks():
            decoded.sequence_breaks[aside.apid] += aside.breaks
            decoded.repeats[aside.apid] += aside.repeats
        case Anomalies():
            decoded.anomalies.update(aside.tallies)
