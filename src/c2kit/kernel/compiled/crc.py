"""Checksums of many packets, eight bytes a step."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from c2kit.kernel import _kernel
from c2kit.kernel.bounds import check_crc
from c2kit.kernel.compiled.offsets import on_packets

if TYPE_CHECKING:
    import numpy.typing as npt

    from c2kit.kernel.contract import Buffer
    from c2kit.model.crc import CrcParameters

__all__ = ["crc", "crc_of"]


def crc(
    buffer: Buffer, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], parameters: CrcParameters
) -> npt.NDArray[np.uint64]:
    """The CRC of each packet's bytes; see :meth:`c2kit.kernel.contract.Kernel.crc`.

    Raises:
        UsageError: there is no CRC of such parameters, or a packet does not lie in the buffer.
    """
    words = np.empty(len(starts), np.int64)
    on_packets(_compiled(parameters).into, buffer, starts, ends, words)
    return words.view(np.uint64)


def crc_of(data: Buffer, parameters: CrcParameters) -> int:
    """The CRC of all these bytes; see :meth:`c2kit.kernel.contract.Kernel.crc_of`."""
    return _compiled(parameters).of(data)


@functools.lru_cache(maxsize=32)
def _compiled(parameters: CrcParameters) -> _kernel.Crc:
    check_crc(parameters)
    return _kernel.Crc(
        parameters.width,
        parameters.polynomial,
        parameters.initial,
        parameters.reflect_in,
        parameters.reflect_out,
        parameters.xor_out,
    )
