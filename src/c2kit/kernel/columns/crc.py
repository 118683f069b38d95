"""Cyclic redundancy checks of many packets.

Where the standard library has the polynomial in C, it does the work. Elsewhere one step takes the next byte of every
packet that still has one, by the usual table of 256 remainders; the last few packets, for which a step would cost more
than its bytes are worth, are finished one after another.

A register is *mirrored* where its least significant bit stands for the highest power. Whatever does not come in the
order that an algorithm is made for is mirrored before and after.
"""

from __future__ import annotations

import binascii
import functools
import zlib
from typing import TYPE_CHECKING

import numpy as np
from attrs import frozen

from c2kit.kernel.bounds import check_crc

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from c2kit.kernel.contract import Buffer
    from c2kit.model.crc import CrcParameters

__all__ = ["crc", "crc_of"]

_MIRRORED_BYTES = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_FEW_PACKETS = 64
"""For fewer, Python is quicker byte by byte than NumPy step by step."""


def crc(
    buffer: Buffer, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], parameters: CrcParameters
) -> npt.NDArray[np.uint64]:
    """The CRC of each packet's bytes; see :meth:`c2kit.kernel.contract.Kernel.crc`.

    Raises:
        UsageError: there is no CRC of such parameters.
    """
    table = _table(parameters)
    library = _LIBRARY.get((parameters.width, parameters.polynomial))
    if library is not None:
        registers = _by_library(library, buffer, starts, ends, parameters)
    else:
        registers = _by_table(table, buffer, starts, ends, parameters)
    is_mirrored = library is None or library.is_mirrored
    if parameters.reflect_out != is_mirrored:
        registers = _mirror_all(registers, parameters.width)
    return registers ^ np.uint64(parameters.xor_out)


def crc_of(data: Buffer, parameters: CrcParameters) -> int:
    """The CRC of all these bytes; see :meth:`c2kit.kernel.contract.Kernel.crc_of`."""
    return int(crc(data, np.zeros(1, np.int64), np.array([len(data)], np.int64), parameters)[0])


@frozen
class _Library:
    """A function in C that continues a register, which it takes and gives with ``inversion`` applied."""

    function: Callable[[Buffer, int], int]
    is_mirrored: bool
    inversion: int


_LIBRARY = {
    (16, 0x1021): _Library(binascii.crc_hqx, is_mirrored=False, inversion=0),
    (32, 0x04C11DB7): _Library(zlib.crc32, is_mirrored=True, inversion=0xFFFFFFFF),
}
"""By width and polynomial."""


def _by_library(
    library: _Library,
    buffer: Buffer,
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    parameters: CrcParameters,
) -> npt.NDArray[np.uint64]:
    initial = _mirror(parameters.initial, parameters.width) if library.is_mirrored else parameters.initial
    function, seed = library.function, initial ^ library.inversion
    view = memoryview(buffer)
    bounds = zip(starts.tolist(), ends.tolist(), strict=True)
    if parameters.reflect_in == library.is_mirrored:
        registers = [function(view[start:end], seed) for start, end in bounds]
    else:
        registers = [function(bytes(view[start:end]).translate(_MIRRORED_BYTES), seed) for start, end in bounds]
    return np.array(registers, np.uint64) ^ np.uint64(library.inversion)


def _by_table(
    table: npt.NDArray[np.uint64],
    buffer: Buffer,
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    parameters: CrcParameters,
) -> npt.NDArray[np.uint64]:
    data = bytes(buffer) if parameters.reflect_in else bytes(buffer).translate(_MIRRORED_BYTES)
    view = np.frombuffer(data, np.uint8)
    order = np.argsort(starts - ends, kind="stable")  # the longest first: those with a byte left are the first ones
    places, sizes = starts[order], (ends - starts)[order]
    registers = np.full(len(order), _mirror(parameters.initial, parameters.width), np.uint64)
    done = 0
    left = _longer_than(sizes, done)
    while left >= _FEW_PACKETS:
        index = (registers[:left] ^ view[places[:left] + done]) & np.uint64(0xFF)
        registers[:left] = table[index] ^ registers[:left] >> np.uint64(8)
        done += 1
        left = _longer_than(sizes, done)
    remainders = table.tolist()
    for number in range(left):
        register = int(registers[number])
        for byte in data[places[number] + done : places[number] + sizes[number]]:
            register = remainders[(register ^ byte) & 0xFF] ^ register >> 8
        registers[number] = register
    unordered = np.empty_like(registers)
    unordered[order] = registers
    return unordered


def _longer_than(sizes: npt.NDArray[np.int64], size: int) -> int:
    """How many there are, in descending order, that are greater."""
    return int(np.searchsorted(-sizes, -size, side="left"))


@functools.lru_cache(maxsize=32)
def _table(parameters: CrcParameters) -> npt.NDArray[np.uint64]:
    """What each byte leaves behind in a mirrored register; raises UsageError for what is no CRC."""
    check_crc(parameters)
    polynomial = _mirror(parameters.polynomial, parameters.width)
    remainders = []
    for byte in range(256):
        register = byte
        for _ in range(8):
            register = register >> 1 ^ (polynomial if register & 1 else 0)
        remainders.append(register)
    return np.array(remainders, np.uint64)


def _mirror(value: int, width: int) -> int:
    return int(f"{value:0{width}b}"[::-1], 2)


def _mirror_all(values: npt.NDArray[np.uint64], width: int) -> npt.NDArray[np.uint64]:
    table = np.frombuffer(_MIRRORED_BYTES, np.uint8)
    mirrored = table[values.astype("<u8").view(np.uint8)].view(">u8").astype(np.uint64)
    return mirrored >> np.uint64(64 - width)
