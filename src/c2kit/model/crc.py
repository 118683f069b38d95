"""Parameters of a cyclic redundancy check, in the notation of the published catalogues (the Rocksoft model)."""

from __future__ import annotations

from attrs import frozen

__all__ = ["CRC16_CCITT_FALSE", "CRC32", "CrcParameters"]


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
