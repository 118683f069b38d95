"""A real API server takes every object that is generated, strictly and without a warning, and one pod of each."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from c2kit.scaffold.documents import objects_in
from c2kit.scaffold.manifests import base_files, component_files
from c2kit.scaffold.rendering import Templates
from c2kit.scaffold.settings import Mesh
from dev.k8s import ApiServer, Refused, Tool
from tests.kubernetes import definitions, require
from tests.scaffolding import planned_everything, planned_example, planned_with_stages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.scaffold.plan import Plan

Object = dict[str, Any]
_names = itertools.count()
PLANS = {
    "everything": planned_everything,
    "without a mesh": lambda: planned_everything(Mesh.NONE),
    "example": planned_example,
    "200 stages": lambda: planned_with_stages(200),
}


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    require(Tool.ETCD, Tool.API_SERVER)
    kinds = list(definitions())
    with ApiServer() as started:
        started.define(kinds)
        yield started


def generated(plan: Plan) -> list[Object]:
    """All objects of a plan, in a namespace of their own: the server keeps those of earlier tests."""
    texts = {**base_files(plan, Templates()), **component_files(plan, {}, Templates())}
    found = [each for path, text in texts.items() if "kustomization" not in path for each in objects_in(text, path)]
    namespace = f"{plan.namespace}-{next(_names)}"
    for each in found:
        if each["kind"] == "Namespace":
            each["metadata"]["name"] = namespace
        elif each["metadata"].get("namespace") == plan.namespace:
            each["metadata"]["namespace"] = namespace
    return sorted(found, key=lambda each: (each["kind"] != "Namespace", each["kind"] != "ServiceAccount"))


def pod_of(workload: Object) -> Object:
    """One pod, as the controller of a workload would make it."""
    template = workload["spec"]["template"]
    claims = workload["spec"].get("volumeClaimTemplates", [])
    volumes = [
        {"name": each["metadata"]["name"], "persistentVolumeClaim": {"claimName": each["metadata"]["name"]}}
        for each in claims
    ]
    spec = {**template["spec"], "volumes": [*template["spec"].get("volumes", []), *volumes]}
    about = {**template["metadata"], "name": f"{workload['metadata']['name']}-0"}
    about["namespace"] = workload["metadata"]["namespace"]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": spec}


@pytest.mark.slow
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS.keys())
def test_it_takes_everything_and_one_pod_of_each_workload(server: ApiServer, plan: Any) -> None:  # noqa: ANN401
    objects = generated(plan())
    complaints = []
    for each in objects:
        complaints += [f"{each['kind']} {each['metadata']['name']}: {told}" for told in asked(server.apply, each)]
    workloads = [each for each in objects if each["kind"] in {"StatefulSet", "Deployment", "Job"}]
    assert len(workloads) >= len(plan().workloads)
    for each in workloads:
        told = asked(server.create, pod_of(each), dry=True)
        complaints += [f"pod of {each['metadata']['name']}: {text}" for text in told]
    assert complaints == []


def asked(do: Any, thing: Object, **how: bool) -> list[str]:  # noqa: ANN401
    """What the server says against an object."""
    try:
        warnings: list[str] = do(thing, **how)
    except Refused as error:
        return [error.message]
    return warnings


def test_it_would_tell_what_is_wrong(server: ApiServer) -> None:
    """The control: what is refused here is what would be a defect of ours."""
    objects = generated(planned_example())
    for each in objects[:1]:
        server.apply(each)
    accounts = [each for each in objects if each["kind"] == "ServiceAccount"]
    for each in accounts:
        server.apply(each)
    workload = next(each for each in objects if each["kind"] == "StatefulSet")
    for change, reason in (
        (lambda spec: spec["template"]["spec"]["containers"][0].pop("securityContext"), "violates PodSecurity"),
        (lambda spec: spec["template"]["spec"].update(hostNetwork=True), "violates PodSecurity"),
    ):
        broken = pod_of(workload)
        change({"template": broken})  # type: ignore[no-untyped-call]
        (told,) = asked(server.create, broken, dry=True)
        assert reason in told
    unknown = {**workload, "spec": {**workload["spec"], "replica": 1}}
    (told,) = asked(server.apply, unknown)
    assert "replica" in told
