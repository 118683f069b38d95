"""Frames and raw bytes in records that are neither many nor huge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from c2kit.batches import PacketBatch
from c2kit.bus import StreamBus, open_bus
from c2kit.links import Arrival, Ends, TcpClient
from c2kit.pipeline.interfaces.records import LinkRecords
from tests.interfaces import interface_mission, packet
from tests.missions import frames_of, surroundings, wire_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from c2kit.bus import Record
    from c2kit.pipeline.composition.mission import Mission

LINK = TcpClient("localhost", 1)


@pytest.fixture
def bus() -> Iterator[StreamBus]:
    with open_bus("memory:") as made:
        yield made


def read(bus: StreamBus, mission: Mission, records: Sequence[Record]) -> list[PacketBatch]:
    wire = wire_of(bus, mission)
    made = [wire.read(record.value) for record in records]
    return [batch for batch in made if isinstance(batch, PacketBatch)]


def test_small_batches_become_records_of_about_half_a_megabyte(bus: StreamBus) -> None:
    mission = interface_mission(LINK)
    packets = [packet(number.to_bytes(2, "big") * 2000) for number in range(300)]
    records = LinkRecords(surroundings(bus, mission, "fep")).frames(frames_of([each]) for each in packets)
    assert {(record.stream, record.lane) for record in records} == {("firefly.frames.fep", "fep")}
    assert [each for batch in read(bus, mission, records) for each in batch] == packets
    assert len(records) == 3
    assert max(len(record.value) for record in records) < 2**20


def test_no_record_is_huge(bus: StreamBus, tmp_path: Path) -> None:
    mission = interface_mission(LINK, raw_log=tmp_path)
    records = LinkRecords(surroundings(bus, mission, "fep"))
    packets = [bytes([number]) * 100_000 for number in range(100)]
    for made in (records.frames([frames_of(packets)]), records.sent(packets, 5)):
        assert [each for batch in read(bus, mission, made) for each in batch] == packets
        assert max(len(record.value) for record in made) < 4_100_000


def test_raw_bytes_keep_their_pieces_times_and_direction(bus: StreamBus, tmp_path: Path) -> None:
    mission = interface_mission(LINK, raw_log=tmp_path)
    records = LinkRecords(surroundings(bus, mission, "fep"))
    came = [Arrival(1, b"abc", 7), Arrival(2, b"d", 8), Arrival(1, b"", 9, Ends.CONNECTION)]
    down, up = read(bus, mission, [*records.received(came), *records.sent([b"xyz"], 10)])
    assert (list(down), down.received.tolist(), down.is_uplink) == ([b"abc", b"d"], [7, 8], False)
    assert (list(up), up.received.tolist(), up.is_uplink) == ([b"xyz"], [10], True)
    assert {down.interface, up.interface} == {"fep"}
    assert records.received(came[2:]) == []


def test_where_nobody_reads_raw_bytes_there_are_no_records_of_them(bus: StreamBus) -> None:
    records = LinkRecords(surroundings(bus, interface_mission(LINK), "fep"))
    assert records.received([Arrival(1, b"abc", 7)]) == []
    assert records.sent([b"xyz"], 10) == []


def test_a_frame_that_no_record_can_hold_is_told_once_and_all_others_go_on(bus: StreamBus) -> None:
    mission = interface_mission(LINK)
    bus.largest_value_bytes = 5_000
    records = LinkRecords(surroundings(bus, mission, "fep"))
    packets = [bytes(100), bytes(9_000), bytes(200)]
    made = records.frames([frames_of(packets)])
    assert [each for batch in read(bus, mission, made) for each in batch] == [packets[0], packets[2]]
    assert records.take_too_large() == [packets[1]]
    assert records.take_too_large() == []
