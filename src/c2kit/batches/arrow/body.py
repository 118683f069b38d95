"""Columns to the buffers of a message's body, and back as views of it.

Arrow's physical layouts: a validity bitmap of length 0 where every row has a value; bit-packed Booleans, first row in
the least significant bit; int32 offsets (int64 for large bytes). Each buffer is padded to 8 bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import evolve

from c2kit.errors import MessageError, UsageError
from c2kit.kernel.contract import Column

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from c2kit.batches.arrow.columns import ArrowColumn, ArrowType
    from c2kit.batches.arrow.message import RecordBatch
    from c2kit.kernel.envelope import Written

__all__ = ["BodyReader", "BodyWriter"]

_PADDING = tuple(bytes(count) for count in range(8))
_MAX_INT32 = 2**31 - 1
_VIEW_BYTES = 8192
_BYTE: np.dtype[np.generic] = np.dtype(np.uint8)
_INT32: np.dtype[np.generic] = np.dtype("<i4")
_INT64: np.dtype[np.generic] = np.dtype("<i8")


class BodyWriter:
    """Puts columns of ``rows`` rows one after another; the attributes then are what the metadata says of them.

    What is ``written`` already comes first, whatever the order of the columns is.
    """

    def __init__(self, rows: int, written: Written | None = None) -> None:
        self.nodes: list[int] = []
        self.buffers: list[int] = []
        self.parts: list[bytes | memoryview] = []
        self.size_bytes = 0
        self._rows = rows
        self._written: Iterator[tuple[tuple[int, ...], tuple[int, ...]]] = iter(())
        if written is not None:
            head = len(written.head.data)
            self.parts.append(memoryview(written.message)[head:])
            self.size_bytes = len(written.message) - head
            self._written = written.columns()

    def put_written(self) -> None:
        """Add the next column of what is written."""
        node, buffers = next(self._written)
        self.nodes += node
        self.buffers += buffers

    def put(self, spec: ArrowColumn, column: Column) -> None:
        """Add a column. Raises UsageError where it is not of its schema's type."""
        if len(column) != self._rows:
            raise UsageError(f"column {spec.name} has another length", expected=self._rows, found=len(column))
        self._put_node(spec, column.valid)
        if spec.type.element is None or spec.type.is_list:
            self._put_sequences(spec, column)
        else:
            self._put_fixed(spec, column)

    def _put_node(self, spec: ArrowColumn, valid: npt.NDArray[np.bool_] | None) -> None:
        missing = 0 if valid is None else self._rows - int(np.count_nonzero(valid))
        if missing and not spec.is_nullable:
            raise UsageError(f"column {spec.name} has rows without a value", expected="a value in each row")
        self.nodes += (self._rows, missing)
        if valid is None or not missing:
            self.buffers += (self.size_bytes, 0)
        else:
            self._put_array(np.packbits(valid, bitorder="little"))

    def _put_child(self, count: int) -> None:
        self.nodes += (count, 0)
        self.buffers += (self.size_bytes, 0)

    def _put_array(self, values: npt.NDArray[np.generic]) -> None:
        size = values.nbytes
        self.buffers += (self.size_bytes, size)
        padding = -size % 8
        # A small copy costs less than a view; a large array is copied once only, when the message is put together.
        self.parts.append(values.tobytes() if size < _VIEW_BYTES or not values.flags.c_contiguous else values.data)
        if padding:
            self.parts.append(_PADDING[padding])
        self.size_bytes += size + padding

    def _put_fixed(self, spec: ArrowColumn, column: Column) -> None:
        if column.offsets is not None:
            raise _mistyped(spec, "one number or array of a fixed shape a row", "sequences of varying length")
        if column.values.shape[1:] != spec.type.shape:
            raise _mistyped(spec, f"shape {spec.type.shape}", f"shape {column.values.shape[1:]}")
        count = self._rows
        for extent in spec.type.shape:
            count *= extent
            self._put_child(count)
        self._put_numbers(spec, column.values)

    def _put_numbers(self, spec: ArrowColumn, values: npt.NDArray[np.generic]) -> None:
        element = spec.type.element
        assert element is not None  # noqa: S101 - for the type checker
        if values.dtype != element:
            if values.dtype.newbyteorder("<") != element:
                raise _mistyped(spec, f"values of {element}", values.dtype)
            values = values.astype(element)
        if element.kind == "b":
            self._put_array(np.packbits(values.view(np.bool_), bitorder="little"))
        else:
            self._put_array(values)

    def _put_sequences(self, spec: ArrowColumn, column: Column) -> None:
        if column.offsets is None:
            raise _mistyped(spec, "sequences of varying length", f"values of shape {column.values.shape}")
        first, last = int(column.offsets[0]), int(column.offsets[-1])
        if last - first > _MAX_INT32 and not spec.type.is_large:
            raise UsageError(
                f"column {spec.name} is too large for one batch",
                expected=f"at most {_MAX_INT32} bytes or elements",
                found=last - first,
                remedy="split the batch",
            )
        offsets = column.offsets - first
        self._put_array(offsets.astype(_INT64 if spec.type.is_large else _INT32))
        values = column.values[first:last]
        if spec.type.element is not None:
            self._put_child(last - first)
            self._put_numbers(spec, values)
        elif values.dtype == _BYTE and column.is_text == spec.type.is_text:
            self._put_array(values)
        else:
            raise _mistyped(spec, "text" if spec.type.is_text else "bytes", f"{values.dtype}, not so")


