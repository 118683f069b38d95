"""Parameters of a cyclic redundancy check, in the notation of the published catalogues (the Rocksoft model)."""

from __future__ import annotations

from attrs import frozen

__all__ = ["CATALOGUE", "CRC16_CCITT_FALSE", "CRC32", "CrcParameters"]


@frozen(kw_only=True)
class CrcParameters:
    """A CRC of ``width`` bits.

    ``check`` is its value over the ASCII digits ``123456789``, as the catalogues give it.
    """

    name: str
    width: int
    polynomial: int
    check: int
    initial: int = 0
    reflect_in: bool = False
    reflect_out: bool = False
    xor_out: int = 0


CRC16_CCITT_FALSE = CrcParameters(name="CRC-16/IBM-3740", width=16, polynomial=0x1021, initial=0xFFFF, check=0x29B1)
"""The frame error control of CCSDS 132.0-B-3, 4.1.6, also used in packets; often called CRC-16-CCITT."""
CRC32 = CrcParameters(
    name="CRC-32/ISO-HDLC",
    width=32,
    polynomial=0x04C11DB7,
    initial=0xFFFFFFFF,
    reflect_in=True,
    reflect_out=True,
    xor_out=0xFFFFFFFF,
    check=0xCBF43926,
)

CATALOGUE = {
    parameters.name: parameters
    for parameters in (
        CRC16_CCITT_FALSE,
        CRC32,
        CrcParameters(name="CRC-8/SMBUS", width=8, polynomial=0x07, check=0xF4),
        CrcParameters(name="CRC-8/AUTOSAR", width=8, polynomial=0x2F, initial=0xFF, xor_out=0xFF, check=0xDF),
        CrcParameters(name="CRC-8/MAXIM-DOW", width=8, polynomial=0x31, reflect_in=True, reflect_out=True, check=0xA1),
        CrcParameters(name="CRC-16/ARC", width=16, polynomial=0x8005, reflect_in=True, reflect_out=True, check=0xBB3D),
        CrcParameters(name="CRC-16/GENIBUS", width=16, polynomial=0x1021, initial=0xFFFF, xor_out=0xFFFF, check=0xD64E),
        CrcParameters(
            name="CRC-16/IBM-SDLC",
            width=16,
            polynomial=0x1021,
            initial=0xFFFF,
            reflect_in=True,
            reflect_out=True,
            xor_out=0xFFFF,
            check=0x906E,
        ),
        CrcParameters(
            name="CRC-16/KERMIT", width=16, polynomial=0x1021, reflect_in=True, reflect_out=True, check=0x2189
        ),
        CrcParameters(
            name="CRC-16/MODBUS",
            width=16,
            polynomial=0x8005,
            initial=0xFFFF,
            reflect_in=True,
            reflect_out=True,
            check=0x4B37,
        ),
        CrcParameters(name="CRC-16/SPI-FUJITSU", width=16, polynomial=0x1021, initial=0x1D0F, check=0xE5CC),
        CrcParameters(name="CRC-16/UMTS", width=16, polynomial=0x8005, check=0xFEE8),
        CrcParameters(
            name="CRC-16/USB",
            width=16,
            polynomial=0x8005,
            initial=0xFFFF,
            reflect_in=True,
            reflect_out=True,
            xor_out=0xFFFF,
            check=0xB4C8,
        ),
        CrcParameters(name="CRC-16/XMODEM", width=16, polynomial=0x1021, check=0x31C3),
        CrcParameters(name="CRC-24/OPENPGP", width=24, polynomial=0x864CFB, initial=0xB704CE, check=0x21CF02),
        CrcParameters(
            name="CRC-32/AUTOSAR",
            width=32,
            polynomial=0xF4ACFB13,
            initial=0xFFFFFFFF,
            reflect_in=True,
            reflect_out=True,
            xor_out=0xFFFFFFFF,
            check=0x1697D06A,
        ),
        CrcParameters(
            name="CRC-32/BZIP2",
            width=32,
            polynomial=0x04C11DB7,
            initial=0xFFFFFFFF,
            xor_out=0xFFFFFFFF,
            check=0xFC891918,
        ),
        CrcParameters(name="CRC-32/CKSUM", width=32, polynomial=0x04C11DB7, xor_out=0xFFFFFFFF, check=0x765E7680),
        CrcParameters(
            name="CRC-32/ISCSI",
            width=32,
            polynomial=0x1EDC6F41,
            initial=0xFFFFFFFF,
            reflect_in=True,
            reflect_out=True,
            xor_out=0xFFFFFFFF,
            check=0xE3069283,
        ),
        CrcParameters(
            name="CRC-32/JAMCRC",
            width=32,
            polynomial=0x04C11DB7,
            initial=0xFFFFFFFF,
            reflect_in=True,
            reflect_out=True,
            check=0x340BC6D9,
        ),
        CrcParameters(name="CRC-32/MPEG-2", width=32, polynomial=0x04C11DB7, initial=0xFFFFFFFF, check=0x0376E6E7),
        CrcParameters(name="CRC-32/XFER", width=32, polynomial=0x000000AF, check=0xBD0BE338),
        CrcParameters(name="CRC-64/ECMA-182", width=64, polynomial=0x42F0E1EBA9EA3693, check=0x6C40DF5F0B497347),
        CrcParameters(
            name="CRC-64/GO-ISO",
            width=64,
            polynomial=0x000000000000001B,
            initial=0xFFFFFFFFFFFFFFFF,
            reflect_in=True,
            reflect_out=True,
            xor_out=0xFFFFFFFFFFFFFFFF,
            check=0xB90956C775A41001,
        ),
        CrcParameters(
            name="CRC-64/WE",
            width=64,
            polynomial=0x42F0E1EBA9EA3693,
            initial=0xFFFFFFFFFFFFFFFF,
            xor_out=0xFFFFFFFFFFFFFFFF,
            check=0x62EC59E3F1A4F00A,
        ),
        CrcParameters(
            name="CRC-64/XZ",
            width=64,
            polynomial=0x42F0E1EBA9EA3693,
            initial=0xFFFFFFFFFFFFFFFF,
            reflect_in=True,
            reflect_out=True,
            xor_out=0xFFFFFFFFFFFFFFFF,
            check=0x995DC9BBDF1939FA,
        ),
    )
}
"""CRCs in use, by the name that the CRC RevEng catalogue gives them."""
