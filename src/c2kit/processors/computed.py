"""Arguments that the encoder works out: lengths and checksums."""

from __future__ import annotations

from functools import reduce
from operator import xor
from typing import TYPE_CHECKING

from c2kit.errors import ArgumentFault
from c2kit.kernel.chosen import kernel
from c2kit.model.crc import CrcParameters

if TYPE_CHECKING:
    from c2kit.kernel.layout import Layout
    from c2kit.model.commands import Argument, Checksum, LengthOf
    from c2kit.processors.arguments import RawValues

__all__ = ["checksum", "command_length"]


def command_length(argument: Argument, computed: LengthOf, size_bytes: int) -> int:
    """What a length says of a command of that size. Raises ArgumentFault where it cannot."""
    length = size_bytes - computed.first_byte + computed.add
    if not 0 <= length < 1 << argument.bit_length:
        most = f"at most {(1 << argument.bit_length) - 1}"
        raise ArgumentFault(argument.name, "cannot tell the command's length", expected=most, found=length)
    return length


def checksum(argument: Argument, computed: Checksum, layout: Layout, raw: RawValues) -> int:
    """The checksum over the command, where it is 0 so far. Raises ArgumentFault for a range that is not all there."""
    data = kernel.codec(layout).encode(raw)
    end = _first_byte(argument, layout, raw, data) if computed.last_byte is None else computed.last_byte
    if not computed.first_byte <= end <= len(data):
        expected, found = f"bytes {computed.first_byte} to {end}", f"a command of {len(data)} bytes"
        raise ArgumentFault(argument.name, "covers what the command does not have", expected=expected, found=found)
    covered = data[computed.first_byte : end]
    if isinstance(computed.algorithm, CrcParameters):
        return kernel.crc_of(covered, computed.algorithm)
    if computed.algorithm == "sum":
        return sum(covered) % (1 << argument.bit_length)
    return reduce(xor, covered, 0)


def _first_byte(argument: Argument, layout: Layout, raw: RawValues, data: bytes) -> int:
    """The byte in which the checksum begins, whatever of varying size stands before it."""
    start = layout.starts[layout.index[argument.name]]
    if start is not None:
        return start // 8
    other = kernel.encode(layout, raw | {argument.name: (1 << argument.bit_length) - 1})
    differing = (index for index, (one, two) in enumerate(zip(data, other, strict=True)) if one != two)
    return next(differing, len(data))
