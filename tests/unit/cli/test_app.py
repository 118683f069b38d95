"""The command `c2kit`: what it says of itself, how fast, and what becomes of errors."""

import errno
import os
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from c2kit.bus import BusError, BusUnavailable, Fenced, Position, PositionLost
from c2kit.cli.failing import Commands
from c2kit.errors import DefinitionError, MessageError, UsageError
from c2kit.kernel.choice import chosen_name
from c2kit.model.source import Source
from c2kit.pipeline.chain import StateRefused
from c2kit.pipeline.commands.source import StreamsMissing
from c2kit.storage import LogLocked, LogUnavailable
from tests.definitions import write
from tests.unit.cli.conftest import Run, status

C2KIT = [sys.executable, "-c", "from c2kit.cli import main; main()"]


def test_it_tells_its_version(run: Run) -> None:
    assert run("--version").stdout == f"c2kit {metadata.version('c2kit')}\nkernel: {chosen_name()}\n"


@pytest.mark.parametrize("arguments", [("--help",), ("-h",)])
def test_help_lists_all_commands_and_the_exit_codes(run: Run, arguments: tuple[str, ...]) -> None:
    shown = run(*arguments).stdout
    for command in ("check", "decode", "describe", "encode"):
        assert f"\n  {command} " in shown
    assert "Exit codes: 0 done" in shown


@pytest.mark.parametrize("command", ["check", "decode", "describe", "encode"])
def test_each_command_has_help_with_examples_to_copy(run: Run, command: str) -> None:
    shown = run(command, "--help")
    assert shown.exit_code == 0
    assert f"\n  c2kit {command} " in shown.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["decode", "--help"], ["check", "--help"]])
def test_help_waits_for_no_heavy_library(arguments: list[str]) -> None:
    script = (
        "import sys\nfrom c2kit.cli import main\n"
        f"main({arguments!r}, standalone_mode=False)\n"
        "print(*{'numpy', 'yaml', 'rich', 'nanoarrow', 'bitstring'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stderr.split() == []


def test_the_entry_point_is_installed() -> None:
    (entry,) = metadata.entry_points(group="console_scripts", name="c2kit")
    assert entry.value == "c2kit.cli:main"


@pytest.mark.parametrize("command", ["decode", "encode", "describe", "check"])
def test_a_broken_dictionary_is_told_by_its_place_and_without_a_traceback(
    run: Run, tmp_path: Path, command: str
) -> None:
    file = write(tmp_path, "target: SAT\npackets:\n  A:\n    items: {X: q8}\n")
    arguments: dict[str, list[object]] = {
        "decode": ["-d", file, "-"],
        "encode": ["-d", file, "SAT", "X"],
        "describe": [file],
        "check": [file],
    }
    result = run(command, *arguments[command], stdin=b"")
    told = result.stdout if command == "check" else result.stderr
    assert told.startswith(f"{file}:4:")
    assert "Traceback" not in told
    assert result.exit_code == (1 if command == "check" else 2)


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (UsageError("a thing", expected="one", found="two"), 2, "Error: a thing, expected one, found two\n"),
        (DefinitionError("no good", source=Source("f.yaml", 3, 1)), 2, "f.yaml:3:1: no good\n"),
        (MessageError("not ours"), 2, "Error: not ours\n"),
        (LogLocked(Path("/l")), 1, "Error: log /l has another writer"),
        (LogUnavailable("writing to", Path("/l"), OSError("full")), 1, "Error: writing to /l failed: full"),
        (StateRefused("ids", "FIREFLY", MessageError("not ours")), 1, "Error: the state of ids in lane FIREFLY"),
        (StreamsMissing("m", "sqlite:x"), 3, "c2kit run"),
        (BusUnavailable("a full disk"), 3, "Error: a full disk\n"),
        (Fenced("by another"), 4, "Error: by another\n"),
        (BusError("damaged"), 5, "Error: damaged\n"),
        (PositionLost(Position("s", "u", 0, 1), reason="gone"), 5, "position s[0]@1 is lost"),
        (OSError(errno.ENOSPC, "No space left on device", "/x"), 1, "Error: /x: No space left on device\n"),
        (OSError("odd"), 1, "Error: odd\n"),
        (ModuleNotFoundError("No module named 'zz'", name="zz"), 3, "zz is not installed"),
        (KeyboardInterrupt(), 130, "Interrupted.\n"),
    ],
)
def test_each_kind_of_error_has_its_message_and_its_exit_code(error: BaseException, code: int, told: str) -> None:
    @click.group(cls=Commands)
    def group() -> None:
        pass

    @group.command
    def fail() -> None:
        raise error

    result = CliRunner().invoke(group, ["fail"])
    assert (result.exit_code, result.stdout) == (code, "")
    assert told in result.stderr
    assert "Traceback" not in result.stderr