def _mistyped(spec: ArrowColumn, expected: object, found: object) -> UsageError:
    return UsageError(f"column {spec.name} is not of its schema's type", expected=expected, found=found)


class BodyReader:
    """Takes columns off a record batch in the order of its schema; what is not as it must be raises MessageError."""

    def __init__(self, batch: RecordBatch) -> None:
        self._rows = batch.rows
        self._nodes = iter(batch.nodes.tolist())
        self._buffers = iter(batch.buffers.tolist())
        self._body = batch.body

    def take(self, spec: ArrowColumn) -> Column:
        """The next column: views of the body where NumPy can look at Arrow's layout, else copies."""
        valid = self._take_valid(spec)
        arrow_type = spec.type
        if arrow_type.element is None:
            column = self._take_bytes(spec, arrow_type)
        elif arrow_type.is_list:
            column = self._take_list(spec, arrow_type.element)
        else:
            column = self._take_fixed(spec, arrow_type, arrow_type.element)
        return column if valid is None else _without_hidden_values(evolve(column, valid=valid))

    def finish(self) -> None:
        """Nothing must be left."""
        if next(self._nodes, None) is not None or next(self._buffers, None) is not None:
            raise MessageError("the message has more columns than its schema")

    def _take_node(self, spec: ArrowColumn) -> tuple[int, int]:
        node = next(self._nodes, None)
        if node is None:
            raise MessageError(f"the message has no column {spec.name}")
        length, missing = node
        return length, missing

    def _take_buffer(self, spec: ArrowColumn) -> tuple[int, int]:
        """First byte and size of the next buffer, which lies in the body wholly."""
        buffer = next(self._buffers, None)
        if buffer is None:
            raise MessageError(f"the message has no bytes for column {spec.name}")
        first, size = buffer
        if first < 0 or size < 0 or first + size > len(self._body):
            raise _damaged(spec, f"bytes 0 to {len(self._body)} of the body", f"{size} bytes at {first}")
        return first, size

    def _take_array(self, spec: ArrowColumn, count: int, element: np.dtype[np.generic]) -> npt.NDArray[np.generic]:
        """The first ``count`` elements of the next buffer, not copied."""
        first, size = self._take_buffer(spec)
        if size < count * element.itemsize:
            raise _damaged(spec, f"{count} elements of {element}", f"{size} bytes")
        return np.frombuffer(self._body, element, count, first) if count else np.zeros(0, element)

    def _take_bits(self, spec: ArrowColumn, count: int) -> npt.NDArray[np.bool_]:
        packed = self._take_array(spec, (count + 7) // 8, _BYTE).view(np.uint8)
        return np.unpackbits(packed, count=count, bitorder="little").view(np.bool_)

    def _take_valid(self, spec: ArrowColumn) -> npt.NDArray[np.bool_] | None:
        length, missing = self._take_node(spec)
        if length != self._rows or not 0 <= missing <= length or (missing and not spec.is_nullable):
            expected = f"{self._rows} rows" if spec.is_nullable else f"{self._rows} rows, all with a value"
            raise _damaged(spec, expected, f"{length} rows, {missing} without a value")
        if not missing:
            self._take_buffer(spec)
            return None
        valid = self._take_bits(spec, length)
        if length - np.count_nonzero(valid) != missing:
            raise _damaged(spec, f"{missing} rows without a value", length - np.count_nonzero(valid))
        return valid

    def _take_child(self, spec: ArrowColumn, count: int, *, exact: bool = True) -> None:
        length, missing = self._take_node(spec)
        self._take_buffer(spec)
        if missing or length < count or (exact and length != count):
            raise _damaged(spec, f"{count} elements", f"{length} elements, {missing} without a value")

    def _take_numbers(self, spec: ArrowColumn, count: int, element: np.dtype[np.generic]) -> npt.NDArray[np.generic]:
        if element.kind == "b":
            return self._take_bits(spec, count)
        return self._take_array(spec, count, element)

    def _take_fixed(self, spec: ArrowColumn, arrow_type: ArrowType, element: np.dtype[np.generic]) -> Column:
        if not arrow_type.shape:
            return Column(self._take_numbers(spec, self._rows, element))
        count = self._rows
        for extent in arrow_type.shape:
            count *= extent
            self._take_child(spec, count)
        return Column(self._take_numbers(spec, count, element).reshape(self._rows, *arrow_type.shape))

    def _take_list(self, spec: ArrowColumn, element: np.dtype[np.generic]) -> Column:
        offsets = self._take_offsets(spec, _INT32)
        first, last = int(offsets[0]), int(offsets[-1])
        self._take_child(spec, last, exact=False)
        return Column(self._take_numbers(spec, last, element)[first:], offsets=offsets - first)

    def _take_offsets(self, spec: ArrowColumn, element: np.dtype[np.generic]) -> npt.NDArray[np.int64]:
        if not self._rows:
            self._take_buffer(spec)  # it may be empty, though one offset would be due
            return np.zeros(1, np.int64)
        offsets = self._take_array(spec, self._rows + 1, element).astype(np.int64)
        if offsets[0] < 0 or (offsets[1:] < offsets[:-1]).any():
            raise _damaged(spec, "offsets from 0 that never fall", "others")
        return offsets

    def _take_bytes(self, spec: ArrowColumn, arrow_type: ArrowType) -> Column:
        offsets = self._take_offsets(spec, _INT64 if arrow_type.is_large else _INT32)
        first, last = int(offsets[0]), int(offsets[-1])
        values = self._take_array(spec, last, _BYTE)[first:].view(np.uint8)
        if first:
            offsets = offsets - first
        if arrow_type.is_text:
            _check_text(spec, values, offsets)
        return Column(values, offsets=offsets, is_bytes=True, is_text=arrow_type.is_text)


def _damaged(spec: ArrowColumn, expected: object, found: object) -> MessageError:
    return MessageError(f"column {spec.name} of the message is damaged", expected=expected, found=found)


def _check_text(spec: ArrowColumn, values: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> None:
    """All bytes together are UTF-8, and no value begins in the middle of a character."""
    if not len(values) or values.max() < 0x80:
        return
    try:
        str(values.data, "utf-8")
    except UnicodeDecodeError as error:
        raise _damaged(spec, "UTF-8 text", error) from None
    begins = offsets[offsets < len(values)]
    if ((values[begins] & 0xC0) == 0x80).any():
        raise _damaged(spec, "UTF-8 text", "a value that ends within a character")


def _without_hidden_values(column: Column) -> Column:
    """Other writers may leave anything where there is no value; a column has 0 there, or nothing."""
    assert column.valid is not None  # noqa: S101 - for the type checker
    missing = ~column.valid
    if column.offsets is None:
        if not column.values[missing].any():
            return column
        values = column.values.copy()
        values[missing] = 0
        return evolve(column, values=values)
    lengths = np.diff(column.offsets)
    if not lengths[missing].any():
        return column
    kept = np.repeat(column.valid, lengths)
    lengths[missing] = 0
    return evolve(column, values=column.values[kept], offsets=np.concatenate(([0], np.cumsum(lengths))))
