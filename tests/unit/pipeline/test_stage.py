"""Stages on a bus: what they publish, how far they read and what they remember become true together."""

from __future__ import annotations

import sys
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from attrs import define, evolve, field

from c2kit.batches import PacketBatch, TelemetryBatch
from c2kit.batches.kinds import Kind
from c2kit.bus import BusUnavailable, PartitionsLost, Record, Step, StreamBus, open_bus
from c2kit.bus.records import DeadLetter, Event, Severity, unpack
from c2kit.dictionaries import Dictionary
from c2kit.errors import C2kitError
from c2kit.links import TcpClient
from c2kit.pipeline.chain import StateRefused
from c2kit.pipeline.composition.mission import Mission
from c2kit.pipeline.composition.names import stage_identity, stream_name
from c2kit.pipeline.definitions import DefinitionsMissing
from c2kit.pipeline.stage import ProcessingStage
from c2kit.processors import Aside, Asides, Decommutator, Identifier, LimitsMonitor, Processor, RecordingDecoder
from c2kit.protocols import CcsdsPackets
from tests.missions import (
    EXAMPLE,
    example_dictionary,
    flown,
    frames_of,
    one_satellite,
    prepared,
    publish,
    published,
    run_until_idle,
    surroundings,
    wire_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from c2kit.bus import Received


@pytest.fixture(params=["memory", "sqlite"])
def bus(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StreamBus]:
    with open_bus("memory:" if request.param == "memory" else f"sqlite:{tmp_path / 'bus.db'}") as opened:
        yield opened


def decom_mission(*processors: Any, publish_kinds: tuple[str, ...] = ()) -> Mission:  # noqa: ANN401 - any processors
    mission = one_satellite()
    mission.stage("decom", *(processors or (Identifier(), Decommutator(), LimitsMonitor())), publish=publish_kinds)
    return mission


def rows_of(batches: list[Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(batch.packet.name, batch.row(index)) for batch in batches for index in range(len(batch))]


def telemetry(bus: StreamBus, mission: Mission) -> list[TelemetryBatch]:
    wire = wire_of(bus, mission)
    read = [wire.read(record.value) for record in published(bus, mission, Kind.TELEMETRY, "FIREFLY")]
    return [batch for batch in read if isinstance(batch, TelemetryBatch)]


@cache
def expected_rows(packets: tuple[bytes, ...]) -> Counter[str]:
    decoder = RecordingDecoder(example_dictionary(), CcsdsPackets(), targets=["FIREFLY"])
    return Counter(map(repr, rows_of(list(decoder.decode([b"".join(packets)])))))


def in_pieces(packets: tuple[bytes, ...], count: int = 7) -> list[PacketBatch]:
    return [frames_of(packets[at : at + count]) for at in range(0, len(packets), count)]


def test_what_went_in_as_frames_comes_out_as_telemetry_once(bus: StreamBus) -> None:
    mission, packets = decom_mission(), flown()
    prepared(bus, mission)
    publish(bus, mission, "fep", Kind.FRAMES, in_pieces(packets))
    stage = ProcessingStage(surroundings(bus, mission, "decom"))
    run_until_idle(stage)
    assert Counter(map(repr, rows_of(telemetry(bus, mission)))) == expected_rows(packets)
    assert all(batch.limits for batch in telemetry(bus, mission) if batch.packet.name == "HEALTH")
    rows = stage.ledger()
    assert [row.processor for row in rows] == ["Identifier", "Decommutator", "LimitsMonitor"]
    assert [row.taken for row in rows] == [len(packets)] * 3
    assert [row.unaccounted for row in rows] == [0, 0, 0]
    assert sum(stage.consumed().values()) == len(in_pieces(packets))
    stage.close()


def test_packets_are_of_the_targets_behind_their_own_link(bus: StreamBus) -> None:
    """Twins are defined alike: only the link tells which one it was."""
    firefly, packets = example_dictionary().target("FIREFLY"), flown()
    names = ("FIREFLY", "GLOWWORM", "LANTERN")
    mission = Mission("firefly", dictionary=Dictionary(tuple(evolve(firefly, name=name) for name in names)))
    for name in names:
        mission.interface(name.lower(), TcpClient("localhost", 7011), protocols=[CcsdsPackets()], targets=[name])
    mission.stage("decom", Identifier(), Decommutator())
    prepared(bus, mission)
    for count, name in enumerate(names, 1):
        frames = frames_of(packets[:count], interface=name.lower())
        publish(bus, mission, name.lower(), Kind.FRAMES, [frames])
    stage = ProcessingStage(surroundings(bus, mission, "decom"))
    run_until_idle(stage)
    stage.close()
    wire = wire_of(bus, mission)
    for count, name in enumerate(names, 1):
        records = published(bus, mission, Kind.TELEMETRY, name)
        assert {record.lane for record in records} == {f"{name.lower()}/{name}"}
        assert sum(len(wire.read(record.value)) for record in records) == count


def test_small_records_that_wait_are_worked_on_as_one(bus: StreamBus) -> None:
    mission, packets = decom_mission(Identifier(), Decommutator(), publish_kinds=("packets",)), flown()
    prepared(bus, mission)
    publish(bus, mission, "fep", Kind.FRAMES, in_pieces(packets, 1))
    stage = ProcessingStage(surroundings(bus, mission, "decom"))
    assert stage.turn(1.0)
    stage.close()
    (record,) = published(bus, mission, Kind.PACKETS, "FIREFLY")
    assert list(wire_of(bus, mission).read(record.value)) == list(packets)
    samples = telemetry(bus, mission)
    assert len(samples) == len({batch.packet.name for batch in samples}) < len(packets)
    assert Counter(map(repr, rows_of(samples))) == expected_rows(packets)
    assert sum(stage.consumed().values()) == len(packets)


def test_a_stage_that_dies_before_it_commits_has_done_nothing_and_its_successor_all(bus: StreamBus) -> None:
    mission, packets = decom_mission(), flown()
    prepared(bus, mission)
    pieces = in_pieces(packets)
    publish(bus, mission, "fep", Kind.FRAMES, pieces[:3])
    first = ProcessingStage(surroundings(bus, mission, "decom"))
    run_until_idle(first)
    publish(bus, mission, "fep", Kind.FRAMES, pieces[3:])
    first._draft = first._drafted(first._receive(1.0))
    first.close()
    second = ProcessingStage(surroundings(bus, mission, "decom"))
    run_until_idle(second)
    assert Counter(map(repr, rows_of(telemetry(bus, mission)))) == expected_rows(packets)
    assert {row.taken for row in second.ledger()} == {len(packets)}
    assert sum(second.consumed().values()) == len(pieces)
    events = [unpack(Event, record.value) for record in published(bus, mission, Kind.EVENTS, "decom")]
    assert "sequence" not in {event.kind for event in events}, "counts go on where the first one committed"
    second.close()


def test_a_step_that_the_bus_does_not_take_now_is_committed_later_and_once(
    bus: StreamBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    mission, packets = decom_mission(), flown()
    prepared(bus, mission)
    publish(bus, mission, "fep", Kind.FRAMES, in_pieces(packets))
    stage = ProcessingStage(surroundings(bus, mission, "decom"))
    commit, failures = stage._worker.commit, [1, 2]

    def unavailable(step: Step) -> None:
        if failures:
            failures.pop()
            raise BusUnavailable("not now")
        commit(step)

    monkeypatch.setattr(stage._worker, "commit", unavailable)
    for _ in range(2):
        with pytest.raises(BusUnavailable):
            stage.turn(1.0)
    assert not telemetry(bus, mission)
    run_until_idle(stage)
    assert Counter(map(repr, rows_of(telemetry(bus, mission)))) == expected_rows(packets)
    stage.close()


def test_a_step_of_which_another_replica_does_a_part_now_is_done_anew(
    bus: StreamBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    mission, packets = decom_mission(), flown()
    prepared(bus, mission)
    pieces = in_pieces(packets)
    publish(bus, mission, "fep", Kind.FRAMES, pieces[:3])
    stage = ProcessingStage(surroundings(bus, mission, "decom"))
    run_until_idle(stage)
    publish(bus, mission, "fep", Kind.FRAMES, pieces[3:])
    commit, losses = stage._worker.commit, [1, 2]

    def losing(step: Step) -> None:
        if losses:
            losses.pop()
            raise PartitionsLost("another has it")
        commit(step)

    monkeypatch.setattr(stage._worker, "commit", losing)
    run_until_idle(stage)
    assert not losses
    assert Counter(map(repr, rows_of(telemetry(bus, mission)))) == expected_rows(packets)
    assert not any(event.kind == "sequence" for event in events_of(bus, mission))
    assert sum(stage.consumed().values()) == len(pieces)
    stage.close()


def test_what_comes_back_from_another_replica_is_gone_on_with_where_that_was(bus: StreamBus) -> None:
    mission, packets = decom_mission(), flown()
    prepared(bus, mission)
    pieces = in_pieces(packets)
    publish(bus, mission, "fep", Kind.FRAMES, pieces[:2])
    stage = ProcessingStage(surroundings(bus, mission, "decom"))
    run_until_idle(stage)
    stage._worker.close()
    other = ProcessingStage(surroundings(bus, mission, "decom", ordinal=1))
    publish(bus, mission, "fep", Kind.FRAMES, pieces[2:3])
    run_until_idle(other)
    other.close()
    place = surroundings(bus, mission, "decom")
    stage._worker = bus.worker(place.stage.identity, list(place.inputs), outputs=place.outputs)
    publish(bus, mission, "fep", Kind.FRAMES, pieces[3:])
    run_until_idle(stage)
    assert Counter(map(repr, rows_of(telemetry(bus, mission)))) == expected_rows(packets)
    assert not any(event.kind == "sequence" for event in events_of(bus, mission))
    assert sum(stage.consumed().values()) == len(pieces)
    stage.close()


def test_unknown_packets_and_gaps_are_told_and_counted(bus: StreamBus) -> None:
    mission = decom_mission()
    prepared(bus, mission)
    packets = list(flown())
    missing, stranger = packets.pop(20), bytes.fromhex("07fec0000000aa")
    packets.insert(5, stranger)
    publish(bus, mission, "fep", Kind.FRAMES, [frames_of(packets)])
    stage = ProcessingStage(surroundings(bus, mission, "decom"))
    run_until_idle(stage)
    wire = wire_of(bus, mission)
    unknown = [wire.read(record.value) for record in published(bus, mission, Kind.UNKNOWN, "fep")]
    assert [list(batch) for batch in unknown if isinstance(batch, PacketBatch)] == [[stranger]]
    events = [unpack(Event, record.value) for record in published(bus, mission, Kind.EVENTS, "decom")]
    assert {event.kind for event in events} == {"unknown", "sequence"}
    (gap,) = [event for event in events if event.kind == "sequence"]
    assert gap.facts["missing"] == 1
    assert gap.facts["apid"] == int.from_bytes(missing[:2], "big") & 0x7FF
    identifier = stage.ledger()[0]
    assert (identifier.taken, identifier.given, identifier.refused) == (len(packets), len(packets) - 1, 1)
    stage.close()


# -- poison -------------------------------------------------------------------------------------


class _FailsOn(Processor[PacketBatch, PacketBatch]):
    """Raises for packets that end with a byte, and numbers all others."""

    takes = (Kind.PACKETS,)
    gives = Kind.PACKETS

    def __init__(self, last: int) -> None:
        self.last = last
        self.count = 0

    def process(self, batch: PacketBatch) -> Iterator[PacketBatch]:
        for packet in batch:
            if packet[-1] == self.last:
                raise ValueError(f"cannot stand {self.last}")
            self.count += 1
        yield batch

    def take_asides(self) -> list[Aside]:
        return []

    def snapshot(self) -> bytes:
        return str(self.count).encode()

    def restore(self, snapshot: bytes) -> None:
        self.count = int(snapshot)


def test_only_the_packets_that_a_processor_fails_on_are_set_aside(bus: StreamBus) -> None:
    packets = flown()
    bad = [packet for packet in packets if packet[-1] == 0]
    assert 1 < len(bad) < len(packets) / 2
    mission = decom_mission(Identifier(), _FailsOn(0), Decommutator())
    prepared(bus, mission)
    publish(bus, mission, "fep", Kind.FRAMES, in_pieces(packets))
    stage = ProcessingStage(surroundings(bus, mission, "decom"))
    run_until_idle(stage)
    good = tuple(packet for packet in packets if packet[-1] != 0)
    assert Counter(map(repr, rows_of(telemetry(bus, mission)))) == expected_rows(good)
    letters = [unpack(DeadLetter, record.value) for record in published(bus, mission, Kind.DEAD_LETTER, "decom")]
    wire = wire_of(bus, mission)
    kept = [wire.read(letter.value) for letter in letters]
    assert [packet for batch in kept if isinstance(batch, PacketBatch) for packet in batch] == bad
    assert {letter.processor for letter in letters} == {"_FailsOn"}
    assert all("cannot stand 0" in letter.traceback for letter in letters)
    assert not any(event.kind == "sequence" for event in events_of(bus, mission)), "identification went on past them"
    identifier, picky, _ = stage.ledger()
    assert identifier.given == picky.taken == len(packets)
    assert (picky.given, picky.refused, picky.unaccounted) == (len(good), len(bad), 0)
    (chain,) = stage._chains.values()
    assert chain.states()["_FailsOn"].snapshot == str(len(good)).encode(), "what it remembers is of the good ones"
    stage.close()


class _Exits(Processor[PacketBatch, PacketBatch]):
    takes = (Kind.PACKETS,)
    gives = Kind.PACKETS

    def process(self, batch: PacketBatch) -> Iterator[PacketBatch]:
        if any(packet[-1] == 0 for packet in batch):
            sys.exit("as libraries do that are made of programs")
        yield batch

    def take_asides(self) -> list[Aside]:
        return []


def test_packets_on_which_a_processor_wants_to_exit_are_set_aside(bus: StreamBus) -> None:
    packets = flown()
    mission = decom_mission(Identifier(), _Exits(), Decommutator())
    prepared(bus, mission)
    publish(bus, mission, "fep", Kind.FRAMES, in_pieces(packets))
    stage = ProcessingStage(surroundings(bus, mission, "decom"))
    run_until_idle(stage)
    stage.close()
    good = tuple(packet for packet in packets if packet[-1] != 0)
    assert Counter(map(repr, rows_of(telemetry(bus, mission)))) == expected_rows(good)
    letters = [unpack(DeadLetter, record.value) for record in published(bus, mission, Kind.DEAD_LETTER, "decom")]
    assert len(letters) == len(packets) - len(good) > 0
    assert {letter.error for letter in letters} == {"SystemExit: as libraries do that are made of programs"}


def events_of(bus: StreamBus, mission: Mission) -> list[Event]:
    return [unpack(Event, record.value) for record in published(bus, mission, Kind.EVENTS, "decom")]


class _FailsOnTelemetry(Processor[TelemetryBatch, TelemetryBatch]):
    takes = (Kind.TELEMETRY,)
    gives = Kind.TELEMETRY

    def process(self, batch: TelemetryBatch) -> Iterator[TelemetryBatch]:
        if batch.packet.name == "STAR_TRACKER":
            raise ZeroDivisionError
        yield batch

    def take_asides(self) -> list[Aside]:
        return []


class _Swells(Processor[PacketBatch, PacketBatch]):
    """Makes a packet that ends with 0 as long as no bus of these tests takes it."""

    takes = (Kind.PACKETS,)
    gives = Kind.PACKETS

    def process(self, batch: PacketBatch) -> Iterator[PacketBatch]:
        packets = [packet + bytes(20_000) if packet[-1] == 0 else packet for packet in batch]
        swollen = frames_of(packets)
        yield evolve(batch, buffer=swollen.buffer, starts=swollen.starts, ends=swollen.ends)

    def take_asides(self) -> list[Aside]:
        return []


def test_what_is_larger_than_the_bus_takes_is_divided_and_says_the_same(bus: StreamBus) -> None:
    bus.largest_value_bytes = 3_000
    packets = flown()
    mission = decom_mission()
    prepared(bus, mission)
    publish(bus, mission, "fep", Kind.FRAMES, [frames_of(packets)])
    stage = ProcessingStage(surroundings(bus, mission, "decom"))
    run_until_idle(stage)
    assert Counter(map(repr, rows_of(telemetry(bus, mission)))) == expected_rows(packets)
    values = [record.value for record in published(bus, mission, Kind.TELEMETRY, "FIREFLY")]
    assert max(map(len, values)) <= 3_000 < sum(map(len, values)) / 10
    assert stage.dead_letters == 0
    stage.close()


def test_only_the_packets_that_no_record_can_hold_are_set_aside(bus: StreamBus) -> None:
    bus.largest_value_bytes = 10_000
    packets = flown()
    bad = [packet for packet in packets if packet[-1] == 0]
    mission = decom_mission(Identifier(), _Swells(), publish_kinds=("packets",))
    prepared(bus, mission)
    publish(bus, mission, "fep", Kind.FRAMES, in_pieces(packets))
    with bus.view([stream_name(mission.name, Kind.FRAMES, "fep")], from_oldest=True) as view:
        frames = {record.offset: record.value for record in view.receive(0.0)}
    stage = ProcessingStage(surroundings(bus, mission, "decom"))
    run_until_idle(stage)
    wire = wire_of(bus, mission)
    read = [wire.read(record.value) for record in published(bus, mission, Kind.PACKETS, "FIREFLY")]
    made = [packet for batch in read if isinstance(batch, PacketBatch) for packet in batch]
    assert made == [packet for packet in packets if packet[-1] != 0]
    letters = [unpack(DeadLetter, record.value) for record in published(bus, mission, Kind.DEAD_LETTER, "decom")]
    assert len(letters) == len(bad) == stage.dead_letters > 0
    assert all(letter.value == frames[letter.offset] for letter in letters), "it is found in the record that it was in"
    assert {event.severity for event in events_of(bus, mission) if event.kind == "dead-letter"} == {Severity.CRITICAL}
    assert not any(event.kind == "sequence" for event in events_of(bus, mission)), "the stage went on past them"
    stage.close()


def test_a_dead_letter_of_what_no_letter_can_hold_says_where_it_is(bus: StreamBus) -> None:
    mission = decom_mission()
    prepared(bus, mission)
    stream = stream_name(mission.name, Kind.FRAMES, "fep")
    with bus.worker(stage_identity(mission.name, "fep"), [], outputs=[stream]) as source:
        source.commit(Step(publish=[Record(stream, "fep", b"no batch" * 1_000)]))
    bus.largest_value_bytes = 5_000
    stage = ProcessingStage(surroundings(bus, mission, "decom"))
    run_until_idle(stage)
    (letter,) = [unpack(DeadLetter, record.value) for record in published(bus, mission, Kind.DEAD_LETTER, "decom")]
    assert (letter.value, letter.stream, letter.offset) == (b"", stream, 0)
    assert "its 8000 bytes are too many for a dead letter" in letter.error
    stage.close()


def test_samples_of_varying_length_are_set_aside_one_by_one(bus: StreamBus) -> None:
    mission, packets = decom_mission(Identifier(), Decommutator(), _FailsOnTelemetry()), flown(120)
    prepared(bus, mission)
    publish(bus, mission, "fep", Kind.FRAMES, [frames_of(packets)])
    stage = ProcessingStage(surroundings(bus, mission, "decom"))
    run_until_idle(stage)
    letters = [unpack(DeadLetter, record.value) for record in published(bus, mission, Kind.DEAD_LETTER, "decom")]
    wire = wire_of(bus, mission)
    aside = [batch for batch in (wire.read(letter.value) for letter in letters) if isinstance(batch, TelemetryBatch)]
    assert {len(batch) for batch in aside} == {1}
    all_rows = Counter(map(repr, rows_of([*telemetry(bus, mission), *aside])))
    assert all_rows == expected_rows(packets)
    assert len(aside) > 1
    stage.close()


def test_a_record_that_is_no_batch_is_set_aside_whole(bus: StreamBus) -> None:
    mission, packets = decom_mission(), flown()
    prepared(bus, mission)
    stream = stream_name("firefly", Kind.FRAMES, "fep")
    publish(bus, mission, "fep", Kind.FRAMES, [frames_of(packets[:50])])
    with bus.worker(stage_identity("firefly", "fep"), [], outputs=[stream]) as worker:
        worker.commit(Step(publish=[Record(stream, "fep", b"no batch")]))
    publish(bus, mission, "fep", Kind.FRAMES, [frames_of(packets[50:])])
    stage = ProcessingStage(surroundings(bus, mission, "decom"))
    run_until_idle(stage)
    (letter,) = [unpack(DeadLetter, record.value) for record in published(bus, mission, Kind.DEAD_LETTER, "decom")]
    assert (letter.value, letter.offset, letter.kind, letter.lane) == (b"no batch", 1, "frames", "fep")
    assert Counter(map(repr, rows_of(telemetry(bus, mission)))) == expected_rows(packets)
    stage.close()


# -- the ledger ---------------------------------------------------------------------------------


@define(eq=False)
class _Thins(Processor[TelemetryBatch, TelemetryBatch]):
    """Gives every other sample, and says so or not."""

    takes = (Kind.TELEMETRY,)
    gives = Kind.TELEMETRY
    is_honest: bool
    _asides: Asides = field(factory=Asides)

    def process(self, batch: TelemetryBatch) -> Iterator[TelemetryBatch]:
        if self.is_honest:
            self._asides.add_refused("every other one", len(batch) // 2)
        yield batch.select(np.arange(0, len(batch), 2))

    def take_asides(self) -> list[Aside]:
        return self._asides.take()


@pytest.mark.parametrize("is_honest", [True, False])
def test_a_processor_that_loses_packets_is_found_out(bus: StreamBus, *, is_honest: bool) -> None:
    mission = decom_mission(Identifier(), Decommutator(), _Thins(is_honest))
    prepared(bus, mission)
    publish(bus, mission, "fep", Kind.FRAMES, in_pieces(flown(), 50))
    stage = ProcessingStage(surroundings(bus, mission, "decom"))
    run_until_idle(stage)
    thins = stage.ledger()[2]
    lost = thins.taken - thins.given
    assert lost > 10
    assert thins.unaccounted == (0 if is_honest else lost)
    stage.close()


# -- definitions and states ---------------------------------------------------------------------


def other_dictionary(tmp_path: Path) -> Dictionary:
    """The example dictionary, in which HEALTH has another unit."""
    for file in EXAMPLE.glob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        (tmp_path / file.name).write_text(text.replace("units: V", "units: mV"), encoding="utf-8")
    return Dictionary.load(tmp_path)


def test_packets_are_decoded_by_the_definitions_that_they_name(bus: StreamBus, tmp_path: Path) -> None:
    mission, packets = one_satellite(), flown()
    mission.stage("identify", Identifier())
    mission.stage("decom", Decommutator())
    prepared(bus, mission)
    (tmp_path / "other").mkdir()
    newer = one_satellite(other_dictionary(tmp_path / "other"))
    newer.stage("identify", Identifier())
    newer.stage("decom", Decommutator())
    publish(bus, mission, "fep", Kind.FRAMES, [frames_of(packets[:100])])
    old = ProcessingStage(surroundings(bus, mission, "identify"))
    run_until_idle(old)
    old.close()
    publish(bus, mission, "fep", Kind.FRAMES, [frames_of(packets[100:])])
    new = ProcessingStage(surroundings(bus, newer, "identify"))
    run_until_idle(new)
    decom = ProcessingStage(surroundings(bus, mission, "decom"))
    with pytest.raises(DefinitionsMissing):
        run_until_idle(decom)
    assert not telemetry(bus, mission), "it waits, and never guesses"
    prepared(bus, newer)
    run_until_idle(decom)
    found = telemetry(bus, mission)
    assert {batch.dictionary_hash for batch in found} == {
        mission.dictionary["FIREFLY"].hash,
        newer.dictionary["FIREFLY"].hash,
    }
    assert Counter(map(repr, rows_of(found))) == expected_rows(packets)
    events = [unpack(Event, record.value) for record in published(bus, mission, Kind.EVENTS, "identify")]
    assert "sequence" not in {event.kind for event in events}, "counts outlive a change of definitions"
    for stage in (new, decom):
        stage.close()


def test_a_state_that_cannot_be_restored_stops_the_stage(bus: StreamBus) -> None:
    mission = decom_mission()
    prepared(bus, mission)
    identity, frames = stage_identity("firefly", "decom"), stream_name("firefly", Kind.FRAMES, "fep")
    with bus.worker(identity, [frames]) as worker:
        worker.commit(Step(snapshots={("Identifier", "fep"): b"of another kind"}))
    publish(bus, mission, "fep", Kind.FRAMES, [frames_of(flown())])
    stage = ProcessingStage(surroundings(bus, mission, "decom"))
    with pytest.raises(StateRefused, match="Identifier in lane fep") as caught:
        stage.turn(1.0)
    assert isinstance(caught.value, C2kitError)
    stage.close()


def received(stage: ProcessingStage) -> list[Received]:
    return list(stage._receive(1.0))


def test_replicas_share_lanes_and_take_over_with_their_memory(bus: StreamBus) -> None:
    dictionary = example_dictionary()
    mission = one_satellite(dictionary)
    mission.interface("second", mission.interfaces["fep"].link, protocols=[CcsdsPackets()], targets=["FIREFLY"])
    mission.stage("decom", Identifier(), Decommutator())
    prepared(bus, mission)
    packets = flown()
    stages = [ProcessingStage(surroundings(bus, mission, "decom", ordinal=number)) for number in range(2)]
    for at in range(0, len(packets), 40):
        some = packets[at : at + 40]
        publish(bus, mission, "fep", Kind.FRAMES, [frames_of(some)])
        publish(bus, mission, "second", Kind.FRAMES, [frames_of(some, "second")])
        for stage in stages:
            run_until_idle(stage)
        if at == 120:
            stages.pop().close()
    found = telemetry(bus, mission)
    for interface in ("fep", "second"):
        mine = [batch for batch in found if batch.interface == interface]
        assert Counter(map(repr, rows_of(mine))) == expected_rows(packets)
    assert not any(event.kind == "sequence" for event in events_of(bus, mission))
    (last,) = stages
    assert sum(row.taken for row in last.ledger() if row.processor == "Identifier") == 2 * len(packets)
    changes = [event for event in events_of(bus, mission) if event.kind == "rebalance"]
    assert {event.severity for event in changes} == {Severity.INFO}
    gained = [each for event in changes if "replica 0" in event.message for each in event.facts["gained"]]
    assert len(gained) == 1, "what the other gave up, and none of those that it began with"
    last.close()