def test_an_error_of_ours_in_the_code_is_not_hidden() -> None:
    @click.group(cls=Commands)
    def group() -> None:
        pass

    @group.command
    def fail() -> None:
        raise ZeroDivisionError

    assert isinstance(CliRunner().invoke(group, ["fail"]).exception, ZeroDivisionError)


def test_a_reader_that_has_seen_enough_ends_it_quietly(mission: Path, tmp_path: Path) -> None:
    recording = tmp_path / "r.tlm"
    recording.write_bytes(b"".join(status(count % 2**14) for count in range(60_000)))
    command = [*C2KIT, "decode", "-d", str(mission), "-p", "STATUS", str(recording)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"time,")
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 0


def test_a_full_disk_is_told(mission: Path, tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    recording = tmp_path / "r.tlm"
    recording.write_bytes(status(0))
    command = [*C2KIT, "decode", "-d", str(mission), "-p", "STATUS", str(recording)]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, check=False, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (1, f"Error: {os.strerror(errno.ENOSPC)}\n")


@pytest.mark.parametrize(
    ("arguments", "closed"),
    [
        (("decode", "-p", "STATUS", "-d", "{mission}", "{recording}"), ">&-"),
        (("decode", "-p", "STATUS", "-d", "{mission}", "-"), "<&-"),
        (("describe", "{mission}"), ">&-"),
        (("encode", "-d", "{mission}", "SAT", "SWITCH", "LINE=1"), ">&-"),
    ],
)
def test_a_stream_that_is_closed_is_told(
    mission: Path, tmp_path: Path, arguments: tuple[str, ...], closed: str
) -> None:
    done = run_in_shell(arguments, closed, mission, tmp_path)
    assert (done.returncode, done.stderr) == (1, f"Error: {os.strerror(errno.EBADF)}\n")


def test_messages_have_nowhere_to_go_where_stderr_is_closed(mission: Path, tmp_path: Path) -> None:
    arguments = ("decode", "-p", "STATUS", "-d", "{mission}", "{recording}")
    done = run_in_shell(arguments, "2>&-", mission, tmp_path)
    assert done.returncode == 0
    assert done.stdout == run_in_shell(arguments, "2>/dev/null", mission, tmp_path).stdout != ""


def test_a_stdout_that_is_closed_does_not_matter_where_nothing_is_written_to_it(mission: Path, tmp_path: Path) -> None:
    arguments = ("decode", "-p", "STATUS", "-d", "{mission}", "{recording}", "-o", "{recording}.csv")
    done = run_in_shell(arguments, ">&-", mission, tmp_path)
    assert done.returncode == 0
    assert len((tmp_path / "r.tlm.csv").read_text().splitlines()) == 2


def run_in_shell(
    arguments: tuple[str, ...], redirected: str, mission: Path, tmp_path: Path
) -> subprocess.CompletedProcess[str]:
    if os.name != "posix":
        pytest.skip("only POSIX shells close streams")
    recording = tmp_path / "r.tlm"
    recording.write_bytes(status(0))
    filled = [argument.format(mission=mission, recording=recording) for argument in arguments]
    command = f"{shlex.join([*C2KIT, *filled])} {redirected}"
    return subprocess.run(["/bin/sh", "-c", command], check=False, capture_output=True, text=True)


@pytest.mark.parametrize("recording", ["nowhere.tlm", "."])
def test_a_recording_that_is_none_is_told_without_a_traceback(run: Run, mission: Path, recording: str) -> None:
    result = run("decode", "-d", mission, recording)
    assert result.exit_code == 2
    assert recording in result.stderr
    assert "Traceback" not in result.stderr
