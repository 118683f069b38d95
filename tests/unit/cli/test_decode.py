"""`c2kit decode`: recordings to tables, told in full, and every byte of the input accounted for."""

import csv
import io
import json
import math
import random
import re
from pathlib import Path
from typing import Any

import pyarrow.ipc
import pytest

from tests.definitions import write
from tests.unit.cli.conftest import Run, space_packet, status, value_list

STATUS_HEADINGS = [
    *("time", "VERSION", "TYPE", "SECONDARY", "APID", "FLAGS", "COUNT", "LENGTH", "SECONDS", "FRACTION", "MODE"),
    *("READY", "VOLTS", "DOUBLE", "NAME", "KEY", "GRID[0][0]", "GRID[0][1]", "GRID[1][0]", "GRID[1][1]", "POWER"),
]


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def bytes_told(summary: str) -> list[int]:
    """The bytes in each line of the summary, the last one being what they are together."""
    table, _, _ = summary.partition("\n\n")
    return [int(number.replace(",", "")) for number in re.findall(r"([\d,]+) bytes?\b", table)]


class TestCsv:
    def test_a_line_a_packet_with_the_time_first_and_array_members_by_index(self, run: Run, mission: Path) -> None:
        result = run("decode", "-d", mission, "-p", "STATUS", "-", stdin=status(0, seconds=86_400) + status(1))
        header, first, second = rows(result.stdout)
        assert header == STATUS_HEADINGS
        assert first[0] == "1970-01-02T00:00:00.500000000Z"
        expected = ["NOMINAL", "true", "9.0", "2.5", "ab", "cafe", "1", "2", "3", "4", "22.5"]
        assert first[header.index("MODE") :] == expected
        assert second[0] == "1970-01-01T00:00:00.500000000Z"
        assert result.exit_code == 0

    def test_raw_values_are_numbers_and_bytes_in_hex_without_derived_items(self, run: Run, mission: Path) -> None:
        result = run("decode", "-d", mission, "-p", "STATUS", "-", "--raw", stdin=status(0))
        header, only = rows(result.stdout)
        assert header == STATUS_HEADINGS[:-1]
        assert only[header.index("MODE") :][:6] == ["1", "1", "20", "2.5", "61620000", "cafe"]

    def test_both_put_raw_values_beside_those_that_are_converted(self, run: Run, mission: Path) -> None:
        result = run(
            "decode", "-d", mission, "-p", "STATUS", "-i", "MODE,VOLTS,KEY,NAME", "--both", "-", stdin=status(0)
        )
        assert rows(result.stdout) == [
            ["time", "MODE", "MODE.raw", "VOLTS", "VOLTS.raw", "KEY", "NAME", "NAME.raw"],
            ["1970-01-01T00:00:00.500000000Z", "NOMINAL", "1", "9.0", "20", "cafe", "ab", "61620000"],
        ]

    def test_items_come_in_the_order_in_which_they_are_asked_for(self, run: Run, mission: Path) -> None:
        result = run("decode", "-d", mission, "-p", "STATUS", "-i", "VOLTS, COUNT", "-", stdin=status(5))
        assert [row[1:] for row in rows(result.stdout)] == [["VOLTS", "COUNT"], ["9.0", "5"]]

    def test_arrays_of_varying_length_are_json_in_one_cell(self, run: Run, mission: Path) -> None:
        data = value_list(0, 1.5, math.nan, -math.inf) + value_list(1, rest=b"\x01\xff")
        result = run("decode", "-d", mission, "-p", "LIST", "-i", "VALUES,REST", "-", stdin=data)
        assert [row[1:] for row in rows(result.stdout)[1:]] == [['[1.5, "NaN", "-Infinity"]', ""], ["[]", "01ff"]]

    def test_what_is_missing_is_an_empty_cell(self, run: Run, mission: Path) -> None:
        short = space_packet(10, 0, status(0)[6:-3])
        header, only = rows(run("decode", "-d", mission, "-p", "STATUS", "-", stdin=short).stdout)
        assert only[header.index("KEY") :] == ["cafe", "", "", "", "", "22.5"]

    @pytest.mark.parametrize("number", [0.1, -1e300, 5e-324, 1 / 3, math.inf, -math.inf, math.nan])
    def test_a_float_is_read_back_as_the_same(self, run: Run, mission: Path, number: float) -> None:
        result = run("decode", "-d", mission, "-p", "STATUS", "-i", "DOUBLE", "-", stdin=status(0, number=number))
        read = float(rows(result.stdout)[1][1])
        assert read == number or (math.isnan(read) and math.isnan(number))

    def test_a_state_that_nobody_named_stays_a_number_and_is_counted(self, run: Run, mission: Path) -> None:
        data = b"".join(status(count, mode=mode) for count, mode in enumerate((0, 8, 11, 12, 1)))
        result = run("decode", "-d", mission, "-p", "STATUS", "-i", "MODE", "-", stdin=data)
        assert [row[1] for row in rows(result.stdout)[1:]] == ["SAFE", "TEST", "TEST", "12", "NOMINAL"]
        assert "1 values without a state, written as numbers (MODE 1)" in result.stderr

    def test_the_headings_are_there_though_no_packet_came(self, run: Run, mission: Path) -> None:
        result = run("decode", "-d", mission, "-p", "STATUS", "-", stdin=b"")
        assert rows(result.stdout) == [STATUS_HEADINGS]

    def test_text_is_quoted_where_csv_needs_it(self, run: Run, mission: Path) -> None:
        packet = status(0).replace(b"ab\0\0", b'",\n\xc3')
        assert rows(run("decode", "-d", mission, "-p", "STATUS", "-i", "NAME", "-", stdin=packet).stdout)[1][1] == ""
        packet = status(0).replace(b"ab\0\0", b'",\nx')
        assert (
            rows(run("decode", "-d", mission, "-p", "STATUS", "-i", "NAME", "-", stdin=packet).stdout)[1][1] == '",\nx'
        )


