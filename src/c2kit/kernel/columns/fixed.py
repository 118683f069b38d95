"""Fields at one place in every packet: each is read from all packets at once.

Rows of bytes are the fast way, and cost memory where packets lie anywhere in the buffer, since they are gathered first;
so work goes in blocks of rows that stay in the processor's cache. Fields that rows are no help for, or that only a few
long packets among short ones hold, are picked element by element.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
from attrs import frozen

from c2kit.kernel.columns.elements import element_dtype, picked_column
from c2kit.kernel.columns.rows import row_reader
from c2kit.kernel.contract import Column
from c2kit.model.fields import Fixed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import numpy.typing as npt

    from c2kit.kernel.columns.elements import Mask
    from c2kit.kernel.columns.packets import Packets
    from c2kit.kernel.columns.rows import RowReader
    from c2kit.model.fields import Field

__all__ = ["FixedField", "read_fixed"]

_BLOCK_BYTES = 2**21
"""Rows worked on at once: as many as a last-level cache surely holds, and enough that calls cost little beside work."""
_WASTE = 4
"""Rows may be so many times larger than the packets they are made of, and no more."""


@frozen(eq=False)
class FixedField:
    """A field that always has one place and one size, with what follows from its definition."""

    field: Field
    start: int
    end: int
    shape: tuple[int, ...] | None
    """The extents of an array, or the bytes of a string."""
    extent: tuple[int, ...]
    """The same as one number."""
    dtype: np.dtype[Any]
    is_bytes: bool
    reader: RowReader | None

    @classmethod
    def of(cls, field: Field, start: int) -> FixedField:
        """A field that always begins at bit ``start``."""
        shape = field.length.shape if isinstance(field.length, Fixed) else None
        return cls(
            field=field,
            start=start,
            end=start + (field.fixed_bits or 0),
            shape=shape,
            extent=() if shape is None else (math.prod(shape),),
            dtype=element_dtype(field),
            is_bytes=field.encoding.is_bytes,
            reader=row_reader(field, start),
        )


def read_fixed(fields: Sequence[FixedField], packets: Packets) -> list[Column]:
    """The column of each field; there must be a packet."""
    limit = packets.shortest_bits
    if packets.longest_bits > limit:
        mean_bits = int(packets.sizes_bits.sum()) // len(packets)
        limit = min(packets.longest_bits, max(limit, _WASTE * mean_bits))
    in_rows = [fixed.reader is not None and fixed.end <= limit for fixed in fields]
    from_rows = iter(_read_rows(list(itertools.compress(fields, in_rows)), packets))
    return [next(from_rows) if is_in else _picked(fixed, packets) for fixed, is_in in zip(fields, in_rows, strict=True)]


def _read_rows(fields: Sequence[FixedField], packets: Packets) -> list[Column]:
    if not fields:
        return []
    count = len(packets)
    width = -(-max(fixed.end for fixed in fields) // 8)
    values = [np.empty((count, *fixed.extent), fixed.dtype) for fixed in fields]
    readers = [(fixed.reader.read, array) for fixed, array in zip(fields, values, strict=True) if fixed.reader]
    rows = packets.rows(width)
    step = max(_BLOCK_BYTES // width, 1)
    for low in range(0, count, step):
        block = rows(low, min(low + step, count))
        for read, array in readers:
            array[low : low + step] = read(block)
    return [_row_column(fixed, array, packets.holding(fixed.end)) for fixed, array in zip(fields, values, strict=True)]


def _row_column(fixed: FixedField, values: npt.NDArray[Any], valid: Mask | None) -> Column:
    """A column whose values may hold rubbish where they are not valid."""
    if fixed.is_bytes:
        size = values.shape[1]
        held = values if valid is None else values[valid]
        sizes = np.full(len(values), size) if valid is None else valid * size
        return Column(held.reshape(-1), valid, np.cumsum(np.concatenate([[0], sizes])), is_bytes=True)
    if valid is not None:
        values[~valid] = 0
    return Column(values if fixed.shape is None else values.reshape(len(values), *fixed.shape), valid)


def _picked(fixed: FixedField, packets: Packets) -> Column:
    valid = packets.holding(fixed.end)
    starts = packets.starts if valid is None else packets.starts[valid]
    counts = None if fixed.shape is None else np.full(len(starts), math.prod(fixed.shape))
    return picked_column(packets, fixed.field, valid, 8 * starts + fixed.start, counts)
