"""`c2kit tail`: what went over a bus is shown whole, once and in order, and looking changes nothing."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow.ipc
import pytest
from attrs import evolve

from c2kit import CcsdsPackets
from c2kit.batches.kinds import Kind
from c2kit.bus import Record, Step, StreamBus, open_bus
from c2kit.bus.records import Command, CommandStatus, Event, Fate, Severity, UplinkCommand
from c2kit.model.limits import LimitState
from c2kit.pipeline.composition.names import stage_identity, stream_name
from c2kit.pipeline.observing.times import utc_text
from c2kit.processors import RecordingDecoder
from tests.looking import bus_at, decommutate, firefly, told
from tests.missions import SECOND, example_dictionary, flown, frames_of, publish
from tests.unit.cli.conftest import Run

C2KIT = [sys.executable, "-c", "from c2kit.cli import main; main()"]
PACKETS = len(flown())


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A bus on which a minute of telemetry is, and nobody writes any more."""
    url = bus_at(tmp_path_factory.mktemp("bus") / "bus.db")
    with open_bus(url) as opened:
        decommutate(opened, firefly())
    return url


@pytest.fixture(scope="module")
def framed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A bus on which frames wait that nobody has taken, so that none is deleted."""
    url = bus_at(tmp_path_factory.mktemp("framed") / "bus.db")
    with open_bus(url) as opened:
        publish(opened, firefly(), "fep", Kind.FRAMES, [frames_of(flown()[:50]), frames_of(flown()[50:])])
    return url


@pytest.fixture
def tail(run: Run, bus: str) -> Callable[..., Any]:
    return lambda *arguments: run("tail", *arguments, "--bus", bus, "--from-oldest", "--seconds", 0)


def decoded(name: str) -> list[dict[str, Any]]:
    """What the packets of that name hold, by the decoder of recordings."""
    decoder = RecordingDecoder(example_dictionary(), CcsdsPackets(), targets=["FIREFLY"])
    batches = [*decoder.receive(b"".join(flown())), *decoder.end()]
    found = [batch for batch in batches if batch.packet.name == name]
    return [batch.row(row) | {"time": int(batch.time[row])} for batch in found for row in range(len(batch))]


class TestTelemetryAsText:
    def test_a_line_a_packet_with_its_time_its_name_and_the_chosen_items(self, tail: Callable[..., Any]) -> None:
        result = tail("telemetry.FIREFLY", "--packet", "HEALTH", "--items", "MODE,BATTERY_VOLTAGE")
        lines = [re.split("  +", line) for line in result.stdout.splitlines()]
        expected = decoded("HEALTH")
        assert [line[0] for line in lines] == [utc_text(row["time"], digits=3) for row in expected]
        assert {line[1] for line in lines} == {"FIREFLY HEALTH"}
        assert [line[2] for line in lines] == [f"MODE={row['MODE']}" for row in expected]
        volts = [line[3].removesuffix(" yellow low") for line in lines]
        assert volts == [f"BATTERY_VOLTAGE={row['BATTERY_VOLTAGE']:.3f} V" for row in expected]
        assert result.exit_code == 0

    def test_values_beyond_a_limit_are_marked_also_without_colours(self, tail: Callable[..., Any]) -> None:
        result = tail("telemetry.FIREFLY", "--packet", "HEALTH", "--items", "BATTERY_VOLTAGE")
        lines = result.stdout.splitlines()
        is_low = [row["BATTERY_VOLTAGE"] < 6.8 for row in decoded("HEALTH")]  # its yellow low limit
        assert [line.endswith(" V yellow low") for line in lines] == is_low
        assert {True, False} == set(is_low)
        assert "\x1b" not in result.stdout

    def test_all_packets_are_shown_with_all_that_their_names_do_not_tell(self, tail: Callable[..., Any]) -> None:
        lines = tail("telemetry.FIREFLY").stdout.splitlines()
        assert len(lines) == PACKETS
        health = next(line for line in lines if " HEALTH " in line)
        assert " MODE=" in health
        assert not re.search(" (APID|KIND|SECONDS|LENGTH|VERSION)=", health)

    def test_what_is_not_live_is_marked(self, run: Run, tmp_path: Path) -> None:
        mission = firefly()
        url = bus_at(tmp_path / "bus.db", mission)
        with open_bus(url) as bus:
            publish(bus, mission, "fep", Kind.FRAMES, [evolve(frames_of(flown()[:1]), origin="stored")])
        shown = run("tail", "frames.fep", "--bus", url, "--from-oldest", "--seconds", 0).stdout
        assert " frames.fep (stored) " in shown


class TestTelemetryForPrograms:
    def test_jsonl_has_an_object_for_each_packet_with_all_of_its_items(self, tail: Callable[..., Any]) -> None:
        objects = [json.loads(line) for line in tail("telemetry.FIREFLY", "-f", "jsonl").stdout.splitlines()]
        assert len(objects) == PACKETS
        health = [each for each in objects if each["packet"] == "HEALTH"]
        for shown, row in zip(health, decoded("HEALTH"), strict=True):
            assert shown["time"] == utc_text(row.pop("time"))
            assert {name: shown[name] for name in row} == row
            assert shown["target"] == "FIREFLY"

    def test_arrow_is_one_stream_that_another_library_reads(self, run: Run, bus: str) -> None:
        command = ("tail", "telemetry.FIREFLY", "--packet", "HEALTH", "-f", "arrow")
        result = run(*command, "--bus", bus, "--from-oldest", "--seconds", 0)
        table = pyarrow.ipc.open_stream(result.stdout_bytes).read_all()
        expected = decoded("HEALTH")
        assert table["BATTERY_VOLTAGE"].to_pylist() == [row["BATTERY_VOLTAGE"] for row in expected]
        assert table["generated"].cast("int64").to_pylist() == [row["time"] for row in expected]
        states = [LimitState.YELLOW_LOW if row["BATTERY_VOLTAGE"] < 6.8 else LimitState.GREEN for row in expected]
        assert table["BATTERY_VOLTAGE.limits"].to_pylist() == states

    @pytest.mark.parametrize("limit", [1, 21, 59])
    def test_a_limit_cuts_a_record_where_it_must(self, run: Run, bus: str, limit: int) -> None:
        command = ("tail", "telemetry.FIREFLY", "-p", "HEALTH", "-i", "MODE", "--bus", bus, "--from-oldest")
        table = pyarrow.ipc.open_stream(run(*command, "-f", "arrow", "-n", limit).stdout_bytes).read_all()
        assert table.schema.names == ["received", "generated", "MODE"]
        assert table.num_rows == limit
        assert len(run(*command, "-n", limit).stdout.splitlines()) == limit

    def test_csv_has_a_line_a_packet_below_its_headings(self, tail: Callable[..., Any]) -> None:
        result = tail("telemetry.FIREFLY", "-p", "POWER", "-i", "BUS_VOLTAGE", "-f", "csv")
        header, *rows = csv.reader(io.StringIO(result.stdout))
        assert header == ["time", "received", "BUS_VOLTAGE"]
        assert [float(row[2]) for row in rows] == [row["BUS_VOLTAGE"] for row in decoded("POWER")]

    @pytest.mark.parametrize("stream", ["telemetry.FIREFLY", "packets.FIREFLY", "frames.fep"])
    def test_a_table_without_packets_is_a_valid_one(self, run: Run, tmp_path: Path, stream: str) -> None:
        command = ("tail", stream, "--bus", bus_at(tmp_path / "bus.db"), "--seconds", 0, "-f", "arrow")
        choice = ("-p", "HEALTH") if stream != "frames.fep" else ()
        table = pyarrow.ipc.open_stream(run(*command, *choice).stdout_bytes).read_all()
        assert table.num_rows == 0
        assert "received" in table.schema.names

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["telemetry.FIREFLY", "-f", "arrow"], "Choose one with --packet"),
            (["telemetry.FIREFLY", "-f", "csv"], "Choose one with --packet"),
            (["events.*", "-f", "arrow"], "events are not: take --format jsonl"),
            (["packets.FIREFLY", "-f", "csv"], "packets are not: take --format jsonl"),
            (["frames.fep", "unknown.fep", "-f", "arrow"], "give one stream"),
            (["telemetry.FIREFLY", "-f", "jsonl", "--hex"], "--hex is for people"),
        ],
    )
    def test_what_is_not_one_table_is_refused(self, tail: Callable[..., Any], arguments: list[str], told: str) -> None:
        result = tail(*arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert told in " ".join(result.stderr.split())


class TestPackets:
    @pytest.mark.parametrize("stream", ["frames.fep", "packets.FIREFLY"])
    def test_bytes_are_dumped_as_they_came(self, run: Run, bus: str, framed: str, stream: str) -> None:
        url = framed if stream == "frames.fep" else bus
        result = run("tail", stream, "--hex", "--bus", url, "--from-oldest", "--seconds", 0)
        dumped = [bytes.fromhex(line[12:59]) for line in result.stdout.splitlines() if line.startswith("    ")]
        assert b"".join(dumped) == b"".join(flown())
        heads = [line for line in result.stdout.splitlines() if not line.startswith(" ")]
        assert [re.search(r"(\d+) bytes", line)[1] for line in heads] == [str(len(each)) for each in flown()]  # type: ignore[index]
        assert all(f"  {stream}  " in line and "  fep  " in line for line in heads)

    def test_jsonl_has_the_bytes_and_the_names(self, tail: Callable[..., Any]) -> None:
        result = tail("packets.FIREFLY", "-f", "jsonl", "--packet", "HEALTH")
        objects = [json.loads(line) for line in result.stdout.splitlines()]
        health = [each for each in flown() if each[:2] == b"\x08\x64" and each[12] == 1]  # APID 100, kind 1
        assert [bytes.fromhex(each["hex"]) for each in objects] == health
        assert {each["packet"] for each in objects} == {"HEALTH"}
        assert {each["stream"] for each in objects} == {"packets.FIREFLY"}

    def test_arrow_has_the_packets(self, run: Run, bus: str) -> None:
        result = run("tail", "packets.FIREFLY", "-f", "arrow", "--bus", bus, "--from-oldest", "--seconds", 0)
        table = pyarrow.ipc.open_stream(result.stdout_bytes).read_all()
        assert table["packet"].to_pylist() == list(flown())


class TestRecords:
    @pytest.fixture
    def records(self, tmp_path: Path) -> str:
        mission = firefly()
        url = bus_at(tmp_path / "bus.db", mission)
        event = Event(kind="link", severity=Severity.ERROR, stage="decom", message="gone\x1b[2J", time_ns=SECOND)
        command = Command(
            id="c-1",
            target="FIREFLY",
            name="SET_MODE",
            arguments={"MODE": "SAFE"},
            issued_ns=SECOND,
            expires_ns=2 * SECOND,
        )
        status = CommandStatus(
            id="c-1",
            target="FIREFLY",
            name="SET_MODE",
            fate=Fate.REFUSED,
            reason="link down",
            stage="fep",
            time_ns=SECOND,
        )
        with open_bus(url) as bus:
            told(bus, mission, "decom", Kind.EVENTS, "decom", [event])
            told(bus, mission, "command-source", Kind.COMMANDS, "FIREFLY", [command])
            told(bus, mission, "fep", Kind.COMMAND_STATUS, "fep", [status])
        return url

    def test_people_read_what_happened_and_no_terminal_obeys_it(self, run: Run, records: str) -> None:
        shown = run("tail", "*", "--bus", records, "--from-oldest", "--seconds", 0).stdout.splitlines()
        until = "1970-01-01T00:00:02.000Z"
        assert shown == [
            r"1970-01-01T00:00:01.000Z  events.decom  error     link: gone\x1b[2J",
            f"1970-01-01T00:00:01.000Z  commands.FIREFLY  FIREFLY SET_MODE MODE=SAFE  c-1  until {until}",
            "1970-01-01T00:00:01.000Z  command-status.fep  REFUSED   FIREFLY SET_MODE  c-1: link down",
        ]

    def test_programs_get_them_as_they_are(self, run: Run, records: str) -> None:
        shown = run("tail", "*", "--bus", records, "-f", "jsonl", "--from-oldest", "--seconds", 0).stdout
        event, command, status = map(json.loads, shown.splitlines())
        assert event["message"] == "gone\x1b[2J"
        assert command["arguments"] == {"MODE": "SAFE"}
        assert (status["fate"], status["time_ns"]) == ("REFUSED", SECOND)

    def test_what_cannot_be_read_is_counted_and_passed_over(self, run: Run, records: str) -> None:
        mission = firefly()
        stream = stream_name(mission.name, Kind.EVENTS, "decom")
        with (
            open_bus(records) as bus,
            bus.worker(stage_identity(mission.name, "decom"), [], outputs=[stream]) as worker,
        ):
            worker.commit(Step(publish=[Record(stream, "decom", b"\xff")]))
        result = run("tail", "events.*", "--bus", records, "--from-oldest", "--seconds", 0)
        assert result.stderr.splitlines()[-1] == "1 shown of 2 records, 1 not readable, 0 missed"
        assert result.stderr.startswith("not readable: firefly.events.decom[0]@1: ")


class TestStreams:
    @pytest.mark.parametrize("name", ["telemetry.FIREFY", "firefly.telemetry.FIREFLI", "telemetri.*"])
    def test_a_stream_that_is_not_there_is_told_with_those_that_are(self, tail: Callable[..., Any], name: str) -> None:
        result = tail(name)
        assert (result.exit_code, result.stdout) == (2, "")
        assert f"no stream '{name}' in mission firefly" in result.stderr
        assert "telemetry.FIREFLY" in result.stderr

    @pytest.mark.parametrize("pattern", ["packets.FIREFLY", "packets.*", "firefly.packets.FIREFLY", "p*.F??????"])
    def test_names_and_patterns_mean_the_same_stream(self, tail: Callable[..., Any], pattern: str) -> None:
        assert len(tail(pattern).stdout.splitlines()) == PACKETS

    def test_packets_and_items_that_nobody_defined_are_told_with_near_ones(self, tail: Callable[..., Any]) -> None:
        assert "did you mean HEALTH" in tail("telemetry.FIREFLY", "-p", "HEALT").stderr
        assert "did you mean MODE" in tail("telemetry.FIREFLY", "-p", "HEALTH", "-i", "MODUS").stderr
        assert "expected telemetry.TARGET" in tail("events.decom", "-p", "HEALTH").stderr

    def test_with_a_packet_chosen_all_else_is_passed_over(self, tail: Callable[..., Any]) -> None:
        lines = tail("*", "-p", "HEALTH").stdout.splitlines()
        assert len(lines) == 2 * len(decoded("HEALTH"))  # as packets, and as telemetry

    def test_definitions_are_shown_where_they_are_asked_for_by_name(self, tail: Callable[..., Any]) -> None:
        hashes = {target.hash for target in example_dictionary().targets}
        shown = [json.loads(line) for line in tail("dictionaries", "-f", "jsonl").stdout.splitlines()]
        assert len(shown) == len(hashes)


def lines_of(stream: IO[str] | None, count: int) -> list[str]:
    assert stream is not None
    return [stream.readline() for _ in range(count)]


class TestLive:
    """While somebody writes, in another process than the one that looks."""

    @pytest.fixture
    def flying(self, tmp_path: Path) -> Iterator[tuple[str, StreamBus]]:
        url = bus_at(tmp_path / "bus.db")
        with open_bus(url) as bus:
            yield url, bus

    @contextmanager
    def start(self, url: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Look, in a process that never outlives its test."""
        command = [*C2KIT, "tail", *arguments]
        environment = {**os.environ, "C2KIT_BUS": url}
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment) as process:
            bound = threading.Timer(300, process.kill)
            bound.start()
            try:
                yield process
            finally:
                bound.cancel()
                process.kill()

    def test_each_packet_comes_once_and_in_order_and_ctrl_c_is_no_failure(self, flying: tuple[str, StreamBus]) -> None:
        url, bus = flying
        writing = threading.Thread(target=decommutate, args=(bus, firefly(), flown(), 7))
        with self.start(url, "telemetry.*", "--from-oldest", "-f", "jsonl") as process:
            writing.start()
            shown = [json.loads(line) for line in lines_of(process.stdout, PACKETS)]
            writing.join()
            process.send_signal(signal.SIGINT)
            rest, said = process.communicate(timeout=60)
        assert (process.returncode, rest) == (0, "")
        health = [each["SEQUENCE_COUNT"] for each in shown if each["packet"] == "HEALTH"]
        assert health == [row["SEQUENCE_COUNT"] for row in decoded("HEALTH")]
        assert re.fullmatch(rf"{PACKETS} shown of \d+ records, 0 missed\n", said)

    def test_a_reader_that_has_seen_enough_ends_it_quietly(self, flying: tuple[str, StreamBus]) -> None:
        url, bus = flying
        decommutate(bus, firefly())
        with self.start(url, "frames.fep", "telemetry.FIREFLY", "--from-oldest") as process:
            assert "Z  FIREFLY " in lines_of(process.stdout, 1)[0]
            assert process.stdout is not None
            process.stdout.close()
            ended = threading.Event()

            def write() -> None:
                while not ended.wait(0.02):
                    publish(bus, firefly(), "fep", Kind.FRAMES, [frames_of(flown()[:9])])

            writing = threading.Thread(target=write)
            writing.start()
            try:
                assert process.wait(60) == 0
            finally:
                ended.set()
                writing.join()
            assert process.stderr is not None
            assert process.stderr.read() == ""

    def test_streams_that_appear_later_are_shown_from_their_beginning(self, flying: tuple[str, StreamBus]) -> None:
        url, bus = flying
        mission = firefly()
        with self.start(url, "*frames.fep", "--from-oldest", "-n", "2") as process:
            publish(bus, mission, "fep", Kind.FRAMES, [frames_of(flown()[:1])])
            assert "  frames.fep  " in lines_of(process.stdout, 1)[0]
            name = "firefly.replay.night.frames.fep"
            info = next(each for each in bus.streams() if each.spec.name == "firefly.frames.fep")
            bus.apply([type(info.spec)(name=name, writer="firefly.replay")])
            frames = next(iter(bus_records(bus, "firefly.frames.fep")))
            with bus.worker("firefly.replay", [], outputs=[name]) as worker:
                worker.commit(Step(publish=[Record(name, "fep", frames)]))
            assert "  replay.night.frames.fep  " in lines_of(process.stdout, 1)[0]
            assert process.wait(60) == 0