class TestJsonLines:
    def test_an_object_a_packet_with_all_packets_together(self, run: Run, mission: Path) -> None:
        data = status(0) + value_list(0, 0.5, math.nan, rest=b"\xab") + status(1, mode=0, number=math.inf)
        result = run("decode", "-d", mission, "-f", "jsonl", "-i", "MODE,DOUBLE,GRID,VALUES,REST", "-", stdin=data)
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        time = "1970-01-01T00:00:00.500000000Z"
        grid = [[1, 2], [3, 4]]
        assert sorted(lines, key=lambda line: str(line["packet"])) == [
            {"target": "SAT", "packet": "LIST", "time": None, "VALUES": [0.5, "NaN"], "REST": "ab"},
            {"target": "SAT", "packet": "STATUS", "time": time, "MODE": "NOMINAL", "DOUBLE": 2.5, "GRID": grid},
            {"target": "SAT", "packet": "STATUS", "time": time, "MODE": "SAFE", "DOUBLE": "Infinity", "GRID": grid},
        ]

    def test_it_is_valid_json_whatever_the_values(self, run: Run, mission: Path) -> None:
        data = b"".join(status(0, number=number) for number in (math.nan, math.inf, -math.inf, 0.0))

        def refuse(constant: str) -> None:
            raise AssertionError(constant)

        lines = run("decode", "-d", mission, "-p", "STATUS", "-f", "jsonl", "-", stdin=data).stdout.splitlines()
        values = [json.loads(line, parse_constant=refuse)["DOUBLE"] for line in lines]
        assert values == ["NaN", "Infinity", "-Infinity", 0.0]

    def test_numbers_are_numbers_and_booleans_booleans(self, run: Run, mission: Path) -> None:
        result = run("decode", "-d", mission, "-p", "STATUS", "-f", "jsonl", "--both", "-", stdin=status(3))
        (line,) = map(json.loads, result.stdout.splitlines())
        assert (line["COUNT"], line["READY"], line["READY.raw"], line["VOLTS"]) == (3, True, 1, 9.0)

    def test_a_heading_that_an_item_has_taken_gives_way(self, run: Run, tmp_path: Path) -> None:
        text = "target: T\npackets:\n  P:\n    items: {time: u8, packet: u8}\n"
        result = run("decode", "-d", write(tmp_path, text), "--frame", "fixed:2", "-f", "jsonl", "-", stdin=b"\1\2")
        assert json.loads(result.stdout) == {"target": "T", "packet_": "P", "time_": None, "time": 1, "packet": 2}


