"""What belongs to a bus on a cluster: several processes, any of which may die or hang, on any machine."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from c2kit.bus.base import Record, Step, StreamSpec
from c2kit.bus.kafka import KafkaBus
from tests.kafka_brokers import emptied, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dev.kafka import Cluster

STAGE = Path(__file__).with_name("stage_process.py")
STREAMS = [
    StreamSpec(name="m.in", writer="source", partitions=2, lanes=("a", "b"), consumers=("copy",)),
    StreamSpec(name="m.out", writer="copy", partitions=2, lanes=("a", "b")),
]
pytestmark = pytest.mark.slow


@pytest.fixture
def bus(one_broker: Cluster) -> Iterator[KafkaBus]:
    with KafkaBus(emptied(one_broker).addresses) as bus:
        bus.apply(STREAMS)
        yield bus


@contextmanager
def stage(bus: KafkaBus, *, ordinal: int = 0, what: str = "copy") -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(STAGE), bus.url, str(ordinal), what]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def said(process: subprocess.Popen[str], word: str) -> str:
    """The next line that begins with a word."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(word):
            return line
    raise AssertionError(f"it ended without saying {word!r}")


def feed(bus: KafkaBus, numbers: range) -> None:
    with bus.worker("source", (), outputs=("m.in",)) as source:
        for number in numbers:
            source.commit(Step(publish=[Record("m.in", lane, b"%d" % number) for lane in ("a", "b")]))


def output(bus: KafkaBus) -> dict[str, list[bytes]]:
    """All that was copied, by lane."""
    (info,) = bus.streams("m.out")
    found: dict[str, list[bytes]] = {"a": [], "b": []}
    with bus.view(["m.out"], from_oldest=True) as view:
        while any(view.reached["m.out", number] < end for number, end in enumerate(info.next_offsets)):
            for record in view.receive(0.1):
                found[record.lane].append(record.value)
    return found


def wait_for_output(bus: KafkaBus, count: int) -> None:
    wait_for(lambda: min(map(len, output(bus).values())), lambda found: found >= count)


def expected(count: int) -> dict[str, list[bytes]]:
    values = [b"%d:%d" % (number + 1, number) for number in range(count)]
    return {"a": values, "b": values}


def test_a_stage_that_is_killed_at_any_time_loses_and_repeats_nothing(bus: KafkaBus) -> None:
    seed, rounds = 20261124, 4
    chance = random.Random(seed)
    for round_number in range(rounds):
        feed(bus, range(10 * round_number, 10 * round_number + 10))
        with stage(bus) as process:
            for _ in range(chance.randrange(1, 15)):
                said(process, "step")
            time.sleep(chance.random() * 0.05)
            process.send_signal(signal.SIGKILL)
    with stage(bus):
        wait_for_output(bus, 10 * rounds)
    assert output(bus) == expected(10 * rounds)


def test_what_a_killed_replica_owned_is_taken_over_by_the_other(bus: KafkaBus) -> None:
    with stage(bus) as one, stage(bus, ordinal=1) as two:
        said(one, "owns 1")
        said(two, "owns 1")
        feed(bus, range(5))
        wait_for_output(bus, 5)
        two.send_signal(signal.SIGKILL)
        feed(bus, range(5, 10))
        wait_for_output(bus, 10)
    assert output(bus) == expected(10)


def test_a_newer_instance_of_a_singleton_fences_the_one_that_hangs(bus: KafkaBus) -> None:
    with stage(bus, what="own") as old:
        said(old, "step")
        old.send_signal(signal.SIGSTOP)
        with stage(bus, what="own") as new:
            said(new, "step")
            old.send_signal(signal.SIGCONT)
            assert "fenced" in said(old, "fenced")
            assert old.wait(60) == 4
            said(new, "step")


def test_a_replica_that_hangs_and_is_replaced_is_fenced_when_it_wakes(bus: KafkaBus) -> None:
    feed(bus, range(30))
    with stage(bus) as old:
        said(old, "step")
        old.send_signal(signal.SIGSTOP)
        with stage(bus):
            wait_for_output(bus, 30)
            old.send_signal(signal.SIGCONT)
            assert old.wait(60) == 4
    assert output(bus) == expected(30)
