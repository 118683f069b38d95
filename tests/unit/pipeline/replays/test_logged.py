"""What was logged comes back as frames, in the order received, whatever log it lies in."""

from pathlib import Path

import numpy as np
import pytest

from c2kit.batches import PacketBatch
from c2kit.dictionaries import Dictionary
from c2kit.errors import UnknownName, UsageError
from c2kit.model.packets import Item, Match, Packet
from c2kit.model.target import Target
from c2kit.pipeline.replays.logged import logged_frames
from c2kit.processors import Identifier
from c2kit.storage import (
    CommandLogWriter,
    Finding,
    LogDamaged,
    LoggedCommand,
    PacketLogWriter,
    RawLogWriter,
)
from tests.logs import space_packet

NOON = 1_700_000_000_000_000_000


def target(name: str, *apids: int) -> Target:
    item = Item(name="APID", bit_offset=5, bit_length=11)
    return Target(
        name=name,
        packets=tuple(Packet(name=f"P{apid}", items=(item,), identification=(Match("APID", apid),)) for apid in apids),
    )


DICTIONARY = Dictionary((target("ONE", 1, 2), target("TWO", 3)))
# ONE in even, TWO in odd milliseconds.
SENT = [(space_packet((1, 3, 2, 3)[n % 4], n, bytes([n])), NOON + n * 1_000_000) for n in range(20)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a directory with a log for each target, a log of commands and one of raw bytes."""
    identify = Identifier(DICTIONARY)
    logs = {name: PacketLogWriter(tmp_path / "log", f"m.packets.{name}") for name in DICTIONARY}
    for name, log in logs.items():
        log.define(DICTIONARY[name])
    for first in range(0, 20, 6):
        part = SENT[first : first + 6]
        for batch in identify.process(frames(part)):
            assert batch.target is not None
            logs[batch.target].append(batch, now_ns=0)
        for log in logs.values():
            log.sync()
    with CommandLogWriter(tmp_path / "log", "m.uplink.fep") as commands:
        commands.append(LoggedCommand(data=b"c", encoded_ns=NOON, target="ONE", name="GO", id="1"), now_ns=0)
        commands.sync()
    with RawLogWriter(tmp_path / "raw", "m.raw.fep") as raw:
        raw.append(frames(SENT), now_ns=0)
        raw.sync()
    for log in logs.values():
        log.close()
    return tmp_path


def frames(sent: list[tuple[bytes, int]]) -> PacketBatch:
    ends = np.cumsum([len(data) for data, _ in sent])
    return PacketBatch(
        buffer=b"".join(data for data, _ in sent),
        starts=np.concatenate(([0], ends[:-1])).astype(np.int64),
        ends=ends.astype(np.int64),
        received=np.array([received for _, received in sent], np.int64),
        interface="fep",
    )


def taken(batches: list[PacketBatch]) -> list[tuple[bytes, int]]:
    return [each for batch in batches for each in zip(batch, batch.received.tolist(), strict=True)]


def test_packets_of_all_logs_come_as_frames_in_the_order_received(root: Path) -> None:
    batches = list(logged_frames(root))
    assert taken(batches) == SENT
    for batch in batches:
        assert (batch.interface, batch.origin) == ("fep", "stored")
        assert (batch.target, batch.dictionary_hash, batch.definition) == (None, None, None)
        assert batch.generated.to_list() == [None] * len(batch)


def test_they_are_identified_again_as_they_were(root: Path) -> None:
    identify = Identifier(DICTIONARY)
    again = [packets for batch in logged_frames(root) for packets in identify.process(batch)]
    names = [
        DICTIONARY[packets.target or ""].packets[place].name
        for packets in again
        for place in ([] if packets.definition is None else packets.definition.tolist())
    ]
    assert names == [f"P{(1, 3, 2, 3)[n % 4]}" for n in range(20)]


def test_times_and_names_choose(root: Path) -> None:
    assert taken(list(logged_frames(root, start_ns=SENT[5][1], end_ns=SENT[9][1]))) == SENT[5:9]
    assert taken(list(logged_frames(root, packets=["P2", "P3"]))) == [each for n, each in enumerate(SENT) if n % 4]
    assert taken(list(logged_frames(root, packets=["P1"], start_ns=SENT[1][1]))) == SENT[4::4]


def test_a_name_that_no_log_knows_and_a_directory_without_packets_are_refused(root: Path) -> None:
    with pytest.raises(UnknownName, match="P1"):
        logged_frames(root, packets=["P9"])
    with pytest.raises(UsageError, match="no log of packets"):
        logged_frames(root / "raw")


def test_damage_stops_it_unless_somebody_wants_to_hear_of_it(root: Path) -> None:
    (data,) = (root / "log/m.packets.ONE/0").glob("*.pkts")
    damaged = bytearray(data.read_bytes())
    damaged[0] ^= 1
    data.write_bytes(damaged)
    with pytest.raises(LogDamaged):
        list(logged_frames(root))
    findings: list[Finding] = []
    found = taken(list(logged_frames(root, on_damage=findings.append)))
    assert [finding.path for finding in findings] == [data]
    assert found == [each for n, each in enumerate(SENT) if n % 2 or n >= 6]


def test_a_log_that_lost_all_of_its_indices_is_missed(root: Path) -> None:
    (index,) = (root / "log/m.packets.TWO/0").glob("*.idx")
    index.unlink()
    with pytest.raises(LogDamaged, match="missing file"):
        list(logged_frames(root))
