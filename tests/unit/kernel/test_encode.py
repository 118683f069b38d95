"""Encoding by every kernel: published vectors, bytes that a person can check, and what is refused in which words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from c2kit.errors import UnknownName, UsageError
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
    Text,
)
from tests.kernels import KERNELS

if TYPE_CHECKING:
    from c2kit.kernel.contract import Kernel

pytestmark = KERNELS


def encode(kernel: Kernel, fields: list[Field], **values: Any) -> str:  # noqa: ANN401 - wrong types are tried too
    """The packet in hex."""
    return kernel.encode(Layout(tuple(fields)), values).hex()


def number(encoding: Encoding, bits: int, order: str = "big") -> list[Field]:
    return [Field(name="X", encoding=encoding, bit_length=bits, byte_order=order)]


def bytes_field(length: Length, text: Text | None = None) -> list[Field]:
    encoding = Encoding.BINARY if text is None else Encoding.STRING
    return [Field(name="X", encoding=encoding, length=length, text=text)]


# Numbers


@pytest.mark.parametrize(
    ("encoding", "bits", "value", "packet"),
    [
        (Encoding.UNSIGNED, 11, 2047, "ffe0"),
        (Encoding.UNSIGNED, 64, 2**64 - 1, "ffffffffffffffff"),
        (Encoding.TWOS_COMPLEMENT, 32, -6, "fffffffa"),
        (Encoding.TWOS_COMPLEMENT, 1, -1, "80"),
        (Encoding.ONES_COMPLEMENT, 32, -6, "fffffff9"),
        (Encoding.ONES_COMPLEMENT, 1, 0, "00"),
        (Encoding.SIGN_MAGNITUDE, 32, -6, "80000006"),
        (Encoding.SIGN_MAGNITUDE, 64, 1 - 2**63, "ffffffffffffffff"),
        (Encoding.BOOLEAN, 1, True, "80"),
        (Encoding.BOOLEAN, 4, 5, "50"),
        (Encoding.UNSIGNED, 8, np.uint8(7), "07"),
        (Encoding.IEEE754, 16, 1, "3c00"),
        (Encoding.IEEE754, 16, -2.0, "c000"),
        (Encoding.IEEE754, 32, 1.5, "3fc00000"),
        (Encoding.IEEE754, 32, np.float32(-0.0), "80000000"),
        (Encoding.IEEE754, 32, math.inf, "7f800000"),
        (Encoding.IEEE754, 64, math.nan, "7ff8000000000000"),
        (Encoding.IEEE754, 64, np.float64(1.5), "3ff8000000000000"),
    ],
)
def test_numbers_at_their_edges(kernel: Kernel, encoding: Encoding, bits: int, value: float, packet: str) -> None:
    assert encode(kernel, number(encoding, bits), X=value) == packet


@pytest.mark.parametrize(
    ("value", "packet"),
    [
        ((1 - 2**-23) * 2.0**127, "7fffff7f"),
        (0.5 * 2.0**127, "4000007f"),
        (10, "50000004"),
        (1.0, "40000001"),
        (0.25, "400000ff"),
        (0.5 * 2.0**-128, "40000080"),
        (0.0, "00000000"),
        (-1.0, "80000000"),
        (-0.5, "800000ff"),
        (-(0.5 + 2**-23) * 2.0**-128, "bfffff80"),
        (-(0.75 + 2**-23) * 2**4, "9fffff04"),
        (105.639485637520592250, "69a3b50754ab"),
        (-1.0 * 2.0**127, "8000007f0000"),
        (-0.375, "a00000ff0000"),
    ],
)
def test_mil_std_1750a_floats_are_normalised(kernel: Kernel, value: float, packet: str) -> None:
    # The first are of the tables of MIL-STD-1750A, 4.1.4 and 4.1.5; a normalised mantissa is 0.5 to 1 or -1 to -0.5.
    assert encode(kernel, number(Encoding.MIL_STD_1750A, 4 * len(packet)), X=value) == packet


@pytest.mark.parametrize(
    ("value", "packet"),
    [
        (1 + 2.0**-23, "40000001"),  # halfway: to even
        (1 + 3 * 2.0**-23, "40000201"),
        (1 - 2.0**-25, "40000001"),  # rounding carries into the exponent
        (-0.5 - 2.0**-25, "800000ff"),  # and for a negative number out of it
        (2.0**-130, "00000000"),  # too small
        (-(2.0**-129), "00000000"),
    ],
)
def test_mil_std_1750a_floats_are_rounded(kernel: Kernel, value: float, packet: str) -> None:
    assert encode(kernel, number(Encoding.MIL_STD_1750A, 32), X=value) == packet


@pytest.mark.parametrize(
    ("order", "packet"), [("big", "11223344"), ("little", "44332211"), ("2143", "22114433"), ("2341", "22334411")]
)
def test_byte_orders(kernel: Kernel, order: str, packet: str) -> None:
    assert encode(kernel, number(Encoding.UNSIGNED, 32, order), X=0x11223344) == packet


def test_little_endian_bit_fields_fill_bytes_from_their_least_significant_bit(kernel: Kernel) -> None:
    fields = [Field(name=f"F{bits}", bit_length=bits, byte_order="little") for bits in (3, 6, 7)]
    assert encode(kernel, fields, F3=0b011, F6=0b1_10101, F7=0b1110001) == bytes([0b10101_011, 0b1110001_1]).hex()


def test_bits_that_no_field_covers_are_zero_and_the_packet_is_no_longer_than_needed(kernel: Kernel) -> None:
    fields = [Field(name="X", bit_offset=17, bit_length=2)]
    assert encode(kernel, fields, X=3) == "000060"


def test_where_fields_overlap_the_later_one_wins(kernel: Kernel) -> None:
    fields = [Field(name="X", bit_length=16), Field(name="Y", bit_offset=4, bit_length=8)]
    assert encode(kernel, fields, X=0xFFFF, Y=0) == "f00f"


@pytest.mark.parametrize(
    ("encoding", "bits", "value", "expected"),
    [
        (Encoding.UNSIGNED, 4, 16, "an integer from 0 to 15"),
        (Encoding.UNSIGNED, 4, -1, "an integer from 0 to 15"),
        (Encoding.UNSIGNED, 4, 3.0, "an integer from 0 to 15"),
        (Encoding.UNSIGNED, 4, True, "an integer from 0 to 15"),
        (Encoding.UNSIGNED, 4, None, "an integer from 0 to 15"),
        (Encoding.BOOLEAN, 1, 2, "an integer from 0 to 1"),
        (Encoding.BOOLEAN, 1, "yes", "an integer from 0 to 1"),
        (Encoding.TWOS_COMPLEMENT, 8, -129, "an integer from -128 to 127"),
        (Encoding.ONES_COMPLEMENT, 8, -128, "an integer from -127 to 127"),
        (Encoding.SIGN_MAGNITUDE, 8, 128, "an integer from -127 to 127"),
        (Encoding.IEEE754, 16, 65520.0, "a number from -65504.0 to 65504.0, infinite or NaN"),
        (Encoding.IEEE754, 32, 1e39, "a number from -3.40"),
        (Encoding.IEEE754, 64, 10**400, "a number that 64 bits can hold"),
        (Encoding.IEEE754, 32, False, "a number"),
        (Encoding.IEEE754, 32, b"1", "a number"),
        (Encoding.MIL_STD_1750A, 32, math.nan, "a number from -1.70"),
        (Encoding.MIL_STD_1750A, 32, -math.inf, "a number from -1.70"),
        (Encoding.MIL_STD_1750A, 32, 2.0**127, "a number from -1.70"),
        (Encoding.MIL_STD_1750A, 48, (1 - 2.0**-41) * 2.0**127, "a number from -1.70"),
    ],
)
def test_a_number_that_does_not_fit_is_refused_with_what_would(
    kernel: Kernel,
    encoding: Encoding,
    bits: int,
    value: Any,  # noqa: ANN401 - wrong types too
    expected: str,
) -> None:
    with pytest.raises(UsageError) as caught:
        encode(kernel, number(encoding, bits), X=value)
    assert str(caught.value).startswith(f"X: its {bits} bits cannot hold this, expected {expected}")
    assert str(caught.value).endswith(f"found {value!r}")


# Which values


def test_a_missing_value_is_refused(kernel: Kernel) -> None:
    with pytest.raises(UsageError, match="Y: it has no value"):
        encode(kernel, [Field(name="X"), Field(name="Y")], X=1)


def test_a_value_for_nobody_is_refused_with_the_nearest_name(kernel: Kernel) -> None:
    with pytest.raises(UnknownName, match="did you mean MODE"):
        encode(kernel, [Field(name="MODE")], MODE=1, MODES=2)


def test_a_value_for_an_absent_field_is_refused(kernel: Kernel) -> None:
    fields = [Field(name="FLAG"), Field(name="X", present_if=(Condition("FLAG", "==", 1),)), Field(name="Y")]
    assert encode(kernel, fields, FLAG=1, X=2, Y=3) == "010203"
    assert encode(kernel, fields, FLAG=0, Y=3) == "0003"
    with pytest.raises(UsageError, match=r"X: it is absent here, since it needs FLAG == 1, expected no value, found 2"):
        encode(kernel, fields, FLAG=0, X=2, Y=3)


def test_conditions_see_a_value_as_it_will_be_decoded(kernel: Kernel) -> None:
    single = Field(name="X", encoding=Encoding.IEEE754, bit_length=32)
    fields = [single, Field(name="Y", present_if=(Condition("X", "==", 0.1),))]
    assert encode(kernel, fields, X=0.1) == "3dcccccd"


# Sequences


@pytest.mark.parametrize("given_value", [[[1, 2, 3], [4, 5, 6]], [1, 2, 3, 4, 5, 6], np.arange(1, 7).reshape(2, 3)])
def test_an_array_is_given_in_its_shape_or_in_order(kernel: Kernel, given_value: Any) -> None:  # noqa: ANN401
    fields = [Field(name="X", bit_length=4, length=Fixed((2, 3)))]
    assert encode(kernel, fields, X=given_value) == "123456"


@pytest.mark.parametrize(
    "given_value", [[1, 2, 3], [[1, 2], [3, 4], [5, 6]], [[1, 2, 3], [4, 5]], [[1, 2, 3], 4], 7, b"123456"]
)
def test_an_array_of_another_shape_is_refused(kernel: Kernel, given_value: Any) -> None:  # noqa: ANN401
    with pytest.raises(UsageError, match=r"X: (the wrong (shape|number of elements)|it is an array)"):
        encode(kernel, [Field(name="X", bit_length=4, length=Fixed((2, 3)))], X=given_value)


def test_an_element_that_does_not_fit_is_refused(kernel: Kernel) -> None:
    with pytest.raises(UsageError, match="expected an integer from 0 to 15, found 16"):
        encode(kernel, [Field(name="X", bit_length=4, length=Fixed((2,)))], X=[1, 16])


def test_a_referenced_length_must_agree_with_what_is_given(kernel: Kernel) -> None:
    fields = [Field(name="N"), Field(name="X", length=FieldReference("N", multiply=2, add=-1))]
    assert encode(kernel, fields, N=2, X=[7, 8, 9]) == "02070809"
    with pytest.raises(UsageError, match="X: the wrong number of elements, expected the 3 that N = 2 tells, found 2"):
        encode(kernel, fields, N=2, X=[7, 8])
    with pytest.raises(UsageError, match="expected the -1 that N = 0 tells, found 0"):
        encode(kernel, fields, N=0, X=[])


def test_a_length_told_by_an_absent_field_cannot_be_encoded(kernel: Kernel) -> None:
    fields = [
        Field(name="FLAG"),
        Field(name="N", present_if=(Condition("FLAG", "==", 1),)),
        Field(name="X", length=FieldReference("N")),
    ]
    with pytest.raises(UsageError, match="X: its length is told by N, which is absent here"):
        encode(kernel, fields, FLAG=0, X=[])


@pytest.mark.parametrize(
    ("text", "value", "packet"),
    [
        (None, b"ab", "6162000000"),
        (None, b"abcde", "6162636465"),
        (Text(padding=b" \0"), b"ab", "6162202020"),
        (Text(padding=b""), b"", "0000000000"),
    ],
)
def test_short_fixed_strings_are_padded(kernel: Kernel, text: Text | None, value: bytes, packet: str) -> None:
    assert encode(kernel, bytes_field(Fixed((5,)), text), X=value) == packet


def test_a_string_too_long_for_its_field_is_refused(kernel: Kernel) -> None:
    with pytest.raises(UsageError, match="X: the wrong number of bytes, expected the 5 that it always has, found 6"):
        encode(kernel, bytes_field(Fixed((5,))), X=b"abcdef")
    with pytest.raises(UsageError, match="X: too long for its length, expected up to 15 bytes, found 16"):
        encode(kernel, bytes_field(Prefixed(4)), X=bytes(16))


def test_text_is_refused_because_raw_values_are_bytes(kernel: Kernel) -> None:
    with pytest.raises(UsageError, match=r"X: it is made of bytes, expected bytes, found 'ab'; encode the text first"):
        encode(kernel, bytes_field(Fixed((2,)), Text()), X="ab")
    with pytest.raises(UsageError, match=r"X: it is made of bytes, expected bytes, found 7$"):
        encode(kernel, bytes_field(Fixed((2,))), X=7)


@pytest.mark.parametrize(
    ("terminator", "max_bytes", "value", "packet"),
    [
        (b"\0", None, b"ab", "616200"),
        (b"\0", 3, b"ab", "616200"),
        (b"\0", 2, b"ab", "6162"),
        (b"\0", 0, b"", ""),
        (b"\0\0", 5, b"abcde", "6162636465"),
        (b"\0\0", None, b"a\0\0b", "610000620000"),
    ],
)
def test_terminated_strings(
    kernel: Kernel, terminator: bytes, max_bytes: int | None, value: bytes, packet: str
) -> None:
    assert encode(kernel, bytes_field(Terminated(terminator, max_bytes)), X=value) == packet


@pytest.mark.parametrize(
    ("terminator", "max_bytes", "value", "what"),
    [
        (b"\0", None, b"a\0b", "cannot be found again"),
        (b"\0", 2, b"a\0", "cannot be found again"),
        (b"\0", 2, b"abc", "too long, expected up to 1 bytes, or 2, found 3"),
        (b"\0\0", 5, b"abcd", "too long, expected up to 3 bytes, or 5, found 4"),
        (b"\0\0", None, b"abc", "cannot be found again"),
        (b"\0\0", None, b"ab\0\0", "cannot be found again"),
    ],
)
def test_bytes_whose_end_a_decoder_would_not_find_are_refused(
    kernel: Kernel, terminator: bytes, max_bytes: int | None, value: bytes, what: str
) -> None:
    with pytest.raises(UsageError, match=what):
        encode(kernel, bytes_field(Terminated(terminator, max_bytes)), X=value)


def test_a_length_prefix_is_written_in_its_order(kernel: Kernel) -> None:
    assert encode(kernel, bytes_field(Prefixed(16, "little")), X=b"ab") == "02006162"
    assert encode(kernel, bytes_field(Prefixed(16, "12")), X=b"ab") == "00026162"


def test_an_expanding_field_takes_what_it_is_given_and_its_trailer_ends_the_packet(kernel: Kernel) -> None:
    fields = [
        Field(name="N"),
        Field(name="X", bit_length=12, length=Expand()),
        Field(name="Y", length=FieldReference("N")),
        Field(name="Z", bit_length=16),
        Field(name="A", present_if=(Condition("N", "==", 2),)),
    ]
    assert encode(kernel, fields, N=1, X=[1, 2, 3], Y=[4], Z=5) == "010010020030040005"
    assert encode(kernel, fields, N=2, X=[], Y=[4, 6], Z=5, A=9) == "020406000509"


def test_an_expanding_field_that_another_outreaches_is_refused(kernel: Kernel) -> None:
    fields = [Field(name="FAR", bit_offset=32), Field(name="X", bit_offset=0, length=Expand())]
    assert encode(kernel, fields, FAR=1, X=[1, 2, 3, 4, 5]) == "0102030405"
    with pytest.raises(UsageError, match=r"X: it must reach to the packet's end.* an end at byte 5, found byte 2"):
        encode(kernel, fields, FAR=1, X=[1, 2])
