"""The processes of a pipeline: one for each stage, each of which may be killed, stopped, woken and replaced."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

__all__ = ["MISSION", "Instance", "Processes", "SatelliteProcess"]

MISSION = Path(__file__).with_name("mission.py")
_ROOT = Path(__file__).parents[2]
_TOLD_LINES = 15
_TELLING_SECONDS = 0.5


@define(eq=False)
class Instance:
    """One process of a stage, from its start to its end."""

    stage: str
    process: subprocess.Popen[bytes]
    log: Path
    began: float = field(factory=time.monotonic)

    @property
    def exit_code(self) -> int | None:
        """With what it ended; ``None`` while it lives."""
        return self.process.poll()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it at once, and wait until it has."""
        self.process.kill()
        self.process.wait()

    @property
    def last_words(self) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TOLD_LINES:])


@define(eq=False)
class SatelliteProcess:
    """The satellite. It is there for as long as its process is."""

    process: subprocess.Popen[str]
    port: int = field(init=False)

    @port.default
    def _first_line(self) -> int:
        return int(self._heard())

    def _heard(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def _tell(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def check_lives(self) -> None:
        """Raises AssertionError where its process has ended."""
        assert self.process.poll() is None, f"the satellite ended with {self.process.returncode}"

    def let_take(self) -> None:
        """Let it send nothing new, and wait until everything that it sent was taken."""
        self._tell()
        answer = self._heard()
        assert answer == "taken", answer

    def send(self) -> None:
        """Let it send again."""
        self._tell()


class Processes:
    """All processes of a round. None of them outlives the ``with`` block, nor this process."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder = folder
        self.environment = {**os.environ, **environment}
        self.environment.pop("COVERAGE_PROCESS_CONFIG", None)  # whoever is killed has no time to tell what it ran
        self._instances: list[subprocess.Popen[bytes]] = []
        self._count = 0
        self._ends = contextlib.ExitStack()

    def start_stage(self, stage: str) -> Instance:
        """Run a stage as a container does."""
        self._count += 1
        log = self._folder / f"{self._count:04}-{stage}.log"
        command = [sys.executable, "-m", "tests.kill.stage_process", "run", str(MISSION), "--stage", stage, "--plain"]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, cwd=_ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        self._instances.append(process)
        return Instance(stage, process, log)

    def start_satellite(self, folder: Path, seed: int, speed: float) -> SatelliteProcess:
        """Let a satellite fly, and record in that folder."""
        command = [sys.executable, "-m", "tests.kill.satellite", str(folder), str(seed), str(speed)]
        process = subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._ends.enter_context(process)
        self._ends.callback(process.kill)
        return SatelliteProcess(process)

    def ask_what_they_do(self) -> None:
        """Let all that live tell, in their logs, what their threads are doing."""
        for process in self._instances:
            process.send_signal(signal.SIGUSR1)
        time.sleep(_TELLING_SECONDS)

    def close(self) -> None:
        """Kill all that live; one that was stopped too."""
        for process in self._instances:
            process.kill()
        for process in self._instances:
            process.wait()
        self._ends.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
