"""Cyclic redundancy checks, one bit at a time: the division of polynomials that a CRC is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from c2kit.kernel.contract import Buffer
    from c2kit.model.crc import CrcParameters

__all__ = ["crc", "crc_of"]


def crc(
    buffer: Buffer, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], parameters: CrcParameters
) -> npt.NDArray[np.uint64]:
    """The CRC of each packet's bytes; see :meth:`c2kit.kernel.contract.Kernel.crc`."""
    packets = [bytes(buffer[start:end]) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    return np.array([_crc(packet, parameters) for packet in packets], np.uint64)


def crc_of(data: Buffer, parameters: CrcParameters) -> int:
    """The CRC of all these bytes; see :meth:`c2kit.kernel.contract.Kernel.crc_of`."""
    return _crc(bytes(data), parameters)


def _crc(packet: bytes, parameters: CrcParameters) -> int:
    register = parameters.initial
    for byte in packet:
        bits = f"{byte:08b}"
        for bit in reversed(bits) if parameters.reflect_in else bits:
            register = (register << 1) ^ (int(bit) << parameters.width)
            if register >> parameters.width:
                register ^= (1 << parameters.width) | parameters.polynomial
    if parameters.reflect_out:
        register = int(f"{register:0{parameters.width}b}"[::-1], 2)
    return register ^ parameters.xor_out
