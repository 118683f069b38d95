"""The quota of a namespace follows from what is in it, and always has room for all of it."""

from __future__ import annotations

from typing import Any

from c2kit.scaffold.manifests import base_files, catalogue_of
from c2kit.scaffold.quantities import amount
from c2kit.scaffold.quota import quota_of
from c2kit.scaffold.rendering import Templates
from c2kit.scaffold.settings import Mesh
from c2kit.scaffold.validation import Catalogue
from tests.scaffolding import planned_everything, planned_with_stages

GI = 1024**3


def workload(name: str, replicas: int | None, *, in_mesh: bool = False, storage: str = "") -> dict[str, Any]:
    resources = {"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}}
    labels = {"sidecar.istio.io/inject": "true"} if in_mesh else {}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"resources": resources}]}}
    spec: dict[str, Any] = {"template": template}
    if replicas is not None:
        spec["replicas"] = replicas
    if storage:
        spec["volumeClaimTemplates"] = [{"spec": {"resources": {"requests": {"storage": storage}}}}]
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name}, "spec": spec}


def scaled(name: str, most: int) -> dict[str, Any]:
    spec = {"scaleTargetRef": {"name": name}, "maxReplicaCount": most}
    return {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": name}, "spec": spec}


def test_all_pods_count_as_often_as_they_ever_are_with_a_quarter_more() -> None:
    things = [workload("a", 2, storage="8Gi"), workload("b", None), scaled("b", 6)]
    quota = quota_of(Catalogue(things))
    assert quota["pods"] == "10"  # (2 + 6) * 1.25
    assert amount(quota["requests.cpu"]) == 8 * amount("250m") * 5 / 4
    assert amount(quota["requests.memory"]) == 8 * amount("256Mi") * 5 / 4
    assert amount(quota["limits.memory"]) == 8 * amount("512Mi") * 5 / 4
    assert quota["persistentvolumeclaims"] == "3"  # 2 * 1.25, rounded up
    assert amount(quota["requests.storage"]) == 2 * 8 * GI * 5 / 4


def test_proxies_of_a_mesh_count_too() -> None:
    alone, meshed = (quota_of(Catalogue([workload("a", 1, in_mesh=each)])) for each in (False, True))
    more = amount(meshed["requests.cpu"]) - amount(alone["requests.cpu"])
    assert more == amount("100m") * 5 / 4


def test_it_has_room_for_brokers_controllers_and_operators() -> None:
    plan = planned_everything(Mesh.NONE)
    quota = quota_of(catalogue_of(base_files(plan, Templates())))
    stages = sum(each.autoscale.max if each.autoscale else each.replicas for each in plan.workloads)
    assert int(quota["pods"]) >= stages + 1 + 3 + 3 + 1  # the provisioner, brokers, controllers, operators
    assert amount(quota["requests.storage"]) >= 3 * 100 * GI + 3 * 10 * GI
    listeners = [workload for workload in plan.workloads if workload.listeners]
    assert int(quota["services.loadbalancers"]) == len(listeners)


def test_it_grows_with_the_mission() -> None:
    def pods(stages: int) -> int:
        plan = planned_with_stages(stages)
        return int(quota_of(catalogue_of(base_files(plan, Templates())))["pods"])

    assert pods(40) - pods(20) == 25
