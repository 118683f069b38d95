"""The catalogued CRCs, held against what a CRC is: the remainder of a division of polynomials."""

import pytest

from c2kit.model.crc import CATALOGUE, CrcParameters

DIGITS = b"123456789"


def reflected(value: int, width: int) -> int:
    return int(f"{value:0{width}b}"[::-1], 2)


def remainder(message: bytes, crc: CrcParameters) -> int:
    """Divide the whole message, as one number, by the polynomial, as one number."""
    data = bytes(reflected(byte, 8) for byte in message) if crc.reflect_in else message
    dividend = int.from_bytes(data) << crc.width
    dividend ^= crc.initial << (8 * len(data))
    divisor = 1 << crc.width | crc.polynomial
    while dividend.bit_length() > crc.width:
        dividend ^= divisor << (dividend.bit_length() - divisor.bit_length())
    return (reflected(dividend, crc.width) if crc.reflect_out else dividend) ^ crc.xor_out


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_the_check_value_is_the_remainder(name: str) -> None:
    crc = CATALOGUE[name]
    assert crc.name == name
    assert int(name.partition("-")[2].partition("/")[0]) == crc.width
    assert remainder(DIGITS, crc) == crc.check


def test_no_two_names_are_the_same_crc() -> None:
    parameters = {(crc.width, crc.polynomial, crc.initial, crc.reflect_in, crc.xor_out) for crc in CATALOGUE.values()}
    assert len(parameters) == len(CATALOGUE)
