"""`c2kit log`: what is in logs is listed, shown, proved, exported and repaired; nothing damaged passes for whole."""

import csv
import io
import json
import os
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow.ipc
import pytest

from c2kit.batches import PacketBatch
from c2kit.dictionaries import Dictionary
from c2kit.processors import Identifier
from c2kit.storage import (
    CommandLogWriter,
    Direction,
    LoggedCommand,
    LogSettings,
    PacketLogReader,
    PacketLogWriter,
    RawLogWriter,
)
from tests.definitions import write
from tests.unit.cli.conftest import MISSION, Run, space_packet, status, value_list

NOON = int(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()) * 10**9
SECOND = 10**9
STREAM = "test.packets.SAT"

PACKETS = [
    status(number, seconds=number, mode=number % 2, volts=2 * number)
    if number % 3
    else value_list(number, number, rest=b"rest")
    for number in range(30)
]
"""One a second, from noon on, in three blocks of ten."""
STATUSES = [number for number in range(30) if number % 3]


def frames(packets: Sequence[bytes], first_ns: int, step_ns: int = SECOND) -> PacketBatch:
    ends = np.cumsum([len(packet) for packet in packets])
    return PacketBatch(
        buffer=b"".join(packets),
        starts=np.concatenate(([0], ends[:-1])).astype(np.int64),
        ends=ends.astype(np.int64),
        received=first_ns + step_ns * np.arange(len(packets), dtype=np.int64),
        interface="fep",
    )


def log_packets(
    log: PacketLogWriter, definitions: Path | Dictionary, packets: Sequence[bytes], first_ns: int = NOON
) -> None:
    """Log packets as a pipeline does: identified, a block for each ten of them."""
    dictionary = definitions if isinstance(definitions, Dictionary) else Dictionary.load(definitions)
    log.define(dictionary["SAT"])
    for first in range(0, len(packets), 10):
        for batch in Identifier(dictionary).process(frames(packets[first : first + 10], first_ns + first * SECOND)):
            log.append(batch, now_ns=first_ns)
        log.sync()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def packet_log(root: Path, mission: Path) -> Path:
    """Return the directory of a log with a segment for each block."""
    with PacketLogWriter(root, STREAM, settings=LogSettings(segment_bytes=1)) as log:
        log_packets(log, mission, PACKETS)
    return root / STREAM / "0"


@pytest.fixture
def command_log(root: Path) -> Path:
    with CommandLogWriter(root, "test.uplink.fep") as log:
        command = LoggedCommand(
            data=b"\x07\x01\xff", encoded_ns=NOON + 4 * SECOND + 1, target="SAT", name="SWITCH", id="c-1"
        )
        log.append(command, now_ns=NOON)
        log.sync()
    return root / "test.uplink.fep/0"


@pytest.fixture
def raw_log(root: Path) -> Path:
    with RawLogWriter(root, "test.raw.fep") as log:
        log.append(frames([bytes(range(60, 80)), b"AB"], NOON), now_ns=NOON)
        log.append(frames([b"up!"], NOON + 5 * SECOND), direction=Direction.UP, now_ns=NOON)
        log.sync()
    return root / "test.raw.fep/0"


def damage(file: Path, place: int = 20) -> None:
    data = bytearray(file.read_bytes())
    data[place] ^= 0xFF
    file.write_bytes(data)


