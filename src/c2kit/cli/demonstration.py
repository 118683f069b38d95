"""What ``c2kit demo`` does: writes a mission script, flies a satellite, runs the script, and commands."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
from attrs import define, field, frozen
from rich.console import Group
from rich.table import Table
from rich.text import Text

from c2kit.batches import TelemetryBatch
from c2kit.batches.kinds import Kind
from c2kit.bus import BusError
from c2kit.bus.records import Fate
from c2kit.cli.running import run_to_the_end
from c2kit.model.limits import LimitState
from c2kit.pipeline.commands.source import CommandSource
from c2kit.pipeline.composition.names import stream_name
from c2kit.pipeline.composition.script import load_mission
from c2kit.pipeline.definitions import Definitions
from c2kit.pipeline.runner import Runner
from c2kit.pipeline.settings import Settings
from c2kit.pipeline.wire import Wire
from c2kit.sim import DICTIONARY_DIRECTORY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rich.console import RenderableType

__all__ = ["Operator", "demonstrate", "prepared_demo"]

_SCRIPT = """\
from c2kit import *

mission = Mission("firefly", dictionary=Dictionary.load("dictionary/"), bus="sqlite:var/bus.db")

link = TcpClient("localhost", 7011)
mission.interface("fep", link, protocols=[CcsdsPackets()], targets=["FIREFLY"], raw_log="var/raw")

mission.stage("decom", Identifier(), Decommutator(), LimitsMonitor())
mission.stage("log", PacketLogger("var/log"))
mission.stage("encode", CommandEncoder())
"""
_FAULTS = ("--duplicates", "0.002", "--reordered", "0.002", "--drop-every", "14")
_SPEED = 5
_SHOWN = ("MODE", "BATTERY_VOLTAGE", "BATTERY_CURRENT", "CPU_LOAD", "OBC_TEMPERATURE", "COMMANDS_ACCEPTED")
_COLOURS = {"GREEN": "green", "YELLOW": "yellow", "RED": "red bold"}
_BARS = "▁▂▃▄▅▆▇█"
_KEPT = 60


@frozen
class _Wanted:
    """A command of the demonstration: what, and what is to be seen in HEALTH when it was carried out."""

    at: float
    """Seconds after the first HEALTH."""
    name: str
    arguments: dict[str, str]
    item: str = ""
    value: object = None
    says: str = ""


_PROGRAMME = (
    _Wanted(2.0, "NOOP", {}, says="is anybody there?"),
    _Wanted(4.0, "SET_MODE", {"MODE": "SCIENCE", "DURATION": "0"}, "MODE", "SCIENCE", says="to work"),
    _Wanted(6.5, "SET_MODE", {"MODE": "TEST"}, says="hazardous: nobody confirmed it"),
    _Wanted(8.0, "SET_MODE", {"MODE": "SAFE", "DURATION": "0"}, "MODE", "SAFE", says="enough for today"),
)


def demonstrate(folder: Path, *, seconds: float | None, is_plain: bool, is_kept: bool) -> None:
    """Do it all in a folder."""
    click.echo(f"This is the whole ground system, {folder / 'mission.py'}:\n\n{_indented(_SCRIPT)}")
    with prepared_demo(folder) as runner:
        operator = Operator(runner, folder if is_kept else None, is_plain=is_plain or not sys.stderr.isatty())
        run_to_the_end(runner, seconds=seconds, is_plain=is_plain, companion=operator)


@contextlib.contextmanager
def prepared_demo(folder: Path) -> Iterator[Runner]:
    """A satellite that flies, and the runner of the mission whose script is written into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "mission.py"
    script.write_text(_SCRIPT, encoding="utf-8")
    shutil.copytree(DICTIONARY_DIRECTORY, folder / "dictionary", dirs_exist_ok=True)
    with _satellite() as address:
        settings = Settings(
            bus=f"sqlite:{folder / 'var/bus.db'}",
            links={"C2KIT_LINK_FEP": address},
            directories={"C2KIT_DIR_LOG": folder / "var/log", "C2KIT_DIR_FEP_RAW_LOG": folder / "var/raw"},
        )
        yield Runner(load_mission(script), settings=settings)


def _indented(text: str) -> str:
    return "".join(f"    {line}" if line.strip() else line for line in text.splitlines(keepends=True))


