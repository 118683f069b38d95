"""Parameters of checksums, held against the standard library's own."""

import binascii
import zlib

from c2kit.model.crc import CRC16_CCITT_FALSE, CRC32

DIGITS = b"123456789"


def test_check_values_are_those_of_other_implementations() -> None:
    assert CRC16_CCITT_FALSE.check == binascii.crc_hqx(DIGITS, CRC16_CCITT_FALSE.initial)
    assert CRC32.check == zlib.crc32(DIGITS)


def test_parameters_fit_their_width() -> None:
    for crc in (CRC16_CCITT_FALSE, CRC32):
        assert max(crc.polynomial, crc.initial, crc.xor_out, crc.check) < 1 << crc.width
        assert crc.polynomial & 1
