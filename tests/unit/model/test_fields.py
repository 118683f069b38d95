"""What a field tells about itself."""

import pytest

from c2kit.model.fields import Encoding, Expand, Field, FieldReference, Fixed, Length, Prefixed, Terminated

E = Encoding


@pytest.mark.parametrize(
    ("encoding", "is_integer", "is_signed", "is_float", "is_bytes"),
    [
        (E.UNSIGNED, True, False, False, False),
        (E.TWOS_COMPLEMENT, True, True, False, False),
        (E.ONES_COMPLEMENT, True, True, False, False),
        (E.SIGN_MAGNITUDE, True, True, False, False),
        (E.IEEE754, False, True, True, False),
        (E.MIL_STD_1750A, False, True, True, False),
        (E.BOOLEAN, True, False, False, False),
        (E.STRING, False, False, False, True),
        (E.BINARY, False, False, False, True),
    ],
)
def test_kinds_of_encodings(
    encoding: Encoding, *, is_integer: bool, is_signed: bool, is_float: bool, is_bytes: bool
) -> None:
    assert encoding.is_integer is is_integer
    assert encoding.is_signed is is_signed
    assert encoding.is_float is is_float
    assert encoding.is_bytes is is_bytes


@pytest.mark.parametrize(
    ("encoding", "bits", "expected"),
    [
        (E.UNSIGNED, 1, (0, 1)),
        (E.UNSIGNED, 64, (0, 18_446_744_073_709_551_615)),
        (E.BOOLEAN, 3, (0, 7)),
        (E.TWOS_COMPLEMENT, 1, (-1, 0)),
        (E.TWOS_COMPLEMENT, 8, (-128, 127)),
        (E.ONES_COMPLEMENT, 8, (-127, 127)),
        (E.SIGN_MAGNITUDE, 8, (-127, 127)),
        (E.SIGN_MAGNITUDE, 1, (0, 0)),
        (E.IEEE754, 32, None),
        (E.STRING, 8, None),
    ],
)
def test_what_an_integer_field_holds(encoding: Encoding, bits: int, expected: tuple[int, int] | None) -> None:
    assert Field(name="F", encoding=encoding, bit_length=bits).raw_range == expected


@pytest.mark.parametrize(
    ("length", "bits", "is_array"),
    [
        (None, 12, False),
        (Fixed((3,)), 36, True),
        (Fixed((2, 3)), 72, True),
        (Fixed((2, 0)), 0, True),
        (FieldReference("N"), None, True),
        (Expand(), None, True),
    ],
)
def test_the_bits_of_numbers(length: Length | None, bits: int | None, *, is_array: bool) -> None:
    field = Field(name="F", bit_length=12, length=length)
    assert field.fixed_bits == bits
    assert field.is_array is is_array


@pytest.mark.parametrize(
    ("length", "bits"),
    [(Fixed((5,)), 40), (Expand(), None), (Terminated(b"\0", max_bytes=9), None), (Prefixed(8), None)],
)
def test_bytes_are_no_array(length: Length, bits: int | None) -> None:
    field = Field(name="F", encoding=Encoding.STRING, length=length)
    assert field.fixed_bits == bits
    assert not field.is_array
