"""What ``c2kit send`` does."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import frozen

from c2kit.bus import open_bus
from c2kit.bus.records import Fate, pack
from c2kit.cli import encoding
from c2kit.cli.failing import ExitCode
from c2kit.cli.options import tell, user_name
from c2kit.errors import UnknownName, UsageError
from c2kit.pipeline.commands.source import CommandSource, StreamsMissing
from c2kit.pipeline.composition.script import load_mission
from c2kit.pipeline.observing.times import utc_text
from c2kit.pipeline.settings import Settings

if TYPE_CHECKING:
    from c2kit.bus import StreamBus
    from c2kit.bus.records import CommandStatus
    from c2kit.pipeline.composition.mission import Mission
    from c2kit.processors import EncodedCommand

__all__ = ["Wanted", "send_and_follow", "show_only"]

_CODES = {
    Fate.SENT: ExitCode.DONE,
    Fate.REFUSED: ExitCode.REFUSED,
    Fate.EXPIRED: ExitCode.EXPIRED,
    Fate.UNKNOWN: ExitCode.UNKNOWN,
}


@frozen(kw_only=True)
class Wanted:
    """What the command line says."""

    script: Path
    target: str
    name: str
    arguments: tuple[str, ...]
    command_id: str | None
    expires_seconds: float
    confirms_hazard: bool
    interface: str
    wait_seconds: float
    as_json: bool
    bus: str | None

    @property
    def words(self) -> str:
        """The command as it was typed."""
        return " ".join((self.target, self.name, *self.arguments))


def show_only(wanted: Wanted) -> ExitCode:
    """Print the bytes and what they say. Counts are those of a first command: the encoder of the mission has others."""
    mission = _mission(wanted, Settings.from_environment(os.environ))
    encoded = _encoded(wanted, mission)
    for hazard in encoded.hazards:
        tell(f"HAZARDOUS: {hazard}")
    if wanted.as_json:
        members = {"target": encoded.target, "name": encoded.name, "hazards": encoded.hazards}
        click.echo(json.dumps({**members, "hex": encoded.data.hex()}))
        return ExitCode.DONE
    encoding.show_fields(mission.dictionary.target(wanted.target).command(wanted.name), encoded)
    encoding.write(encoded.data, "hex", None)
    return ExitCode.DONE


def send_and_follow(wanted: Wanted) -> ExitCode:
    """Issue the command and print its steps. Raises UsageError for what cannot be sent, StreamsMissing, BusError."""
    settings = Settings.from_environment(os.environ)
    mission = _mission(wanted, settings)
    encoded = _encoded(wanted, mission)
    if encoded.is_hazardous and not wanted.confirms_hazard:
        for hazard in encoded.hazards:
            tell(f"HAZARDOUS: {hazard}")
        tell(f"{wanted.words} was not sent; --confirm-hazardous sends it all the same.")
        return ExitCode.REFUSED
    with (
        _opened(mission, wanted.bus or mission.bus, settings.kafka_secrets) as bus,
        CommandSource(bus, mission, caller=user_name()) as source,
    ):
        return _followed(wanted, source)


def _mission(wanted: Wanted, settings: Settings) -> Mission:
    mission = settings.applied_to(load_mission(wanted.script))
    if wanted.interface:
        ways = [name for name, spec in mission.interfaces.items() if wanted.target in spec.targets]
        if wanted.interface not in ways:
            raise UnknownName(
                kind="interface", name=wanted.interface, known=ways, where=f"what leads to {wanted.target}"
            )
    return mission


def _encoded(wanted: Wanted, mission: Mission) -> EncodedCommand:
    return encoding.encoded(mission.dictionary, wanted.target, wanted.name, wanted.arguments, None)


def _opened(mission: Mission, url: str, secrets: Path | None) -> StreamBus:
    """The bus that the mission runs on; none is made."""
    kind, _, path = url.partition(":")
    if kind == "memory":
        raise UsageError(
            f"mission {mission.name} is on bus {url}, within the process that runs it, and no other can send to it",
            remedy="run it on sqlite:PATH, by its script or C2KIT_BUS, or use c2kit.CommandSource within its process",
        )
    if kind == "sqlite" and not Path(path).is_file():
        raise StreamsMissing(mission.name, url)
    return open_bus(url, secrets=secrets)


def _followed(wanted: Wanted, source: CommandSource) -> ExitCode:
    began = time.time_ns()
    command_id = source.send(
        wanted.target,
        wanted.name,
        dict(argument.split("=", 1) for argument in wanted.arguments),
        command_id=wanted.command_id,
        expires_seconds=wanted.expires_seconds,
        confirms_hazard=wanted.confirms_hazard,
        interface=wanted.interface,
    )
    tell(f"command {command_id}: {wanted.words}")
    last: CommandStatus | None = None
    try:
        for status in source.follow(command_id, wanted.wait_seconds):
            if last is None and status.time_ns < began:
                tell("It was issued before, and is not issued again; this is what became of it.")
            last = status
            _print(status, as_json=wanted.as_json)
    except KeyboardInterrupt:
        _tell_open(command_id, last)
        raise
    if last is None or not last.fate.is_end:
        tell(f"It did not end within {wanted.wait_seconds:g} s.")
        _tell_open(command_id, last)
        return ExitCode.UNKNOWN
    if last.fate is Fate.UNKNOWN:
        tell("It may have been sent, once, whole or in part: look at telemetry before you send it again.")
    return _CODES[last.fate]


def _print(status: CommandStatus, *, as_json: bool) -> None:
    if as_json:
        click.echo(pack(status).decode())
        return
    stage = status.stage if status.interface in ("", status.stage) else f"{status.stage} for {status.interface}"
    reason = f": {status.reason}" if status.reason else ""
    click.echo(f"{utc_text(status.time_ns, digits=3)}  {status.fate:<8}  {stage}{reason}")


def _tell_open(command_id: str, last: CommandStatus | None) -> None:
    """What is known of a command that has no end yet."""
    known = Fate.ISSUED if last is None else last.fate
    tell(
        f"The last that is known of it is {known}. Unless it has expired, it may still be sent. "
        f"The same command line with --id {command_id} tells what became of it, and does not send it again."
    )
