"""Decode by a program of the extension, which writes every column to memory that NumPy has made."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from c2kit.kernel import columns
from c2kit.kernel.compiled.offsets import on_packets
from c2kit.kernel.compiled.program import compiled
from c2kit.kernel.contract import Column

if TYPE_CHECKING:
    import numpy.typing as npt

    from c2kit.kernel import _kernel
    from c2kit.kernel.compiled.program import Compiled, Kind
    from c2kit.kernel.contract import Buffer
    from c2kit.kernel.layout import Layout

    _Words = npt.NDArray[np.int64]

__all__ = ["decode", "decoded"]

_empty = partial(np.empty, dtype=np.int64)
_zeros = partial(np.zeros, dtype=np.int64)


def decode(layout: Layout, buffer: Buffer, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> list[Column]:
    """Decode each field of the layout to a column; see :meth:`c2kit.kernel.contract.Kernel.decode`.

    Raises:
        UsageError: a packet does not lie in the buffer.
        MemoryError: the columns are larger than any memory.
    """
    plan = compiled(layout)
    if plan is None:
        return columns.decode(layout, buffer, starts, ends)
    found, _ = decoded(plan, buffer, starts, ends)
    return [column for column in found if column is not None]


def decoded(
    plan: Compiled, buffer: Buffer, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> tuple[list[Column | None], tuple[int, ...]]:
    """The columns of all fields and then of all conversions, ``None`` for states; and what each conversion counted."""
    count = len(starts)
    block, found, counts = on_packets(plan.program.decode, buffer, starts, ends, _empty, _zeros)
    return [
        _column(kind, count, block, each) if isinstance(each, tuple) else each
        for kind, each in zip(plan.kinds, found, strict=True)
    ], counts


def _column(kind: Kind, count: int, block: _Words, place: _kernel.Place) -> Column:
    words, first_byte, elements, first_valid, first_offset = place
    valid = None if first_valid < 0 else np.ndarray(count, np.bool_, block, first_valid)
    if first_offset >= 0:
        offsets = np.ndarray(count + 1, np.int64, block, first_offset)
        return Column(np.ndarray(elements, kind.dtype, words, first_byte), valid, offsets, is_bytes=kind.is_bytes)
    shape = (count, *kind.shape)
    if elements < 0:
        return Column(np.broadcast_to(np.zeros((), kind.dtype), shape), valid)
    return Column(np.ndarray(shape, kind.dtype, words, first_byte), valid)
