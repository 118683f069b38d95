"""The Job that puts the definitions of all targets on the bus before a stage names them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from c2kit.pipeline.composition.names import PROVISIONER
from c2kit.scaffold.containers import SCRIPT
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
from c2kit.scaffold.workloads import about, service_account

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.scaffold.plan import Plan
    from c2kit.scaffold.rendering import Templates

__all__ = ["provisioner_objects"]

_NEEDED = ("C2KIT_BUS", "C2KIT_KAFKA_SECRETS")
_CPU, _MEMORY = "100m", "256Mi"


def provisioner_objects(plan: Plan, templates: Templates) -> Iterator[str]:
    """Who it is and what runs, without what it may do: documents of YAML."""
    yield service_account(plan, PROVISIONER, templates)
    pod = _pod(plan)
    made_of = repr((plan.description.as_json(), pod.image, pod.arguments, pod.environment))
    job = f"{PROVISIONER}-{hashlib.sha256(made_of.encode()).hexdigest()[:10]}"
    yield templates.render("provisioner.yaml.j2", **about(plan, PROVISIONER), job=job, pod=pod)


def _pod(plan: Plan) -> Pod:
    """Any stage's image will do: all of them hold the whole mission."""
    some = plan.workloads[0]
    return Pod(
        service_account=PROVISIONER,
        labels=pod_labels(plan, PROVISIONER),
        annotations={
            **user_annotations(plan, PROVISIONER),
            **(mesh_annotations(plan, PROVISIONER, 5) if plan.settings.mesh is Mesh.SIDECAR else {}),
        },
        image=some.image,
        arguments=("streams", "apply", SCRIPT),
        environment=tuple((name, value) for name, value in some.environment if name in _NEEDED),
        cpu=_CPU,
        memory=_MEMORY,
        grace_seconds=10,
        pull_secret=plan.settings.images.pull_secret,
        secrets=kafka_files(plan, PROVISIONER),
        user_annotation=KAFKA_USER if has_username(plan) else "",
        has_health=False,
        restarts=False,
    )
