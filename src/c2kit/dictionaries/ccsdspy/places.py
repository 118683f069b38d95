"""Where the fields of a CSV stand, counted from the packet's first bit.

Two habits are about: ccsdspy counts bit offsets from the packet's first bit, and many who write such files count them
from the end of the 48-bit primary header (CCSDS 133.0-B-2, 4.1.3), which the files do not define.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from attrs import define, field, frozen

from c2kit.dictionaries.ccsdspy.types import LARGEST_PACKET_BITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c2kit.dictionaries.ccsdspy.types import CsvField
    from c2kit.errors import DefinitionError

__all__ = ["OffsetsFrom", "Placed", "Places", "place"]

OffsetsFrom = Literal["packet", "data"]

PRIMARY_HEADER_BITS = 48
_HEADER_BOUNDARIES = (0, 3, 4, 5, 16, 18, 32, 48)
"""4.1.3: version, type, secondary header flag, APID; sequence flags, count; packet data length."""
_HEADER_WORDS = {
    (0, 5): re.compile("ccsds|apid|version|stream|packet.?id|pkt.?id|header|hdr"),
    (16, 18): re.compile("ccsds|seq|grouping|count"),
    (32,): re.compile("ccsds|len|size"),
}
"""What the three words of a header are called, by the bits at which the fields in them begin that say most."""


@frozen
class Placed:
    """A field and its first bit; ``None`` where that varies, and it follows the field before it."""

    field: CsvField
    bit_offset: int | None


@define(eq=False)
class Places:
    """All fields with their places, and what is to be said about them."""

    file: str
    placed: list[Placed] = field(factory=list)
    notes: list[str] = field(factory=list)
    warnings: list[str] = field(factory=list)
    problems: list[DefinitionError] = field(factory=list)


def place(fields: Sequence[CsvField], file: str, offsets_from: OffsetsFrom | None) -> Places:
    """Put the fields where the file says, or after each other where it says nothing."""
    places = Places(file)
    cursor = _Cursor(_first_bit(fields, places, offsets_from))
    for each in fields:
        start = cursor.start_of(each)
        end = None if start is None or each.total_bits is None else start + each.total_bits
        if max(start or 0, end or 0) > LARGEST_PACKET_BITS:
            expected = f"an end at bit {LARGEST_PACKET_BITS} at most"
            what = "it lies outside of any space packet"
            places.problems.append(each.row.wrong("bit_offset", what, expected=expected, found=end or start))
            continue
        if start is not None and cursor.varying is not None:
            what = f"{each.name} stands at bit {start}, though {cursor.varying.name} before it varies in length"
            places.warnings.append(f"{each.row.source}: {what}")
        cursor.move(each, start, end)
        places.placed.append(Placed(each, start))
    places.warnings.extend(_overlaps(places.placed))
    return places


@define(eq=False)
class _Cursor:
    """Where the next field begins if nothing is said about it: after the farthest end of those before it."""

    first_bit: int
    """Which bit of the packet has offset 0."""
    end: int | None = None
    """``None``: no field yet, or it varies."""
    varying: CsvField | None = None
    """The last field of varying length."""

    def start_of(self, each: CsvField) -> int | None:
        """The first bit of the next field."""
        if each.bit_offset is not None:
            return self.first_bit + each.bit_offset
        if self.end is None and self.varying is None:
            return PRIMARY_HEADER_BITS
        return self.end

    def move(self, each: CsvField, start: int | None, end: int | None) -> None:
        """Go on behind a field."""
        if each.total_bits is None:
            self.end, self.varying = None, each
        elif start is not None and end is not None:
            self.end = max(self.end or 0, end)


def _first_bit(fields: Sequence[CsvField], places: Places, offsets_from: OffsetsFrom | None) -> int:
    """Which bit of the packet the file calls 0, with a note where that was not told."""
    offsets = [each.bit_offset for each in fields if each.bit_offset is not None]
    if not offsets:
        places.notes.append(f"{places.file}: no bit offsets; each field follows the last, after the primary header")
        if _is_header(_in_order(fields)):
            what = "the first fields look like the primary header, but are taken to follow it"
            places.warnings.append(f"{places.file}: {what}; give them a bit_offset if they are the header")
        return 0
    if offsets_from is not None:
        return 0 if offsets_from == "packet" else PRIMARY_HEADER_BITS
    early = [(each, each.bit_offset) for each in fields if (each.bit_offset or 0) < PRIMARY_HEADER_BITS]
    known = [(each, offset) for each, offset in early if offset is not None]
    if min(offsets) >= PRIMARY_HEADER_BITS:
        choice, why, other = "the packet's first bit", f"the smallest is {min(offsets)}", "data"
    elif _is_header(known):
        choice, why, other = "the packet's first bit", "the first fields are the primary header's", "data"
    else:
        choice, why, other = "the end of the primary header", f"the smallest is {min(offsets)}", "packet"
    note = f"bit offsets are taken to count from {choice}, for {why}; if they do not, say offsets from {other}"
    places.notes.append(f"{places.file}: {note}")
    return PRIMARY_HEADER_BITS if other == "packet" else 0


def _in_order(fields: Sequence[CsvField]) -> list[tuple[CsvField, int]]:
    """Fields that would be in the header, if it were the first thing that is defined."""
    placed, start = [], 0
    for each in fields:
        if start >= PRIMARY_HEADER_BITS or each.total_bits is None:
            break
        placed.append((each, start))
        start += each.total_bits
    return placed


def _is_header(early: Sequence[tuple[CsvField, int]]) -> bool:
    """Whether fields that begin in the first 48 bits are the primary header's, or some of them.

    They must not cross its boundaries. Then an APID or a sequence count of the right width at the right place is
    proof; and so are names, where whole words are defined.
    """
    spans = [(start, start + (each.total_bits or 0)) for each, start in early]
    if not spans or any(bit not in _HEADER_BOUNDARIES for span in spans for bit in span):
        return False
    if (
        (5, 16) in spans
        or (18, 32) in spans
        or any(each.is_fill and span == (0, 48) for (each, _), span in zip(early, spans, strict=True))
    ):
        return True
    names = [(start, each.name.lower()) for each, start in early]
    named = sum(
        any(start in starts and words.search(name) for start, name in names) for starts, words in _HEADER_WORDS.items()
    )
    return named >= 2 or any("ccsds" in name for _, name in names)


def _overlaps(placed: Sequence[Placed]) -> list[str]:
    """A sentence for each field that begins before others have ended."""
    known = [(each.bit_offset, each.field) for each in placed if each.bit_offset is not None and not each.field.is_fill]
    known.sort(key=lambda pair: pair[0])
    sentences = []
    farthest: CsvField | None = None
    farthest_end = 0
    for start, each in known:
        end = start + (each.total_bits or 0)
        if farthest is not None and start < farthest_end and end > start:
            last = min(end, farthest_end) - 1
            shared = f"bits {start} to {last}" if last > start else f"bit {start}"
            sentences.append(f"{each.row.source}: {each.name} shares {shared} of the packet with {farthest.name}")
        if end > farthest_end:
            farthest, farthest_end = each, end
    return sentences
