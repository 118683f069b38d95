"""What ``c2kit streams plan``, ``apply`` and ``check`` do and print."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import click
from attrs import asdict, evolve

from c2kit.cli.failing import ExitCode
from c2kit.cli.options import tell
from c2kit.cli.terminal import show, table
from c2kit.pipeline.composition.script import load_mission
from c2kit.pipeline.composition.topics import topics_of
from c2kit.pipeline.provisioning import Provisioning, provisioning_of
from c2kit.pipeline.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from c2kit.bus import StreamSpec
    from c2kit.bus.topic import Topic
    from c2kit.pipeline.composition.mission import Mission
    from c2kit.pipeline.composition.topic_checks import Difference

__all__ = ["apply", "check", "mission_of", "plan"]

_HOUR_MS = 3_600_000


def plan(script: Path, bus: str | None, *, replay: str | None, brokers: int, as_json: bool) -> None:
    """Print what the mission needs. Nothing is opened."""
    mission, _ = mission_of(script, bus)
    description = mission.describe(replay=replay)
    if mission.bus.startswith("kafka:"):
        topics = topics_of(description, brokers=brokers)
        if as_json:
            click.echo(json.dumps([asdict(topic) for topic in topics], indent=2))
        else:
            _show_topics(topics)
            tell(f"{len(topics)} topics on {brokers} brokers, {sum(each.partitions for each in topics)} partitions")
        return
    specs = provisioning_of(mission, replay=replay).specs
    if as_json:
        click.echo(json.dumps([asdict(spec) for spec in specs], indent=2))
    else:
        _show_streams(specs)
        tell(f"{len(specs)} streams on {mission.bus}, which c2kit run makes by itself")


def apply(script: Path, bus: str | None, *, replay: str | None, as_json: bool) -> None:
    """Make what is missing, and print what was made."""
    provisioning = _provisioning(script, bus, replay)
    applied = provisioning.apply()
    if as_json:
        click.echo(json.dumps({"bus": provisioning.mission.bus, **asdict(applied)}, indent=2))
        return
    for name in applied.created:
        click.echo(name)
    tell(
        f"{len(applied.created)} made on {provisioning.mission.bus}, {applied.existing} were there already and stay as "
        "they are; the definitions of all targets are there"
    )


def check(script: Path, bus: str | None, *, replay: str | None, as_json: bool) -> ExitCode:
    """Print what differs; whether any of it breaks a promise is the exit code."""
    provisioning = _provisioning(script, bus, replay)
    found = provisioning.check()
    breaking = sum(each.breaks for each in found)
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found], indent=2))
    elif found:
        _show_differences(found)
    where = f"{provisioning.description.name} on {provisioning.mission.bus}"
    tell(
        f"{where}: {len(found)} differences, {breaking} of which break a promise"
        if found
        else f"{where}: as it should be"
    )
    return ExitCode.FAILED if breaking else ExitCode.DONE


def _provisioning(script: Path, bus: str | None, replay: str | None) -> Provisioning:
    mission, settings = mission_of(script, bus)
    return provisioning_of(mission, replay=replay, secrets=settings.kafka_secrets)


def mission_of(script: Path, bus: str | None) -> tuple[Mission, Settings]:
    """The mission of a script on the bus that is meant: of the option, the environment, or the script itself."""
    settings = Settings.from_environment(os.environ)
    settings = evolve(settings, bus=bus or settings.bus)
    return settings.applied_to(load_mission(script)), settings


# -- tables -------------------------------------------------------------------------------------


def _show_topics(topics: Iterable[Topic]) -> None:
    made = table("topic", "partitions", "copies", "kept", right=frozenset({"partitions", "copies"}))
    for topic in topics:
        made.add_row(topic.name, str(topic.partitions), str(topic.replication_factor), _kept(topic.settings))
    show(made)


def _kept(settings: Mapping[str, str]) -> str:
    if settings["cleanup.policy"] == "compact":
        return "the newest of each key"
    hours, gib = int(settings["retention.ms"]) / _HOUR_MS, int(settings["retention.bytes"]) / 2**30
    return f"{hours:g} h, {gib:g} GiB a partition"


def _show_streams(specs: Iterable[StreamSpec]) -> None:
    made = table("stream", "partitions", "writer", "readers", right=frozenset({"partitions"}))
    for spec in specs:
        made.add_row(spec.name, str(spec.partitions), spec.writer, ", ".join(spec.consumers) or "-")
    show(made)


def _show_differences(found: Sequence[Difference]) -> None:
    """What is the same of many is a line: the worst come first."""
    same: dict[Difference, list[str]] = {}
    for each in found:
        same.setdefault(evolve(each, of=""), []).append(each.of)
    made = table("", "of", "setting", "wanted", "found", "which means")
    for each, of in sorted(same.items(), key=lambda entry: not entry[0].breaks):
        more = f" and {len(of) - 1} more" if len(of) > 1 else ""
        mark = "BREAKS" if each.breaks else "note"
        made.add_row(mark, f"{of[0]}{more}", each.setting, each.wanted, each.found, each.meaning)
    show(made)
