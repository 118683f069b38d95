"""The judge of the kill test sees what it is there for: whatever is missing, twice, changed or in the wrong order."""

from __future__ import annotations

import json
from collections import Counter
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
import pytest

from c2kit.batches import PacketBatch, TelemetryBatch
from c2kit.bus import Record, Step
from c2kit.bus.memory import MemoryBus
from c2kit.bus.records import CommandStatus, Fate, pack
from c2kit.pipeline.definitions import Definitions
from c2kit.pipeline.wire import Wire, lane_of
from c2kit.processors import CommandEncoder, Decommutator, Identifier, RecordingDecoder
from c2kit.protocols import CcsdsPackets
from c2kit.storage import CommandLogWriter, LoggedCommand, RawLogWriter
from tests.kill.commander import Issued, Sort
from tests.kill.schedule import Kind, drawn, kinds
from tests.kill.space_packets import whole_packets
from tests.kill.verdict import check_commands, check_packets, check_telemetry, taken_of
from tests.missions import flown, one_satellite, prepared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from c2kit.bus import StreamBus
    from c2kit.pipeline.composition.mission import Mission

PACKETS = flown(20)


def raw_log(root: Path, chunks: Sequence[bytes]) -> Path:
    """A log of these chunks as they came."""
    ends = np.array([*accumulate(map(len, chunks))], np.int64)
    batch = PacketBatch(
        buffer=b"".join(chunks),
        starts=np.concatenate((np.zeros(1, np.int64), ends[:-1])),
        ends=ends,
        received=np.zeros(len(chunks), np.int64),
        interface="fep",
    )
    with RawLogWriter(root, "firefly.raw.fep") as log:
        log.append(batch, now_ns=0)
        log.sync()
    return root


def satellite(folder: Path, connections: Sequence[bytes], addresses: Iterable[int] = ()) -> Path:
    """What a satellite wrote down."""
    folder.mkdir()
    for number, sent in enumerate(connections):
        (folder / f"connection-{number + 1:06}.sent").write_bytes(sent)
    commands = [{"connection": 1, "hex": (bytes(7) + each.to_bytes(4)).hex()} for each in addresses]
    (folder / "commands.jsonl").write_text("".join(json.dumps(each) + "\n" for each in commands), encoding="ascii")
    return folder


def test_packets_are_cut_apart_wherever_the_bytes_end() -> None:
    data = b"".join(PACKETS)
    assert whole_packets(data) == list(PACKETS)
    assert whole_packets(data[:-1]) == list(PACKETS[:-1])
    assert whole_packets(data + PACKETS[0][:5]) == list(PACKETS)


def test_what_the_interface_took_is_the_beginnings_of_its_connections(tmp_path: Path) -> None:
    first, second = b"".join(PACKETS[:20]), b"".join(PACKETS[25:40])
    cut = len(b"".join(PACKETS[:7])) + 3
    where = satellite(tmp_path / "sent", [first, b"", second])
    chunks = [first[:100], first[100:cut], second[:9], second[9:]]
    taken = taken_of(where, raw_log(tmp_path / "raw", chunks))
    assert taken.kept == [first[:cut], b"", second]
    assert taken.packets == [*PACKETS[:7], *PACKETS[25:40]]
    assert taken.lost_packets == [13, 0, 0]


@pytest.mark.parametrize(
    "chosen", [(0, 2, 3), (0, 1, 1, 2, 3), (0, 2, 1, 3)], ids=["a chunk is missing", "one came twice", "wrong order"]
)
def test_what_is_no_beginning_of_a_connection_is_found(tmp_path: Path, chosen: Sequence[int]) -> None:
    where = satellite(tmp_path / "sent", [b"".join(PACKETS[:30]), b"".join(PACKETS[40:])])
    chunks = [b"".join(PACKETS[at : at + 7]) for at in (0, 7, 14, 21)]
    with pytest.raises(AssertionError, match="came over no connection"):
        taken_of(where, raw_log(tmp_path / "raw", [chunks[number] for number in chosen]))


@pytest.mark.parametrize(
    ("logged", "told"),
    [
        (PACKETS[:9] + PACKETS[10:], "1 are missing, 0 too many"),
        (PACKETS[:9] + PACKETS[8:], "0 are missing, 1 too many"),
        (PACKETS[:8] + PACKETS[9:10] + PACKETS[8:9] + PACKETS[10:], "from number 8 on"),
        (PACKETS[:-1], "1 are missing, 0 too many"),
    ],
    ids=["missing", "twice", "wrong order", "missing at the end"],
)
def test_a_packet_log_that_differs_is_found(tmp_path: Path, logged: Sequence[bytes], told: str) -> None:
    (tmp_path / f"{0:020}.pkts").write_bytes(b"".join(PACKETS[:5]))
    (tmp_path / f"{999:020}.pkts").write_bytes(b"".join(PACKETS[5:]))
    check_packets(tmp_path, PACKETS)
    (tmp_path / f"{999:020}.pkts").write_bytes(b"".join(logged[5:]))
    with pytest.raises(AssertionError, match=told):
        check_packets(tmp_path, PACKETS)


