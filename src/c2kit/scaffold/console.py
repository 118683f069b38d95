"""The component where people work: a pod for who looks and one for who issues commands, which wait to be entered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.pipeline.composition.names import COMMAND_SOURCE, OBSERVER
from c2kit.scaffold.pods import (
    KAFKA_USER,
    Pod,
    has_username,
    kafka_files,
    mesh_annotations,
    pod_labels,
    user_annotations,
)
from c2kit.scaffold.settings import Mesh
from c2kit.scaffold.workloads import about

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.scaffold.plan import Identity, Plan
    from c2kit.scaffold.rendering import Templates

__all__ = ["WAITING", "console_files"]

WAITING = (
    "python3",
    "-c",
    "import signal; ends = {signal.SIGTERM}; signal.pthread_sigmask(signal.SIG_BLOCK, ends); signal.sigwait(ends)",
)
"""Does nothing until it is told to end. The first process of a container does not get a signal that it never named."""
_PEOPLE = (OBSERVER, COMMAND_SOURCE)
_NEEDED = ("C2KIT_BUS", "C2KIT_KAFKA_SECRETS")
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
    """Any stage's image will do: all of them hold the whole mission."""
    some = plan.workloads[0]
    mesh = mesh_annotations(plan, label, _GRACE_SECONDS) if plan.settings.mesh is Mesh.SIDECAR else {}
    return Pod(
        service_account=label,
        labels=pod_labels(plan, label),
        annotations={"kubectl.kubernetes.io/default-container": "stage", **user_annotations(plan, label), **mesh},
        image=some.image,
        command=WAITING,
        arguments=(),
        environment=tuple((name, value) for name, value in some.environment if name in _NEEDED),
        cpu=_CPU,
        memory=_MEMORY,
        grace_seconds=_GRACE_SECONDS,
        pull_secret=plan.settings.images.pull_secret,
        secrets=kafka_files(plan, label),
        user_annotation=KAFKA_USER if has_username(plan) else "",
        has_health=False,
    )
