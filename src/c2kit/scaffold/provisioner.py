"""The Job that puts the definitions of all targets on the bus before a stage names them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from attrs import evolve

from c2kit.pipeline.composition.names import PROVISIONER
from c2kit.scaffold.containers import SCRIPT
from c2kit.scaffold.pods import pod_without_stage
from c2kit.scaffold.workloads import about, service_account

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.scaffold.plan import Plan
    from c2kit.scaffold.pods import Pod
    from c2kit.scaffold.rendering import Templates

__all__ = ["provisioner_objects"]

_CPU, _MEMORY = "100m", "256Mi"
_GRACE_SECONDS = 10


def provisioner_objects(plan: Plan, templates: Templates) -> Iterator[str]:
    """Who it is and what runs, without what it may do: documents of YAML."""
    yield service_account(plan, PROVISIONER, templates)
    pod = _pod(plan)
    made_of = repr((plan.description.as_json(), pod.image, pod.arguments, pod.environment))
    job = f"{PROVISIONER}-{hashlib.sha256(made_of.encode()).hexdigest()[:10]}"
    yield templates.render("provisioner.yaml.j2", **about(plan, PROVISIONER), job=job, pod=pod)


def _pod(plan: Plan) -> Pod:
    pod = pod_without_stage(plan, PROVISIONER, cpu=_CPU, memory=_MEMORY, grace_seconds=_GRACE_SECONDS)
    return evolve(pod, arguments=("streams", "apply", SCRIPT), restarts=False)
