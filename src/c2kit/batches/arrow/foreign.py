"""A schema message as somebody wrote it: names and types of its columns, and its metadata.

The tables are those of Arrow's ``Schema.fbs``. Types are told in the letters of Arrow's C data interface, outermost
first, such as ``("+w:3", "S")`` for lists of three uint16; a type that no batch of ours has is ``"?"``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.batches.arrow.flatbuffer import Table, damaged_where, key_values, tables, text
from c2kit.batches.arrow.message import PREFIX_BYTES, read_header, read_prefix
from c2kit.errors import MessageError

if TYPE_CHECKING:
    from c2kit.kernel.contract import Buffer

__all__ = ["ForeignSchema", "read_schema"]

# Members of the union Type by number: 2 Int, 3 FloatingPoint, 10 Timestamp, 16 FixedSizeList, and these without detail.
_PLAIN = {4: "z", 5: "u", 6: "b", 12: "+l", 19: "Z"}
_INTEGERS = {
    (8, 0): "C",
    (16, 0): "S",
    (32, 0): "I",
    (64, 0): "L",
    (8, 1): "c",
    (16, 1): "s",
    (32, 1): "i",
    (64, 1): "l",
}
_FLOATS = {1: "f", 2: "g"}
_UNITS = {0: "s", 1: "m", 2: "u", 3: "n"}
_MAX_DEPTH = 40


@frozen
class ForeignSchema:
    """Name and type of each column, and the schema's metadata."""

    columns: tuple[tuple[str, tuple[str, ...]], ...]
    metadata: dict[str, str]


def read_schema(message: Buffer) -> ForeignSchema:
    """Read a schema message. Raises MessageError where it is none."""
    view = memoryview(message).cast("B")
    metadata = view[PREFIX_BYTES : PREFIX_BYTES + read_prefix(view[:PREFIX_BYTES])]
    header = read_header(metadata)
    if not header.is_schema:
        raise MessageError("the message is no schema", remedy="a stream begins with its schema")
    with damaged_where("the schema message"):
        schema = Table(metadata, header.position)
        if schema.number(0, "<h") != 0:
            raise MessageError("the stream is big-endian", remedy="write it on a little-endian machine")
        columns = tuple(_column(metadata, field) for field in tables(metadata, schema.follow(1)))
        return ForeignSchema(columns, key_values(metadata, schema.follow(2)))


def _column(view: memoryview, field: Table) -> tuple[str, tuple[str, ...]]:
    """A field's name and type. Only lists are entered: they have one child, so that the work is bounded."""
    name, types = text(view, field.follow(0)), [_type(view, field)]
    while types[-1].startswith("+") and len(types) < _MAX_DEPTH:
        children = tables(view, field.follow(5))
        if len(children) != 1:
            return name, ("?",)
        field = children[0]
        types.append(_type(view, field))
    return name, tuple(types)


def _type(view: memoryview, field: Table) -> str:
    kind, position = field.number(2, "<B"), field.follow(3)
    if position is None or field.follow(4) is not None:  # no type, or a dictionary of values
        return "?"
    table = Table(view, position)
    match kind:
        case 2:
            letter = _INTEGERS.get((table.number(0, "<i"), table.number(1, "<B")))
        case 3:
            letter = _FLOATS.get(table.number(0, "<h"))
        case 10:
            letter = f"ts{_UNITS.get(table.number(0, '<h'))}:{text(view, table.follow(1))}"
        case 16:
            letter = f"+w:{table.number(0, '<i')}"
        case _:
            letter = _PLAIN.get(kind)
    return letter or "?"