def segments(directory: Path, suffix: str) -> list[Path]:
    return sorted(directory.glob(f"*{suffix}"))


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def objects(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


class TestLs:
    def test_a_line_a_log_tells_what_it_holds(
        self, run: Run, root: Path, packet_log: Path, command_log: Path, raw_log: Path, mission: Path
    ) -> None:
        shown = run("log", "ls", root)
        lines = {line.split()[0]: line.split()[1:] for line in shown.stdout.splitlines()[2:]}
        size = f"{sum(map(len, PACKETS)):,}"
        sat = Dictionary.load(mission)["SAT"].hash[:8]
        assert lines == {
            str(packet_log): ["packets", "3", "30", size, "2026-03-01T12:00:00.000Z", "2026-03-01T12:00:29.000Z", sat],
            str(command_log): ["commands", "1", "1", "3", "2026-03-01T12:00:04.000Z", "2026-03-01T12:00:04.000Z"],
            str(raw_log): ["raw", "1", "3", "25", "2026-03-01T12:00:00.000Z", "2026-03-01T12:00:05.000Z"],
        }
        assert shown.exit_code == 0

    def test_as_json_it_tells_all_digits(self, run: Run, packet_log: Path, mission: Path) -> None:
        (told,) = json.loads(run("log", "ls", packet_log, "--json").stdout)
        assert told == {
            "directory": str(packet_log),
            "stream": STREAM,
            "partition": 0,
            "kind": "packets",
            "segments": 3,
            "packets": 30,
            "bytes": sum(map(len, PACKETS)),
            "first_received": "2026-03-01T12:00:00.000000000Z",
            "last_received": "2026-03-01T12:00:29.000000000Z",
            "definitions": [Dictionary.load(mission)["SAT"].hash],
            "damage": [],
        }

    def test_damage_that_shows_from_outside_is_told(self, run: Run, packet_log: Path) -> None:
        segments(packet_log, ".idx")[0].unlink()
        data = segments(packet_log, ".pkts")[2]
        data.write_bytes(data.read_bytes()[:-1])
        shown = run("log", "ls", packet_log)
        assert "damage" in shown.stdout.splitlines()[0]
        assert shown.stdout.splitlines()[2].endswith("missing file, damaged packets")

    def test_a_log_without_any_index_is_still_there(self, run: Run, packet_log: Path) -> None:
        for index in segments(packet_log, ".idx"):
            index.unlink()
        (told,) = json.loads(run("log", "ls", packet_log, "--json").stdout)
        assert (told["kind"], told["stream"], told["packets"], len(told["damage"])) == ("packets", None, 0, 3)


class TestCat:
    def test_each_packet_has_a_line_with_its_time_name_and_size(self, run: Run, packet_log: Path) -> None:
        lines = run("log", "cat", packet_log).stdout.splitlines()
        for number, (line, packet) in enumerate(zip(lines, PACKETS, strict=True)):
            time, target, name, size, _ = line.split()
            assert time == f"2026-03-01T12:00:{number:02}.000000000Z"
            assert (target, name) == ("SAT", "STATUS" if number % 3 else "LIST")
            assert int(size) == len(packet)

    def test_items_are_shown_with_their_units_in_the_order_of_time(self, run: Run, packet_log: Path) -> None:
        lines = run("log", "cat", packet_log, "-i", "VOLTS,MODE,N").stdout.splitlines()
        assert [line.split()[2:] for line in lines[:3]] == [
            ["LIST", "N=1"],
            ["STATUS", "VOLTS=0", "V", "MODE=NOMINAL"],
            ["STATUS", "VOLTS=1", "V", "MODE=SAFE"],
        ]
        assert len(lines) == 30

    def test_packets_without_any_of_the_items_are_left_out(self, run: Run, packet_log: Path) -> None:
        assert len(run("log", "cat", packet_log, "-i", "VOLTS").stdout.splitlines()) == 20

    def test_bytes_are_shown_sixteen_a_line(self, run: Run, packet_log: Path) -> None:
        shown = run("log", "cat", packet_log, "--hex", "-n", 1).stdout.splitlines()[1:]
        assert bytes.fromhex("".join(line[12:59] for line in shown)) == PACKETS[0]
        assert [line.split()[0] for line in shown] == [f"{place:06x}" for place in range(0, len(PACKETS[0]), 16)]

    @pytest.mark.parametrize(
        ("options", "numbers"),
        [
            (["--from", "2026-03-01T12:00:12", "--to", "2026-03-01T12:00:15"], [12, 13, 14]),
            (["--from", "2026-03-01T12:00:12", "--to", "+1.5s"], [12, 13]),
            (["--to", "2026-03-01T12:00:00.000000001Z"], [0]),
            (["--from", "2026-03-01T12:00:28"], [28, 29]),
            (["--packet", "LIST", "--limit", "3"], [0, 3, 6]),
            (["-p", "LIST", "-p", "STATUS", "-n", "2"], [0, 1]),
            (["--from", "-1s"], []),
        ],
    )
    def test_what_is_chosen_is_shown(self, run: Run, packet_log: Path, options: list[str], numbers: list[int]) -> None:
        shown = run("log", "cat", packet_log, *options, "--hex", "-f", "jsonl")
        assert [each["hex"] for each in objects(shown.stdout)] == [PACKETS[number].hex() for number in numbers]

    def test_logs_of_all_kinds_come_together_in_the_order_of_time(
        self, run: Run, root: Path, packet_log: Path, command_log: Path, raw_log: Path
    ) -> None:
        assert packet_log.parent.parent == command_log.parent.parent == raw_log.parent.parent
        shown = run("log", "cat", root, "--to", "2026-03-01T12:00:06").stdout.splitlines()
        told = [line.split("  ")[1:3] for line in shown if line.startswith("2026")]
        assert [first.strip() for first, *_ in told] == [
            *("SAT LIST", "down", "SAT STATUS", "down", "SAT STATUS", "SAT LIST", "SAT STATUS", "up", "SAT STATUS"),
            "up",
        ]
        assert "2026-03-01T12:00:04.000000001Z  up  SAT SWITCH  c-1  0701ff" in shown
        assert shown[-1] == f"    000000  {b'up!'.hex(' '):<47}  up!"

    def test_commands_and_raw_bytes_are_objects_too(self, run: Run, command_log: Path, raw_log: Path) -> None:
        (command,) = objects(run("log", "cat", command_log, "-f", "jsonl").stdout)
        assert command == {
            "received": "2026-03-01T12:00:04.000000001Z",
            "target": "SAT",
            "command": "SWITCH",
            "id": "c-1",
            "interface": "",
            "hex": "0701ff",
        }
        chunks = objects(run("log", "cat", raw_log, "-f", "jsonl").stdout)
        assert [(each["direction"], each["hex"]) for each in chunks] == [
            ("down", bytes(range(60, 80)).hex()),
            ("down", b"AB".hex()),
            ("up", b"up!".hex()),
        ]

    @pytest.mark.parametrize("form", ["csv", "jsonl"])
    def test_values_are_those_of_decode_with_the_time_of_receiving(
        self, run: Run, packet_log: Path, mission: Path, form: str
    ) -> None:
        shown = run("log", "cat", packet_log, "-p", "STATUS", "-f", form).stdout
        decoded = run("decode", "-d", mission, "-p", "STATUS", "-f", form, "-", stdin=b"".join(PACKETS)).stdout
        found, expected = (rows(text) if form == "csv" else objects(text) for text in (shown, decoded))
        received = [f"2026-03-01T12:00:{number:02}.000000000Z" for number in STATUSES]
        assert [row.pop("received") for row in found] == received
        assert found == expected

    def test_arrow_is_a_stream_that_other_tools_read(self, run: Run, packet_log: Path) -> None:
        shown = run("log", "cat", packet_log, "-p", "STATUS", "-i", "VOLTS", "-f", "arrow").stdout_bytes
        found = pyarrow.ipc.open_stream(shown).read_all()
        assert found["VOLTS"].to_pylist() == [number - 1 for number in STATUSES]
        assert found["received"].cast("int64").to_pylist() == [NOON + number * SECOND for number in STATUSES]

    def test_a_name_that_nobody_defined_is_refused_with_the_nearest(self, run: Run, packet_log: Path) -> None:
        for options, near in ((["-p", "STATUZ"], "STATUS?"), (["-i", "VOLT"], "VOLTS?")):
            result = run("log", "cat", packet_log, *options)
            assert (result.exit_code, result.stdout) == (2, "")
            assert f"did you mean {near}" in result.stderr

    def test_what_is_damaged_is_told_and_left_out_and_the_rest_is_shown(self, run: Run, packet_log: Path) -> None:
        data = segments(packet_log, ".pkts")[1]
        damage(data)
        result = run("log", "cat", packet_log, "--hex", "-f", "jsonl")
        assert [each["hex"] for each in objects(result.stdout)] == [each.hex() for each in PACKETS[:10] + PACKETS[20:]]
        assert result.exit_code == 1
        assert f"left out: {data}: bytes 0 to {data.stat().st_size}: damaged packets\n" in result.stderr
        assert "c2kit log verify" in result.stderr

    def test_packets_whose_definitions_are_missing_are_shown_as_bytes_or_by_given_ones(
        self, run: Run, packet_log: Path, mission: Path
    ) -> None:
        shutil.rmtree(packet_log / "definitions")
        result = run("log", "cat", packet_log, "-f", "jsonl")
        assert [each["hex"] for each in objects(result.stdout)] == [packet.hex() for packet in PACKETS]
        assert result.stderr.count("not decoded") == 1
        assert "--dictionary" in run("log", "cat", packet_log, "-p", "STATUS").stderr
        decoded = run("log", "cat", packet_log, "-d", mission, "-p", "STATUS", "-i", "VOLTS", "-n", 1)
        assert decoded.stdout.endswith("VOLTS=0 V\n")

    @pytest.mark.parametrize("options", [["--hex", "-i", "VOLTS"], ["--hex", "-f", "csv"], ["-f", "csv"]])
    def test_what_cannot_be_shown_together_is_refused(self, run: Run, packet_log: Path, options: list[str]) -> None:
        result = run("log", "cat", packet_log, *options)
        assert (result.exit_code, result.stdout) == (2, "")


class TestSeveralVersionsOfTheDefinitions:
    @pytest.fixture
    def versions(self, root: Path, tmp_path: Path, mission: Path) -> Path:
        """Return a log in which VOLTS were calibrated anew, and LIST was left as it was, after 30 seconds."""
        text = MISSION.replace("scale: 0.5, offset: -1", "scale: 2, offset: 100")
        newer = write(tmp_path / "newer", text, "mission.yaml")
        with PacketLogWriter(root, STREAM) as log:
            log_packets(log, mission, PACKETS)
            log_packets(log, newer, PACKETS, NOON + 30 * SECOND)
            return log.directory

    def test_each_packet_is_decoded_by_the_one_that_it_names(self, run: Run, versions: Path) -> None:
        shown = objects(run("log", "cat", versions, "-i", "VOLTS", "-f", "jsonl").stdout)
        old, new = [number - 1 for number in STATUSES], [4 * number + 100 for number in STATUSES]
        assert [each["VOLTS"] for each in shown] == old + new

    @pytest.mark.parametrize("form", ["csv", "arrow"])
    def test_a_definition_that_both_have_is_one_table(
        self, run: Run, versions: Path, tmp_path: Path, form: str
    ) -> None:
        file = tmp_path / f"list.{form}"
        assert run("log", "export", versions, "-p", "LIST", "-o", file).exit_code == 0
        read = rows(file.read_text()) if form == "csv" else pyarrow.ipc.open_stream(file.read_bytes()).read_all()
        assert len(read) == 20

    def test_one_that_was_changed_is_not_and_the_times_of_both_are_told(self, run: Run, versions: Path) -> None:
        result = run("log", "cat", versions, "-p", "STATUS", "-f", "csv")
        assert (result.exit_code, result.stdout) == (2, "")
        assert "SAT STATUS is defined in 2 ways" in result.stderr
        for time in ("12:00:00", "12:00:29", "12:00:30", "12:00:59"):
            assert f"2026-03-01T{time}.000000000Z" in result.stderr

    def test_the_time_chooses_one(self, run: Run, versions: Path) -> None:
        shown = run("log", "cat", versions, "-p", "STATUS", "-f", "csv", "--from", "2026-03-01T12:00:30")
        assert [row["VOLTS"] for row in rows(shown.stdout)] == [f"{4 * number + 100}.0" for number in STATUSES]

    def test_a_directory_gets_a_file_for_each(self, run: Run, versions: Path, tmp_path: Path) -> None:
        assert run("log", "export", versions, "-o", f"{tmp_path}/out/").exit_code == 0
        sizes = {path.name: len(rows(path.read_text())) for path in (tmp_path / "out").iterdir()}
        assert sizes == {"LIST.csv": 20, "STATUS.csv": 20, "STATUS-2.csv": 20}


class TestVerify:
    def test_where_all_is_whole_every_byte_is(self, run: Run, root: Path, packet_log: Path, raw_log: Path) -> None:
        result = run("log", "verify", root)
        size = sum(map(len, PACKETS))
        lines = [line.split() for line in result.stdout.splitlines()[2:] if line]
        assert lines == [
            [str(packet_log), "3", "30", str(size), "0", "0", "0", str(size), "all", "of", "the", "files"],
            [str(raw_log), "1", "3", "25", "0", "0", "0", "25", "all", "of", "the", "files"],
            ["together", "4", "33", str(size + 25), "0", "0", "0", str(size + 25), "all", "of", "the", "files"],
        ]
        assert result.exit_code == 0

    @pytest.mark.parametrize("place", range(0, 400, 7))
    @pytest.mark.parametrize("suffix", [".pkts", ".idx"])
    def test_any_byte_that_changes_is_found_and_every_byte_is_still_accounted_for(
        self, run: Run, packet_log: Path, suffix: str, place: int
    ) -> None:
        file = segments(packet_log, suffix)[1]
        damage(file, place % file.stat().st_size)
        result = run("log", "verify", packet_log, "--json")
        told = json.loads(result.stdout)
        assert result.exit_code == 1
        first = told["logs"][0]["findings"][0]
        assert first["file"].startswith(str(file.with_suffix("")))
        total = told["together"]
        assert sum(total["bytes"].values()) == total["together"] == total["file_bytes"] == sum(map(len, PACKETS))
        assert total["bytes"]["whole"] + total["bytes"]["damaged"] + total["bytes"]["not_indexed"] == total["together"]

    def test_a_finding_names_its_file_and_its_bytes(self, run: Run, packet_log: Path) -> None:
        data = segments(packet_log, ".pkts")[2]
        size = data.stat().st_size
        data.write_bytes(data.read_bytes()[:-3])
        result = run("log", "verify", packet_log)
        assert result.stdout.startswith(f"{data}: bytes 0 to {size}: damaged packets (the file ends 3 bytes before)\n")
        assert result.stdout.rstrip().endswith("1 finding, 3 bytes are missing")
        assert result.exit_code == 1

    def test_what_a_writer_has_not_committed_is_no_damage(self, run: Run, packet_log: Path) -> None:
        with segments(packet_log, ".pkts")[-1].open("ab") as file:
            file.write(b"a commit that is going on")
        result = run("log", "verify", packet_log, "--json")
        told = json.loads(result.stdout)["together"]
        assert (result.exit_code, told["damaged"], told["bytes"]["unfinished"]) == (0, False, 25)

    @pytest.mark.parametrize("lost", [".idx", ".pkts"])
    def test_a_lost_file_is_damage(self, run: Run, packet_log: Path, lost: str) -> None:
        segments(packet_log, lost)[1].unlink()
        result = run("log", "verify", packet_log, "--json")
        total = json.loads(result.stdout)["together"]
        there = sum(path.stat().st_size for path in segments(packet_log, ".pkts"))
        assert (result.exit_code, total["packets"], total["together"]) == (1, 20, there)


class TestExport:
    @pytest.mark.parametrize(
        ("options", "chosen"),
        [
            ([], PACKETS),
            (["-p", "STATUS"], [PACKETS[number] for number in STATUSES]),
            (["--from", "2026-03-01T12:00:05", "--to", "+10s"], PACKETS[5:15]),
            (["-n", "13"], PACKETS[:13]),
            (["-n", "10"], PACKETS[:10]),
        ],
    )
    def test_bare_packets_are_exactly_their_bytes(
        self, run: Run, packet_log: Path, tmp_path: Path, options: list[str], chosen: list[bytes]
    ) -> None:
        file = tmp_path / "some.tlm"
        result = run("log", "export", packet_log, "-o", file, *options)
        assert file.read_bytes() == b"".join(chosen)
        assert result.stderr == f"wrote {len(chosen)} packets, {len(b''.join(chosen)):,} bytes, to {file}\n"
        assert (result.exit_code, result.stdout) == (0, "")

    def test_several_logs_are_put_together_in_the_order_of_time(
        self, run: Run, root: Path, mission: Path, tmp_path: Path
    ) -> None:
        for number in (0, 1):
            with PacketLogWriter(root, STREAM, number) as log:
                dictionary = Dictionary.load(mission)
                log.define(dictionary["SAT"])
                for batch in Identifier(dictionary).process(
                    frames(PACKETS[number::2], NOON + number * SECOND, 2 * SECOND)
                ):
                    log.append(batch, now_ns=NOON)
                log.sync()
        run("log", "export", root, "-o", tmp_path / "all.tlm")
        assert (tmp_path / "all.tlm").read_bytes() == b"".join(PACKETS)
        run("log", "export", root, "-n", 7, "-p", "STATUS", "-i", "VOLTS", "-o", tmp_path / "some.csv")
        volts = [float(row["VOLTS"]) for row in rows((tmp_path / "some.csv").read_text())]
        assert volts == [number - 1 for number in STATUSES[:7]]

    @pytest.mark.parametrize("form", ["csv", "jsonl", "arrow"])
    def test_values_are_those_that_cat_shows(self, run: Run, packet_log: Path, tmp_path: Path, form: str) -> None:
        file = tmp_path / f"status.{form}"
        result = run("log", "export", packet_log, "-p", "STATUS", "-o", file, "-n", 15)
        shown = run("log", "cat", packet_log, "-p", "STATUS", "-f", form, "-n", 15)
        assert file.read_bytes() == shown.stdout_bytes
        assert result.stderr == f"wrote 15 packets to {file}\n"

    def test_a_limit_counts_packets_that_have_the_items(self, run: Run, packet_log: Path, tmp_path: Path) -> None:
        file = tmp_path / "volts.csv"
        run("log", "export", packet_log, "-i", "VOLTS", "-n", 12, "-o", file)
        assert [float(row["VOLTS"]) for row in rows(file.read_text())] == [number - 1 for number in STATUSES[:12]]

    def test_damage_is_left_out_and_told(self, run: Run, packet_log: Path, tmp_path: Path) -> None:
        damage(segments(packet_log, ".pkts")[0])
        result = run("log", "export", packet_log, "-o", tmp_path / "some.tlm")
        assert (tmp_path / "some.tlm").read_bytes() == b"".join(PACKETS[10:])
        assert result.exit_code == 1
        assert "damaged packets" in result.stderr

    def test_logs_that_hold_no_packets_are_told(
        self, run: Run, root: Path, packet_log: Path, command_log: Path, tmp_path: Path
    ) -> None:
        result = run("log", "export", root, "-o", tmp_path / "some.tlm")
        assert f"left out: {command_log}: no packets, but commands" in result.stderr
        assert (tmp_path / "some.tlm").read_bytes() == b"".join(PACKETS)
        assert packet_log.exists()
        alone = run("log", "export", command_log, "-o", tmp_path / "none.tlm")
        assert (alone.exit_code, (tmp_path / "none.tlm").exists()) == (2, False)

    @pytest.mark.parametrize(
        ("output", "told"),
        [
            ("some.parquet", "tells no format"),
            ("some.csv", "--packet NAME"),
            ("some.arrow", "--packet NAME"),
            (f"log/{STREAM}/0/{20:020}.pkts", "would lie in the log"),
        ],
    )
    def test_what_cannot_be_meant_is_refused_before_anything_is_written(
        self, run: Run, packet_log: Path, tmp_path: Path, output: str, told: str
    ) -> None:
        before = sorted(packet_log.iterdir())
        result = run("log", "export", packet_log, "-o", tmp_path / output)
        assert result.exit_code == 2
        assert told in result.stderr
        assert sorted(packet_log.iterdir()) == before
        assert not (tmp_path / output).exists()


class TestRepair:
    def test_a_dry_run_tells_and_writes_nothing(self, run: Run, packet_log: Path) -> None:
        index = segments(packet_log, ".idx")[2]
        index.unlink()
        before = {path: path.read_bytes() for path in packet_log.rglob("*.*")}
        result = run("log", "repair", packet_log, "--dry-run")
        assert result.exit_code == 0
        assert f"{index}: will be written anew\n" in result.stdout
        assert "10 packets found" in result.stdout
        assert "how far the bus was read" in result.stdout
        assert {path: path.read_bytes() for path in packet_log.rglob("*.*")} == before

    def test_a_lost_index_is_rebuilt_and_packets_are_as_they_were(self, run: Run, packet_log: Path) -> None:
        data = {path: path.read_bytes() for path in segments(packet_log, ".pkts")}
        segments(packet_log, ".idx")[1].unlink()
        result = run("log", "repair", packet_log, "--yes")
        assert result.exit_code == 0
        assert "0 packets kept, 10 found" in result.stdout
        assert "how far the bus was read" not in result.stdout  # the last index is whole
        assert {path: path.read_bytes() for path in segments(packet_log, ".pkts")} == data
        lines = run("log", "cat", packet_log, "--hex", "-f", "jsonl").stdout
        assert [each["hex"] for each in objects(lines)] == [packet.hex() for packet in PACKETS]
        (read,) = {batch.definition is None for batch in PacketLogReader(packet_log).read()}
        assert read is False  # they were identified again, by the log's own definitions

    def test_of_a_damaged_index_a_copy_is_kept(self, run: Run, packet_log: Path) -> None:
        index = segments(packet_log, ".idx")[1]
        damage(index, index.stat().st_size - 60)
        damaged = index.read_bytes()
        assert run("log", "repair", packet_log, "--yes").exit_code == 0
        assert index.with_name(f"{index.name}.before-1").read_bytes() == damaged
        assert len(run("log", "cat", packet_log).stdout.splitlines()) == 30

    def test_where_all_indices_are_whole_nothing_is_done(self, run: Run, packet_log: Path) -> None:
        before = {path: path.stat().st_mtime_ns for path in packet_log.iterdir()}
        result = run("log", "repair", packet_log)
        assert (result.exit_code, result.stdout.startswith("no index is to be rebuilt")) == (0, True)
        assert {path: path.stat().st_mtime_ns for path in packet_log.iterdir()} == before

    def test_without_a_terminal_nobody_is_asked(self, run: Run, packet_log: Path) -> None:
        index = segments(packet_log, ".idx")[0]
        index.unlink()
        result = run("log", "repair", packet_log, stdin=b"y\n")
        assert result.exit_code == 2
        assert "--yes" in result.stderr
        assert not index.exists()

    @pytest.mark.parametrize("options", [["--yes"], ["--dry-run"]])
    def test_a_log_that_has_a_writer_is_refused(
        self, run: Run, root: Path, packet_log: Path, options: list[str]
    ) -> None:
        segments(packet_log, ".idx")[0].unlink()
        with PacketLogWriter(root, STREAM):
            result = run("log", "repair", packet_log, *options)
        assert result.exit_code == 1
        assert "has another writer" in result.stderr
        assert "stop that one first" in result.stderr
        assert len(segments(packet_log, ".idx")) == 2

    def test_a_raw_log_is_left_as_it_is_and_said_why(self, run: Run, raw_log: Path) -> None:
        segments(raw_log, ".idx")[0].unlink()
        result = run("log", "repair", raw_log, "--yes")
        assert f"{raw_log}: left as it is: bytes of a raw log do not tell where a chunk ended" in result.stdout
        assert segments(raw_log, ".idx") == []

    def test_bytes_that_are_no_packets_are_told(self, run: Run, packet_log: Path) -> None:
        segments(packet_log, ".idx")[1].unlink()
        data = segments(packet_log, ".pkts")[1]
        damage(data, 5)  # the length of its first packet
        result = run("log", "repair", packet_log, "--dry-run")
        assert f"{data.stat().st_size:,} bytes from byte 0 on are not packets one after another" in result.stdout

    def test_packets_are_found_in_a_log_of_two_versions_without_being_identified(
        self, run: Run, root: Path, mission: Path, tmp_path: Path
    ) -> None:
        newer = write(tmp_path / "newer", MISSION.replace("scale: 0.5", "scale: 2"), "mission.yaml")
        with PacketLogWriter(root, STREAM) as log:
            log_packets(log, mission, PACKETS)
            log_packets(log, newer, PACKETS)
        segments(log.directory, ".idx")[0].unlink()
        told = run("log", "repair", log.directory, "--dry-run").stdout
        assert "60 packets found in the data file, not identified: give the definitions with --dictionary" in told
        told = run("log", "repair", log.directory, "--dry-run", "-d", newer).stdout
        assert f"identified by the definitions of SAT {Dictionary.load(newer)['SAT'].hash[:8]}" in told


@pytest.mark.parametrize("command", [["ls"], ["cat"], ["verify"], ["repair"], ["export", "-o", "x.tlm"]])
@pytest.mark.parametrize("where", ["nowhere", "empty"])
def test_a_directory_without_a_log_is_told(run: Run, tmp_path: Path, command: list[str], where: str) -> None:
    (tmp_path / "empty").mkdir()
    result = run("log", *command, tmp_path / where)
    assert (result.exit_code, result.stdout) == (2, "")
    assert str(tmp_path / where) in result.stderr


def test_packets_that_were_never_identified_are_shown(run: Run, root: Path) -> None:
    with PacketLogWriter(root, "test.unknown.fep") as log:
        log.append(frames([space_packet(99, 0, b"?")], NOON), now_ns=NOON)
        log.sync()
    assert run("log", "cat", root).stdout == "2026-03-01T12:00:00.000000000Z  packet (not identified)  7 bytes\n"
    (told,) = objects(run("log", "cat", root, "-f", "jsonl").stdout)
    assert (told["packet"], told["hex"]) == (None, space_packet(99, 0, b"?").hex())


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="only others than root are refused")
def test_a_disk_that_does_not_let_it_is_told(run: Run, packet_log: Path) -> None:
    segments(packet_log, ".idx")[0].unlink()
    packet_log.chmod(0o500)
    result = run("log", "repair", packet_log, "--yes")
    packet_log.chmod(0o700)
    assert result.exit_code == 1
    assert "rebuilding" in result.stderr
