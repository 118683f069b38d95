"""``c2kit replay``: what was logged, once more, on streams of its own."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from c2kit.cli.failing import ExitCode
from c2kit.cli.logs.times import TIME, span
from c2kit.cli.options import tell
from c2kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from c2kit.cli.logs.times import Told
    from c2kit.pipeline.replays.replay import Replay
    from c2kit.storage import PacketLogReader

__all__ = ["replay"]


@click.command(short_help="Write logged packets to a bus once more.")
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="LOGDIR")
@click.option("--id", "replay_id", required=True, metavar="ID", help="A name for this replay, in its streams' names.")
@click.option("--from", "start", type=TIME, metavar="TIME", help="Only what was received at or after TIME.")
@click.option("--to", "end", type=TIME, metavar="TIME", help="Only what was received before TIME.")
@click.option("-p", "--packet", "packets", multiple=True, metavar="NAME", help="Only this packet. Repeatable.")
@click.option("--speed", type=float, metavar="N", help="N times as fast as it came. By default as fast as can be.")
@click.option("--bus", metavar="URL", help="Such as sqlite:var/bus.db. The default is C2KIT_BUS.")
@click.option("--mission", metavar="NAME", help="The default is C2KIT_MISSION, or else the mission that was logged.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def replay(  # noqa: PLR0913 - an option each
    directory: Path,
    *,
    replay_id: str,
    start: Told | None,
    end: Told | None,
    packets: tuple[str, ...],
    speed: float | None,
    bus: str | None,
    mission: str | None,
    as_json: bool,
) -> None:
    """Write the packets of all logs at or below LOGDIR to a bus, as frames that come from their interfaces once more.

    They go, in the order in which they were received, to streams named <mission>.replay.ID.frames.<interface>, which
    nothing live reads. `c2kit run mission.py --replay ID` runs the mission's processing on them; start it first, since
    a bus keeps everything only for those that it knows.

    Each packet is written once, also where this is killed: the same command line again goes on where it was. A replay
    that is finished stays so; another ID begins anew.

    TIME is a UTC time, such as 2026-03-01T12:00:00, or how long ago, -10m or -1h30m; --to +10m counts from --from.

    Damaged parts of logs are told on stderr and left out; the exit code is 1 then.

    \b
    c2kit replay var/log --id night --from 2026-03-01T22:00:00 --to +8h
    c2kit replay var/log --id drill --from -1h --speed 10 --bus sqlite:var/bus.db
    """  # noqa: D301 - \b is how click keeps lines apart
    from c2kit.bus import open_bus
    from c2kit.cli.logs.source import Choice, Reading
    from c2kit.pipeline.replays.replay import Replay, Wanted
    from c2kit.pipeline.settings import Settings

    settings = Settings.from_environment(os.environ)
    url = _writable(bus or settings.bus)
    mission, logs = _logs_of(directory, mission or settings.mission)
    start_ns, end_ns = span(start, end)
    told = _told(directory, start, end, packets)
    wanted = Wanted(told=told, start_ns=start_ns, end_ns=end_ns, packets=packets)
    with (
        open_bus(url, secrets=settings.kafka_secrets) as opened,
        Replay(opened, mission, replay_id, wanted) as replaying,
    ):
        _tell_how_it_begins(replaying)
        had = replaying.packets
        wanted = replaying.wanted
        choice = Choice(start_ns=wanted.start_ns, end_ns=wanted.end_ns, packets=wanted.packets)
        reading = Reading(list(logs.values()), choice)
        if not replaying.is_finished:
            replaying.run({place: reading.batches(log) for place, log in logs.items()}, speed=speed)
        _print(replaying, url, had, as_json=as_json)
    reading.tell_remedy()
    if reading.damaged:
        sys.exit(ExitCode.FAILED)


def _writable(url: str | None) -> str:
    """The bus, if another process can read what is written to it."""
    if url is None:
        raise UsageError("which bus shall be written to", remedy="give --bus URL, or set C2KIT_BUS")
    if url.startswith("memory:"):
        raise UsageError(f"bus {url} is within this process, and ends with it", remedy="replay to sqlite:PATH")
    return url


def _logs_of(directory: Path, mission: str | None) -> tuple[str, Mapping[str, PacketLogReader]]:
    """The mission, and the logs of its packets by where they lie; those that replays made are left out.

    Logs of one mission may be replayed as another's.
    """
    from c2kit.cli.logs.source import logs_in
    from c2kit.pipeline.composition.names import REPLAY
    from c2kit.storage import PacketLogReader

    by_mission: dict[str, dict[str, PacketLogReader]] = {}
    for log in logs_in(directory):
        of, *rest = ("" if log.schema is None else log.schema.stream).split(".")
        if isinstance(log, PacketLogReader) and rest[:1] != [REPLAY]:
            by_mission.setdefault(of, {})[str(log.directory.relative_to(directory))] = log
    lost = by_mission.pop("", {})  # what it is of, only its index could tell
    if mission is not None and (mission in by_mission or len(by_mission) < 2):
        chosen = by_mission.get(mission) or next(iter(by_mission.values()), {})
    elif len(by_mission) == 1:
        ((mission, chosen),) = by_mission.items()
    else:
        found = ", ".join(sorted(by_mission)) or "none"
        what = f"whose packets at or below {directory} shall be replayed"
        raise UsageError(what, expected="logs of one mission", found=found, remedy="choose one with --mission")
    if not chosen and not lost:
        raise UsageError(f"there is no log of packets at or below {directory}, but for those that replays made")
    return mission, chosen | lost


def _told(directory: Path, start: Told | None, end: Told | None, packets: tuple[str, ...]) -> str:
    """What must be asked for again to go on: as it was told, since ten minutes ago is another time each time."""
    words = [str(directory.resolve())]
    words += [f"--from {start.text}"] if start is not None else []
    words += [f"--to {end.text}"] if end is not None else []
    return " ".join([*words, *(f"--packet {name}" for name in sorted(packets))])


def _tell_how_it_begins(replaying: Replay) -> None:
    if replaying.is_finished:
        tell(f"replay {replaying.id} of {replaying.mission} is finished; another --id begins anew")
        return
    if replaying.packets:
        tell(f"replay {replaying.id} of {replaying.mission} goes on after {replaying.packets:,} packets")
    if not replaying.is_read:
        tell(
            "note: no mission reads this replay yet, so that the bus keeps no more of it than its bound; "
            f"c2kit run SCRIPT --replay {replaying.id} does"
        )


def _print(replaying: Replay, url: str, had: int, *, as_json: bool) -> None:
    streams = replaying.streams
    if as_json:
        told = {
            "id": replaying.id,
            "mission": replaying.mission,
            "bus": url,
            "packets": replaying.packets,
            "packets_before": had,
            "streams": streams,
        }
        click.echo(json.dumps(told, indent=2))
        return
    click.echo(f"{replaying.packets:,} packets on {', '.join(streams) or 'no stream'}")
