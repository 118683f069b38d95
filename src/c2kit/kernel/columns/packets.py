"""The packets of one call, and the two ways to get at their bits: as rows of bytes, or element by element."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import define

from c2kit.kernel.bounds import check_bounds
from c2kit.kernel.columns.numbers import arranged

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from c2kit.kernel.columns.numbers import Patterns
    from c2kit.kernel.contract import Buffer

__all__ = ["Bytes", "Indices", "Packets"]

Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Indices = np.ndarray[Any, np.dtype[np.int64]]

_MARGIN_BYTES = 16
"""What is read beyond an element's first byte, and must be there, whatever its size: a word of 8 and one byte more."""


@define(frozen=True, slots=True, eq=False)
class Packets:
    """``n`` packets; positions count from the first byte of ``data``, which is where the first of them begins."""

    data: Bytes
    starts: Indices
    sizes_bits: Indices

    @classmethod
    def of(cls, buffer: Buffer, starts: Indices, ends: Indices) -> Packets:
        """The packets of a buffer. Raises UsageError where they do not lie in it."""
        check_bounds(buffer, starts, ends)
        if not len(starts):
            return cls(np.zeros(0, np.uint8), starts, starts)
        first = int(starts.min())
        data = np.frombuffer(buffer, np.uint8)[first : int(ends.max())]
        return cls(data, starts - first, 8 * (ends - starts))

    def __len__(self) -> int:
        """The number of packets."""
        return len(self.starts)

    @cached_property
    def shortest_bits(self) -> int:
        """The size of the shortest packet."""
        return int(self.sizes_bits.min())

    @cached_property
    def longest_bits(self) -> int:
        """The size of the longest packet."""
        return int(self.sizes_bits.max())

    @cached_property
    def stride(self) -> int:
        """The bytes from one packet's start to the next one's where that is always the same, else 0."""
        if len(self) == 1:
            return max(len(self.data), 1)
        steps = np.diff(self.starts)
        return max(int(steps[0]), 0) if (steps == steps[0]).all() else 0

    def holding(self, end_bit: int) -> npt.NDArray[np.bool_] | None:
        """Which packets reach to a bit; ``None`` where all do."""
        return None if end_bit <= self.shortest_bits else self.sizes_bits >= end_bit

    def rows(self, width: int) -> Callable[[int, int], Bytes]:
        """A function that gives packets ``low`` to ``high`` as rows of ``width`` bytes, from where each begins.

        What stands beyond a packet's end are the bytes that follow it, or zeros.
        """
        data = self.data if int(self.starts.max()) + width <= len(self.data) else self._padded(width)
        if self.stride:
            rows: Bytes = np.ndarray((len(self), width), np.uint8, data, int(self.starts[0]), (self.stride, 1))
            return lambda low, high: rows[low:high]
        windows: Bytes = np.ndarray((len(data) - width + 1, width), np.uint8, data, 0, (1, 1))
        return lambda low, high: windows[self.starts[low:high]]

    def _padded(self, margin_bytes: int) -> Bytes:
        """The data with zeros behind it."""
        padded = np.zeros(len(self.data) + margin_bytes, np.uint8)
        padded[: len(self.data)] = self.data
        return padded

    @cached_property
    def _data_with_margin(self) -> Bytes:
        return self._padded(_MARGIN_BYTES)

    def patterns(self, first_bits: Indices, bits: int, byte_order: str) -> Patterns:
        """The patterns of elements that begin at these bits of ``data``, each of which must be in a packet."""
        data = self._data_with_margin
        first_bytes, skipped = first_bits >> 3, (first_bits & 7).astype(np.uint64)
        words = np.ndarray((len(data) - 7,), "<u8" if byte_order == "little" else ">u8", data, 0, (1,))
        patterns: Patterns = words[first_bytes].astype(np.uint64)
        # An element of more than 57 bits can reach into a ninth byte. A shift by 64 bits gives 0 in NumPy.
        if byte_order == "little":
            patterns >>= skipped
            if bits > 57:
                patterns |= data[first_bytes + 8].astype(np.uint64) << (64 - skipped)
            patterns &= 2**bits - 1
            return patterns
        patterns <<= skipped
        if bits > 57:
            patterns |= data[first_bytes + 8].astype(np.uint64) >> (8 - skipped)
        patterns >>= 64 - bits
        return patterns if byte_order == "big" else arranged(patterns, byte_order)
