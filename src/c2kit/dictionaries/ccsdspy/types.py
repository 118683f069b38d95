"""What one row of a CSV says, before its place in the packet is known: type, width, shape, byte order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.dictionaries.ccsdspy.calibration import read_calibration
from c2kit.model.fields import Encoding, Expand, FieldReference, Fixed

if TYPE_CHECKING:
    from c2kit.dictionaries.ccsdspy.table import Row
    from c2kit.model.conversions import Conversion

__all__ = ["LARGEST_PACKET_BITS", "CsvField", "read_field"]

LARGEST_PACKET_BITS = 8 * 65_542
"""No space packet is larger (CCSDS 133.0-B-2, 4.1.2.2): what does not fit into it is a typing error."""

_ENCODINGS = {
    "uint": Encoding.UNSIGNED,
    "int": Encoding.TWOS_COMPLEMENT,
    "float": Encoding.IEEE754,
    "str": Encoding.STRING,
    "fill": None,
}
_DATA_TYPE = re.compile(r"(?P<kind>[^()]*?)\s*(?:\((?P<shape>.*)\))?", re.DOTALL)
_WHOLE_NUMBER = re.compile(r"([0-9]{1,9})(?:\.0*)?", re.ASCII)
_EXTENTS = re.compile(r"[0-9]{1,9}(?:\s*,\s*[0-9]{1,9})*\s*,?", re.ASCII)


@frozen(kw_only=True)
class CsvField:
    """What a row says, checked as far as it can be alone."""

    row: Row
    name: str
    encoding: Encoding | None
    """``None`` for fill: bits that are nobody's."""
    bit_length: int
    """Of one element; of a whole string where there is no shape."""
    bit_offset: int | None
    """As it is written."""
    shape: Fixed | FieldReference | Expand | None
    byte_order: str
    """``big``, ``little``, or digits as ccsdspy means them."""
    conversion: Conversion | None

    @property
    def is_fill(self) -> bool:
        """Whether it only takes up space."""
        return self.encoding is None

    @property
    def total_bits(self) -> int | None:
        """The bits of all its elements; ``None`` where they vary from packet to packet."""
        if self.shape is None:
            return self.bit_length
        return self.bit_length * self.shape.count if isinstance(self.shape, Fixed) else None


def read_field(row: Row) -> CsvField:
    """The field that a row defines.

    Raises:
        DefinitionError: it cannot be one.
    """
    kind, shape_text = _data_type(row)
    encoding = _ENCODINGS[kind]
    name = row.text("name")
    if not name.isprintable() or (not name and encoding is not None):
        raise row.wrong("name", "a field needs a name", expected="printable characters", found=repr(name))
    if encoding is None and row.text("calibration"):
        raise row.wrong("calibration", "fill has no values", remedy="leave the cell empty, or make it a uint")
    field = CsvField(
        row=row,
        name=name,
        encoding=encoding,
        bit_length=_bit_length(row, encoding),
        bit_offset=_bit_offset(row),
        shape=_shape(row, shape_text),
        byte_order=_byte_order(row),
        conversion=read_calibration(row),
    )
    _check_whole(field)
    return field


def _data_type(row: Row) -> tuple[str, str | None]:
    text = row.text("data_type")
    spelled = _DATA_TYPE.fullmatch(text)
    kind = spelled["kind"].strip().lower() if spelled else text
    if spelled is None or kind not in _ENCODINGS:
        expected = f"{', '.join(_ENCODINGS)}, or one of them with a shape, such as uint(4)"
        raise row.wrong("data_type", "no such data type", expected=expected, found=repr(text))
    return kind, spelled["shape"]


def _bit_length(row: Row, encoding: Encoding | None) -> int:
    bits = _number(row, "bit_length", "a whole number of bits")
    if bits is None:
        raise row.wrong("bit_length", "nothing says how long it is", expected="a whole number of bits")
    match encoding:
        case None:
            is_good, expected = bits <= LARGEST_PACKET_BITS, f"at most {LARGEST_PACKET_BITS} bits of fill"
        case Encoding.IEEE754:
            is_good, expected = bits in (16, 32, 64), "a float of 16, 32 or 64 bits"
        case Encoding.STRING:
            is_good = bits > 0 and bits % 8 == 0 and bits <= LARGEST_PACKET_BITS
            expected = f"whole bytes: 8, 16, 24, ... at most {LARGEST_PACKET_BITS} bits"
        case _:
            is_good, expected = 1 <= bits <= 64, "an integer of 1 to 64 bits"
    if not is_good:
        raise row.wrong("bit_length", "it cannot be this long", expected=expected, found=bits)
    return bits


