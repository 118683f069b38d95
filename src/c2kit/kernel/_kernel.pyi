# The extension module, which is absent where nobody compiled it. What its arguments mean stands in `compiled`.

from collections.abc import Callable, Mapping
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from c2kit.kernel.contract import Buffer, Column

_Offsets: TypeAlias = npt.NDArray[np.int64]
_Words: TypeAlias = npt.NDArray[np.int64]

# Of a column that is not of single numbers in every packet: the words where its values are, from which byte on, and how
# many; in the words of all columns the first byte of what is valid, and of offsets. -1 stands for what there is not.
Place: TypeAlias = tuple[_Words, int, int, int, int]

class Program:
    def __new__(
        cls,
        fields: tuple[Any, ...],
        conditions: tuple[Any, ...],
        terminators: bytes,
        conversions: tuple[tuple[Any, ...], tuple[float, ...], tuple[int, ...]],
        column_type: type[Column],
        array_type: type[npt.NDArray[Any]],
        number_types: tuple[np.dtype[Any], ...],
        /,
    ) -> Self: ...
    def decode(
        self,
        buffer: Buffer,
        starts: _Offsets,
        ends: _Offsets,
        empty: Callable[[int], _Words],
        zeros: Callable[[int], _Words],
        /,
    ) -> tuple[_Words, list[Column | Place | None], tuple[int, ...]]: ...
    def write(
        self,
        buffer: Buffer,
        starts: _Offsets,
        ends: _Offsets,
        received: _Words,
        generated: _Words,
        is_generated: npt.NDArray[np.bool_] | None,
        head: bytes,
        blanks: tuple[int, int, int, int],
        /,
    ) -> tuple[bytes, bytes, bytes, tuple[int, ...], int, int]: ...
    def decode_into(self, buffer: Buffer, starts: _Offsets, ends: _Offsets, words: _Words, /) -> int: ...

class Codec:
    def __new__(cls, fields: tuple[Any, ...], size_bytes: int, can_encode: bool, otherwise: object, /) -> Self: ...
    def encode(self, values: Mapping[str, Any], /) -> bytes: ...
    def values(self, packet: Buffer, /) -> tuple[Any, ...]: ...
    def record(self, packet: Buffer, /) -> dict[str, Any]: ...

class Rule:
    def __new__(
        cls,
        bit_offset: int,
        bits: int,
        little_endian: bool,
        least: int,
        most: int,
        unit: int,
        adjustment: int,
        /,
    ) -> Self: ...
    def split(self, buffer: Buffer, start_byte: int, /) -> tuple[bytearray, int, int]: ...
    def seek(self, buffer: Buffer, start_byte: int, /) -> int: ...

class Crc:
    def __new__(
        cls,
        width: int,
        polynomial: int,
        initial: int,
        reflect_in: bool,
        reflect_out: bool,
        xor_out: int,
        /,
    ) -> Self: ...
    def into(
        self, buffer: Buffer, starts: _Offsets, ends: _Offsets, words: npt.NDArray[np.uint64] | _Words, /
    ) -> None: ...
    def of(self, data: Buffer, /) -> int: ...

class Clock:
    def __new__(
        cls,
        code: int,
        fine_bits: int,
        is_tai: bool,
        epoch_seconds: int,
        epoch_ns: int,
        entries: tuple[int, ...],
        inserted: tuple[int, ...],
        expires: int,
        /,
    ) -> Self: ...
    def tell(
        self,
        first: npt.NDArray[Any] | None,
        second: npt.NDArray[Any] | None,
        third: npt.NDArray[Any] | None,
        present: npt.NDArray[np.bool_] | None,
        times: npt.NDArray[Any],
        valid: npt.NDArray[Any],
        is_leap: npt.NDArray[Any],
        /,
    ) -> tuple[int, int, int]: ...

class Matcher:
    def __new__(cls, tables: tuple[tuple[int, bytes, bytes, bytes, bytes], ...], /) -> Self: ...
    def match(
        self, buffer: Buffer, starts: _Offsets, ends: _Offsets, ranks: npt.NDArray[np.int64], none: int, /
    ) -> None: ...

def sequence(
    buffer: Buffer,
    starts: _Offsets,
    ends: _Offsets,
    last: npt.NDArray[np.int64],
    which: npt.NDArray[np.int64],
    due: npt.NDArray[np.int64],
    /,
) -> int: ...
def limits(
    kind: str,
    values: npt.NDArray[Any],
    bounds: bytes,
    valid: npt.NDArray[np.bool_] | None,
    states: npt.NDArray[np.uint8],
    are_numbers: npt.NDArray[np.bool_],
    /,
) -> int: ...
def group(labels: _Offsets, order: _Words, bounds: _Words, /) -> bool: ...
