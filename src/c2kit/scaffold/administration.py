"""What an administrator gives a mission: its namespace with its bounds, and the roles of people in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.scaffold import labels
from c2kit.scaffold.quota import quota_of

if TYPE_CHECKING:
    from c2kit.scaffold.plan import Plan
    from c2kit.scaffold.rendering import Templates
    from c2kit.scaffold.validation.catalogue import Catalogue

__all__ = ["POD_SECURITY_VERSION", "deployers_of", "namespace", "observers_of", "roles"]

POD_SECURITY_VERSION = "v1.33"
"""By which version's words pods are restricted; the oldest Kubernetes that is supported knows it."""

_DEPLOYED = (
    ("", ("configmaps", "serviceaccounts", "services")),
    ("apps", ("deployments", "statefulsets")),
    ("batch", ("jobs",)),
    ("policy", ("poddisruptionbudgets",)),
    ("networking.k8s.io", ("networkpolicies",)),
    ("kafka.strimzi.io", ("kafkanodepools", "kafkas", "kafkatopics", "kafkausers")),
    ("keda.sh", ("scaledobjects", "triggerauthentications")),
    ("networking.istio.io", ("serviceentries", "sidecars")),
    ("security.istio.io", ("authorizationpolicies", "peerauthentications")),
    ("telemetry.istio.io", ("telemetries",)),
)
"""What deployers apply, by the group of its API."""
_SEEN = (
    ("", ("endpoints", "events", "limitranges", "persistentvolumeclaims", "pods", "pods/log", "resourcequotas")),
    ("autoscaling", ("horizontalpodautoscalers",)),
    ("discovery.k8s.io", ("endpointslices",)),
    ("rbac.authorization.k8s.io", ("rolebindings", "roles")),
)
"""What everybody sees who has a role; of others' making."""


def namespace(plan: Plan, all_of: Catalogue, templates: Templates) -> str:
    """The namespace, and how much all objects in it may use."""
    return templates.render(
        "namespace.yaml.j2",
        mission=plan.mission,
        namespace=plan.namespace,
        labels={**labels.of_mission(plan), labels.MARKER: plan.mission},
        pod_security_version=POD_SECURITY_VERSION,
        quota=quota_of(all_of),
    )


def deployers_of(plan: Plan) -> str:
    """The group of those who deploy."""
    return f"{plan.namespace}-deployers"


def observers_of(plan: Plan) -> str:
    """The group of those who only look."""
    return f"{plan.namespace}-observers"


def roles(plan: Plan, templates: Templates) -> str:
    """The roles of those who deploy and those who look, bound to groups that the cluster's login knows."""
    return templates.render(
        "rbac.yaml.j2",
        namespace=plan.namespace,
        labels=labels.of_mission(plan),
        deployers=deployers_of(plan),
        observers=observers_of(plan),
        cluster_role=f"c2kit:{plan.namespace}:deployer",
        deployed=_groups(_DEPLOYED),
        seen=_groups(_SEEN),
    )


def _groups(of: tuple[tuple[str, tuple[str, ...]], ...]) -> list[dict[str, object]]:
    return [{"api": api, "resources": resources} for api, resources in of]
