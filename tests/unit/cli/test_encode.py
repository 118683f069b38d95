"""`c2kit encode`: a command and its arguments to bytes, and everything that is wrong with them at once."""

from pathlib import Path

import pytest

from tests.definitions import write
from tests.unit.cli.conftest import Run


def checksum(data: str) -> str:
    """The bytes, and behind them their sum."""
    sent = bytes.fromhex(data)
    return (sent + bytes([sum(sent) % 256])).hex()


def test_the_bytes_are_printed_in_hex(run: Run, mission: Path) -> None:
    result = run("encode", "-d", mission, "SAT", "SWITCH", "LINE=2", "STATE=ON", "LEVEL=-1.5")
    assert (result.stdout, result.stderr) == (checksum("07 00 02 01 fff1 00") + "\n", "")
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("argument", "hexadecimal"),
    [
        ("LINE=0x03", "07 00 03 01 0000 00"),
        ("LINE=0b1", "07 00 01 01 0000 00"),
        ("LINE=04", "07 00 04 01 0000 00"),
        ("LABEL=CA fe", "07 00 01 01 0000 02 cafe"),
        ("LEVEL=1e1", "07 00 01 01 0064 00"),
    ],
)
def test_values_are_written_as_people_write_them(run: Run, mission: Path, argument: str, hexadecimal: str) -> None:
    given = {"LINE": "LINE=1"} | {argument.partition("=")[0]: argument}
    assert run("encode", "-d", mission, "SAT", "SWITCH", *given.values()).stdout == checksum(hexadecimal) + "\n"


def test_a_value_may_hold_an_equals_sign(run: Run, tmp_path: Path) -> None:
    definitions = write(tmp_path, 'target: T\ncommands:\n  SAY:\n    arguments: {WHAT: "text[5]"}\n')
    assert run("encode", "-d", definitions, "T", "SAY", "WHAT=a=b=c").stdout == b"a=b=c".hex() + "\n"


def test_everything_that_is_wrong_is_told_at_once(run: Run, mission: Path) -> None:
    given = ("LINE=9", "STATE=HALF", "LEVEL=high", "LABEL=xyz", "OPCODE=1", "LIGHT=1")
    result = run("encode", "-d", mission, "SAT", "SWITCH", *given)
    assert (result.exit_code, result.stdout) == (2, "")
    for name in ("LINE", "STATE", "LEVEL", "LABEL", "OPCODE", "LIGHT"):
        assert f"\n  {name}: " in result.stderr
    assert len(result.stderr.splitlines()) == 7


def test_what_cannot_be_read_is_wrong_though_there_is_a_default(run: Run, mission: Path) -> None:
    result = run("encode", "-d", mission, "SAT", "SWITCH", "LINE=1", "LEVEL=high")
    assert result.exit_code == 2
    assert "LEVEL: not a number" in result.stderr


def test_what_is_missing_is_asked_for(run: Run, mission: Path) -> None:
    result = run("encode", "-d", mission, "SAT", "SWITCH")
    assert result.exit_code == 2
    assert "LINE: must be given" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("SAT", "SWITSH"), "did you mean SWITCH?"),
        (("SAD", "SWITCH"), "did you mean SAT?"),
        (("SAT", "SWITCH", "LINE"), "write NAME=VALUE"),
        (("SAT", "SWITCH", "=1"), "write NAME=VALUE"),
        (("SAT", "SWITCH", "LINE=1", "LINE=2"), "LINE is given twice"),
        (("SAT", "SWITCH", "LINE=1", "--sequence-count", "256"), "at most 255"),
        (("SAT", "PING", "--sequence-count", "1"), "PING has no sequence count"),
    ],
)
def test_a_command_line_that_cannot_be_is_refused(
    run: Run, mission: Path, arguments: tuple[str, ...], told: str
) -> None:
    result = run("encode", "-d", mission, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr


def test_a_hazardous_command_is_encoded_and_warned_of(run: Run, mission: Path) -> None:
    result = run("encode", "-d", mission, "SAT", "SWITCH", "LINE=1", "STATE=OFF")
    assert result.stdout == checksum("07 00 01 00 0000 00") + "\n"
    assert result.stderr == "HAZARDOUS: STATE=OFF: It may stay off\n"


def test_bytes_go_to_a_file_as_they_are(run: Run, mission: Path, tmp_path: Path) -> None:
    file = tmp_path / "ping.bin"
    assert run("encode", "-d", mission, "SAT", "PING", "-o", file).stdout == ""
    assert file.read_bytes() == b"\x09"
    run("encode", "-d", mission, "SAT", "PING", "-o", file, "--hex")
    assert file.read_bytes() == b"09\n"


def test_bytes_go_to_stdout_only_when_asked_to(run: Run, mission: Path) -> None:
    assert run("encode", "-d", mission, "SAT", "PING", "--binary").stdout_bytes == b"\x09"
    assert run("encode", "-d", mission, "SAT", "PING", "--hex").stdout_bytes == b"09\n"


def test_the_sequence_count_is_the_one_that_is_given(run: Run, mission: Path) -> None:
    result = run("encode", "-d", mission, "SAT", "SWITCH", "LINE=1", "--sequence-count", "200")
    assert result.stdout == checksum("07 c8 01 01 0000 00") + "\n"


def test_the_sequence_count_is_that_of_the_value_it_goes_by(run: Run, tmp_path: Path) -> None:
    text = """
        target: T
        commands:
          GO:
            arguments:
              LINE: u8
              COUNT: {type: u8, computed: {sequence_count: {per: LINE}}}
    """
    result = run("encode", "-d", write(tmp_path, text), "T", "GO", "LINE=3", "--sequence-count", "7")
    assert result.stdout == "0307\n"


def test_it_shows_what_a_receiver_will_read_in_the_bytes(run: Run, mission: Path) -> None:
    result = run("encode", "-d", mission, "SAT", "SWITCH", "LINE=1", "LEVEL=12.34", "LABEL=cafe", "--show")
    shown = [" ".join(line.split()) for line in result.stderr.splitlines()]
    assert "3.0 8 STATE ON 1" in shown
    assert "4.0 16 LEVEL 12.3 V 123" in shown
    assert "6.0 16 LABEL ca fe" in shown
    assert run("encode", "-d", mission, "SAT", "PING", "--show").stderr.split()[-4:] == ["0.0", "8", "OPCODE", "0x09"]


def test_what_is_absent_from_a_command_is_not_shown(run: Run, tmp_path: Path) -> None:
    arguments = "{A: u8, B: {type: u8, only_if: {A: 1}}, C: bool8}"
    text = f"target: T\ncommands:\n  GO:\n    arguments: {arguments}\n"
    result = run("encode", "-d", write(tmp_path, text), "T", "GO", "A=0", "C=on", "--show")
    assert result.stdout == "0001\n"
    assert " B " not in result.stderr