def bus_records(bus: StreamBus, stream: str) -> Iterator[bytes]:
    with bus.view([stream], from_oldest=True) as view:
        while records := view.receive(0.0):
            yield from (record.value for record in records)


class TestHoldingNothingBack:
    def test_what_was_deleted_before_is_counted(self, run: Run, tmp_path: Path) -> None:
        url = f"sqlite:{tmp_path / 'bus.db'}"
        bus_at(tmp_path / "bus.db")
        with open_bus(url, max_stream_bytes=100_000) as bus:
            deadline = time.monotonic() + 60
            deleted = 0
            while not deleted and time.monotonic() < deadline:
                decommutate(bus, firefly())
                (stream,) = bus.streams("firefly.telemetry.FIREFLY")
                deleted = stream.first_offsets[0]
        result = run("tail", "telemetry.FIREFLY", "--bus", url, "--from-oldest", "--seconds", 0)
        assert f"missed: {deleted:,} records deleted before they could be looked at\n" in result.stderr
        assert deleted > 0
        assert result.stderr.endswith(f" {deleted:,} missed\n")

    def test_it_is_no_consumer(self, tail: Callable[..., Any], bus: str) -> None:
        with open_bus(bus) as opened:
            before = [(each.spec, each.lag) for each in opened.streams()]
            tail("*")
            assert [(each.spec, each.lag) for each in opened.streams()] == before


class TestUplink:
    def test_bytes_that_go_up_are_dumped_below_their_command(self, run: Run, tmp_path: Path) -> None:
        mission = firefly()
        url = bus_at(tmp_path / "bus.db", mission)
        command = UplinkCommand(
            id="c-1", target="FIREFLY", name="NOOP", interface="fep", data=b"\x18\x64", dictionary_hash="",
            encoded_ns=0, expires_ns=1,
        )  # fmt: skip
        with open_bus(url) as bus:
            told(bus, mission, "encode", Kind.UPLINK, "fep", [command])
        shown = run("tail", "uplink.fep", "--hex", "--bus", url, "--from-oldest", "--seconds", 0).stdout
        head, dump = shown.splitlines()
        assert head == "1970-01-01T00:00:00.000Z  uplink.fep  FIREFLY NOOP  fep  2 bytes  c-1"
        assert dump.split() == ["000000", "18", "64", ".d"]
