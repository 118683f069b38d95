"""Following streams: what is meant by patterns, and in which order records come."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from c2kit.bus import Received, Record, Step, StreamSpec, open_bus
from c2kit.cli.looking import Look
from c2kit.cli.tailing import watch as watching
from c2kit.cli.tailing.watch import Watch
from c2kit.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.bus import StreamBus


@pytest.fixture
def look() -> Iterator[Look]:
    with open_bus("memory:") as bus:
        names = ("m.events.a", "m.events.b", "m.frames.a", "m2.events.a")
        bus.apply([StreamSpec(name=name, writer="w") for name in names])
        bus.apply([StreamSpec(name="m.dictionaries", writer="w", compacted=True)])
        yield Look(bus=bus, mission="m")


def publish(bus: StreamBus, stream: str, *values: bytes) -> None:
    with bus.worker("w", [], outputs=[stream]) as worker:
        for value in values:
            worker.commit(Step(publish=[Record(stream, "lane", value)]))


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (["*"], ["m.events.a", "m.events.b", "m.frames.a"]),
        (["events.*"], ["m.events.a", "m.events.b"]),
        (["*.a", "events.a"], ["m.events.a", "m.frames.a"]),
        (["m.events.[!a]"], ["m.events.b"]),
        (["dictionaries", "frames.?"], ["m.dictionaries", "m.frames.a"]),
    ],
)
def test_patterns_mean_streams_of_the_mission_and_definitions_only_by_name(
    look: Look, patterns: list[str], names: list[str]
) -> None:
    with Watch(look, patterns) as watch:
        assert watch.names == names


@pytest.mark.parametrize("pattern", ["m2.events.a", "Events.a", "dict*", "telemetry.*", ""])
def test_what_means_nothing_is_refused(look: Look, pattern: str) -> None:
    with pytest.raises(UnknownName, match="in mission m"):
        Watch(look, ["events.a", pattern])


def test_records_of_several_streams_come_in_the_order_of_publishing(look: Look) -> None:
    with Watch(look, ["events.*", "frames.a"]) as watch:
        for number in range(12):
            publish(look.bus, f"m.{('events.b', 'frames.a', 'events.a')[number % 3]}", b"%d" % number)
        records: list[Received] = []
        while some := watch.receive(0.5):
            records += some
    assert [record.value for record in records] == [b"%d" % number for number in range(12)]


def test_a_clock_that_goes_back_never_turns_a_partition_round() -> None:
    chance = random.Random(7)
    records = [
        Received(stream=stream, partition=0, offset=offset, lane="l", value=b"", published_ns=chance.randrange(20))
        for stream in ("a", "b", "c")
        for offset in range(30)
    ]
    ordered = watching._by_time(records)
    assert sorted(map(id, ordered)) == sorted(map(id, records))
    for stream in ("a", "b", "c"):
        assert [each.offset for each in ordered if each.stream == stream] == list(range(30))


def test_a_stream_that_appears_is_followed_from_its_beginning(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_LOOK_AGAIN_SECONDS", 0.0)
    with Watch(look, ["events.*"]) as watch:
        assert watch.receive(0.0) == []
        look.bus.apply([StreamSpec(name="m.events.later", writer="w"), StreamSpec(name="m.raw.later", writer="w")])
        publish(look.bus, "m.raw.later", b"not meant")
        publish(look.bus, "m.events.later", b"first", b"second")
        assert [record.value for record in watch.receive(0.5)] == [b"first", b"second"]
        assert watch.names == ["m.events.a", "m.events.b", "m.events.later"]
        assert watch.receive(0.0) == []