class TestArrow:
    def test_another_library_reads_what_was_written(self, run: Run, mission: Path, tmp_path: Path) -> None:
        file = tmp_path / "status.arrow"
        data = status(0) + value_list(0) + status(1, volts=30)
        assert run("decode", "-d", mission, "-p", "STATUS", "-o", file, "-", stdin=data).stdout == ""
        with pyarrow.ipc.open_stream(file) as stream:
            table = stream.read_all()
        assert table["VOLTS"].to_pylist() == [9.0, 14.0]
        assert table["generated"].cast("int64").to_pylist() == [500_000_000] * 2

    def test_only_the_items_that_are_asked_for_travel(self, run: Run, mission: Path) -> None:
        options = ("-p", "STATUS", "-f", "arrow", "-i", "MODE,VOLTS", "--both")
        result = run("decode", "-d", mission, *options, "-", stdin=status(0))
        table = pyarrow.ipc.open_stream(result.stdout_bytes).read_all()
        assert table.schema.names == ["received", "generated", "MODE", "VOLTS", "VOLTS.raw"]

    def test_a_table_without_packets_is_a_valid_one(self, run: Run, mission: Path) -> None:
        result = run("decode", "-d", mission, "-p", "STATUS", "-f", "arrow", "-", stdin=b"")
        assert len(pyarrow.ipc.open_stream(result.stdout_bytes).read_all()) == 0


