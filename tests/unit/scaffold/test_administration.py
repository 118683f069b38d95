"""What an administrator gives: a restricted namespace of one mission, and roles that are for people alone."""

from __future__ import annotations

from typing import Any

import pytest

from c2kit.scaffold.administration import namespace, roles
from c2kit.scaffold.documents import objects_in
from c2kit.scaffold.manifests import base_files, catalogue_of
from c2kit.scaffold.rendering import Templates
from tests.scaffolding import planned_everything

Object = dict[str, Any]


@pytest.fixture(scope="module")
def granted() -> list[Object]:
    """Return all objects about roles."""
    return list(objects_in(roles(planned_everything(), Templates()), "rbac.yaml"))


def rules(granted: list[Object], name: str) -> dict[tuple[str, str], set[str]]:
    role = next(each for each in granted if each["kind"] == "Role" and each["metadata"]["name"] == name)
    return {
        (group, resource): set(rule["verbs"])
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }


def test_pods_are_restricted_by_a_version_that_does_not_move() -> None:
    plan = planned_everything()
    found = list(objects_in(namespace(plan, catalogue_of({}), Templates()), "namespace.yaml"))
    labels = found[0]["metadata"]["labels"]
    for mode in ("enforce", "audit", "warn"):
        assert labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"
        assert labels[f"pod-security.kubernetes.io/{mode}-version"].startswith("v1.")
    assert labels["c2kit.io/mission"] == "all-of-it"
    assert [each["kind"] for each in found] == ["Namespace", "ConfigMap", "ResourceQuota", "LimitRange"]


def test_whose_a_namespace_is_cannot_be_changed_so_that_another_missions_marker_is_refused() -> None:
    plan = planned_everything()
    found = list(objects_in(namespace(plan, catalogue_of({}), Templates()), "namespace.yaml"))
    (marker,) = (each for each in found if each["kind"] == "ConfigMap")
    assert marker["immutable"] is True
    assert marker["data"] == {"mission": "all-of-it"}


def test_nobody_sees_a_secret_or_may_run_something_in_a_pod(granted: list[Object]) -> None:
    for name in ("deployer", "observer"):
        resources = {resource for _, resource in rules(granted, name)}
        assert not resources & {"*", "secrets", "pods/exec", "pods/attach", "pods/portforward"}
        assert all("*" not in verbs for verbs in rules(granted, name).values())


def test_who_looks_changes_nothing_and_who_deploys_not_what_binds_him(granted: list[Object]) -> None:
    looks = {"get", "list", "watch"}
    assert set().union(*rules(granted, "observer").values()) == looks
    deploys = rules(granted, "deployer")
    for resource in (("", "resourcequotas"), ("", "limitranges")):
        assert deploys[resource] == looks
    for kind in ("roles", "rolebindings"):
        assert deploys["rbac.authorization.k8s.io", kind] == looks
    cluster = next(each for each in granted if each["kind"] == "ClusterRole")
    assert all(rule["verbs"] == ["get"] and rule["resourceNames"] for rule in cluster["rules"])


def test_who_applies_all_files_may_see_that_what_has_no_namespace_is_as_it_should_be(granted: list[Object]) -> None:
    cluster = next(each for each in granted if each["kind"] == "ClusterRole")
    seen = {(kind, name) for rule in cluster["rules"] for kind in rule["resources"] for name in rule["resourceNames"]}
    generated = catalogue_of(base_files(planned_everything(), Templates())).objects
    without = {(f"{each['kind'].lower()}s", each["metadata"]["name"]) for each in generated if not namespaced(each)}
    assert seen == without
    assert ("namespaces", "all-of-it") in without


def namespaced(each: Object) -> bool:
    return "namespace" in each["metadata"]


def test_roles_are_bound_to_groups_of_people_only(granted: list[Object]) -> None:
    subjects = [each for thing in granted if thing["kind"].endswith("Binding") for each in thing["subjects"]]
    assert {each["kind"] for each in subjects} == {"Group"}


def test_deployers_may_apply_every_kind_that_is_generated(granted: list[Object]) -> None:
    deploys = rules(granted, "deployer")
    generated = catalogue_of(base_files(planned_everything(), Templates())).objects
    kinds = {(each["apiVersion"].rpartition("/")[0], each["kind"].lower()) for each in generated}
    bound = {"namespace", "resourcequota", "limitrange", "role", "rolebinding", "clusterrole", "clusterrolebinding"}
    for group, kind in kinds:
        if kind not in bound:
            plural = f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"
            assert "patch" in deploys[group, plural], (group, kind)
