"""One broker: a process and its folder."""

from __future__ import annotations

import resource
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Executor
    from pathlib import Path

    from dev.kafka.installation import Installation

__all__ = ["Broker"]

_PATIENCE_SECONDS = 60.0
_ROOM_BYTES = 65_536
"""So much it may still say of its disk."""


@define(eq=False)
class Broker:
    """A broker, which is a controller as well. It dies with this process, whatever ends that.

    Attributes:
        folder: all that it keeps, and ``log`` with all that it said.
        properties: its settings, which are read when it is started.
        starter: starts processes in a thread that lives as long as they may: one that is started by a thread dies
            with that.
        flags: for its Java, beside those of all or in their place.
    """

    number: int
    port: int
    folder: Path
    properties: dict[str, str]
    installation: Installation
    starter: Executor
    flags: tuple[str, ...] = ()
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def format(self, cluster_id: str, *arguments: str) -> None:
        """Prepare the folder of a broker that never ran."""
        self._write_properties()
        tool = ("format", "--cluster-id", cluster_id, "--config", str(self._properties_path), *arguments)
        if self._run("kafka.tools.StorageTool", *tool).wait(_PATIENCE_SECONDS) != 0:
            raise RuntimeError(f"the folder of broker {self.number} could not be formatted: {self.log.read_text()}")

    def start(self, *, flags: tuple[str, ...] = ()) -> None:
        """Start the process; it is ready a few seconds later. One that runs already is left alone."""
        if not self.is_running:
            self._write_properties()
            self._process = self._run("kafka.Kafka", str(self._properties_path), flags=(*self.flags, *flags))

    @property
    def is_running(self) -> bool:
        """Whether its process lives, be it paused."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> Path:
        """All that it said."""
        return self.folder / "log"

    def kill(self) -> None:
        """End it at once, as a power failure does (but for what the operating system has to write yet)."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in good order: it hands over what it leads, which needs the others."""
        self._end(signal.SIGTERM)

    def pause(self) -> None:
        """Stop it where it is: its connections stay open, and nobody answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def fill_disk(self) -> None:
        """Let no file that it writes grow by much from now on, as on a disk that is full; until it is started again."""
        if self._process is not None and self.is_running:
            size = self.log.stat().st_size + _ROOM_BYTES
            resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (size, size))

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self.is_running:
            self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._signal(number)
        self._signal(signal.SIGCONT)
        try:
            self._process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def _properties_path(self) -> Path:
        return self.folder / "server.properties"

    def _write_properties(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self._properties_path.write_text(_properties_text(self.properties))

    def _run(self, main: str, *arguments: str, flags: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
        command = self.installation.command(main, *arguments, flags=flags)
        setpriv = shutil.which("setpriv")
        if setpriv is not None:
            command = [setpriv, "--pdeathsig", "KILL", "--", *command]
        return self.starter.submit(self._popen, command).result()

    def _popen(self, command: list[str]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)  # noqa: S603 - made above


def _properties_text(properties: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in properties.items())
