"""``README.md`` of a deployment: what it needs, how to run it, whose each file is, what happens when something dies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

import c2kit
from c2kit.scaffold.guidance import requirements_of, steps_of
from c2kit.scaffold.settings import KafkaKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from c2kit.scaffold.images import Image, ImageSources
    from c2kit.scaffold.overlays import Refusal
    from c2kit.scaffold.plan import Plan, Workload

__all__ = ["readme"]


@frozen(kw_only=True)
class _Fate:
    """What happens to stages of a kind when their pod dies, or their node."""

    kind: str
    stages: str
    pod: str
    node: str


def readme(plan: Plan, images: Sequence[Image], sources: ImageSources, refusals: Sequence[Refusal]) -> str:
    """The page, in Markdown."""
    return sources.templates.render(
        "README.md.j2",
        mission=plan.description.name,
        version=c2kit.__version__,
        requirements=requirements_of(plan),
        steps=list(steps_of(plan, images, sources, ".")),
        refusals=refusals,
        strimzi=plan.settings.kafka.kind is KafkaKind.STRIMZI,
        fates=list(_fates(plan)),
    )


def _fates(plan: Plan) -> Iterator[_Fate]:
    for kind, is_one, pod, node in _KINDS:
        stages = [workload.stage.name for workload in plan.workloads if is_one(workload)]
        if stages:
            yield _Fate(kind=kind, stages=", ".join(stages), pod=pod, node=node)


def _is_interface(workload: Workload) -> bool:
    return workload.stage.role == "interface"


def _is_sink(workload: Workload) -> bool:
    return workload.stage.role == "sink"


def _is_one_processor(workload: Workload) -> bool:
    return workload.stage.role == "stage" and not workload.may_have_several


def _has_several(workload: Workload) -> bool:
    return workload.stage.role == "stage" and workload.may_have_several


_WAITS = "nothing is lost; it goes on where it was once the node is back, or is said to be off"
_KINDS: tuple[tuple[str, Callable[[Workload], bool], str, str], ...] = (
    (
        "interface",
        _is_interface,
        "another one starts by itself and connects anew; a command that was being sent is on record as *unknown*",
        "the link is down until the node is back, or is said to be off; commands wait, and expire",
    ),
    (
        "processor, alone",
        _is_one_processor,
        "another one goes on from the last step that was committed; nothing is lost or done twice",
        _WAITS,
    ),
    (
        "processor, several",
        _has_several,
        "the others take its lanes over within a minute, with what was remembered of them",
        "the others take its lanes over within a minute",
    ),
    (
        "sink",
        _is_sink,
        "another one takes its volume, and goes on from what stands in its log",
        f"{_WAITS}; its volume must be one that another node can take",
    ),
)