def _bit_offset(row: Row) -> int | None:
    offset = _number(row, "bit_offset", "a whole number of bits, or nothing")
    if offset is not None and offset >= LARGEST_PACKET_BITS:
        expected = f"less than {LARGEST_PACKET_BITS}"
        raise row.wrong("bit_offset", "no space packet is that large", expected=expected, found=offset)
    return offset


def _number(row: Row, column: str, expected: str) -> int | None:
    """A whole number; spreadsheets write ``8.0`` for it where other cells of the column are empty."""
    text = row.text(column)
    if not text:
        return None
    written = _WHOLE_NUMBER.fullmatch(text)
    if written is None:
        raise row.wrong(column, f"the {column} is no whole number", expected=expected, found=repr(text))
    return int(written[1])


def _shape(row: Row, in_type: str | None) -> Fixed | FieldReference | Expand | None:
    """The shape from the data type, as in ``uint(expand)``, or from a column of its own."""
    column, text = ("data_type", in_type) if in_type is not None else ("array_shape", row.text("array_shape"))
    if in_type is not None and row.text("array_shape"):
        remedy = "write it in one of the two columns"
        raise row.wrong("array_shape", "the shape is told twice", expected="nothing", found=in_type, remedy=remedy)
    text = text.strip()
    if column == "array_shape" and text[:1] + text[-1:] in ("()", "[]"):
        text = text[1:-1].strip()
    elif not text and column == "array_shape":
        return None
    if _EXTENTS.fullmatch(text):
        return _fixed_shape(row, column, text)
    expected = "numbers such as 2, 3, the name of an earlier field, or expand"
    if not text or "," in text:
        raise row.wrong(column, "no such shape", expected=expected, found=repr(text))
    return Expand() if text == "expand" else FieldReference(text)


def _fixed_shape(row: Row, column: str, text: str) -> Fixed:
    extents = tuple(int(extent) for extent in text.replace(",", " ").split())
    if 0 in extents:
        raise row.wrong(column, "an array has at least one element", expected="extents above 0", found=text)
    if len(extents) > 8:
        raise row.wrong(column, "the array has too many dimensions", expected="at most 8", found=len(extents))
    order = row.text("array_order").upper()
    if order not in ("", "C", "F"):
        raise row.wrong("array_order", "no such order of elements", expected="C", found=repr(order))
    if order == "F" and len(extents) > 1:
        remedy = f"write the shape the other way round, {', '.join(map(str, extents[::-1]))}, and leave the order out"
        raise row.wrong("array_order", "columns first is not supported", expected="C", found="F", remedy=remedy)
    return Fixed(extents)


def _byte_order(row: Row) -> str:
    """``big``, ``little`` or digits. Spreadsheets write ``21.0`` where other cells of the column are empty."""
    text = re.sub(r"\.0*$", "", row.text("byte_order").lower())
    if text in ("", "big", "little"):
        return text or "big"
    if not re.fullmatch("[1-8]{1,8}", text) or sorted(text) != [*"12345678"][: len(text)]:
        expected = "big, little, or digits such as 21 or 4321"
        raise row.wrong("byte_order", "no such byte order", expected=expected, found=repr(row.text("byte_order")))
    return text


def _check_whole(field: CsvField) -> None:
    """Refuse what each column allows by itself and all of them together do not."""
    row, bits, order = field.row, field.bit_length, field.byte_order
    if field.is_fill and field.total_bits is None:
        remedy = "make it a uint"
        raise row.wrong("data_type", "fill cannot vary in length", expected="a number of elements", remedy=remedy)
    if field.total_bits is not None and field.total_bits > LARGEST_PACKET_BITS:
        expected = f"at most {LARGEST_PACKET_BITS} bits"
        raise row.wrong("bit_length", "no space packet is that large", expected=expected, found=field.total_bits)
    if field.encoding is Encoding.STRING and field.total_bits is None and bits != 8:
        expected = "a bit_length of 8"
        raise row.wrong("bit_length", "only single characters can vary in number", expected=expected, found=bits)
    if field.encoding is None or field.encoding.is_bytes or order == "big":
        return
    if order == "little" and bits > 8 and bits % 8:
        remedy = "split it at the byte boundaries"
        raise row.wrong("byte_order", "only whole bytes have an order", expected="big", found="little", remedy=remedy)
    if order != "little" and 8 * len(order) != bits:
        expected = f"{bits // 8} digits" if bits % 8 == 0 else "big"
        raise row.wrong("byte_order", f"it does not fit {bits} bits", expected=expected, found=repr(order))
