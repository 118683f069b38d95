"""Packets of several logs come in the order in which they were received, and none is lost or doubled."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from c2kit.batches import PacketBatch
from c2kit.errors import UsageError
from c2kit.storage import UNKNOWN_TIME, PacketLogReader, PacketLogWriter
from c2kit.storage.merge import merged
from tests.logs import Logged, batch_of, logged_of

NOON = 1_700_000_000_000_000_000


def packets(chosen: random.Random, interface: str, count: int) -> list[Logged]:
    """Packets that each are like no other, at times that never go back and are often the same."""
    times = sorted(chosen.choices(range(NOON, NOON + 40), k=count))
    return [Logged(chosen.randbytes(12), time, interface=interface) for time in times]


def write_log(root: Path, stream: str, lanes: list[list[Logged]], per_block: int) -> Path:
    """Write packets of several interfaces to one log, so that a block has some of each of the same time."""
    with PacketLogWriter(root, stream) as log:
        every = sorted((each for lane in lanes for each in lane), key=lambda each: each.received)
        for first in range(0, len(every), per_block):
            block = every[first : first + per_block]
            for interface in sorted({each.interface for each in block}):
                log.append(batch_of([each for each in block if each.interface == interface]), now_ns=0)
            log.sync()
        return log.directory


def read(directories: list[Path]) -> list[tuple[int, Logged]]:
    batches = merged([PacketLogReader(directory).read() for directory in directories])
    return [(number, each._replace(origin="realtime")) for number, batch in batches for each in logged_of(batch)]


@pytest.mark.parametrize("seed", range(20))
def test_all_packets_come_once_by_time_and_those_of_an_interface_in_their_order(tmp_path: Path, seed: int) -> None:
    chosen = random.Random(seed)
    lanes = [
        [packets(chosen, f"{log}-{lane}", chosen.randint(1, 60)) for lane in range(chosen.randint(1, 3))]
        for log in range(chosen.randint(1, 4))
    ]
    directories = [write_log(tmp_path, f"log{n}", each, chosen.randint(1, 30)) for n, each in enumerate(lanes)]
    found = read(directories)
    assert [each.received for _, each in found] == sorted(
        each.received for log in lanes for lane in log for each in lane
    )
    for number, log in enumerate(lanes):
        for lane in log:
            assert [each for at, each in found if at == number and each.interface == lane[0].interface] == lane


def test_of_equal_times_the_earlier_log_comes_first(tmp_path: Path) -> None:
    lanes = [[Logged(bytes([log, number]), NOON, interface="fep") for number in range(3)] for log in range(3)]
    directories = [write_log(tmp_path, f"log{n}", [lane], 2) for n, lane in enumerate(lanes)]
    assert [each.data for _, each in read(directories)] == [bytes([log, n]) for log in range(3) for n in range(3)]


def test_a_clock_that_went_back_and_times_that_nobody_knows_keep_their_place(tmp_path: Path) -> None:
    times = [NOON + 10, NOON + 20, NOON - 50, NOON + 21, NOON + 40]
    odd = [Logged(bytes([number]), time) for number, time in enumerate(times)]
    odd.insert(2, Logged(b"\xff", UNKNOWN_TIME))
    even = [Logged(b"x", NOON + time) for time in (0, 15, 20, 30, 50)]
    with PacketLogWriter(tmp_path, "odd") as log:
        for each in odd:
            log.append(batch_of([each]), now_ns=0)
            log.sync()
    found = read([log.directory, write_log(tmp_path, "even", [even], 3)])
    assert [each.data.hex() for _, each in found] == ["78", "00", "78", "01", "ff", "02", "78", "03", "78", "04", "78"]


def test_no_more_than_a_block_of_each_log_is_taken_ahead(tmp_path: Path) -> None:
    taken = [0, 0]

    def counted(number: int, batches: Iterator[PacketBatch]) -> Iterator[PacketBatch]:
        for batch in batches:
            taken[number] += 1
            yield batch

    lanes = [[Logged(bytes([number]), NOON + number) for number in range(50)] for _ in range(2)]
    directories = [write_log(tmp_path, f"log{n}", [lane], 1) for n, lane in enumerate(lanes)]
    given = 0
    logs = [counted(number, PacketLogReader(each).read()) for number, each in enumerate(directories)]
    for _ in merged(logs):
        given += 1
        assert (
            sum(taken) - given <= 4
        )  # one that waits to be compared, and one behind it that shows where its block ends
    assert given == 100


def test_nothing_is_made_of_nothing() -> None:
    assert list(merged([])) == []
    assert list(merged([iter(()), iter(())])) == []


def write_unruly(root: Path, stream: str, chosen: random.Random) -> Path:
    """Blocks of several interfaces, by a clock that jumps, of some packets of which nobody knows the time."""
    with PacketLogWriter(root, stream) as log:
        for _ in range(chosen.randint(1, 6)):
            for interface in ("a", "b", "c")[: chosen.randint(1, 3)]:
                times = [chosen.choice([NOON + chosen.randint(-9, 9), UNKNOWN_TIME]) for _ in range(4)]
                log.append(
                    batch_of([Logged(chosen.randbytes(9), time, interface=interface) for time in times]), now_ns=0
                )
            log.sync()
        return log.directory


@pytest.mark.parametrize("seed", range(20))
def test_whoever_had_some_already_is_given_exactly_the_rest(tmp_path: Path, seed: int) -> None:
    chosen = random.Random(seed)
    directories = [write_unruly(tmp_path, f"log{number}", chosen) for number in range(3)]
    every = read(directories)
    for had in sorted(chosen.sample(range(len(every) + 1), 8)):
        skip = [sum(at == number for at, _ in every[:had]) for number in range(3)]
        rest = merged([PacketLogReader(each).read() for each in directories], skip=skip)
        assert [(at, each._replace(origin="realtime")) for at, batch in rest for each in logged_of(batch)] == every[
            had:
        ]


def test_whoever_had_more_than_there_is_is_told(tmp_path: Path) -> None:
    directory = write_log(tmp_path, "log", [[Logged(b"x", NOON), Logged(b"y", NOON)]], 1)
    assert list(merged([PacketLogReader(directory).read()], skip=[2])) == []
    with pytest.raises(UsageError, match="found 1 fewer"):
        list(merged([PacketLogReader(directory).read()], skip=[3]))