class TestWhereTo:
    def test_a_directory_gets_a_file_for_each_packet_that_came(self, run: Run, mission: Path, tmp_path: Path) -> None:
        result = run("decode", "-d", mission, "-o", f"{tmp_path}/out/", "-", stdin=status(0) + value_list(0))
        assert {path.name for path in (tmp_path / "out").iterdir()} == {"STATUS.csv", "LIST.csv"}
        assert f"wrote {tmp_path}/out/STATUS.csv" in result.stderr
        assert len(rows((tmp_path / "out/LIST.csv").read_text(encoding="utf-8"))) == 2

    def test_with_several_targets_the_files_say_of_which_they_are(
        self, run: Run, mission: Path, tmp_path: Path
    ) -> None:
        other = write(
            tmp_path, "target: DISH\npackets:\n  STATUS:\n    items: {A: u16}\n    identify: {A: 99}\n", "b.yaml"
        )
        data = status(0) + space_packet(99, 0, b"x")
        run("decode", "-d", mission, "-d", other, "-o", tmp_path, "-f", "jsonl", "-", stdin=data)
        assert {path.name for path in tmp_path.glob("*.jsonl")} == {"SAT.STATUS.jsonl", "DISH.STATUS.jsonl"}

    def test_names_that_no_file_can_have_do_not_collide(self, run: Run, tmp_path: Path) -> None:
        text = "".join(
            f"  {name}:\n    identify: {{K: {number}}}\n    items: {{K: u8}}\n"
            for number, name in enumerate(("a/b", "a:b", "A_B"))
        )
        definitions = write(tmp_path, f"target: T\npackets:\n{text}")
        out = tmp_path / "out"
        run("decode", "-d", definitions, "--frame", "fixed:1", "-o", f"{out}/", "-", stdin=b"\0\1\2")
        assert sorted(path.name for path in out.iterdir()) == ["A_B-3.csv", "a_b-2.csv", "a_b.csv"]
        assert sorted(path.read_text(encoding="utf-8") for path in out.iterdir()) == [
            f"time,K\n,{number}\n" for number in range(3)
        ]

    @pytest.mark.parametrize(("name", "begins"), [("x.csv", b"time,"), ("x.jsonl", b'{"target"'), ("x.arrow", b"\xff")])
    def test_the_name_of_the_file_tells_the_format(
        self, run: Run, mission: Path, tmp_path: Path, name: str, begins: bytes
    ) -> None:
        run("decode", "-d", mission, "-p", "STATUS", "-o", tmp_path / name, "-", stdin=status(0))
        assert (tmp_path / name).read_bytes().startswith(begins)

    def test_a_recording_is_never_overwritten(self, run: Run, mission: Path, tmp_path: Path) -> None:
        recording = tmp_path / "r.tlm"
        recording.write_bytes(status(0))
        link = tmp_path / "link.csv"
        link.symlink_to(recording)
        for destination in (recording, link):
            result = run("decode", "-d", mission, "-p", "STATUS", "-f", "csv", "-o", destination, recording)
            assert (result.exit_code, recording.read_bytes()) == (2, status(0))
            assert "is a recording to be decoded" in result.stderr

    def test_a_name_that_tells_no_format_is_refused(self, run: Run, mission: Path, tmp_path: Path) -> None:
        result = run("decode", "-d", mission, "-p", "STATUS", "-o", tmp_path / "x.parquet", "-", stdin=status(0))
        assert result.exit_code == 2
        assert "x.parquet tells no format: choose it with --format, or end it in .csv, .jsonl" in result.stderr
        assert not (tmp_path / "x.parquet").exists()

    @pytest.mark.parametrize("form", ["csv", "arrow"])
    def test_several_packets_in_one_table_are_refused_before_anything_is_written(
        self, run: Run, mission: Path, tmp_path: Path, form: str
    ) -> None:
        result = run("decode", "-d", mission, "-f", form, "-o", tmp_path / "x", "-", stdin=status(0))
        assert result.exit_code == 2
        assert not (tmp_path / "x").exists()
        for remedy in ("--packet", "-o DIRECTORY/", "--format jsonl"):
            assert remedy in result.stderr


class TestWhatIsChosen:
    def test_only_the_packets_that_are_asked_for_are_written_and_all_are_counted(self, run: Run, mission: Path) -> None:
        data = status(0) + value_list(0) + value_list(1)
        result = run("decode", "-d", mission, "-p", "STATUS", "-", stdin=data)
        assert len(rows(result.stdout)) == 2
        assert re.search(r"SAT LIST +2 packets .* not written", result.stderr)

    def test_only_targets_that_can_come_are_looked_for(self, run: Run, mission: Path, tmp_path: Path) -> None:
        other = write(tmp_path, "target: ANY\npackets:\n  ALL:\n    fallback: true\n    items: {A: u8}\n", "b.yaml")
        data = status(0) + space_packet(99, 0, b"x")
        both = run("decode", "-d", mission, "-d", other, "-f", "jsonl", "--summary", "json", "-", stdin=data)
        one = run(
            "decode", "-d", mission, "-d", other, "-t", "SAT", "-f", "jsonl", "--summary", "json", "-", stdin=data
        )
        assert json.loads(both.stderr)["unknown"]["count"] == 0
        assert json.loads(one.stderr)["unknown"]["count"] == 1

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            (("-p", "STATS"), "did you mean STATUS?"),
            (("-t", "SATT"), "did you mean SAT?"),
            (("-p", "STATUS", "-i", "MODE,VOLT"), "did you mean VOLTS?"),
            (("-p", "STATUS", "-i", "MODE,,VOLTS"), "lacks a name beside a comma"),
            (("-p", "STATUS", "-i", "POWER", "--raw"), "has no raw value"),
            (("-p", "STATUS", "--frame", "fixed"), "fixed:BYTES"),
            (("-p", "STATUS", "--frame", "fixed:0"), "a frame has 1 to 2147483647 bytes"),
            (("-p", "STATUS", "--frame", "fixed:9", "--any-version"), "space packets"),
        ],
    )
    def test_what_cannot_be_is_refused_with_a_remedy(
        self, run: Run, mission: Path, options: tuple[str, ...], told: str
    ) -> None:
        result = run("decode", "-d", mission, *options, "-", stdin=status(0))
        assert (result.exit_code, result.stdout) == (2, "")
        assert told in result.stderr

    def test_a_dictionary_without_packets_decodes_nothing(self, run: Run, tmp_path: Path) -> None:
        result = run("decode", "-d", write(tmp_path, "target: T\n"), "-", stdin=b"")
        assert result.exit_code == 2
        assert "nothing to decode" in result.stderr


