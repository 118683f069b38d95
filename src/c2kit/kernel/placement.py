"""Which bits of a packet a field occupies, whatever the order in which it counts them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from c2kit.model.fields import Field

__all__ = ["bit_ranges"]


def bit_ranges(field: Field, start: int) -> list[tuple[int, int]]:
    """The bits of a field of fixed size that begins at bit ``start``, as rising half-open ranges.

    They are counted from the packet's first bit, each byte from its most significant one, so that ranges of fields with
    different byte orders can be compared.
    """
    end = start + (field.fixed_bits or 0)
    if field.byte_order != "little" or (start % 8 == 0 and end % 8 == 0):
        return [(start, end)] if end > start else []
    # Little-endian bit fields count each byte from its least significant bit: mirror the part in each byte.
    ranges = []
    for byte in range(start // 8, -(-end // 8)):
        low, high = max(start - 8 * byte, 0), min(end - 8 * byte, 8)
        ranges.append((8 * byte + 8 - high, 8 * byte + 8 - low))
    return _joined(ranges)


def _joined(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for low, high in ranges:
        if joined and joined[-1][1] == low:
            joined[-1] = (joined[-1][0], high)
        else:
            joined.append((low, high))
    return joined
