"""Batches as records that a bus takes: all packets in their order, in as few records as the bound allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from c2kit.batches import PacketBatch
from c2kit.bus import open_bus
from tests.missions import flown, frames_of, one_satellite, prepared, wire_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.pipeline.wire import Wire


@pytest.fixture
def wire() -> Iterator[Wire]:
    with open_bus("memory:") as bus:
        mission = one_satellite()
        prepared(bus, mission)
        yield wire_of(bus, mission)


def packets_of(wire: Wire, values: list[bytes]) -> list[bytes]:
    batches = [wire.read(value) for value in values]
    return [packet for batch in batches if isinstance(batch, PacketBatch) for packet in batch]


@pytest.mark.parametrize("largest_bytes", [1_000, 5_000, 10**9, None])
def test_all_packets_are_written_in_their_order_within_the_bound(wire: Wire, largest_bytes: int | None) -> None:
    packets = list(flown(20))
    wire.largest_bytes = largest_bytes
    written = wire.written(frames_of(packets))
    assert packets_of(wire, written.values) == packets
    assert written.too_large == []
    if largest_bytes is None or largest_bytes == 10**9:
        assert len(written.values) == 1
    else:
        assert len(written.values) > 1
        assert max(map(len, written.values)) <= largest_bytes


def test_a_packet_that_no_record_can_hold_is_told_and_all_others_are_written(wire: Wire) -> None:
    packets = [b"a" * 50, b"b" * 5_000, b"c" * 60, b"d" * 6_000]
    wire.largest_bytes = 3_000
    written = wire.written(frames_of(packets))
    assert packets_of(wire, written.values) == [packets[0], packets[2]]
    assert [[*batch] for batch in written.too_large] == [[packets[1]], [packets[3]]]
