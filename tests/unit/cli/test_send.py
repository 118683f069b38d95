"""`c2kit send`: a command to a mission that runs in another process, and its fate as the exit code."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from c2kit.bus.records import Command, Fate, unpack
from c2kit.bus.sqlite import SqliteBus
from c2kit.pipeline.commands.encoder import EncodingStage
from c2kit.pipeline.composition.streams import specs_of
from tests.commanding import (
    DICTIONARY,
    Pipeline,
    commanded_mission,
    fates,
    firefly_bytes,
    read_all,
    surroundings_of,
    uplinked,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from c2kit.bus import StreamBus
    from c2kit.bus.records import UplinkCommand
    from tests.unit.cli.conftest import Run

C2KIT = [sys.executable, "-c", "from c2kit.cli import main; main()"]
SCRIPT = """
from tests.commanding import commanded_mission

mission = commanded_mission(bus={bus!r})
"""
SAFE = ("FIREFLY", "SET_MODE", "MODE=SAFE")


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the URL of a bus that is not there yet."""
    monkeypatch.delenv("C2KIT_BUS", raising=False)
    return f"sqlite:{tmp_path / 'var' / 'bus.db'}"


@pytest.fixture
def script(tmp_path: Path, url: str) -> Path:
    """Return the script of a mission on that bus."""
    path = tmp_path / "mission.py"
    path.write_text(SCRIPT.format(bus=url))
    return path


@pytest.fixture
def bus(url: str) -> Iterator[StreamBus]:
    """Return the bus, with the streams of the mission."""
    with SqliteBus(url.removeprefix("sqlite:")) as opened:
        opened.apply(specs_of(commanded_mission().describe()))
        yield opened


def running(
    bus: StreamBus, fate_of: Callable[[UplinkCommand], Fate | None] = lambda _: Fate.SENT, now_ns: int = 0
) -> Pipeline:
    """The mission runs: its encoder, where it is 1970, and an uplink that ends commands as it is told to."""
    return Pipeline(EncodingStage(surroundings_of(commanded_mission(), bus, lambda: now_ns)), bus, fate_of)


