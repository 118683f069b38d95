"""The contract of the kernel: what every implementation does, and the plain values that go in and out.

Three implementations, one meaning: :mod:`c2kit.kernel.reference` (``bitstring``, obviously right, complete),
:mod:`c2kit.kernel.columns` (NumPy, for many packets at once) and :mod:`c2kit.kernel.compiled` (C, where the extension
was compiled). :mod:`c2kit.kernel.chosen` is the one that this process uses.

In all of them ``buffer`` is any bytes-like object, and packet ``i`` is ``buffer[starts[i]:ends[i]]`` with ``starts``
and ``ends`` arrays of int64; packets may lie in any order, overlap, and be empty. Bad bytes never raise. What another
thread changes in them meanwhile decides about results, but where the offsets lie in the buffer is checked once.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from attrs import define, evolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from c2kit.kernel.clock import Clock
    from c2kit.kernel.decommutation import Decommutated, Decommutation
    from c2kit.kernel.envelope import Envelope
    from c2kit.kernel.identity import Identities
    from c2kit.kernel.layout import Layout
    from c2kit.kernel.sequence import Breaks
    from c2kit.kernel.time import Times
    from c2kit.model.crc import CrcParameters
    from c2kit.model.limits import Limits

__all__ = ["Buffer", "Codec", "Column", "Groups", "Kernel", "LengthRule", "RawValue", "Split"]

_FEW_GROUPS = 32
"""Up to so many are looked at one by one, in less time than NumPy takes."""

Buffer = bytes | bytearray | memoryview
"""Bytes as they came."""

RawValue = int | float | bytes
"""What one element of a field holds."""


@define(frozen=True, slots=True, eq=False)
class Column:
    """The raw values of one field over a batch of ``n`` packets.

    ============================ ================================= =====================
    field                        ``values``                        ``offsets``
    ============================ ================================= =====================
    single number                ``(n,)``                          ``None``
    array of fixed shape         ``(n, *shape)``                   ``None``
    array of varying length      all elements, one after another   ``(n + 1,)`` int64
    string or binary             all bytes, uint8                  ``(n + 1,)`` int64
    ============================ ================================= =====================

    ``valid`` is ``None`` where every packet has a value, else a Boolean ``(n,)``. Where there is no value, numbers
    are 0
    and sequences are empty, so that equal columns have equal bytes.
    """

    values: npt.NDArray[np.generic]
    valid: npt.NDArray[np.bool_] | None = None
    offsets: npt.NDArray[np.int64] | None = None
    is_bytes: bool = False
    """Whether it is a string or binary, not an array of numbers."""
    is_text: bool = False
    """Whether the bytes are UTF-8 text: the engineering value of a string."""

    def __len__(self) -> int:
        """The number of packets."""
        return len(self.values) if self.offsets is None else len(self.offsets) - 1

    def to_list(self, start: int = 0, stop: int | None = None) -> list[Any]:
        """The values as Python objects: numbers, lists, ``bytes`` or ``str``; ``None`` where there is none."""
        stop = len(self) if stop is None else stop
        values = self.values[start:stop].tolist() if self.offsets is None else self._sequences(start, stop)
        if self.valid is None:
            return values
        return [value if ok else None for value, ok in zip(values, self.valid[start:stop].tolist(), strict=True)]

    def select(self, which: npt.NDArray[np.intp]) -> Column:
        """The values of the packets at these indices."""
        valid = None if self.valid is None else self.valid[which]
        if self.offsets is None:
            return evolve(self, values=self.values[which], valid=valid)
        sizes = np.diff(self.offsets)[which]
        offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes)))
        # Each element's place: where its packet's elements begin, and how many of that packet came before.
        places = np.repeat(self.offsets[which] - offsets[:-1], sizes) + np.arange(offsets[-1])
        return evolve(self, values=self.values[places], valid=valid, offsets=offsets)

    def _sequences(self, start: int, stop: int) -> list[Any]:
        assert self.offsets is not None  # noqa: S101 - for the type checker
        bounds = self.offsets[start : stop + 1].tolist()
        pieces = [self.values[low:high] for low, high in itertools.pairwise(bounds)]
        if not self.is_bytes:
            return [piece.tolist() for piece in pieces]
        return [piece.tobytes().decode() if self.is_text else piece.tobytes() for piece in pieces]


@define(frozen=True, slots=True)
class LengthRule:
    """How a length field tells where a packet ends: ``total bytes = length field * unit_bytes + adjustment_bytes``.

    The field of ``length_bits`` bits begins ``length_bit_offset`` bits after the packet's first bit. A total outside
    ``minimum_bytes`` to ``maximum_bytes``, or that does not hold the length field itself, is bad.
    """

    length_bit_offset: int
    length_bits: int
    little_endian: bool = False
    unit_bytes: int = 1
    adjustment_bytes: int = 0
    minimum_bytes: int = 1
    maximum_bytes: int = 2**32

    @property
    def header_bytes(self) -> int:
        """Bytes that must be there before the length can be read."""
        return (self.length_bit_offset + self.length_bits + 7) // 8


@define(frozen=True, slots=True, eq=False)
class Split:
    """Packets found back to back. ``next_byte`` is where the first one that is not complete, or is bad, begins."""

    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    next_byte: int
    next_size_bytes: int | None = None
    """The total that the length field at ``next_byte`` claims; ``None`` where that field is not there yet."""
    is_bad: bool = False
    """Whether the rule forbids that total."""


@define(frozen=True, slots=True, eq=False)
class Groups:
    """Indices by label: those of group ``g`` are ``order[bounds[g]:bounds[g + 1]]``, and rise."""

    order: npt.NDArray[np.int64]
    bounds: npt.NDArray[np.int64]

    def present(self) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
        """Each label that occurs, with its indices."""
        if len(self.bounds) <= _FEW_GROUPS:
            bounds = self.bounds.tolist()
            for label, (low, high) in enumerate(itertools.pairwise(bounds)):
                if low < high:
                    yield label, self.order[low:high]
            return
        labels = (self.bounds[1:] > self.bounds[:-1]).nonzero()[0]
        lows, highs = self.bounds[labels].tolist(), self.bounds[labels + 1].tolist()
        for label, low, high in zip(labels.tolist(), lows, highs, strict=True):
            yield label, self.order[low:high]


class Codec(Protocol):
    """A layout, made ready for one packet at a time, where a batch is more than what is wanted."""

    def encode(self, values: Mapping[str, RawValue | Sequence[RawValue]], /) -> bytes:
        """Encode raw values, as :meth:`Kernel.encode` does."""
        ...

    def values(self, packet: Buffer, /) -> tuple[Any, ...]:
        """The raw value of each field of one packet, as :meth:`Column.to_list` has it; ``None`` where there is none."""
        ...

    def record(self, packet: Buffer, /) -> dict[str, Any]:
        """The same by name, in the order of the fields."""
        ...


class Kernel(Protocol):
    """What an implementation offers. Modules implement it with plain functions."""

    def split(self, buffer: Buffer, rule: LengthRule, start_byte: int = 0) -> Split:
        """Split whole packets off ``buffer[start_byte:]`` until one is incomplete or bad."""
        ...

    def seek_length(self, buffer: Buffer, rule: LengthRule, start_byte: int) -> int:
        """The first place at or after ``start_byte`` whose length field claims a size that the rule allows.

        Failing that, the first place at which the length field is not complete.
        """
        ...

    def group(self, labels: npt.NDArray[np.integer], count: int) -> Groups:
        """Group indices by their labels, each from 0 to ``count - 1``. Raises UsageError for another label."""
        ...

    def match(
        self,
        identities: Identities,
        buffer: Buffer,
        starts: npt.NDArray[np.int64],
        ends: npt.NDArray[np.int64],
    ) -> npt.NDArray[np.int64]:
        """For each packet the place of the first identity that it has, or their number where it has none.

        Raises UsageError where a packet does not lie in the buffer.
        """
        ...

    def sequence_breaks(
        self,
        buffer: Buffer,
        starts: npt.NDArray[np.int64],
        ends: npt.NDArray[np.int64],
        last: npt.NDArray[np.int64],
    ) -> Breaks:
        """Which space packets do not have one more, modulo 16 384, than the last count of their APID, or are its first.

        ``last`` (one for each APID, ``NO_COUNT`` for none yet) is kept up to date. Packets shorter than a primary
        header are passed over.
        """
        ...

    def decode(
        self, layout: Layout, buffer: Buffer, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
    ) -> list[Column]:
        """Decode each field of the layout to a column, by the rules of :mod:`c2kit.model.fields`."""
        ...

    def decommutate(
        self,
        plan: Decommutation,
        buffer: Buffer,
        starts: npt.NDArray[np.int64],
        ends: npt.NDArray[np.int64],
        envelope: Envelope | None = None,
    ) -> Decommutated:
        """Decode each field of a definition, and convert what it converts, by :mod:`c2kit.kernel.conversions.apply`.

        A kernel that can decodes right into a message with that envelope; others disregard it. Raises what a user's
        function raised.
        """
        ...

    def limit_states(self, limits: Limits, engineering: Column) -> Column:
        """The states of a column of numbers, by the rules of :mod:`c2kit.kernel.conversions.limits`."""
        ...

    def times(self, clock: Clock, buffer: Buffer, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> Times:
        """When packets were made, by the rules of :mod:`c2kit.kernel.time`."""
        ...

    def encode(self, layout: Layout, values: Mapping[str, RawValue | Sequence[RawValue]]) -> bytes:
        """Encode raw values. Raises UsageError where a value is missing or does not fit its field.

        A field absent by its ``present_if`` must have no value. Bits that no field covers are 0; where fields overlap,
        the later one wins. The result is as short as holds every field.
        """
        ...

    def codec(self, layout: Layout) -> Codec:
        """The layout for one packet at a time."""
        ...

    def crc(
        self,
        buffer: Buffer,
        starts: npt.NDArray[np.int64],
        ends: npt.NDArray[np.int64],
        parameters: CrcParameters,
    ) -> npt.NDArray[np.uint64]:
        """The CRC of each packet's bytes."""
        ...

    def crc_of(self, data: Buffer, parameters: CrcParameters) -> int:
        """The CRC of all these bytes."""
        ...
