"""What streams have can be read whole at once, on every bus: a command issued twice under one id is found by that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit import CommandEncoder
from c2kit.bus import Record, Step, StreamSpec
from c2kit.bus.reading import records_of
from c2kit.bus.records import CommandStatus, Fate, unpack
from c2kit.pipeline.commands.source import CommandSource
from tests.missions import one_satellite, prepared

if TYPE_CHECKING:
    from c2kit.bus import StreamBus

NAMES = ("m.events.one", "m.events.other")


def test_all_that_streams_have_is_given_by_the_first_look(bus: StreamBus) -> None:
    bus.apply(StreamSpec(name=name, writer="source", partitions=2, lanes=("a", "b")) for name in NAMES)
    expected = {(name, lane): [f"{lane}{number}".encode() for number in range(5)] for name in NAMES for lane in "ab"}
    with bus.worker("source", (), outputs=NAMES) as source:
        for number in range(5):
            source.commit(Step(publish=[Record(name, lane, f"{lane}{number}".encode()) for name, lane in expected]))
    found: dict[tuple[str, str], list[bytes]] = {}
    for record in records_of(bus, NAMES):
        found.setdefault((record.stream, record.lane), []).append(record.value)
    assert found == expected
    assert [record.stream for record in records_of(bus, NAMES[:1])] == [NAMES[0]] * 10


def test_nothing_is_waited_for_where_nothing_is(bus: StreamBus) -> None:
    bus.apply([StreamSpec(name=NAMES[0], writer="source")])
    assert list(records_of(bus, NAMES[:1])) == []


def test_a_command_that_is_issued_twice_under_one_id_is_issued_once(bus: StreamBus) -> None:
    mission = one_satellite()
    mission.stage("encode", CommandEncoder())
    prepared(bus, mission)
    for _ in range(2):
        with CommandSource(bus, mission) as source:
            source.send("FIREFLY", "NOOP", command_id="mine", expires_seconds=600)
    told = [unpack(CommandStatus, each.value) for each in records_of(bus, ["firefly.command-status.command-source"])]
    assert [(each.id, each.fate) for each in told] == [("mine", Fate.ISSUED)]
    assert len(list(records_of(bus, ["firefly.commands.FIREFLY"]))) == 1
