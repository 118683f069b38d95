"""Find where packets end: a loop that does no more for each packet than it must.

Where the next packet begins is known only from this one, so that this is the one step that NumPy cannot take for many
packets at once. What depends on the rule alone is settled before the loop, and the commonest rules (a length field of
whole 1, 2, 4 or 8 bytes that counts bytes) have a loop of their own.

There is one guess that NumPy can verify: that packets are as long as the first. It holds for most recordings of one
kind of packet, and costs next to nothing where it does not.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Literal

import numpy as np

from c2kit.errors import UsageError
from c2kit.kernel.contract import Split

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from c2kit.kernel.contract import Buffer, LengthRule

__all__ = ["put_length", "seek_length", "split"]

_CODES = {8: "B", 16: "H", 32: "I", 64: "Q"}
_FEW = 32
"""Fewer packets than this are not worth the guess that they are alike."""


def split(buffer: Buffer, rule: LengthRule, start_byte: int = 0) -> Split:
    """Split whole packets off ``buffer[start_byte:]``; see :meth:`c2kit.kernel.contract.Kernel.split`."""
    alike = _alike(buffer, rule, start_byte)
    is_word = rule.length_bits in _CODES and rule.length_bit_offset % 8 == 0 and rule.unit_bytes == 1
    bounds, before, size = (_by_words if is_word else _by_bits)(buffer, rule, alike.stop)
    is_bad = size is not None and not _least(rule) <= size <= rule.maximum_bytes
    places = np.array(bounds, np.int64) - before
    if alike:
        places = np.concatenate([np.arange(alike.start, alike.stop, alike.step), places])
    return Split(places[:-1], places[1:], int(places[-1]), size, is_bad)


def _alike(buffer: Buffer, rule: LengthRule, start_byte: int) -> range:
    """Where packets begin that have the size of the first, and where the next one does; empty where they are few."""
    nothing = range(start_byte, start_byte)
    if start_byte + rule.header_bytes > len(buffer):
        return nothing
    size = _claims(buffer, rule)(start_byte)
    if not _least(rule) <= size <= rule.maximum_bytes or len(buffer) - start_byte < _FEW * size:
        return nothing
    most = (len(buffer) - start_byte) // size
    found, tried = 0, _FEW
    while found < most:
        count = min(tried, most - found)
        alike = _first_other(buffer, rule, start_byte + found * size, size, count)
        found += alike
        if alike < count:
            break
        # Ever more at a time, so that what is tried in vain is in proportion to what was found.
        tried *= 8
    return range(start_byte, start_byte + found * size, size)


def _first_other(buffer: Buffer, rule: LengthRule, start_byte: int, size: int, count: int) -> int:
    """Which of ``count`` packets of one size is the first that claims another; ``count`` where none does."""
    first_byte = rule.length_bit_offset // 8
    order, shift, mask = _bits(rule)
    length = (size - rule.adjustment_bytes) // rule.unit_bytes
    masks = (mask << shift).to_bytes(rule.header_bytes - first_byte, order)
    wanted = (length << shift).to_bytes(rule.header_bytes - first_byte, order)
    data = np.frombuffer(buffer, np.uint8)
    differs = np.zeros(count, np.bool_)
    for number, (mask_byte, wanted_byte) in enumerate(zip(masks, wanted, strict=True)):
        place = start_byte + first_byte + number
        column: npt.NDArray[np.uint8] = np.ndarray(count, np.uint8, data, place, (size,))
        differs |= (column & mask_byte) != wanted_byte
    return int(differs.argmax()) if differs.any() else count


def _by_words(buffer: Buffer, rule: LengthRule, start_byte: int) -> tuple[list[int], int, int | None]:
    """Where the length fields of packets are, how far these are into them, and what the last one claims."""
    unpack = struct.Struct(("<" if rule.little_endian else ">") + _CODES[rule.length_bits]).unpack_from
    adjustment = rule.adjustment_bytes
    least, most = _least(rule) - adjustment, rule.maximum_bytes - adjustment
    # The loop counts up the place of the length field: the packet's own would be one more addition. And the struct
    # module knows where the buffer ends: comparing would take a fifth of the loop's time.
    before = rule.length_bit_offset // 8
    place = start_byte + before
    places: list[int] = []
    add = places.append
    length = None
    try:
        while True:
            add(place)
            (length,) = unpack(buffer, place)
            if not least <= length <= most:
                return places, before, length + adjustment
            place += length + adjustment
    except (struct.error, OverflowError):  # past the end; past the end of any memory
        pass
    if length is not None and place - before > len(buffer):
        places.pop()
        return places, before, length + adjustment
    return places, before, None


def _by_bits(buffer: Buffer, rule: LengthRule, start_byte: int) -> tuple[list[int], int, int | None]:
    """The same for a length field anywhere, in any unit; the places are those of the packets."""
    least, most = _least(rule), rule.maximum_bytes
    claim = _claims(buffer, rule)
    size = len(buffer)
    last = size - rule.header_bytes
    position = start_byte
    bounds = [position]
    while position <= last:
        total = claim(position)
        if not least <= total <= most or position + total > size:
            return bounds, 0, total
        position += total
        bounds.append(position)
    return bounds, 0, None


def put_length(packet: bytearray, rule: LengthRule) -> None:
    """Write the packet's size to its length field, in place; other bits of the same bytes stay.

    Raises:
        UsageError: the size is one that the rule forbids, is no whole number of units, or is too large for the field.
    """
    least, most, size = _least(rule), rule.maximum_bytes, len(packet)
    if not least <= size <= most:
        raise UsageError("frame size in bytes", expected=f"{least} to {most}", found=size)
    length, left = divmod(size - rule.adjustment_bytes, rule.unit_bytes)
    if left or length < 0:
        expected = f"{rule.adjustment_bytes} bytes and a multiple of {rule.unit_bytes}"
        raise UsageError("the length field cannot tell the frame's size", expected=expected, found=f"{size} bytes")
    order, shift, mask = _bits(rule)
    if length > mask:
        most = mask * rule.unit_bytes + rule.adjustment_bytes
        expected = f"at most {most} bytes, as its {rule.length_bits} bits can tell"
        raise UsageError("the length field cannot tell the frame's size", expected=expected, found=f"{size} bytes")
    place = slice(rule.length_bit_offset // 8, rule.header_bytes)
    field = int.from_bytes(packet[place], order) & ~(mask << shift) | length << shift
    packet[place] = field.to_bytes(place.stop - place.start, order)


def _claims(buffer: Buffer, rule: LengthRule) -> Callable[[int], int]:
    """How long a packet that begins at a place claims to be."""
    first_byte, end_byte = rule.length_bit_offset // 8, rule.header_bytes
    unit, adjustment = rule.unit_bytes, rule.adjustment_bytes
    order, shift, mask = _bits(rule)
    view = memoryview(buffer)

    def claim(start_byte: int) -> int:
        field = int.from_bytes(view[start_byte + first_byte : start_byte + end_byte], order)
        return (field >> shift & mask) * unit + adjustment

    return claim


def _least(rule: LengthRule) -> int:
    return max(rule.minimum_bytes, rule.header_bytes, 1)


def _bits(rule: LengthRule) -> tuple[Literal["little", "big"], int, int]:
    """How to find the length in the whole bytes that hold it: their order, the bits behind it, its mask."""
    first_bit = rule.length_bit_offset % 8
    mask = (1 << rule.length_bits) - 1
    if rule.little_endian:
        return "little", first_bit, mask
    return "big", 8 * (rule.header_bytes - rule.length_bit_offset // 8) - first_bit - rule.length_bits, mask


def seek_length(buffer: Buffer, rule: LengthRule, start_byte: int) -> int:
    """The first place with a length that is allowed; see :meth:`c2kit.kernel.contract.Kernel.seek_length`."""
    least, most = _least(rule), rule.maximum_bytes
    claim = _claims(buffer, rule)
    end_byte = len(buffer) - rule.header_bytes + 1
    while start_byte < end_byte and not least <= claim(start_byte) <= most:
        start_byte += 1
    return start_byte
