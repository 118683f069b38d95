"""Bytes right beside memory that must not be read: whoever reads one byte too many or too few is killed at once."""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import sys
from typing import TYPE_CHECKING, Literal

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SIDES", "Side", "needs_guards", "with_guards"]

Side = Literal["beginning", "end"]

SIDES = pytest.mark.parametrize("side", ["beginning", "end"])

needs_guards = pytest.mark.skipif(
    sys.platform == "win32", reason="pages are protected by mprotect, which this system does not have"
)

_NO_ACCESS = 0


@contextlib.contextmanager
def with_guards(data: bytes, side: Side) -> Iterator[memoryview]:
    """The data, at one side of which a page lies that must not be read."""
    pages = max(-(-len(data) // mmap.PAGESIZE), 1)
    with mmap.mmap(-1, (pages + 2) * mmap.PAGESIZE) as memory:
        last = (pages + 1) * mmap.PAGESIZE
        start = last - len(data) if side == "end" else mmap.PAGESIZE
        memory[start : start + len(data)] = data
        with (
            _protected(memory, 0),
            _protected(memory, last),
            memoryview(memory) as whole,
            whole[start : start + len(data)] as view,
        ):
            yield view


@contextlib.contextmanager
def _protected(memory: mmap.mmap, first_byte: int) -> Iterator[None]:
    anchor = ctypes.c_char.from_buffer(memory, first_byte)
    address = ctypes.addressof(anchor)
    mprotect = ctypes.CDLL(None, use_errno=True).mprotect
    mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    assert mprotect(address, mmap.PAGESIZE, _NO_ACCESS) == 0
    try:
        yield
    finally:
        mprotect(address, mmap.PAGESIZE, mmap.PROT_READ | mmap.PROT_WRITE)
        del anchor
