"""Find where packets end, one bit of the length field at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from c2kit.kernel.contract import Split

if TYPE_CHECKING:
    from c2kit.kernel.contract import Buffer, LengthRule

__all__ = ["seek_length", "split"]


def split(buffer: Buffer, rule: LengthRule, start_byte: int = 0) -> Split:
    """Split whole packets off ``buffer[start_byte:]``; see :meth:`c2kit.kernel.contract.Kernel.split`."""
    data = bytes(buffer)
    starts: list[int] = []
    ends: list[int] = []
    position = start_byte
    total = None
    is_bad = False
    while position + rule.header_bytes <= len(data):
        total = _read_length(data[position:], rule) * rule.unit_bytes + rule.adjustment_bytes
        is_bad = not max(rule.minimum_bytes, rule.header_bytes, 1) <= total <= rule.maximum_bytes
        if is_bad or position + total > len(data):
            break
        starts.append(position)
        ends.append(position + total)
        position += total
        total = None
    return Split(np.array(starts, np.int64), np.array(ends, np.int64), position, total, is_bad)


def _read_length(packet: bytes, rule: LengthRule) -> int:
    value = 0
    for number in range(rule.length_bits):
        byte, bit = divmod(rule.length_bit_offset + number, 8)
        if rule.little_endian:
            value += (packet[byte] >> bit & 1) << number
        else:
            value = 2 * value + (packet[byte] >> (7 - bit) & 1)
    return value


def seek_length(buffer: Buffer, rule: LengthRule, start_byte: int) -> int:
    """The first place with a length that is allowed; see :meth:`c2kit.kernel.contract.Kernel.seek_length`."""
    last = len(buffer) - rule.header_bytes
    allowed = (place for place in range(start_byte, last + 1) if not _is_bad_at(buffer, rule, place))
    return next(allowed, max(last + 1, start_byte))


def _is_bad_at(buffer: Buffer, rule: LengthRule, place: int) -> bool:
    found = split(buffer, rule, place)
    return found.is_bad and found.next_byte == place
