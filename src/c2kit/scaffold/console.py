"""The component where people work: a pod for who looks and one for who issues commands, which wait to be entered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from c2kit.pipeline.composition.names import COMMAND_SOURCE, OBSERVER
from c2kit.scaffold.pods import pod_without_stage
from c2kit.scaffold.workloads import about

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.scaffold.plan import Identity, Plan
    from c2kit.scaffold.pods import Pod
    from c2kit.scaffold.rendering import Templates

__all__ = ["WAITING", "console_files"]

WAITING = (
    "python3",
    "-c",
    "import signal; ends = {signal.SIGTERM}; signal.pthread_sigmask(signal.SIG_BLOCK, ends); signal.sigwait(ends)",
)
"""Does nothing until it is told to end. The first process of a container does not get a signal that it never named."""
_PEOPLE = (OBSERVER, COMMAND_SOURCE)
_CPU, _MEMORY = "50m", "256Mi"
_GRACE_SECONDS = 5


def console_files(plan: Plan, templates: Templates) -> dict[str, str]:
    """The files of the component by their names. Accounts, users and policies of its pods are the base's."""
    people = [identity for identity in plan.identities if identity.role in _PEOPLE]
    files = {f"{who.label}.yaml": "---\n".join(_objects(plan, who, templates)) for who in people}
    return {"kustomization.yaml": templates.render("console-kustomization.yaml.j2", files=sorted(files)), **files}


def _objects(plan: Plan, who: Identity, templates: Templates) -> Iterator[str]:
    told = about(plan, who.label)
    yield templates.render("console.yaml.j2", **told, pod=_pod(plan, who.label))
    yield templates.render("service.yaml.j2", **told, listeners=(), served=(), ports=())


def _pod(plan: Plan, label: str) -> Pod:
    pod = pod_without_stage(plan, label, cpu=_CPU, memory=_MEMORY, grace_seconds=_GRACE_SECONDS)
    entered = {"kubectl.kubernetes.io/default-container": "stage"}
    return evolve(pod, command=WAITING, annotations=entered | pod.annotations)
