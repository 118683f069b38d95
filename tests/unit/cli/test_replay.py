"""`c2kit replay` writes what was logged to streams of its own, once, also where it is killed and told again."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from c2kit.batches.arrow import PacketSchema
from c2kit.bus import StreamBus, StreamSpec, open_bus
from c2kit.dictionaries import Dictionary
from c2kit.storage import PacketLogWriter
from tests.unit.cli.conftest import Run, status, value_list
from tests.unit.cli.logs.test_commands import log_packets

if TYPE_CHECKING:
    from c2kit.batches import PacketBatch

C2KIT = [sys.executable, "-c", "from c2kit.cli import main; main()"]
PACKETS = [status(number) if number % 3 else value_list(number, number) for number in range(30)]


@pytest.fixture
def logs(tmp_path: Path, mission: Path) -> Path:
    """Return a directory with a log of a packet each second from noon on, in blocks of ten."""
    with PacketLogWriter(tmp_path / "log", "test.packets.SAT") as log:
        log_packets(log, mission, PACKETS)
    return tmp_path / "log"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:{tmp_path / 'bus.db'}"


@pytest.fixture
def bus(url: str) -> Iterator[StreamBus]:
    with open_bus(url) as opened:
        yield opened


def on(bus: StreamBus, replay: str = "night", mission: str = "test") -> list[bytes]:
    """The packets on the stream of frames, in their order."""
    stream = f"{mission}.replay.{replay}.frames.fep"
    if not bus.streams(stream):
        return []
    batches: list[PacketBatch] = []
    with bus.view([stream], from_oldest=True) as view:
        while records := view.receive(0.0):
            batches += [PacketSchema().from_message(record.value) for record in records]
    assert {batch.origin for batch in batches} <= {f"replay:{replay}"}
    return [packet for batch in batches for packet in batch]


def test_what_was_logged_is_on_the_bus_once_however_often_it_is_told(
    run: Run, logs: Path, url: str, bus: StreamBus
) -> None:
    first = run("replay", logs, "--id", "night", "--bus", url)
    assert (first.exit_code, first.stdout) == (0, "30 packets on test.replay.night.frames.fep\n")
    assert "c2kit run SCRIPT --replay night" in first.stderr
    assert on(bus) == PACKETS
    again = run("replay", logs, "--id", "night", "--bus", url)
    assert again.exit_code == 0
    assert again.stderr == "replay night of test is finished; another --id begins anew\n"
    assert on(bus) == PACKETS


def test_what_it_did_is_told_to_programs(run: Run, logs: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("C2KIT_BUS", url)
    monkeypatch.setenv("C2KIT_MISSION", "other")
    expected = {
        "id": "n-1",
        "mission": "other",
        "bus": url,
        "packets": 30,
        "packets_before": 0,
        "streams": ["other.replay.n-1.frames.fep"],
    }
    assert json.loads(run("replay", logs, "--id", "n-1", "--json").stdout) == expected
    assert json.loads(run("replay", logs, "--id", "n-1", "--json").stdout) == expected | {"packets_before": 30}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--from", "2026-03-01T12:00:10"], PACKETS[10:]),
        (["--to", "2026-03-01T12:00:10"], PACKETS[:10]),
        (["--from", "2026-03-01T12:00:10", "--to", "+5s"], PACKETS[10:15]),
        (["--from", "-900000h", "--packet", "LIST"], PACKETS[::3]),
        (["-p", "LIST", "-p", "STATUS"], PACKETS),
    ],
)
def test_packets_are_chosen_by_time_and_name(
    run: Run, logs: Path, url: str, bus: StreamBus, options: list[str], expected: list[bytes]
) -> None:
    for _ in range(2):
        assert run("replay", logs, "--id", "night", "--bus", url, *options).exit_code == 0
        assert on(bus) == expected
    other = run("replay", logs, "--id", "night", "--bus", url, *options, "--to", "2030-01-01")
    assert other.exit_code == 2
    assert "was begun with other packets" in other.stderr


def test_one_that_is_killed_goes_on_where_it_was(run: Run, logs: Path, url: str, bus: StreamBus) -> None:
    arguments = ["replay", str(logs), "--id", "night", "--bus", url]
    for at_least in (3, 6):
        process = subprocess.Popen([*C2KIT, *arguments, "--speed", "2"])
        deadline = time.monotonic() + 60
        while len(on(bus)) < at_least:
            assert time.monotonic() < deadline, "it writes nothing"
            assert process.poll() is None, "it ended before it could be killed"
            time.sleep(0.02)
        process.kill()
        process.wait()
    reached = len(on(bus))
    assert reached < 30
    result = run(*arguments)
    assert result.exit_code == 0
    assert "goes on after" in result.stderr
    assert on(bus) == PACKETS


def test_the_same_is_not_written_by_two(run: Run, logs: Path, url: str, bus: StreamBus) -> None:
    run("replay", logs, "--id", "night", "--bus", url, "--to", "2026-03-01T12:00:01")
    with bus.worker("test.replay.night.replay", [], exclusive=True):
        assert run("replay", logs, "--id", "night", "--bus", url).exit_code != 0


def test_nothing_live_is_touched(run: Run, logs: Path, url: str, bus: StreamBus) -> None:
    live = StreamSpec(name="test.frames.fep", writer="test.fep", lanes=("fep",), consumers=("test.decom",))
    bus.apply([live])
    run("replay", logs, "--id", "night", "--bus", url)
    (info,) = bus.streams("test.frames.")
    assert (info.spec, info.next_offsets) == (live, (0,))
    for wrong in ("", "a.b", "../x"):
        assert run("replay", logs, "--id", wrong, "--bus", url).exit_code == 2


def test_logs_that_replays_made_are_left_out(run: Run, logs: Path, url: str, bus: StreamBus, mission: Path) -> None:
    with PacketLogWriter(logs, "test.replay.day.packets.SAT") as log:
        log_packets(log, mission, PACKETS[:5])
    assert run("replay", logs, "--id", "night", "--bus", url).exit_code == 0
    assert on(bus) == PACKETS
    result = run("replay", logs / "test.replay.day.packets.SAT", "--id", "again", "--bus", url)
    assert result.exit_code == 2
    assert "none" in result.stderr


def test_of_several_missions_one_is_to_be_chosen(run: Run, logs: Path, url: str, bus: StreamBus, mission: Path) -> None:
    with PacketLogWriter(logs, "second.packets.SAT") as log:
        log_packets(log, Dictionary.load(mission), PACKETS[:5])
    result = run("replay", logs, "--id", "night", "--bus", url)
    assert result.exit_code == 2
    assert "found second, test; choose one with --mission" in result.stderr
    assert run("replay", logs, "--id", "night", "--bus", url, "--mission", "second").exit_code == 0
    assert on(bus, mission="second") == PACKETS[:5]


def test_what_is_damaged_is_left_out_and_told(run: Run, logs: Path, url: str, bus: StreamBus) -> None:
    (data,) = logs.rglob("*.pkts")
    broken = bytearray(data.read_bytes())
    broken[sum(map(len, PACKETS[:10]))] ^= 1
    data.write_bytes(broken)
    result = run("replay", logs, "--id", "night", "--bus", url)
    assert result.exit_code == 1
    assert "left out: " in result.stderr
    assert on(bus) == [*PACKETS[:10], *PACKETS[20:]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give --bus URL, or set C2KIT_BUS"),
        (["--bus", "memory:"], "replay to sqlite:PATH"),
        (["--bus", "sqlite:{url}", "--packet", "NONE"], "no packet 'NONE'"),
        (["--bus", "sqlite:{url}", "--speed", "0"], "the speed of a replay"),
        (["--bus", "sqlite:{url}", "--from", "tomorrow"], "neither a UTC time"),
    ],
)
def test_what_cannot_be_is_refused_with_a_way_out(
    run: Run, logs: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    result = run("replay", logs, "--id", "night", *(each.format(url=tmp_path / "bus.db") for each in arguments))
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_directory_without_logs_is_refused(run: Run, tmp_path: Path, url: str) -> None:
    (tmp_path / "empty").mkdir()
    assert "there is no log at or below" in run("replay", tmp_path / "empty", "--id", "x", "--bus", url).stderr
