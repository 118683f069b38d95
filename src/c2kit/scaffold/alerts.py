"""Alerts of a mission, as rules of Prometheus: what needs a person, and what it means.

A rule is about what the mission has: each interface's link, each stage's lag, by the number that its scale was given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.pipeline.composition.description import StageDescription
    from c2kit.scaffold.plan import Plan
    from c2kit.scaffold.rendering import Templates

__all__ = ["Alert", "alerts_of", "rules"]

_CRITICAL, _WARNING = "critical", "warning"
_SILENCE_SECONDS = 300


@frozen(kw_only=True)
class Alert:
    """One rule."""

    name: str
    expression: str
    lasting: str
    """How long it must hold before anybody is told."""
    severity: str
    summary: str
    action: str
    """What to do about it."""


def rules(plan: Plan, templates: Templates) -> str:
    """The file of rules."""
    return templates.render("alerts.yaml.j2", mission=plan.mission, alerts=tuple(alerts_of(plan)))


def alerts_of(plan: Plan) -> Iterator[Alert]:
    """All alerts of a mission. They look at its own namespace alone."""
    where = f'namespace="{plan.namespace}"'
    yield from _promises(where)
    yield from _commands(where)
    for workload in plan.workloads:
        yield from _of_stage(workload.stage.name, workload.label, where)
        if workload.stage.link is not None:
            yield from _of_link(workload.stage.name, where)
        if any(not plan.description.streams_by_name[name].compacted for name in workload.stage.reads):
            yield _lag(workload.stage, where)


def _promises(where: str) -> Iterator[Alert]:
    metrics = (
        "c2kit_processor_unaccounted",
        "c2kit_stream_unaccounted_records",
        "c2kit_interface_unaccounted_bytes",
    )
    yield Alert(
        name="C2kitUnaccounted",
        expression=" or ".join(f"{metric}{{{where}}} != 0" for metric in metrics),
        lasting="1m",
        severity=_CRITICAL,
        summary="Something is counted wrongly, or lost: {{ $labels.stage }}{{ $labels.stream }}{{ $labels.interface }}",
        action="Keep the logs and report it: this is an error of c2kit.",
    )
    yield Alert(
        name="C2kitDeadLetters",
        expression=f"increase(c2kit_dead_letters_total{{{where}}}[10m]) > 0",
        lasting="0m",
        severity=_WARNING,
        summary="{{ $labels.stage }} fails on packets, and set them aside",
        action="Look at them: c2kit dead-letter ls.",
    )


def _commands(where: str) -> Iterator[Alert]:
    yield Alert(
        name="C2kitCommandUnknown",
        expression=f'increase(c2kit_commands_total{{{where}, fate="UNKNOWN"}}[10m]) > 0',
        lasting="0m",
        severity=_CRITICAL,
        summary="Nobody can tell whether a command was sent by {{ $labels.stage }}",
        action="Ask the spacecraft by its telemetry before sending it again.",
    )


def _of_stage(stage: str, label: str, where: str) -> Iterator[Alert]:
    about = f'{where}, stage="{stage}"'
    yield Alert(
        name="C2kitStageAway",
        expression=f"absent(c2kit_stage_info{{{about}}})",
        lasting="2m",
        severity=_CRITICAL,
        summary=f"{stage} does not run, or is not asked for its metrics",
        action=f"kubectl describe statefulset {label}",
    )
    behind = f'sum(c2kit_stream_lag_records{{{where}, consumer="{stage}"}}) > 0'
    since = f"time() - max(c2kit_stage_last_commit_timestamp_seconds{{{about}}})"
    yield Alert(
        name="C2kitNoCommit",
        expression=f"({since} > {_SILENCE_SECONDS}) and ({behind})",
        lasting="1m",
        severity=_CRITICAL,
        summary=f"{stage} has records to work on, and has committed nothing for {_SILENCE_SECONDS} s",
        action=f"kubectl logs {label}-0: it says what it waits for.",
    )


def _of_link(interface: str, where: str) -> Iterator[Alert]:
    about = f'{where}, interface="{interface}"'
    yield Alert(
        name="C2kitLinkDown",
        expression=f'max(c2kit_link_state{{{about}, state="connected"}}) == 0',
        lasting="2m",
        severity=_WARNING,
        summary=f"The link of {interface} is not connected",
        action="Look at the events of the interface for the reason, and at the device.",
    )
    yield Alert(
        name="C2kitDiscarded",
        expression=f"rate(c2kit_interface_discarded_bytes_total{{{about}}}[5m]) > 0",
        lasting="5m",
        severity=_WARNING,
        summary=f"Bytes of {interface} are part of no frame, again and again",
        action="They are kept in its events: c2kit tail says where framing failed.",
    )


def _lag(stage: StageDescription, where: str) -> Alert:
    name, lag = stage.name, stage.scale.lag
    scales = stage.role == "stage" and not stage.exclusive
    more = "Give it more replicas (scale= in the script). " if scales else ""
    return Alert(
        name="C2kitLag",
        expression=f'max by (stream) (c2kit_stream_lag_records{{{where}, consumer="{name}"}}) > {lag}',
        lasting="5m",
        severity=_WARNING,
        summary=f"{name} is more than {lag} records of {{{{ $labels.stream }}}} behind",
        action=f"{more}Find out what it waits for: what is older than retention is lost.",
    )
