"""The command lines of the live pipeline, in processes of their own, as a user has them in several terminals."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from c2kit.storage import PacketLogReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
MISSION = ROOT / "examples/04_mission.py"
PROGRAM = "import sys; from c2kit.cli import main; main()"
PATIENCE = 60.0


def command(*words: object) -> list[str]:
    return [sys.executable, "-c", PROGRAM, *map(str, words)]


@contextlib.contextmanager
def started(*words: object, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A command that runs; it is killed at the end if it still does."""
    process = subprocess.Popen(
        command(*words),
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def line_of(process: subprocess.Popen[str], pattern: str) -> re.Match[str]:
    """The first line on stderr in which the pattern is found."""
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        if found := re.search(pattern, line):
            return found
    raise AssertionError("".join(seen))


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A satellite that flies, and what the environment says of where it and everything else is."""
    with started("sim", "--tcp", "127.0.0.1:0", "--speed", "20", environment={}) as satellite:
        address = line_of(satellite, r"tcp (\S+)")[1]
        yield {
            "C2KIT_BUS": f"sqlite:{tmp_path / 'bus.db'}",
            "C2KIT_LINK_FEP": address,
            "C2KIT_LINK_ANTENNA": "127.0.0.1:0",
            "C2KIT_DIR_LOG": str(tmp_path / "log"),
            "C2KIT_DIR_FEP_RAW_LOG": str(tmp_path / "raw"),
        }


def wait_for(condition: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def logged(tmp_path: Path) -> int:
    directory = tmp_path / "log/firefly.packets.FIREFLY/0"
    return sum(len(batch) for batch in PacketLogReader(directory).read()) if directory.exists() else 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_mission_in_good_order(
    environment: dict[str, str], tmp_path: Path, number: signal.Signals
) -> None:
    with started("run", MISSION, environment=environment) as process:
        wait_for(lambda: logged(tmp_path) > 50)
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert out.splitlines()[-1] == "unaccounted: 0"
    taken = re.search(r"^decom +Identifier .*?(\d[\d,]*) +\1 +0 +0 +0 +0$", out, re.MULTILINE)
    assert taken, out
    assert logged(tmp_path) == int(taken[1].replace(",", ""))


def test_stages_in_processes_of_their_own_work_together(environment: dict[str, str], tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        processes = {
            name: stack.enter_context(started("run", MISSION, "--stage", name, environment=environment))
            for name in ("log", "decom", "fep")
        }
        wait_for(lambda: logged(tmp_path) > 50)
        for process in reversed(processes.values()):
            process.send_signal(signal.SIGTERM)
        for name, process in processes.items():
            out, err = process.communicate(timeout=PATIENCE)
            assert (name, process.returncode) == (name, 0), err
            assert out.splitlines()[-1] == "unaccounted: 0"


def test_a_second_interface_at_one_link_is_fenced_with_exit_code_4(environment: dict[str, str]) -> None:
    with started("run", MISSION, "--stage", "fep", environment=environment) as first:
        line_of(first, "connected")
        with started("run", MISSION, "--stage", "fep", environment=environment) as second:
            _, err = second.communicate(timeout=PATIENCE)
        assert second.returncode == 4, err
        assert "fep" in err
        assert first.poll() is None


def test_what_cannot_be_run_is_refused_before_anything_starts(environment: dict[str, str], tmp_path: Path) -> None:
    for words, wanted in (
        (("--stage", "decon"), "did you mean decom"),
        (("--replay", "no good"), "letters, digits and hyphens"),
    ):
        done = subprocess.run(
            command("run", MISSION, *words), env=os.environ | environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert wanted in done.stderr
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "bus.db").exists()


def test_the_time_ends_a_mission_too(environment: dict[str, str]) -> None:
    done = subprocess.run(
        command("run", MISSION, "--seconds", "1"),
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "unaccounted: 0"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no file that is always full")
def test_a_mission_goes_on_where_nothing_more_can_be_said_of_it(environment: dict[str, str]) -> None:
    words = command("run", MISSION, "--seconds", 2)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            words, check=False, env=os.environ | environment, stdout=subprocess.PIPE, stderr=full, timeout=PATIENCE
        )
    assert done.returncode == 0
    assert done.stdout.decode().endswith("unaccounted: 0\n")


def test_the_demo_shows_commands_and_the_ledger_and_ends(tmp_path: Path) -> None:
    with started("demo", "--seconds", "0", "--keep", tmp_path / "kept", environment={}) as process:
        for _ in range(4):
            line_of(process, "ISSUED")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    lines = out.splitlines()
    assert lines[-1] == "unaccounted: 0"
    fates = [line for line in lines if "ISSUED" in line]
    assert [line.split()[1] for line in fates] == ["NOOP", "SET_MODE", "SET_MODE", "SET_MODE"]
    assert ["SENT" in line for line in fates] == [True, True, False, True]
    assert "REFUSED" in fates[2]
    assert "MODE is SCIENCE" in fates[1]
    assert "MODE is SAFE" in fates[3]
    assert logged(tmp_path / "kept/var") > 20
    shown = re.findall(r"^  c2kit (.*)$", out, re.MULTILINE)
    assert len(shown) == 3
    for line in shown:
        again = subprocess.run(command(*line.split()), capture_output=True, text=True, check=False, cwd=tmp_path)
        assert again.returncode == 0, again.stderr
        assert again.stdout