def sent(script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What another process does."""
    return subprocess.run(
        [*C2KIT, "send", str(script), *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def steps(text: str) -> list[str]:
    """The fates in lines that begin with a time."""
    return re.findall(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z  ([A-Z]+) +\S", text, re.MULTILINE)


class TestFates:
    def test_a_command_is_sent_and_each_step_is_told(self, script: Path, bus: StreamBus) -> None:
        with running(bus):
            done = sent(script, *SAFE, "DURATION=0x10", "--id", "night-1")
        assert (done.returncode, done.stderr) == (0, "command night-1: FIREFLY SET_MODE MODE=SAFE DURATION=0x10\n")
        assert sorted(steps(done.stdout)) == ["ENCODED", "ISSUED", "SENDING", "SENT"]

    def test_the_same_id_tells_the_fate_and_sends_nothing_again(self, run: Run, script: Path, bus: StreamBus) -> None:
        with running(bus):
            run("send", script, *SAFE, "--id", "night-1")
            again = run("send", script, *SAFE, "--id", "night-1", "--json")
        assert again.exit_code == 0
        assert "It was issued before, and is not issued again" in again.stderr
        told = [json.loads(line) for line in again.stdout.splitlines()]
        assert {(each["id"], each["target"], each["name"]) for each in told} == {("night-1", "FIREFLY", "SET_MODE")}
        assert told[-1]["fate"] == "SENT"
        assert fates(bus, "command-source") == [("night-1", Fate.ISSUED)]

    @pytest.mark.parametrize(
        ("end", "code", "told"),
        [
            (Fate.REFUSED, 10, ""),
            (Fate.EXPIRED, 11, ""),
            (Fate.UNKNOWN, 12, "It may have been sent, once, whole or in part: look at telemetry"),
        ],
    )
    def test_the_exit_code_tells_the_fate(
        self, run: Run, script: Path, bus: StreamBus, end: Fate, code: int, told: str
    ) -> None:
        with running(bus, lambda _: end):
            done = run("send", script, *SAFE)
        assert (done.exit_code, told in done.stderr) == (code, True)
        assert str(end) in steps(done.stdout)

    def test_no_end_in_time_is_told_with_how_to_ask_again(self, run: Run, script: Path, bus: StreamBus) -> None:
        done = run("send", script, *SAFE, "--id", "night-1", "--wait", "0")
        assert (done.exit_code, steps(done.stdout)) == (12, ["ISSUED"])
        assert "It did not end within 0 s.\nThe last that is known of it is ISSUED." in done.stderr
        assert "it may still be sent. The same command line with --id night-1 tells" in done.stderr
        (command,) = [unpack(Command, value) for value in read_all(bus, "commands.FIREFLY")]
        assert (command.id, command.expires_ns - command.issued_ns) == ("night-1", 30 * 10**9)

    def test_ctrl_c_tells_what_is_known(self, script: Path, bus: StreamBus) -> None:
        is_taken = threading.Event()

        def never_ends(_: UplinkCommand) -> None:
            is_taken.set()

        with (
            running(bus, never_ends),
            subprocess.Popen(
                [*C2KIT, "send", str(script), *SAFE, "--id", "night-1", "--wait", "600"],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            ) as process,
        ):
            assert process.stdout is not None
            assert is_taken.wait(60)
            while "ENCODED" not in process.stdout.readline():
                pass
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "The last that is known of it is ENCODED. Unless it has expired, it may still be sent." in told
        assert told.endswith("Interrupted.\n")


class TestBeforeAnythingIsSent:
    def test_all_that_is_wrong_is_told_at_once(self, run: Run, script: Path, bus: StreamBus) -> None:
        result = run("send", script, "FIREFLY", "SET_MODE", "MODE=SAVE", "DURATION=3601", "X=1")
        assert (result.exit_code, result.stdout) == (2, "")
        for name in ("MODE", "DURATION", "X"):
            assert f"\n  {name}: " in result.stderr
        assert read_all(bus, "commands.FIREFLY") == []

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (("FIREFLI", "NOOP"), "did you mean FIREFLY?"),
            (("FIREFLY", "NOP"), "did you mean NOOP?"),
            (("FIREFLY", "SET_MODE", "MODE"), "write NAME=VALUE"),
            (("FIREFLY", "NOOP", "--via", "dish"), "no interface 'dish' in what leads to FIREFLY"),
            (("FIREFLY", "NOOP", "--expires", "0"), "--expires"),
        ],
    )
    def test_what_cannot_be_is_refused(
        self, run: Run, script: Path, bus: StreamBus, arguments: tuple[str, ...], told: str
    ) -> None:
        result = run("send", script, *arguments)
        assert (result.exit_code, told in result.stderr) == (2, True)
        assert read_all(bus, "commands.FIREFLY") == []

    def test_a_hazardous_command_wants_to_be_confirmed(self, run: Run, script: Path, bus: StreamBus) -> None:
        result = run("send", script, "FIREFLY", "SET_MODE", "MODE=TEST")
        assert (result.exit_code, result.stdout) == (10, "")
        assert result.stderr.startswith("HAZARDOUS: MODE=TEST: TEST switches off the protection of the battery\n")
        assert "--confirm-hazardous" in result.stderr
        assert read_all(bus, "commands.FIREFLY") == []

    def test_a_confirmed_one_is_sent_as_such(self, run: Run, script: Path, bus: StreamBus) -> None:
        done = run("send", script, "FIREFLY", "RESET", "--confirm-hazardous", "--via", "spare", "--wait", "0")
        assert done.exit_code == 12
        (command,) = [unpack(Command, value) for value in read_all(bus, "commands.FIREFLY")]
        assert (command.confirms_hazard, command.interface) == (True, "spare")

    def test_a_dry_run_shows_the_bytes_and_what_they_say(self, run: Run, script: Path, url: str) -> None:
        result = run("send", script, "FIREFLY", "SET_MODE", "MODE=TEST", "--dry-run")
        assert result.exit_code == 0
        assert result.stdout == firefly_bytes(0x64, 0, 3, b"\x08\x00\x0a").hex() + "\n"
        assert result.stderr.startswith("HAZARDOUS: MODE=TEST")
        assert re.search(r"MODE +TEST +8", result.stderr)
        as_json = json.loads(run("send", script, *SAFE, "--dry-run", "--json").stdout)
        assert as_json["hex"] == firefly_bytes(0x64, 0, 3, b"\x01\x00\x0a").hex()
        assert (as_json["target"], as_json["name"], as_json["hazards"]) == ("FIREFLY", "SET_MODE", [])
        assert not os.path.exists(url.removeprefix("sqlite:"))  # noqa: PTH110 - one look

    def test_a_bus_within_a_process_is_told(self, run: Run, tmp_path: Path, url: str) -> None:
        path = tmp_path / "memory.py"
        path.write_text(SCRIPT.format(bus="memory:"))
        result = run("send", path, *SAFE)
        assert (result.exit_code, "no other can send to it" in result.stderr) == (2, True)
        assert run("send", path, *SAFE, "--bus", url).exit_code == 3

    def test_a_mission_that_never_ran_is_told_and_no_bus_is_made(self, run: Run, script: Path, url: str) -> None:
        result = run("send", script, *SAFE)
        assert (result.exit_code, "c2kit run" in result.stderr) == (3, True)
        assert not os.path.exists(url.removeprefix("sqlite:"))  # noqa: PTH110 - one look

    def test_a_bus_that_has_other_missions_only_is_told(self, run: Run, script: Path, url: str) -> None:
        with SqliteBus(url.removeprefix("sqlite:")):
            pass
        result = run("send", script, *SAFE)
        assert (result.exit_code, "mission firefly has no streams on bus" in result.stderr) == (3, True)


def test_the_environment_says_where_the_mission_runs(
    run: Run, script: Path, bus: StreamBus, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.write_text(SCRIPT.format(bus="memory:"))
    monkeypatch.setenv("C2KIT_BUS", url)
    assert run("send", script, *SAFE, "--wait", "0").exit_code == 12
    assert len(read_all(bus, "commands.FIREFLY")) == 1
    monkeypatch.setenv("C2KIT_BUS", f"sqlite:{tmp_path / 'none.db'}")
    assert run("send", script, *SAFE, "--wait", "0", "--bus", url).exit_code == 12
    assert len(read_all(bus, "commands.FIREFLY")) == 2


def test_text_on_the_command_line_means_the_same_here_and_in_the_encoder(
    run: Run, script: Path, bus: StreamBus
) -> None:
    run(
        "send",
        script,
        "FIREFLY",
        "LOAD_MEMORY",
        "ADDRESS=0xdeadbeef",
        "DATA=00 ff",
        "--confirm-hazardous",
        "--wait",
        "0",
    )
    encoder = EncodingStage(surroundings_of(commanded_mission(DICTIONARY), bus, lambda: 0))
    assert encoder.turn(1.0)
    assert [each.data for each in uplinked(bus)] == [firefly_bytes(0x69, 0, 1, bytes.fromhex("deadbeef000200ff"))]
