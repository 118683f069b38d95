"""What is left at the end, compared with what was sent: one by one, by files and definitions, not by counts."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from attrs import define, field

from c2kit.batches import TelemetryBatch
from c2kit.bus.records import CommandStatus, Fate, unpack
from c2kit.pipeline.definitions import Definitions
from c2kit.pipeline.wire import Wire
from c2kit.processors import RecordingDecoder
from c2kit.protocols import CcsdsPackets
from c2kit.storage import CommandLogReader, Direction, RawLogReader
from tests.kill.commander import Sort
from tests.kill.record import received_addresses, sent_bytes
from tests.kill.space_packets import whole_packets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from c2kit.bus import Received, StreamBus
    from c2kit.pipeline.composition.mission import Mission
    from tests.kill.commander import Issued

__all__ = ["Taken", "check_commands", "check_packets", "check_telemetry", "taken_of"]

_SAMPLE = 5


@define
class Taken:
    """What the interface took of what was sent, connection by connection."""

    sent: list[bytes]
    """Into each connection."""
    kept: list[bytes]
    """The beginnings of them that were committed."""
    packets: list[bytes] = field(factory=list)
    """The whole packets in what was kept, in their order."""
    lost_packets: list[int] = field(factory=list)
    """By connection: packets that were sent whole, and are not among them."""


def taken_of(satellite: Path, raw: Path) -> Taken:
    """Divide the raw log among the connections. Raises AssertionError where it is not made of their beginnings.

    A chunk came over one connection, and the next connection begins with a whole packet: so there is one way only.
    """
    sent = sent_bytes(satellite)
    kept = [bytearray() for _ in sent]
    at = 0
    for _, batch in RawLogReader(raw).read(direction=Direction.DOWN):
        for start, end in zip(batch.starts.tolist(), batch.ends.tolist(), strict=True):
            chunk = bytes(batch.buffer[start:end])
            while not sent[at].startswith(chunk, len(kept[at])):
                at += 1
                assert at < len(sent), f"{len(chunk)} bytes in the raw log that came over no connection in this place"
            kept[at] += chunk
    taken = Taken(sent, [bytes(each) for each in kept])
    for whole, beginning in zip(taken.sent, taken.kept, strict=True):
        packets = whole_packets(beginning)
        taken.packets += packets
        taken.lost_packets.append(len(whole_packets(whole)) - len(packets))
    return taken


def check_packets(log: Path, expected: Sequence[bytes]) -> None:
    """The files of the packet log are these packets, back to back, and nothing else."""
    assert len(set(expected)) == len(expected), "two packets are alike: nobody could tell whether one came twice"
    found = whole_packets(b"".join(path.read_bytes() for path in sorted(log.rglob("*.pkts"))))
    _assert_same("packets in the log", found, list(expected))


def check_telemetry(bus: StreamBus, mission: Mission, packets: Sequence[bytes]) -> int:
    """The samples on the telemetry stream are those of these packets. Returns how many values were compared."""
    found = _samples(_published(bus, mission))
    decoder = RecordingDecoder(mission.dictionary, CcsdsPackets())
    expected = _samples(decoder.decode([b"".join(packets)]))
    assert found.keys() == expected.keys()
    for key in expected:
        _assert_same(f"samples of {key}", found[key], expected[key])
    return sum(map(len, expected.values()))


def _published(bus: StreamBus, mission: Mission) -> Iterator[TelemetryBatch]:
    wire = Wire(Definitions(bus, mission.name, mission.dictionary))
    for record in _all_of(bus, [f"{mission.name}.telemetry.FIREFLY"]):
        batch = wire.read(record.value)
        assert isinstance(batch, TelemetryBatch)
        yield batch


def _all_of(bus: StreamBus, streams: Sequence[str]) -> Iterator[Received]:
    """What these streams have, up to where they end now."""
    ends = {
        (info.spec.name, number): end
        for info in bus.streams()
        if info.spec.name in streams
        for number, end in enumerate(info.next_offsets)
    }
    with bus.view(streams, from_oldest=True) as view:
        while any(view.reached[key] < end for key, end in ends.items()):
            yield from view.receive(0.1)
        assert view.missed == 0


def _samples(batches: Iterable[TelemetryBatch]) -> Mapping[str, list[str]]:
    """All values as text, in which a NaN is like another, by what they are of."""
    samples: defaultdict[str, list[str]] = defaultdict(list)
    for batch in batches:
        columns = {"generated": batch.generated}
        columns |= {f"raw {name}": column for name, column in batch.raw.items()}
        columns |= {f"engineering {name}": column for name, column in batch.engineering.items()}
        for name, column in columns.items():
            samples[f"{batch.packet.name} {name}"] += map(repr, column.to_list())
    return samples


def check_commands(
    bus: StreamBus, mission: Mission, issued: Sequence[Issued], satellite: Path, log: Path, *, is_linked: bool
) -> Counter[str]:
    """Each command has one end, and reached the satellite as often as that says. Counts them by sort and fate.

    ``is_linked``: the link was there all the time, so that whatever can be sent must have been.
    """
    steps = _steps(bus, mission)
    received = Counter(received_addresses(satellite))
    logged = Counter(command.id for command in CommandLogReader(log).read())
    assert not received.keys() - {command.address for command in issued}
    counts: Counter[str] = Counter()
    for command in issued:
        told = steps.pop(command.id)
        fates = Counter(status.fate for status in told)
        assert all(count == 1 for count in fates.values()), (command, told)
        ends = [fate for fate in fates if fate.is_end]
        assert len(ends) == 1, (command, told)
        assert logged[command.id] == fates[Fate.ENCODED], (command, told)
        _check_end(command, ends[0], fates, received[command.address], is_linked=is_linked)
        counts[f"{command.sort}: {ends[0]}"] += 1
    assert not steps, f"nobody issued {list(steps)[:_SAMPLE]}"
    return counts


def _steps(bus: StreamBus, mission: Mission) -> dict[str, list[CommandStatus]]:
    streams = [each.name for each in mission.describe().streams if each.kind == "command-status"]
    steps: defaultdict[str, list[CommandStatus]] = defaultdict(list)
    for record in _all_of(bus, streams):
        status = unpack(CommandStatus, record.value)
        steps[status.id].append(status)
    return dict(steps)


def _check_end(command: Issued, end: Fate, fates: Counter[Fate], receptions: int, *, is_linked: bool) -> None:
    told = f"{command}: {end}, received {receptions} times, {dict(fates)}"
    least, most = {Fate.SENT: (1, 1), Fate.UNKNOWN: (0, 1)}.get(end, (0, 0))
    assert least <= receptions <= most, told
    assert fates[Fate.ISSUED] == 1, told
    if end in (Fate.SENT, Fate.UNKNOWN):
        assert fates[Fate.SENDING] == 1, told
    match command.sort:
        case Sort.WRONG | Sort.HAZARDOUS:
            assert end is Fate.REFUSED, told
        case Sort.GOOD | Sort.REPEATED if is_linked:
            assert end is Fate.SENT, told
        case Sort.HASTY if is_linked:
            assert end in (Fate.SENT, Fate.EXPIRED), told


def _assert_same(what: str, found: Sequence[Any], expected: Sequence[Any]) -> None:
    """With the first difference, and whether something is missing or there twice: lists of thousands tell nobody."""
    if found == expected:
        return
    place = next(
        (at for at, (one, other) in enumerate(zip(found, expected, strict=False)) if one != other),
        min(len(found), len(expected)),
    )
    missing, more = Counter(expected) - Counter(found), Counter(found) - Counter(expected)
    raise AssertionError(
        f"{what}: {len(found)} where {len(expected)} were expected, from number {place} on other ones: "
        f"{found[place : place + 1]} where {expected[place : place + 1]} was expected; "
        f"{missing.total()} are missing, {more.total()} too many"
    )
