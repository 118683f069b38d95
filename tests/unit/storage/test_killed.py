"""A writer that is killed at any moment leaves all that it acknowledged, and the next one goes on exactly there."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from c2kit.storage import PacketLogReader
from tests.log_process import PARTITIONS, record
from tests.logs import STREAM, read_all

if TYPE_CHECKING:
    from tests.logs import Logged

KILLS = int(os.environ.get("C2KIT_LOG_KILLS", "8"))
"""How often the writer is killed; each time costs about a second."""
RECORDS = 250 * KILLS
ROOT = Path(__file__).parents[3]


def start(root: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.log_process", str(root), str(RECORDS)]
    environment = dict(os.environ)
    environment.pop("COVERAGE_PROCESS_CONFIG", None)  # whoever is killed has no time to tell what it ran
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env=environment)


def kill_while_it_writes(process: subprocess.Popen[bytes], seconds: float) -> bytes | None:
    """The last line that the process printed; ``None`` where it was done before it could be killed."""
    assert process.stdout is not None
    with process:
        printed = process.stdout.readline()  # now it is writing
        time.sleep(seconds)
        was_writing = process.poll() is None
        process.kill()
        printed += process.stdout.read()
    whole = printed[: printed.rfind(b"\n") + 1]
    return whole.splitlines()[-1] if was_writing and whole else None


def expected_of(partition: int) -> list[Logged]:
    return list(itertools.chain.from_iterable(record(partition, offset) for offset in range(RECORDS)))


@pytest.mark.slow
def test_what_was_acknowledged_is_there_and_nothing_is_there_twice(tmp_path: Path) -> None:
    chosen = random.Random(11)
    expected = [expected_of(partition) for partition in PARTITIONS]
    ends = [
        list(itertools.accumulate(len(record(number, offset)) for offset in range(RECORDS))) for number in PARTITIONS
    ]
    kills = 0
    for _ in range(KILLS):
        last = kill_while_it_writes(start(tmp_path), chosen.uniform(0, 0.3))
        if last is None:
            break
        kills += 1
        for partition, acknowledged in zip(PARTITIONS, map(int, last.split()), strict=True):
            found = read_all(tmp_path / STREAM / str(partition))
            assert found == expected[partition][: len(found)]
            assert len(found) in (0, *ends[partition])
            assert len(found) >= (ends[partition][acknowledged - 1] if acknowledged else 0)
            findings = PacketLogReader(tmp_path / STREAM / str(partition)).verify()
            assert not any(finding.is_damage for finding in findings)
    assert kills >= min(KILLS, 3)
    subprocess.run([sys.executable, "-m", "tests.log_process", str(tmp_path), str(RECORDS)], cwd=ROOT, check=True)
    for partition in PARTITIONS:
        directory = tmp_path / STREAM / str(partition)
        assert read_all(directory) == expected[partition]
        assert list(PacketLogReader(directory).verify()) == []
        files = sorted(directory.glob("*.pkts"))
        assert len(files) > 3
        assert b"".join(file.read_bytes() for file in files) == b"".join(each.data for each in expected[partition])


def test_a_log_is_read_while_another_process_writes_it(tmp_path: Path) -> None:
    expected, directory, reached, growths = expected_of(0), tmp_path / STREAM / "0", 0, 0
    with start(tmp_path) as process:
        assert process.stdout is not None
        process.stdout.readline()
        while growths < 10 and process.poll() is None:
            found = read_all(directory)  # raises where anything of it is damaged
            assert len(found) >= reached
            assert found == expected[: len(found)]
            assert not any(finding.is_damage for finding in PacketLogReader(directory).verify())
            growths += len(found) > reached
            reached = len(found)
        process.kill()
    assert growths > 1, "it grew while it was read"
