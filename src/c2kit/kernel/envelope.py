"""What is around the columns of one batch, where a kernel can write all of them as one message."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import numpy.typing as npt

    from c2kit.kernel.contract import Column

__all__ = ["Envelope", "Head", "Written"]

_NODE, _BUFFERS = struct.Struct("<2q"), struct.Struct("<4q")


@frozen(eq=False)
class Head:
    """What stands before the body of an Arrow message, with blanks for the numbers that tell batches apart.

    :mod:`c2kit.batches.arrow` makes it: a kernel knows nothing of Arrow but where numbers go, int64 each and
    little-endian. They are the size of the body; the rows; for each column its rows and how many have no value; and for
    each the first byte in the body and the size of its validity bitmap, and the same of its values. Where all rows have
    a value, the bitmap's size is 0.
    """

    data: bytes
    """A multiple of 8 bytes."""
    column_count: int
    blanks: tuple[int, int, int, int]
    """Where the size is, the rows, the first column's rows, and the first of its buffers."""


@frozen(eq=False)
class Written:
    """A message that a kernel has written behind a head."""

    head: Head
    message: bytes

    def columns(self) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
        """What the blanks say of each column: two numbers of its rows, four of its buffers."""
        view, count = memoryview(self.message), self.head.column_count
        _, _, nodes_at, buffers_at = self.head.blanks
        nodes = _NODE.iter_unpack(view[nodes_at : nodes_at + count * _NODE.size])
        buffers = _BUFFERS.iter_unpack(view[buffers_at : buffers_at + count * _BUFFERS.size])
        return zip(nodes, buffers, strict=True)


@frozen(eq=False)
class Envelope:
    """A head, and the first two columns: when packets were received, and when they were made.

    After them come those of the items in the order of their definition, of each the engineering column first, if it has
    one of its own, and then the raw one. All is as in :mod:`c2kit.batches.arrow.body`.
    """

    head: Head
    received: npt.NDArray[np.int64]
    generated: Column