class TestInput:
    def test_files_are_decoded_in_the_order_given_and_do_not_join(
        self, run: Run, mission: Path, tmp_path: Path
    ) -> None:
        whole = [status(count, seconds=count) for count in range(4)]
        files = [tmp_path / name for name in ("b", "a", "c")]
        for file, data in zip(files, (whole[0] + whole[1][:9], whole[2], whole[3]), strict=True):
            file.write_bytes(data)
        result = run("decode", "-d", mission, "-p", "STATUS", "-i", "COUNT", *files)
        assert [row[1] for row in rows(result.stdout)[1:]] == ["0", "2", "3"]
        assert re.search(r"discarded, truncated +9 bytes", result.stderr)
        assert "APID 10: 1 missing in 1 gap" in result.stderr

    def test_stdin_stands_where_it_is_named(self, run: Run, mission: Path, tmp_path: Path) -> None:
        file = tmp_path / "r"
        file.write_bytes(status(1))
        result = run("decode", "-d", mission, "-p", "STATUS", "-i", "COUNT", "-", file, stdin=status(0))
        assert [row[1] for row in rows(result.stdout)[1:]] == ["0", "1"]

    def test_bytes_before_each_packet_are_skipped_and_counted(self, run: Run, mission: Path) -> None:
        data = b"".join(b"\xde\xad\xbe\xef" + status(count) for count in range(3))
        result = run("decode", "-d", mission, "-p", "STATUS", "--skip", 4, "-", stdin=data)
        assert len(rows(result.stdout)) == 4
        assert re.search(r"skipped around packets +12 bytes", result.stderr)
        *parts, together = bytes_told(result.stderr)
        assert sum(parts) == together == len(data)

    def test_packets_of_other_versions_come_when_asked_for(self, run: Run, mission: Path) -> None:
        data = space_packet(11, 0, b"\0", version=1)
        strict = run("decode", "-d", mission, "-p", "LIST", "-", stdin=data)
        lenient = run("decode", "-d", mission, "-p", "LIST", "--any-version", "-", stdin=data)
        assert (len(rows(strict.stdout)), len(rows(lenient.stdout))) == (1, 2)

    def test_frames_of_one_size_need_no_header(self, run: Run, tmp_path: Path) -> None:
        definitions = write(tmp_path, "target: T\npackets:\n  P:\n    items: {A: u16le}\n")
        data = bytes.fromhex("ff0100 ff0200 ff03")
        result = run("decode", "-d", definitions, "--frame", "fixed:2", "--skip", 1, "-", stdin=data)
        assert [row[1] for row in rows(result.stdout)] == ["A", "1", "2"]
        *parts, together = bytes_told(result.stderr)
        assert parts == [4, 2, 2]
        assert together == len(data)

    def test_known_apids_find_the_way_back_after_damage(self, run: Run, mission: Path) -> None:
        # The packet that is cut off ends in what would be the length of a packet that swallows all others.
        data = status(0) + space_packet(12, 0, bytes(500))[:6] + b"".join(status(count) for count in range(1, 9))
        any_apid = run("decode", "-d", mission, "-p", "STATUS", "-", stdin=data)
        known = run("decode", "-d", mission, "-p", "STATUS", "--known-apids", "-", stdin=data)
        assert len(rows(any_apid.stdout)) < len(rows(known.stdout)) == 10

    def test_known_apids_need_packets_that_are_known_by_them(self, run: Run, tmp_path: Path) -> None:
        definitions = write(tmp_path, "target: T\npackets:\n  P:\n    items: {A: u8}\n")
        result = run("decode", "-d", definitions, "--known-apids", "-", stdin=b"")
        assert result.exit_code == 2
        assert "T P is not known by its APID" in result.stderr

    def test_offsets_of_a_csv_count_from_where_it_is_told(self, run: Run, tmp_path: Path) -> None:
        definitions = tmp_path / "defs.csv"
        definitions.write_text("name,data_type,bit_offset,bit_length\nA,uint,0,16\n", encoding="utf-8")
        data = space_packet(5, 0, b"\x12\x34")
        guessed = run("decode", "-d", definitions, "-", stdin=data)
        told = run("decode", "-d", definitions, "--offsets-from", "packet", "-", stdin=data)
        assert rows(guessed.stdout)[1][1] == str(0x1234)
        assert rows(told.stdout)[1][1] == "5"
        assert "note: " in guessed.stderr
        assert "note: " not in told.stderr