def telemetry_mission() -> Mission:
    """One whose streams there are, and that has no stage running."""
    mission = one_satellite()
    mission.stage("decom", Identifier(), Decommutator())
    mission.stage("encode", CommandEncoder())
    return mission


def publish_samples(bus: StreamBus, mission: Mission, batches: Iterable[TelemetryBatch]) -> None:
    wire = Wire(Definitions(bus, mission.name, mission.dictionary))
    stream = "firefly.telemetry.FIREFLY"
    with bus.worker("firefly.decom", [], outputs=[stream]) as worker:
        for batch in batches:
            worker.commit(Step(publish=[Record(stream, lane_of(batch), wire.write(batch))]))


@pytest.mark.parametrize("spoil", [lambda some: some[:-1], lambda some: some + some[-1:]], ids=["missing", "twice"])
def test_samples_that_differ_are_found(spoil: Callable[[Sequence[bytes]], Sequence[bytes]]) -> None:
    mission = telemetry_mission()
    for packets, is_right in ((PACKETS, True), (spoil(PACKETS), False)):
        with MemoryBus() as bus:
            prepared(bus, mission)
            decoder = RecordingDecoder(mission.dictionary, CcsdsPackets())
            publish_samples(bus, mission, decoder.decode([b"".join(packets)]))
            if is_right:
                assert check_telemetry(bus, mission, PACKETS) > len(PACKETS)
            else:
                with pytest.raises(AssertionError, match="samples of"):
                    check_telemetry(bus, mission, PACKETS)


ENDS = {
    "good": (Sort.GOOD, [Fate.ISSUED, Fate.ENCODED, Fate.SENDING, Fate.SENT], 1),
    "lost": (Sort.GOOD, [Fate.ISSUED, Fate.ENCODED, Fate.SENDING, Fate.SENT], 0),
    "sent twice": (Sort.GOOD, [Fate.ISSUED, Fate.ENCODED, Fate.SENDING, Fate.SENT], 2),
    "no end": (Sort.GOOD, [Fate.ISSUED, Fate.ENCODED, Fate.SENDING], 1),
    "two ends": (Sort.GOOD, [Fate.ISSUED, Fate.ENCODED, Fate.SENDING, Fate.SENT, Fate.UNKNOWN], 1),
    "one end twice": (Sort.GOOD, [Fate.ISSUED, Fate.ENCODED, Fate.SENDING, Fate.SENT, Fate.SENT], 1),
    "sent though refused": (Sort.WRONG, [Fate.ISSUED, Fate.REFUSED], 1),
    "refused for nothing": (Sort.GOOD, [Fate.ISSUED, Fate.REFUSED], 0),
    "unknown": (Sort.GOOD, [Fate.ISSUED, Fate.ENCODED, Fate.SENDING, Fate.UNKNOWN], 1),
}


@pytest.mark.parametrize(
    ("case", "is_linked", "told"),
    [
        ("good", True, None),
        ("lost", False, "received 0 times"),
        ("sent twice", False, "received 2 times"),
        ("no end", False, "ENCODED"),
        ("two ends", False, "UNKNOWN"),
        ("one end twice", False, "SENT"),
        ("sent though refused", False, "received 1 times"),
        ("refused for nothing", True, "REFUSED"),
        ("refused for nothing", False, None),
        ("unknown", False, None),
        ("unknown", True, "UNKNOWN"),
    ],
)
def test_a_command_whose_end_is_not_what_became_of_it_is_found(
    tmp_path: Path, case: str, told: str | None, *, is_linked: bool
) -> None:
    sort, fates, receptions = ENDS[case]
    mission = telemetry_mission()
    command = Issued("one", 0x1000, sort)
    where = satellite(tmp_path / "sent", [], [command.address] * receptions)
    with CommandLogWriter(tmp_path / "log", "firefly.uplink.fep") as log:
        for _ in range(fates.count(Fate.ENCODED)):
            log.append(LoggedCommand(data=b"data", encoded_ns=1, target="FIREFLY", name="X", id="one"), now_ns=0)
        log.sync()
    with MemoryBus() as bus:
        prepared(bus, mission)
        with bus.worker("firefly.fep", [], outputs=["firefly.command-status.fep"], exclusive=True) as worker:
            for fate in fates:
                status = CommandStatus(id="one", target="FIREFLY", name="X", fate=fate, stage="fep", time_ns=1)
                worker.commit(Step(publish=[Record("firefly.command-status.fep", "fep", pack(status))]))
        if told is None:
            counts = check_commands(bus, mission, [command], where, tmp_path / "log", is_linked=is_linked)
            assert counts.total() == 1
        else:
            with pytest.raises(AssertionError, match=told):
                check_commands(bus, mission, [command], where, tmp_path / "log", is_linked=is_linked)


def test_the_same_seed_strikes_the_same_way_and_every_kind_comes() -> None:
    assert kinds(5, 60) == kinds(5, 60) != kinds(6, 60)
    assert set(kinds(5, 20)) == set(Kind)
    for with_interface in (True, False):
        struck = drawn(5, kinds(5, 60), with_interface=with_interface)
        assert struck == drawn(5, kinds(5, 60), with_interface=with_interface)
        assert ("fep" in struck) is with_interface
        assert Counter(strike.kind for some in struck.values() for strike in some) == Counter(kinds(5, 60))
