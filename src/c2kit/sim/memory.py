"""The memory that commands can write and dump."""

from __future__ import annotations

import hashlib

__all__ = ["PROTECTED_BYTES", "Memory"]

PROTECTED_BYTES = 0x1_0000
"""The flight software lies here, and cannot be written."""
ADDRESSES = 2**32
_BLOCK_BYTES = 64


class Memory:
    """4 GiB that look written, and remember what is; addresses wrap around."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()[:64]
        self._written: dict[int, int] = {}

    def read(self, address: int, size: int) -> bytes:
        """``size`` bytes from an address on."""
        first = address // _BLOCK_BYTES
        blocks = b"".join(map(self._block, range(first, (address + size) // _BLOCK_BYTES + 1)))
        data = bytearray(blocks[address - first * _BLOCK_BYTES :][:size])
        for offset in range(size if self._written else 0):
            data[offset] = self._written.get((address + offset) % ADDRESSES, data[offset])
        return bytes(data)

    def write(self, address: int, data: bytes) -> None:
        """Put bytes there."""
        self._written.update(((address + offset) % ADDRESSES, byte) for offset, byte in enumerate(data))

    def _block(self, number: int) -> bytes:
        where = (number * _BLOCK_BYTES % ADDRESSES).to_bytes(4)
        return hashlib.blake2b(where, key=self._key, digest_size=_BLOCK_BYTES).digest()