class TestSummary:
    def test_it_adds_up_to_the_input_in_the_eyes_of_a_person(self, run: Run, mission: Path) -> None:
        garbage = b"\xff" * 33
        data = status(0) + garbage + space_packet(700, 0, b"xyz") + value_list(0, 1.0) + status(1)[:-2]
        result = run("decode", "-d", mission, "-f", "jsonl", "-", stdin=data)
        lines = {line.split("  ")[0]: line for line in result.stderr.splitlines()}
        assert {"SAT STATUS", "SAT LIST", "unknown", "discarded, bad header", "discarded, truncated"} <= set(lines)
        *parts, together = bytes_told(result.stderr)
        assert sum(parts) == together == len(data)
        assert lines["together"].endswith("all of the input")

    def test_any_damage_adds_up(self, run: Run, mission: Path) -> None:
        chance = random.Random(5)
        data = bytearray(b"".join(status(count) + value_list(count, 1, 2) for count in range(200)))
        for _ in range(40):
            place = chance.randrange(len(data))
            match chance.randrange(3):
                case 0:
                    data[place] ^= 1 << chance.randrange(8)
                case 1:
                    del data[place : place + chance.randrange(1, 30)]
                case _:
                    data[place:place] = chance.randbytes(chance.randrange(1, 30))
        result = run("decode", "-d", mission, "-f", "jsonl", "--summary", "json", "-", stdin=bytes(data))
        told = json.loads(result.stderr)
        assert told["input_bytes"] == told["accounted_bytes"] == len(data)
        amounts = [*told["packets"], told["unknown"], *told["discarded"].values()]
        assert sum(amount["bytes"] for amount in amounts) + told["skipped_bytes"] == len(data)
        assert result.exit_code == 0

    def test_sequence_breaks_are_told_by_apid(self, run: Run, mission: Path) -> None:
        data = b"".join(status(count) for count in (0, 1, 5, 5, 6, 2))
        result = run("decode", "-d", mission, "-p", "STATUS", "-", stdin=data)
        assert "sequence breaks: 3" in result.stderr
        assert "APID 10: 3 missing in 1 gap, 1 repeated, 1 reset" in result.stderr

    def test_unknown_packets_are_told_with_what_they_nearly_are(self, run: Run, mission: Path) -> None:
        data = b"".join(space_packet(26, count, b"x") for count in range(3))
        result = run("decode", "-d", mission, "-f", "jsonl", "-", stdin=data)
        assert re.search(r"3: SAT STATUS.*APID.*10.*26", result.stderr)

    def test_a_flood_of_kinds_of_unknown_packets_is_told_in_a_few_lines(self, run: Run, mission: Path) -> None:
        data = b"".join(space_packet(apid, 0, b"x") for apid in range(100, 400))
        result = run("decode", "-d", mission, "-f", "jsonl", "-", stdin=data)
        assert re.search(r"unknown +300 packets", result.stderr)
        assert re.search(r"\d+: others", result.stderr)
        assert len(result.stderr.splitlines()) < 30

    def test_json_is_all_that_stderr_gets(self, run: Run, tmp_path: Path) -> None:
        definitions = tmp_path / "defs.csv"
        definitions.write_text("name,data_type,bit_offset,bit_length\nA,uint,0,16\nB,uint,8,16\n", encoding="utf-8")
        result = run("decode", "-d", definitions, "--summary", "json", "-", stdin=space_packet(5, 0, b"abc"))
        told = json.loads(result.stderr)
        assert told["notes"]
        assert told["warnings"]
        assert told["packets"] == [
            {"target": "DEFS", "packet": "DEFS", "count": 1, "bytes": 9, "written": True, "anomalies": {}}
        ]

    def test_none_is_silence(self, run: Run, mission: Path) -> None:
        result = run("decode", "-d", mission, "-p", "STATUS", "--summary", "none", "-", stdin=status(0)[:-1])
        assert result.stderr == ""

    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (status(0) + status(1), 0),
            (b"", 0),
            (status(0) + status(1)[:-1], 1),
            (b"\xff" + status(0), 1),
            (space_packet(99, 0, b"x"), 1),
            (status(0) + status(2), 1),
            (space_packet(10, 0, b"x"), 1),
        ],
        ids=["whole", "nothing", "truncated", "garbage", "unknown", "gap", "short"],
    )
    def test_strict_makes_wrong_bytes_an_error(self, run: Run, mission: Path, data: bytes, code: int) -> None:
        assert run("decode", "-d", mission, "-f", "jsonl", "--strict", "-", stdin=data).exit_code == code
        assert run("decode", "-d", mission, "-f", "jsonl", "-", stdin=data).exit_code == 0

    def test_an_account_that_does_not_add_up_is_an_error_of_ours(
        self, run: Run, mission: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from c2kit.processors.account import Account  # noqa: PLC0415 - only to be broken here

        def forgotten(_: Account, __: Any) -> None:  # noqa: ANN401 - what framing discarded
            pass

        monkeypatch.setattr(Account, "add_discarded", forgotten)
        result = run("decode", "-d", mission, "-f", "jsonl", "-", stdin=status(0) + b"\xff" * 9)
        assert result.exit_code == 1
        assert f"but the input has {len(status(0)) + 9}: please report this" in result.stderr


class TestWhatLoadingSaid:
    def test_a_few_warnings_are_shown_and_the_others_counted(self, run: Run, tmp_path: Path) -> None:
        definitions = tmp_path / "defs.csv"
        rows_of_csv = "".join(f"X{number},uint,0,16\n" for number in range(9))
        definitions.write_text(f"name,data_type,bit_offset,bit_length\n{rows_of_csv}", encoding="utf-8")
        result = run("decode", "-d", definitions, "--offsets-from", "data", "-", stdin=b"")
        warnings = [line for line in result.stderr.splitlines() if line.startswith("warning: ")]
        assert len(warnings) == 4
        assert re.fullmatch(r"warning: \.\.\. and \d more; c2kit check shows them all", warnings[-1])
