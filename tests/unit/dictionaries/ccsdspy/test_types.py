"""What one row of a CSV says of its field."""

import pytest

from c2kit.dictionaries.ccsdspy.table import Cell, Row
from c2kit.dictionaries.ccsdspy.types import CsvField, read_field
from c2kit.errors import DefinitionError
from c2kit.model.fields import Encoding, Expand, FieldReference, Fixed
from c2kit.model.source import Source

COLUMNS = [
    "name",
    "data_type",
    "bit_length",
    "bit_offset",
    "byte_order",
    "array_shape",
    "array_order",
    "calibration",
]


def read(**texts: str) -> CsvField:
    texts = {"name": "X", "data_type": "uint", "bit_length": "8"} | texts
    cells = {column: Cell(text, Source("defs.csv", 5, 10 + COLUMNS.index(column))) for column, text in texts.items()}
    return read_field(Row(cells, Source("defs.csv", 5, 1)))


@pytest.mark.parametrize(
    ("data_type", "bits", "encoding"),
    [
        ("uint", 1, Encoding.UNSIGNED),
        ("uint", 64, Encoding.UNSIGNED),
        ("int", 17, Encoding.TWOS_COMPLEMENT),
        ("INT", 8, Encoding.TWOS_COMPLEMENT),
        ("float", 16, Encoding.IEEE754),
        ("float", 32, Encoding.IEEE754),
        ("float", 64, Encoding.IEEE754),
        ("str", 8, Encoding.STRING),
        ("str", 800, Encoding.STRING),
        ("fill", 0, None),
        ("fill", 4_001, None),
    ],
)
def test_data_types_have_their_widths(data_type: str, bits: int, encoding: Encoding | None) -> None:
    field = read(data_type=data_type, bit_length=str(bits))

    assert (field.encoding, field.bit_length, field.total_bits) == (encoding, bits, bits)
    assert field.is_fill == (encoding is None)


@pytest.mark.parametrize(
    ("text", "shape", "bits"),
    [
        ("4", Fixed((4,)), 32),
        ("4,", Fixed((4,)), 32),
        ("12, 24", Fixed((12, 24)), 2304),
        ("2,3,4", Fixed((2, 3, 4)), 192),
        ("expand", Expand(), None),
        ("N", FieldReference("N"), None),
        ("N[0] words", FieldReference("N[0] words"), None),
    ],
)
def test_shapes_stand_in_the_type_or_in_a_column_of_their_own(
    text: str, shape: Fixed | FieldReference | Expand, bits: int | None
) -> None:
    for field in (
        read(data_type=f"uint({text})"),
        read(data_type=f"uint ( {text} )"),
        read(array_shape=text),
        read(array_shape=f"({text})"),
        read(array_shape=f"[{text}]"),
        read(array_shape=text, array_order="C"),
    ):
        assert (field.shape, field.total_bits) == (shape, bits)


def test_columns_first_is_the_same_where_there_is_one_dimension() -> None:
    assert read(array_shape="4", array_order="f").shape == Fixed((4,))


def test_spreadsheets_write_whole_numbers_with_a_point() -> None:
    field = read(bit_length="16.0", bit_offset="48.", byte_order="21.0")

    assert (field.bit_length, field.bit_offset, field.byte_order) == (16, 48, "21")


@pytest.mark.parametrize(
    ("texts", "column", "says"),
    [
        ({"name": ""}, 10, "a field needs a name"),
        ({"name": "A\nB"}, 10, "a field needs a name"),
        ({"data_type": ""}, 11, "no such data type"),
        ({"data_type": "uint8"}, 11, "no such data type"),
        ({"data_type": "uint(4"}, 11, "no such data type"),
        ({"data_type": "uint(4)x"}, 11, "no such data type"),
        ({"data_type": "uint()"}, 11, "no such shape"),
        ({"data_type": "uint(2, N)"}, 11, "no such shape"),
        ({"data_type": "uint(0)"}, 11, "at least one element"),
        ({"data_type": "uint(2, 0)"}, 11, "at least one element"),
        ({"data_type": "uint(1,1,1,1,1,1,1,1,1)"}, 11, "too many dimensions"),
        ({"data_type": "uint(4)", "array_shape": "4"}, 15, "told twice"),
        ({"array_shape": "()"}, 15, "no such shape"),
        ({"array_shape": "2, 3", "array_order": "F"}, 16, "3, 2"),
        ({"array_shape": "2", "array_order": "Z"}, 16, "no such order"),
        ({"data_type": "fill(expand)"}, 11, "fill cannot vary"),
        ({"data_type": "fill", "calibration": "[1]"}, 17, "fill has no values"),
        ({"bit_length": ""}, 12, "how long"),
        ({"bit_length": "eight"}, 12, "no whole number"),
        ({"bit_length": "-8"}, 12, "no whole number"),
        ({"bit_length": "8.5"}, 12, "no whole number"),
        ({"bit_length": "0"}, 12, "1 to 64"),
        ({"bit_length": "65"}, 12, "1 to 64"),
        ({"bit_length": "999999999999"}, 12, "no whole number"),
        ({"data_type": "float", "bit_length": "24"}, 12, "16, 32 or 64"),
        ({"data_type": "str", "bit_length": "12"}, 12, "whole bytes"),
        ({"data_type": "str", "bit_length": "0"}, 12, "whole bytes"),
        ({"data_type": "str(expand)", "bit_length": "16"}, 12, "single characters"),
        ({"data_type": "str(N)", "bit_length": "16"}, 12, "single characters"),
        ({"data_type": "fill", "bit_length": "524337"}, 12, "at most 524336"),
        ({"data_type": "uint(99999, 99999)"}, 12, "no space packet"),
        ({"bit_offset": "x"}, 13, "no whole number"),
        ({"bit_offset": "-1"}, 13, "no whole number"),
        ({"bit_offset": "524336"}, 13, "no space packet"),
        ({"byte_order": "middle"}, 14, "no such byte order"),
        ({"byte_order": "20", "bit_length": "16"}, 14, "no such byte order"),
        ({"byte_order": "13", "bit_length": "16"}, 14, "no such byte order"),
        ({"byte_order": "22", "bit_length": "16"}, 14, "no such byte order"),
        ({"byte_order": "21", "bit_length": "32"}, 14, "4 digits"),
        ({"byte_order": "21", "bit_length": "12"}, 14, "expected big"),
        ({"byte_order": "little", "bit_length": "12"}, 14, "only whole bytes"),
        ({"calibration": "?"}, 17, "not JSON"),
    ],
)
def test_anything_else_is_refused_at_its_cell(texts: dict[str, str], column: int, says: str) -> None:
    with pytest.raises(DefinitionError, match=says) as refused:
        read(**texts)

    assert refused.value.source == Source("defs.csv", 5, column)


def test_a_byte_order_of_a_byte_or_of_text_does_not_matter() -> None:
    assert read(byte_order="little").byte_order == "little"
    assert read(byte_order="little", bit_length="5").bit_length == 5
    assert read(byte_order="4321", data_type="str", bit_length="64").encoding is Encoding.STRING
