"""One packet at a time by what works on many: the codec of any layout, where there is no faster one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from c2kit.kernel.contract import Buffer, Column, RawValue
    from c2kit.kernel.layout import Layout

__all__ = ["GeneralCodec"]


@frozen(eq=False)
class GeneralCodec:
    """A layout with two functions of a kernel: what :class:`~c2kit.kernel.contract.Codec` does, with a batch of one."""

    layout: Layout
    encode_values: Callable[[Layout, Mapping[str, RawValue | Sequence[RawValue]]], bytes] = field(repr=False)
    decode_packets: Callable[..., list[Column]] = field(repr=False)

    def encode(self, values: Mapping[str, RawValue | Sequence[RawValue]]) -> bytes:
        """Encode raw values."""
        return self.encode_values(self.layout, values)

    def values(self, packet: Buffer) -> tuple[Any, ...]:
        """The raw values of one packet."""
        starts, ends = np.zeros(1, np.int64), np.array([memoryview(packet).nbytes], np.int64)
        columns = self.decode_packets(self.layout, packet, starts, ends)
        return tuple(column.to_list()[0] for column in columns)

    def record(self, packet: Buffer) -> dict[str, Any]:
        """The same by name."""
        return dict(zip(self.layout.index, self.values(packet), strict=True))