@contextlib.contextmanager
def _satellite() -> Iterator[str]:
    """A simulated satellite in a process of its own; gives the address at which it listens."""
    program = "from c2kit.cli import main; main()"
    options = ["sim", "--tcp", "127.0.0.1:0", "--speed", str(_SPEED), *_FAULTS]
    process = subprocess.Popen(  # noqa: S603 - this very package
        [sys.executable, "-c", program, *options], stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None  # noqa: S101 - for the type checker
        line = process.stderr.readline()
        found = re.search(r"tcp (\S+)", line)
        if found is None:
            raise click.ClickException(f"the simulated satellite does not fly: {line}")
        yield found[1]
    finally:
        process.terminate()
        process.communicate()


@define(eq=False)
class _Sent:
    """What became of a command of the demonstration."""

    wanted: _Wanted
    time: str
    fates: list[Fate] = field(factory=list)
    reason: str = ""
    seen: str = ""

    @property
    def text(self) -> Text:
        arguments = " ".join(f"{name}={value}" for name, value in self.wanted.arguments.items())
        end = self.fates[-1] if self.fates else Fate.ISSUED
        colour = "green" if end is Fate.SENT else "yellow" if end.is_end else ""
        steps = " > ".join(self.fates)
        return Text.assemble(
            (f"{self.time}  ", "dim"),
            f"{self.wanted.name} {arguments}".ljust(34),
            (steps, colour),
            f"  {self.seen or self.reason}",
        )


class Operator:
    """Watches the telemetry, and commands; shows both."""

    def __init__(self, runner: Runner, kept: Path | None, *, is_plain: bool) -> None:
        self._runner, self._kept, self._is_plain = runner, kept, is_plain
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._watch, self._command)]
        self._health: dict[str, Any] = {}
        self._limits: dict[str, LimitState] = {}
        self._units: dict[str, str] = {}
        self._voltages: deque[float] = deque(maxlen=_KEPT)
        self._samples = 0
        self._sent: list[_Sent] = []

    def begin(self) -> None:
        """See :meth:`Companion.begin`."""
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """See :meth:`Companion.end`."""
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(5.0)

    # -- telemetry ------------------------------------------------------------------------------

    def _watch(self) -> None:
        mission, bus = self._runner.mission, self._runner.bus
        wire = Wire(Definitions(bus, mission.name, mission.dictionary))
        try:
            with bus.view([stream_name(mission.name, Kind.TELEMETRY, "FIREFLY")]) as view:
                while not self._stop.is_set():
                    for record in view.receive(0.2):
                        batch = wire.read(record.value)
                        if isinstance(batch, TelemetryBatch):
                            self._take(batch)
        except BusError:
            return  # the mission has ended

    def _take(self, batch: TelemetryBatch) -> None:
        self._samples += len(batch)
        if batch.packet.name != "HEALTH":
            return
        self._voltages.extend(batch["BATTERY_VOLTAGE"].values.tolist())
        self._limits = {name: LimitState(int(column.values[-1])) for name, column in batch.limits.items()}
        self._units = {name: batch.packet.items_by_name[name].units or "" for name in _SHOWN}
        self._health = batch.row(-1)

    # -- commands -------------------------------------------------------------------------------

    def _command(self) -> None:
        while not self._health:
            if self._stop.wait(0.02):
                return
        began = time.monotonic()
        try:
            with CommandSource(self._runner.bus, self._runner.mission, caller="c2kit demo") as source:
                for wanted in _PROGRAMME:
                    if self._stop.wait(max(0.0, began + wanted.at - time.monotonic())):
                        return
                    self._send(source, wanted)
        except BusError:
            return  # the mission has ended

    def _send(self, source: CommandSource, wanted: _Wanted) -> None:
        sent = _Sent(wanted, f"{datetime.now(UTC):%H:%M:%S}")
        self._sent.append(sent)
        began = time.monotonic()
        for status in source.follow(source.send("FIREFLY", wanted.name, wanted.arguments), 10.0):
            sent.fates.append(status.fate)
            sent.reason = status.reason
        until = time.monotonic() + 5.0
        while wanted.item and not sent.seen and time.monotonic() < until and not self._stop.wait(0.02):
            if self._health.get(wanted.item) == wanted.value:
                sent.seen = f"{wanted.item} is {wanted.value} after {time.monotonic() - began:.1f} s"
        if self._is_plain:
            click.echo(sent.text.plain, err=True)

    # -- what is shown --------------------------------------------------------------------------

    def show(self) -> RenderableType:
        """The latest HEALTH, the course of a voltage, and the commands so far."""
        values = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2))
        for name in _SHOWN:
            values.add_column(name)
        values.add_row(*(self._cell(name) for name in _SHOWN))
        course = Text.assemble(("BATTERY_VOLTAGE  ", "bold"), (bars(list(self._voltages)), "cyan"))
        commands = [sent.text for sent in list(self._sent)]
        return Group(Text(), Text(f"HEALTH, of {self._samples:,} samples", "bold"), values, course, Text(), *commands)

    def _cell(self, name: str) -> Text:
        value = self._health.get(name, "")
        text = f"{value:.3f}" if isinstance(value, float) else str(value)
        colour = _COLOURS.get(self._limits[name].name.partition("_")[0], "") if name in self._limits else ""
        return Text(f"{text} {self._units.get(name, '')}".strip(), colour)

    def tell(self) -> None:
        """What became of each command, what was seen, and what to do with it."""
        click.echo("Commands:")
        for sent in self._sent:
            click.echo(f"  {sent.text.plain}\n            {sent.wanted.says}")
        click.echo(f"\nTelemetry: {self._samples:,} samples.")
        if self._kept is not None:
            log = self._kept / "var/log"
            click.echo("\nWhat is there now, and what to try with it:")
            click.echo(f"  c2kit log ls {log}")
            click.echo(f"  c2kit log cat {log} --packet HEALTH --limit 5")
            click.echo(f"  c2kit graph {self._kept / 'mission.py'}")
        click.echo()


def bars(values: Sequence[float]) -> str:
    """The course of values in a line."""
    if not values:
        return ""
    low, high = min(values), max(values)
    return "".join(_BARS[round((value - low) / ((high - low) or 1) * (len(_BARS) - 1))] for value in values)
