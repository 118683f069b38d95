"""`c2kit describe`: definitions as a person reads them, whole and plain in a pipe."""

import json
import re
from pathlib import Path

import pytest

from tests.definitions import write
from tests.unit.cli.conftest import Run


def line_of(text: str, name: str) -> str:
    """The line of a table about a name: after its place and size, or at its beginning."""
    table = [" ".join(line.split()) for line in text.partition("───")[2].splitlines()]
    (line,) = (line for line in table if re.match(rf"((\S+|end - \d+) \S+ )?{name}\b", line))
    return line


def test_an_overview_has_all_targets_packets_and_commands(run: Run, mission: Path) -> None:
    text = run("describe", mission).stdout
    assert "SAT  target" in text
    assert line_of(text, "STATUS") == "STATUS APID = 0x00a 33 17 How it is"
    assert line_of(text, "LIST") == "LIST APID = 0x00b 7+ 10 As many as there are"
    assert line_of(text, "SWITCH") == "SWITCH LINE, STATE, LEVEL, LABEL 8+ with STATE=OFF Switches a line"


def test_what_all_packets_are_known_by_is_told_once(run: Run, tmp_path: Path) -> None:
    packets = "".join(
        f"  {name}:\n    identify: {{S: 9, K: {name[1:]}}}\n    items: {{S: u8, K: u8}}\n" for name in ("P1", "P2")
    )
    text = run("describe", write(tmp_path, f"target: T\npackets:\n{packets}")).stdout
    assert " ".join(text.splitlines()[3].split()) == "all packets S = 9"
    assert line_of(text, "P1") == "P1 K = 1 2 2"


def test_a_packet_has_each_item_with_its_place_type_units_and_values(run: Run, mission: Path) -> None:
    text = run("describe", mission, "STATUS").stdout
    assert line_of(text, "APID") == "0.5 11 APID u11 always 0x00a"
    assert line_of(text, "COUNT") == "2.2 14 COUNT u14"
    assert line_of(text, "MODE") == "11.0 8 MODE u8 0=SAFE, 1=NOMINAL, 8..11=TEST"
    assert line_of(text, "VOLTS") == "13.0 16 VOLTS u16 V 0.5 * raw - 1"
    assert "red below 3, yellow above 9.5" in text
    assert line_of(text, "NAME") == "23.0 32 NAME text[4]"
    assert line_of(text, "GRID") == "29.0 32 GRID u8[2, 2]"
    assert line_of(text, "POWER") == "POWER derived W c2kit.functions:product of VOLTS, DOUBLE"
    assert "SECONDS, FRACTION (CUC since the epoch unix, leap seconds are not counted)" in text


def test_what_varies_says_so_and_a_trailer_counts_from_the_end(run: Run, tmp_path: Path) -> None:
    text = """
        target: T
        packets:
          P:
            items:
              N: u8
              A: "u16[N]"
              B: {type: u8, only_if: {N: "> 2"}}
              C: "bytes[...]"
              D: u4
              E: u4
              F: u16
    """
    shown = run("describe", write(tmp_path, text)).stdout
    assert line_of(shown, "A") == "1.0 varies A u16[N]"
    assert line_of(shown, "B") == "varies 8 B u8 only if N > 2"
    assert line_of(shown, "C") == "varies varies C bytes[...]"
    assert line_of(shown, "D") == "end - 3 4 D u4"
    assert line_of(shown, "F") == "end - 2 16 F u16"


def test_a_command_tells_what_it_asks_for_and_why_it_is_dangerous(run: Run, mission: Path) -> None:
    text = run("describe", mission, "SAT", "SWITCH").stdout
    assert "with STATE=OFF: It may stay off" in text
    assert line_of(text, "OPCODE") == "0.0 8 OPCODE u8 always 7"
    assert line_of(text, "COUNTER") == "1.0 8 COUNTER u8 computed: how many were encoded before"
    assert line_of(text, "LINE") == "2.0 8 LINE u8 at least 1, at most 4"
    assert "must be given" in text
    assert line_of(text, "STATE") == "3.0 8 STATE u8 0=OFF!, 1=ON"
    assert line_of(text, "LABEL") == "6.0 varies LABEL bytes after its length in u8 default"
    assert line_of(text, "SUM") == "varies 8 SUM u8 computed: sum from byte 0 up to itself"


def test_a_lone_packet_needs_no_name(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "defs.csv"
    file.write_text("name,data_type,bit_offset,bit_length\nA,uint,0,16\n", encoding="utf-8")
    result = run("describe", file, "--offsets-from", "data")
    assert line_of(result.stdout, "A") == "6.0 16 A u16"


def test_a_name_that_a_packet_and_a_command_have_shows_both(run: Run, tmp_path: Path) -> None:
    text = "target: T\npackets:\n  X:\n    items: {A: u8}\ncommands:\n  X:\n    arguments: {B: u8}\n"
    shown = run("describe", write(tmp_path, text), "X").stdout
    assert "T X  packet" in shown
    assert "T X  command" in shown


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("STATSU",), "did you mean STATUS or SAT?"),
        (("SATT",), "did you mean SAT"),
        (("SAT", "SWICH"), "did you mean SWITCH?"),
        (("NOBODY", "SWITCH"), "no target 'NOBODY'"),
        (("VOLTS",), "VOLTS is an item of packet SAT STATUS"),
        (("SAT", "STATUS", "VOLTS"), "At most two names"),
    ],
)
def test_a_name_that_is_not_there_is_refused_with_a_remedy(
    run: Run, mission: Path, names: tuple[str, ...], told: str
) -> None:
    result = run("describe", mission, *names)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr


def test_in_a_pipe_it_is_plain_and_nothing_is_cut(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    long = "word " * 60 + "end"
    states = ", ".join(f"STATE_NUMBER_{number}: {number}" for number in range(60))
    text = f"target: T\npackets:\n  P:\n    items: {{A: {{type: u8, description: {long}, states: {{{states}}}}}}}\n"
    shown = run("describe", write(tmp_path, text)).stdout
    assert long in shown
    assert "58=STATE_NUMBER_58, 59=STATE_NUMBER_59" in shown
    assert "\x1b" not in shown
    assert all(line == line.rstrip() for line in shown.splitlines())


def test_brackets_in_a_description_are_no_markup(run: Run, tmp_path: Path) -> None:
    text = 'target: T\npackets:\n  P:\n    items: {A: {type: u8, description: "[red]x[/red] :smile:"}}\n'
    assert "[red]x[/red] :smile:" in run("describe", write(tmp_path, text)).stdout


def test_json_has_the_canonical_form_with_places_and_sources(run: Run, mission: Path) -> None:
    told = json.loads(run("describe", mission, "STATUS", "--json").stdout)
    (packet,) = told["definitions"]
    assert (packet["target"], packet["name"], packet["source"]) == ("SAT", "STATUS", f"{mission}:17:3")
    assert len(packet["hash"]) == 64
    places = {item["name"]: item["first_bit"] for item in packet["items"]}
    assert (places["APID"], places["MODE"], places["KEY"]) == (5, 88, 216)


def test_json_of_everything_has_packets_and_commands_with_places(run: Run, mission: Path) -> None:
    (target,) = json.loads(run("describe", mission, "--json").stdout)["definitions"]
    assert [packet["name"] for packet in target["packets"]] == ["LIST", "STATUS"]
    assert [argument["first_bit"] for argument in target["commands"][1]["arguments"]] == [0, 8, 16, 24, 32, 48, None]
