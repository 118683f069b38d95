"""Each spelling of a type means one thing."""

from pathlib import Path

import pytest

from c2kit.errors import DefinitionError
from c2kit.model.fields import Encoding, Expand, FieldReference, Fixed, Length
from tests.definitions import load_item


@pytest.mark.parametrize(
    ("spelling", "encoding", "bits"),
    [
        ("u1", Encoding.UNSIGNED, 1),
        ("u64", Encoding.UNSIGNED, 64),
        ("i1", Encoding.TWOS_COMPLEMENT, 1),
        ("i37", Encoding.TWOS_COMPLEMENT, 37),
        ("ones12", Encoding.ONES_COMPLEMENT, 12),
        ("signmag12", Encoding.SIGN_MAGNITUDE, 12),
        ("f16", Encoding.IEEE754, 16),
        ("f32", Encoding.IEEE754, 32),
        ("f64", Encoding.IEEE754, 64),
        ("m32", Encoding.MIL_STD_1750A, 32),
        ("m48", Encoding.MIL_STD_1750A, 48),
        ("bool", Encoding.BOOLEAN, 1),
        ("bool8", Encoding.BOOLEAN, 8),
        ("text[3]", Encoding.STRING, 8),
        ("bytes[3]", Encoding.BINARY, 8),
    ],
)
def test_the_letters_tell_the_encoding_and_the_number_its_bits(
    tmp_path: Path, spelling: str, encoding: Encoding, bits: int
) -> None:
    item = load_item(tmp_path, f'"{spelling}"')
    assert (item.encoding, item.bit_length) == (encoding, bits)
    assert load_item(tmp_path, f'{{type: "{spelling}"}}') == item


@pytest.mark.parametrize(
    ("definition", "order"),
    [
        ("u16", "big"),
        ("u16le", "little"),
        ("u16be", "big"),
        ("f32le", "little"),
        ("u3le", "little"),
        ('"u16le[4]"', "little"),
        ("{type: u16, byte_order: little}", "little"),
        ('{type: u32, byte_order: "2143"}', "2143"),
        ("{type: u32, byte_order: 2143}", "2143"),
        ("{type: i48, byte_order: 654321}", "654321"),
    ],
)
def test_the_byte_order_stands_behind_the_width_or_under_its_key(tmp_path: Path, definition: str, order: str) -> None:
    assert load_item(tmp_path, definition).byte_order == order


@pytest.mark.parametrize(
    ("spelling", "length"),
    [
        ("u8", None),
        ("u8[4]", Fixed((4,))),
        ("u8[2,3]", Fixed((2, 3))),
        ("f32[ 2, 3, 4 ]", Fixed((2, 3, 4))),
        ("u8[...]", Expand()),
        ("text[...]", Expand()),
        ("i12[N]", FieldReference("N")),
        ("bytes[N]", FieldReference("N")),
        ("u8[N*2]", FieldReference("N", 2)),
        ("u8[2 * N]", FieldReference("N", 2)),
        ("u8[N + 3]", FieldReference("N", 1, 3)),
        ("u8[N-1]", FieldReference("N", 1, -1)),
        ("u8[4*N-10]", FieldReference("N", 4, -10)),
        ("u8[4 * HDR.N - 10]", FieldReference("HDR.N", 4, -10)),
    ],
)
def test_brackets_tell_how_many(tmp_path: Path, spelling: str, length: Length | None) -> None:
    assert load_item(tmp_path, f'"{spelling}"', before="N: u8\nHDR.N: u8").length == length


@pytest.mark.parametrize(
    "spelling",
    [
        *("u0", "u65", "u08", "u", "i0", "ones1", "signmag1", "f24", "f80", "m16", "bool65", "text8", "bytes4"),
        *("uint8", "U8", "u8 le", "u8x", "float", "textle[4]", "u8[", "u8[]", "u8[0]", "u8[2,0]", "u8[-1]", "u8[1.5]"),
        *("u8[a b]", "u8[2*N*2]", "u8[N*M]", "u8[..]", "u8[4][4]", "u8[4]le", "", "u99999999999999999999", "u\uff18"),
    ],
)
def test_what_is_spelled_otherwise_is_refused_where_it_stands(tmp_path: Path, spelling: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        load_item(tmp_path, f'"{spelling}"', before="N: u8")
    source = caught.value.source
    assert source is not None
    assert (source.line, source.column) == (6, 10)


def test_a_near_miss_is_answered_with_the_type_that_was_meant(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"did you mean .*f64"):
        load_item(tmp_path, "d64")
    with pytest.raises(DefinitionError, match="did you mean u16"):
        load_item(tmp_path, "uint16")


@pytest.mark.parametrize(
    "definition",
    [
        "{type: u16le, byte_order: big}",
        "{type: u32, byte_order: 21}",
        "{type: u32, byte_order: 1123}",
        "{type: u12, byte_order: 21}",
        "{type: u16, byte_order: middle}",
        '{type: "text[4]", byte_order: little}',
    ],
)
def test_byte_orders_that_cannot_be_are_refused(tmp_path: Path, definition: str) -> None:
    with pytest.raises(DefinitionError, match="byte order"):
        load_item(tmp_path, definition)
