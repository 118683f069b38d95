"""Decoding by every kernel: published vectors, and each rule of layout on bytes that a person can check."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from c2kit.errors import UsageError
from c2kit.kernel.layout import Layout
from c2kit.model.fields import (
    Condition,
    Encoding,
    Expand,
    Field,
    FieldReference,
    Fixed,
    Length,
    Prefixed,
    Terminated,
)
from tests.kernels import KERNELS

if TYPE_CHECKING:
    from c2kit.kernel.contract import Column, Kernel

pytestmark = KERNELS

AFTER = b"\xa5" * 17
"""What follows each packet in the buffer: nothing may be read from there."""


def decode(kernel: Kernel, fields: list[Field], *packets: bytes) -> dict[str, Column]:
    """The columns of packets that stand in a buffer with other bytes between them."""
    pieces = [piece for packet in packets for piece in (b"\x5a", packet)]
    ends = np.cumsum([len(piece) for piece in pieces], dtype=np.int64)
    found = kernel.decode(Layout(tuple(fields)), b"".join(pieces) + AFTER, ends[::2], ends[1::2])
    return {field.name: column for field, column in zip(fields, found, strict=True)}


def values(kernel: Kernel, fields: list[Field], packet: bytes) -> list[Any]:
    """The values of one packet."""
    return [column.to_list()[0] for column in decode(kernel, fields, packet).values()]


def one(kernel: Kernel, packet_hex: str, encoding: Encoding, bits: int, order: str = "big", start: int = 0) -> Any:  # noqa: ANN401
    """The value of a single number."""
    field = Field(name="X", encoding=encoding, bit_length=bits, byte_order=order, bit_offset=start)
    return values(kernel, [field], bytes.fromhex(packet_hex))[0]


# Numbers


def test_the_fields_of_a_space_packet_header_stand_where_the_standard_says(kernel: Kernel) -> None:
    # CCSDS 133.0-B-2, 4.1.3: version 3 bits, type 1, secondary header flag 1, APID 11; sequence flags 2, count 14;
    # data length 16.
    bits = "000" + "1" + "1" + "00101010101" + "11" + "00000000100001" + "0000000000000111"
    widths = [3, 1, 1, 11, 2, 14, 16]
    fields = [Field(name=f"F{number}", bit_length=width) for number, width in enumerate(widths)]
    packet = int(bits, 2).to_bytes(6)
    assert values(kernel, fields, packet) == [0, 1, 1, 0b00101010101, 3, 0b100001, 7]


@pytest.mark.parametrize(
    ("encoding", "bits", "packet", "value"),
    [
        (Encoding.UNSIGNED, 1, "80", 1),
        (Encoding.UNSIGNED, 64, "ffffffffffffffff", 2**64 - 1),
        (Encoding.TWOS_COMPLEMENT, 1, "80", -1),
        (Encoding.TWOS_COMPLEMENT, 4, "80", -8),
        (Encoding.TWOS_COMPLEMENT, 12, "fff0", -1),
        (Encoding.TWOS_COMPLEMENT, 64, "8000000000000000", -(2**63)),
        (Encoding.ONES_COMPLEMENT, 1, "80", 0),
        (Encoding.ONES_COMPLEMENT, 4, "80", -7),
        (Encoding.ONES_COMPLEMENT, 4, "f0", 0),
        (Encoding.ONES_COMPLEMENT, 64, "8000000000000000", 1 - 2**63),
        (Encoding.SIGN_MAGNITUDE, 1, "80", 0),
        (Encoding.SIGN_MAGNITUDE, 4, "f0", -7),
        (Encoding.SIGN_MAGNITUDE, 4, "80", 0),
        (Encoding.SIGN_MAGNITUDE, 64, "ffffffffffffffff", 1 - 2**63),
        (Encoding.BOOLEAN, 3, "a0", 5),
    ],
)
def test_integers_of_each_encoding_at_their_edges(
    kernel: Kernel, encoding: Encoding, bits: int, packet: str, value: int
) -> None:
    assert one(kernel, packet, encoding, bits) == value


@pytest.mark.parametrize(
    ("packet", "bits", "value"),
    [
        ("3c00", 16, 1.0),
        ("c000", 16, -2.0),
        ("7bff", 16, 65504.0),
        ("0001", 16, 2.0**-24),
        ("fc00", 16, -math.inf),
        ("3f800000", 32, 1.0),
        ("00000001", 32, 2.0**-149),
        ("7f7fffff", 32, (2 - 2**-23) * 2.0**127),
        ("3ff8000000000000", 64, 1.5),
        ("8000000000000000", 64, -0.0),
    ],
)
def test_ieee_754_floats(kernel: Kernel, packet: str, bits: int, value: float) -> None:
    found = one(kernel, packet, Encoding.IEEE754, bits)
    assert (found, math.copysign(1, found)) == (value, math.copysign(1, value))


@pytest.mark.parametrize(
    ("packet", "bits", "column_bits"),
    [
        ("7f812345", 32, 0x7F812345),
        ("ffc00001", 32, 0xFFC00001),
        ("7ff0000000000001", 64, 0x7FF0000000000001),
        ("7d01", 16, 0x7FA02000),
        ("fe00", 16, 0xFFC00000),
    ],
)
def test_a_nan_keeps_its_sign_and_payload(kernel: Kernel, packet: str, bits: int, column_bits: int) -> None:
    field = Field(name="X", encoding=Encoding.IEEE754, bit_length=bits)
    column = decode(kernel, [field], bytes.fromhex(packet))["X"]
    assert column.values.view(f"u{column.values.itemsize}").tolist() == [column_bits]


MIL_STD_1750A_32 = [
    # MIL-STD-1750A, table of 4.1.4: mantissa times two to the exponent.
    ("7fffff7f", (1 - 2**-23) * 2.0**127),
    ("4000007f", 0.5 * 2.0**127),
    ("50000004", 0.625 * 2**4),
    ("40000001", 0.5 * 2),
    ("40000000", 0.5),
    ("400000ff", 0.25),
    ("40000080", 0.5 * 2.0**-128),
    ("00000000", 0.0),
    ("80000000", -1.0),
    ("bfffff80", -(0.5 + 2**-23) * 2.0**-128),
    ("9fffff04", -(0.75 + 2**-23) * 2**4),
]
MIL_STD_1750A_48 = [
    # The same of 4.1.5.
    ("4000007f0000", 0.5 * 2.0**127),
    ("400000000000", 0.5),
    ("400000ff0000", 0.25),
    ("400000800000", 0.5 * 2.0**-128),
    ("8000007f0000", -1.0 * 2.0**127),
    ("800000000000", -1.0),
    ("800000ff0000", -0.5),
    ("800000800000", -1.0 * 2.0**-128),
    ("000000000000", 0.0),
    ("a00000ff0000", -0.75 * 0.5),
    ("69a3b50754ab", (0x69A3B554AB / 2**39) * 2**7),
]


@pytest.mark.parametrize(("packet", "value"), MIL_STD_1750A_32 + MIL_STD_1750A_48)
def test_mil_std_1750a_floats_of_the_standards_tables(kernel: Kernel, packet: str, value: float) -> None:
    assert one(kernel, packet, Encoding.MIL_STD_1750A, 4 * len(packet)) == value


# Byte orders


@pytest.mark.parametrize(
    ("order", "packet"),
    [("big", "11223344"), ("1234", "11223344"), ("little", "44332211"), ("4321", "44332211"), ("2143", "22114433")],
)
@pytest.mark.parametrize("start", [0, 8])
def test_byte_orders_of_whole_bytes(kernel: Kernel, order: str, packet: str, start: int) -> None:
    assert one(kernel, "99"[: start // 4] + packet, Encoding.UNSIGNED, 32, order, start) == 0x11223344


def test_digits_tell_which_byte_of_the_value_stands_at_each_place(kernel: Kernel) -> None:
    # Not its own inverse: the value's second byte comes first, then its third, then its first.
    assert one(kernel, "223311", Encoding.UNSIGNED, 24, "231") == 0x112233


def test_digits_apply_after_the_bits_were_taken_in_big_endian_order(kernel: Kernel) -> None:
    assert one(kernel, "f2211f", Encoding.UNSIGNED, 16, "21", start=4) == 0x1122


def test_little_endian_bit_fields_count_from_the_least_significant_bit(kernel: Kernel) -> None:
    fields = [Field(name=f"F{bits}", bit_length=bits, byte_order="little") for bits in (3, 6, 7)]
    # First byte: 3 bits of the first, 5 lower bits of the second; second byte: its last bit, then the third.
    packet = bytes([0b10101_011, 0b1110001_1])
    assert values(kernel, fields, packet) == [0b011, 0b1_10101, 0b1110001]


def test_a_float_may_stand_at_any_bit_in_any_order(kernel: Kernel) -> None:
    assert one(kernel, "03c000", Encoding.IEEE754, 16, start=4) == 1.0
    assert one(kernel, "003c", Encoding.IEEE754, 16, "little") == 1.0
    assert one(kernel, "0000803f", Encoding.IEEE754, 32, "4321") == 1.0
    assert one(kernel, "01000040", Encoding.MIL_STD_1750A, 32, "little") == 1.0


@pytest.mark.parametrize("bits", range(57, 65))
@pytest.mark.parametrize("order", ["big", "little"])
def test_numbers_that_reach_into_a_ninth_byte_are_whole(kernel: Kernel, bits: int, order: str) -> None:
    assert one(kernel, "ff" * 9, Encoding.UNSIGNED, bits, order, start=7) == 2**bits - 1


# Columns


@pytest.mark.parametrize(
    ("encoding", "bits", "dtype"),
    [
        (Encoding.UNSIGNED, 1, np.uint8),
        (Encoding.UNSIGNED, 9, np.uint16),
        (Encoding.TWOS_COMPLEMENT, 17, np.int32),
        (Encoding.SIGN_MAGNITUDE, 33, np.int64),
        (Encoding.BOOLEAN, 8, np.uint8),
        (Encoding.IEEE754, 16, np.float32),
        (Encoding.IEEE754, 32, np.float32),
        (Encoding.IEEE754, 64, np.float64),
        (Encoding.MIL_STD_1750A, 32, np.float64),
    ],
)
def test_a_column_has_the_next_wider_type(kernel: Kernel, encoding: Encoding, bits: int, dtype: type) -> None:
    column = decode(kernel, [Field(name="X", encoding=encoding, bit_length=bits)], bytes(8))["X"]
    assert column.values.dtype == dtype
    assert column.valid is None
    assert column.values.flags.c_contiguous


def test_no_packets_give_empty_columns(kernel: Kernel) -> None:
    fields = [Field(name="X"), Field(name="Y", length=Fixed((2, 3))), Field(name="Z", length=Expand())]
    found = decode(kernel, fields)
    assert [column.values.shape for column in found.values()] == [(0,), (0, 2, 3), (0,)]
    assert found["Z"].offsets is not None
    assert found["Z"].offsets.tolist() == [0]


def test_a_field_that_a_short_packet_does_not_hold_has_no_value_and_is_zero(kernel: Kernel) -> None:
    fields = [Field(name="X", bit_length=16), Field(name="Y", bit_length=12, length=Fixed((2,)))]
    found = decode(kernel, fields, b"\x12\x34\xff\xff\xff", b"\x12\x34\xff\xff", b"\x12", b"")
    assert found["X"].to_list() == [0x1234, 0x1234, None, None]
    assert found["Y"].to_list() == [[0xFFF, 0xFFF], None, None, None]
    assert found["X"].values.tolist() == [0x1234, 0x1234, 0, 0]
    assert found["Y"].values.tolist() == [[0xFFF, 0xFFF], [0, 0], [0, 0], [0, 0]]


def test_an_array_larger_than_any_packet_takes_no_memory(kernel: Kernel) -> None:
    column = decode(kernel, [Field(name="X", bit_length=64, length=Fixed((2**16, 2**16)))], *[b"\1"] * 100)["X"]
    assert column.values.shape == (100, 2**16, 2**16)
    assert not column.values[99, -1, -1]
    assert column.valid is not None
    assert not column.valid.any()


def test_an_array_has_its_last_index_vary_fastest(kernel: Kernel) -> None:
    field = Field(name="X", bit_length=4, length=Fixed((2, 3)))
    assert values(kernel, [field], bytes.fromhex("123456")) == [[[1, 2, 3], [4, 5, 6]]]


def test_packets_may_overlap_and_stand_in_any_order(kernel: Kernel) -> None:
    layout = Layout((Field(name="X", bit_length=16),))
    (column,) = kernel.decode(layout, b"\1\2\3\4", np.array([2, 0, 1, 0]), np.array([4, 2, 3, 2]))
    assert column.values.tolist() == [0x0304, 0x0102, 0x0203, 0x0102]


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_any_bytes_like_buffer_will_do(kernel: Kernel, wrap: Any) -> None:  # noqa: ANN401 - three unrelated types
    layout = Layout((Field(name="X"), Field(name="Y", length=Expand())))
    found = kernel.decode(layout, wrap(b"\1\2\3"), np.array([0]), np.array([3]))
    assert [column.to_list() for column in found] == [[1], [[2, 3]]]


@pytest.mark.parametrize(("starts", "ends"), [([0], [9]), ([-1], [2]), ([2], [1]), ([0, 1], [1])])
def test_packets_outside_the_buffer_are_misuse(kernel: Kernel, starts: list[int], ends: list[int]) -> None:
    with pytest.raises(UsageError, match="packet"):
        kernel.decode(Layout((Field(name="X"),)), bytes(8), np.array(starts), np.array(ends))


# Lengths


def data_field(name: str, length: Length) -> Field:
    return Field(name=name, encoding=Encoding.BINARY, length=length)


def test_a_referenced_length_is_scaled_and_shifted(kernel: Kernel) -> None:
    fields = [Field(name="N"), Field(name="X", length=FieldReference("N", multiply=2, add=-1)), Field(name="Y")]
    found = decode(kernel, fields, b"\2abcd", b"\1abcd", b"\0abcd", b"\3abcd")
    assert found["X"].to_list() == [[97, 98, 99], [97], None, None]
    assert found["Y"].to_list() == [100, 98, None, None]


def test_several_fields_of_varying_length_follow_each_other(kernel: Kernel) -> None:
    fields = [
        Field(name="N", bit_length=4),
        Field(name="M", bit_length=4),
        data_field("X", FieldReference("N")),
        Field(name="Y", bit_length=12, length=FieldReference("M")),
        Field(name="Z", bit_length=4),
    ]
    assert values(kernel, fields, b"\x13a\x12\x34\x56\x78\x9f") == [1, 3, b"a", [0x123, 0x456, 0x789], 0xF]


@pytest.mark.parametrize(
    ("terminator", "max_bytes", "packet", "value", "rest"),
    [
        (b"\0", None, b"ab\0c", b"ab", 99),
        (b"\0", None, b"\0c", b"", 99),
        (b"\0", None, b"abc", None, None),
        (b"\0", 3, b"ab\0c", b"ab", 99),
        (b"\0", 2, b"ab\0c", b"ab", 0),
        (b"\0", 2, b"a", None, None),
        (b"\0", 0, b"c", b"", 99),
        # The search goes in steps of two: the zeros across two steps are no terminator.
        (b"\0\0", None, b"a\0\0b\0\0c", b"a\0\0b", 99),
        # The terminator must lie within the first five bytes, and does not.
        (b"\0\0", 5, b"abcd\0\0c", b"abcd\0", 0),
    ],
)
def test_a_terminated_string(
    kernel: Kernel, terminator: bytes, max_bytes: int | None, packet: bytes, value: bytes | None, rest: int | None
) -> None:
    fields = [data_field("X", Terminated(terminator, max_bytes)), Field(name="Y")]
    assert values(kernel, fields, packet) == [value, rest]


def test_a_prefixed_string_in_any_width_and_order(kernel: Kernel) -> None:
    fields = [data_field("X", Prefixed(8)), data_field("Y", Prefixed(16, "little")), Field(name="Z")]
    assert values(kernel, fields, b"\2ab\1\0cd") == [b"ab", b"c", 100]
    assert values(kernel, fields, b"\2ab\3\0cd") == [b"ab", None, None]
    assert values(kernel, fields, b"\2ab\3") == [b"ab", None, None]


def test_byte_strings_need_not_stand_on_byte_boundaries(kernel: Kernel) -> None:
    fields = [
        Field(name="N", bit_length=4),
        data_field("X", Fixed((1,))),
        data_field("Y", Terminated(b"\0")),
        data_field("Z", Prefixed(4)),
        Field(name="W", bit_length=8),
    ]
    assert values(kernel, fields, bytes.fromhex("5616200171ff")) == [5, b"a", b"b", b"q", 0xFF]


def test_an_expanding_field_leaves_its_trailer(kernel: Kernel) -> None:
    fields = [
        Field(name="N"),
        Field(name="X", bit_length=16, length=Expand()),
        Field(name="Y", length=FieldReference("N")),
        Field(name="Z", bit_length=16),
    ]
    found = decode(kernel, fields, b"\1aabbyzz", b"\1aab_yzz", b"\1yzz", b"\1zz", b"\0zz")
    assert found["X"].to_list() == [[0x6161, 0x6262], [0x6161, 0x625F], [], None, []]
    assert found["Y"].to_list() == [[121], [121], [121], None, []]
    assert found["Z"].to_list() == [0x7A7A, 0x7A7A, 0x7A7A, None, 0x7A7A]


def test_an_expanding_field_whose_trailer_has_no_known_size_has_no_value(kernel: Kernel) -> None:
    fields = [
        Field(name="FLAG"),
        Field(name="N", present_if=(Condition("FLAG", "==", 1),)),
        Field(name="X", length=Expand()),
        Field(name="Y", length=FieldReference("N", add=-1)),
        Field(name="Z", present_if=(Condition("FLAG", "==", 2),)),
    ]
    assert values(kernel, fields, b"\1\2xy") == [1, 2, [120], [121], None]
    assert values(kernel, fields, b"\1\0xy") == [1, 0, None, None, None]
    assert values(kernel, fields, b"\0xxy") == [0, None, None, None, None]


def test_what_an_expanding_field_leaves_over_belongs_to_nobody(kernel: Kernel) -> None:
    fields = [Field(name="X", bit_length=24, length=Expand()), Field(name="Z")]
    assert values(kernel, fields, b"abc__z") == [[0x616263], 122]


def test_a_field_with_its_own_place_ends_a_trailer(kernel: Kernel) -> None:
    fields = [
        Field(name="X", length=Expand()),
        Field(name="Y"),
        Field(name="HEAD", bit_offset=0),
        Field(name="NEXT"),
    ]
    assert values(kernel, fields, b"abcy") == [[97, 98, 99], 121, 97, 98]


# Presence


def test_an_absent_field_takes_no_bits(kernel: Kernel) -> None:
    fields = [
        Field(name="FLAGS"),
        Field(name="A", present_if=(Condition("FLAGS", ">=", 2),)),
        Field(name="B", bit_length=16, present_if=(Condition("FLAGS", "!=", 2), Condition("FLAGS", "<", 9))),
        Field(name="C"),
    ]
    assert values(kernel, fields, b"\0bbc") == [0, None, 0x6262, 99]
    assert values(kernel, fields, b"\2ac") == [2, 97, None, 99]
    assert values(kernel, fields, b"\3abbc") == [3, 97, 0x6262, 99]
    assert values(kernel, fields, b"\x09ac") == [9, 97, None, 99]


def test_after_an_absent_field_with_its_own_place_the_next_begins_there(kernel: Kernel) -> None:
    fields = [
        Field(name="FLAG"),
        Field(name="A", bit_offset=24, present_if=(Condition("FLAG", "==", 1),)),
        Field(name="B"),
    ]
    assert values(kernel, fields, b"\0__bc") == [0, None, 98]
    assert values(kernel, fields, b"\1__ab") == [1, 97, 98]


def test_a_condition_on_an_absent_field_does_not_hold(kernel: Kernel) -> None:
    fields = [
        Field(name="FLAG"),
        Field(name="A", present_if=(Condition("FLAG", "==", 1),)),
        Field(name="B", present_if=(Condition("A", "!=", 5),)),
        Field(name="C"),
    ]
    assert values(kernel, fields, b"\0c_") == [0, None, None, 99]
    assert values(kernel, fields, b"\1abc") == [1, 97, 98, 99]
    assert values(kernel, fields, b"\1\5c") == [1, 5, None, 99]


def test_what_depends_on_a_field_that_did_not_fit_has_no_value(kernel: Kernel) -> None:
    fields = [
        Field(name="FAR", bit_offset=64),
        Field(name="A", bit_offset=0, present_if=(Condition("FAR", "==", 1),)),
        Field(name="B"),
        Field(name="C", bit_offset=0, length=FieldReference("FAR")),
        Field(name="D", bit_offset=8),
    ]
    assert values(kernel, fields, b"abcd") == [None, None, None, None, 98]
    assert values(kernel, fields, b"abcd____\1") == [1, 97, 98, [97], 98]
    assert values(kernel, fields, b"abcd____\0") == [0, None, 97, [], 98]


@pytest.mark.parametrize(
    ("bits", "encoding", "packet", "operator", "value", "holds"),
    [
        (64, Encoding.UNSIGNED, "ffffffffffffffff", "==", 2**64 - 1, True),
        (64, Encoding.UNSIGNED, "ffffffffffffffff", "==", 2.0**64, False),
        (64, Encoding.UNSIGNED, "ffffffffffffffff", "<", 2.0**64, True),
        (64, Encoding.TWOS_COMPLEMENT, "7fffffffffffffff", "<", 2**64, True),
        (8, Encoding.UNSIGNED, "05", ">", -1, True),
        (8, Encoding.UNSIGNED, "05", ">", 4.5, True),
        (8, Encoding.UNSIGNED, "05", "!=", math.nan, True),
        (8, Encoding.UNSIGNED, "05", "<=", math.inf, True),
        (32, Encoding.IEEE754, "3dcccccd", "==", 0.1, False),
        (32, Encoding.IEEE754, "3dcccccd", ">", 0.1, True),
        (32, Encoding.IEEE754, "7f7fffff", "<", 10**40, True),
        (32, Encoding.IEEE754, "7fc00000", "!=", 0, True),
        (32, Encoding.IEEE754, "7f800001", ">=", 0, False),
        (64, Encoding.IEEE754, "4340000000000000", "<", 2**53 + 1, True),
    ],
)
def test_conditions_compare_exactly(
    kernel: Kernel, bits: int, encoding: Encoding, packet: str, operator: str, value: float, *, holds: bool
) -> None:
    fields = [
        Field(name="X", bit_length=bits, encoding=encoding),
        Field(name="Y", present_if=(Condition("X", operator, value),)),
    ]
    assert (values(kernel, fields, bytes.fromhex(packet) + b"\7")[1] == 7) is holds
