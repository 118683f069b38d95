"""The schema message of an Arrow stream, written by ``nanoarrow``: the only module that imports it.

A schema is written once per definition, so that its cost does not matter, and it nests and carries texts, which is
where a writer of one's own goes wrong. ``nanoarrow`` writes field metadata, lists of fixed size inside each other, and
time zones. It has two traps: its texts end at the first NUL, so that names and metadata are kept free of it; and it
reads damaged schemas beyond their end, so that it is never given one (:mod:`c2kit.batches.arrow.foreign` reads those).
"""

from __future__ import annotations

import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

import nanoarrow as na
from nanoarrow import ipc
from nanoarrow.c_array_stream import CArrayStream

from c2kit.batches.arrow.message import END_OF_STREAM

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from c2kit.batches.arrow.columns import ArrowColumn, ArrowType

__all__ = ["c_stream", "fingerprint", "foreign_form", "schema_message"]

_ELEMENTS = {
    "b1": na.Type.BOOL,
    "u1": na.Type.UINT8,
    "u2": na.Type.UINT16,
    "u4": na.Type.UINT32,
    "u8": na.Type.UINT64,
    "i1": na.Type.INT8,
    "i2": na.Type.INT16,
    "i4": na.Type.INT32,
    "i8": na.Type.INT64,
    "f4": na.Type.FLOAT,
    "f8": na.Type.DOUBLE,
}


def schema_message(columns: Sequence[ArrowColumn], metadata: Mapping[str, str]) -> bytes:
    """The schema message that begins a stream of such batches."""
    schema = na.c_schema(na.struct([_schema(column) for column in columns], nullable=False))
    children = [
        schema.child(index).modify(name=_clean(column.name), metadata=_clean_all(dict(column.metadata)))
        for index, column in enumerate(columns)
    ]
    schema = schema.modify(children=children, metadata=_clean_all(metadata))
    written = io.BytesIO()
    with ipc.StreamWriter.from_writable(written) as writer:
        writer.write_stream(CArrayStream.from_c_arrays([], schema))
    return written.getvalue().removesuffix(END_OF_STREAM)


def _clean(text: str) -> str:
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def _clean_all(texts: Mapping[str, str]) -> dict[str, str]:
    return {_clean(key): _clean(value) for key, value in texts.items()}


def _schema(column: ArrowColumn) -> Any:  # noqa: ANN401 - nanoarrow has no types
    return _typed(column.type, nullable=column.is_nullable)


def _typed(arrow_type: ArrowType, *, nullable: bool) -> Any:  # noqa: ANN401 - nanoarrow has no types
    if arrow_type.is_time:
        return na.timestamp("ns", "UTC", nullable=nullable)
    if arrow_type.element is None:
        if arrow_type.is_text:
            return na.string(nullable=nullable)
        return na.large_binary(nullable=nullable) if arrow_type.is_large else na.binary(nullable=nullable)
    element = _ELEMENTS[f"{arrow_type.element.kind}{arrow_type.element.itemsize}"]
    if arrow_type.is_list:
        return na.list_(na.Schema(element, nullable=False), nullable=nullable)
    schema = na.Schema(element, nullable=nullable and not arrow_type.shape)
    for index, extent in reversed(list(enumerate(arrow_type.shape))):
        schema = na.fixed_size_list(schema, extent, nullable=nullable and index == 0)
    return schema


def fingerprint(columns: Sequence[ArrowColumn], metadata: Mapping[str, str]) -> str:
    """The content address of a schema: SHA-256, in hex, of a canonical form that no library has a part in."""
    plain = {
        "columns": [[column.name, _form(column), dict(column.metadata)] for column in columns],
        "metadata": dict(metadata),
    }
    return hashlib.sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


_LETTERS = dict(zip(_ELEMENTS, "bCSILcsilfg", strict=True))


def _form(column: ArrowColumn) -> list[str]:
    """A column's type in the letters of Arrow's C data interface, outermost first."""
    arrow_type = column.type
    if arrow_type.is_time:
        return ["tsn:UTC"]
    if arrow_type.element is None:
        if arrow_type.is_text:
            return ["u"]
        return ["Z" if arrow_type.is_large else "z"]
    letter = _LETTERS[f"{arrow_type.element.kind}{arrow_type.element.itemsize}"]
    lists = ["+l"] if arrow_type.is_list else [f"+w:{extent}" for extent in arrow_type.shape]
    return [*lists, letter]


def foreign_form(columns: Sequence[ArrowColumn]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Names and types of columns, to be compared with those of a schema that was read."""
    return tuple((_clean(column.name), tuple(_form(column))) for column in columns)


def c_stream(stream: bytes) -> object:
    """A whole stream as a PyCapsule of Arrow's C stream interface, for other libraries in this process."""
    return ipc.InputStream.from_readable(stream).__arrow_c_stream__()
