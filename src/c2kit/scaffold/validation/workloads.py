"""Workloads: what their pods name is there, and what names them finds them."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from c2kit.scaffold.validation.catalogue import Catalogue, Finding, Object, Pods, name_of, selects

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CHECKS"]

_SERVICE_NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")


def _duplicates(all_of: Catalogue) -> Iterator[Finding]:
    counted = Counter(
        (thing["apiVersion"].partition("/")[0], name_of(thing), thing["metadata"].get("namespace", ""))
        for thing in all_of.objects
    )
    for (_, name, _), count in counted.items():
        if count > 1:
            yield Finding(of=name, what=f"it is there {count} times")


def _accounts(all_of: Catalogue) -> Iterator[Finding]:
    accounts = {thing["metadata"]["name"]: thing for thing in all_of.of_kind("ServiceAccount")}
    for pods in all_of.pods:
        name = pods.spec.get("serviceAccountName", "default")
        if name not in accounts:
            yield Finding(of=name_of(pods.parent), what=f"there is no service account {name}")
        for thing in (pods.spec, accounts.get(name, {"automountServiceAccountToken": False})):
            if thing.get("automountServiceAccountToken", True):
                yield Finding(of=name_of(pods.parent), what="it gets a token of Kubernetes, which no stage needs")


def _no_roles_for_stages(all_of: Catalogue) -> Iterator[Finding]:
    used = {pods.spec.get("serviceAccountName", "default") for pods in all_of.pods}
    for binding in all_of.of_kind("RoleBinding", "ClusterRoleBinding"):
        for subject in binding.get("subjects", []):
            if subject["kind"] == "ServiceAccount" and subject["name"] in used:
                yield Finding(of=name_of(binding), what=f"it gives a role to the stage {subject['name']}")


def _files(all_of: Catalogue) -> Iterator[Finding]:
    for pods in all_of.pods:
        volumes = {volume["name"]: volume for volume in pods.spec.get("volumes", [])}
        claims = {each["metadata"]["name"] for each in pods.parent.get("spec", {}).get("volumeClaimTemplates", [])}
        for container in pods.containers:
            for mount in container.get("volumeMounts", []):
                if mount["name"] not in volumes and mount["name"] not in claims:
                    yield Finding(of=name_of(pods.parent), what=f"it mounts {mount['name']}, which is no volume of its")
        for volume in volumes.values():
            yield from _volume(all_of, pods, volume)


def _volume(all_of: Catalogue, pods: Pods, volume: dict[str, Any]) -> Iterator[Finding]:
    of = name_of(pods.parent)
    sources = [volume, *volume.get("projected", {}).get("sources", [])]
    for secret in (source["secret"] for source in sources if "secret" in source):
        name = secret.get("secretName") or secret.get("name")
        if name not in all_of.secrets:
            yield Finding(of=of, what=f"there is no secret {name}")
        if secret.get("optional"):
            yield Finding(of=of, what=f"it starts without the secret {name}")
    claim = volume.get("persistentVolumeClaim", {}).get("claimName")
    if claim and claim not in all_of.names("PersistentVolumeClaim") | set(all_of.elsewhere):
        yield Finding(of=of, what=f"there is no claim {claim}")
    if "hostPath" in volume:
        yield Finding(of=of, what="it mounts a folder of its node")


def _environment(all_of: Catalogue) -> Iterator[Finding]:
    for pods in all_of.pods:
        for container in pods.containers:
            from_secrets = [each for each in container.get("envFrom", []) if "secretRef" in each]
            from_secrets += [each for each in container.get("env", []) if "secretKeyRef" in each.get("valueFrom", {})]
            if from_secrets:
                yield Finding(of=name_of(pods.parent), what="a secret is in its environment, where many things show it")
            for name, count in Counter(each["name"] for each in container.get("env", [])).items():
                if count > 1:
                    yield Finding(of=name_of(pods.parent), what=f"{name} is there {count} times")


def _probes(all_of: Catalogue) -> Iterator[Finding]:
    for pods in all_of.pods:
        for container in pods.containers:
            for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
                port = container.get(kind, {}).get("httpGet", {}).get("port")
                if port is not None and port not in pods.ports | pods.port_names:
                    yield Finding(of=name_of(pods.parent), what=f"its {kind} asks port {port}, which it does not serve")


def _services(all_of: Catalogue) -> Iterator[Finding]:
    for service in all_of.of_kind("Service"):
        of, name = name_of(service), service["metadata"]["name"]
        if not _SERVICE_NAME.fullmatch(name):
            yield Finding(of=of, what="the name of a service begins with a letter")
        found = all_of.selected({"matchLabels": service["spec"].get("selector", {})})
        if not found:
            yield Finding(of=of, what="it selects no pods")
        served = {port for pods in found for port in pods.ports | pods.port_names}
        for port in service["spec"].get("ports", []):
            target = port.get("targetPort", port["port"])
            if found and target not in served:
                yield Finding(of=of, what=f"its port {port['port']} leads to {target}, which no container serves")


def _stateful_sets(all_of: Catalogue) -> Iterator[Finding]:
    for thing in all_of.of_kind("StatefulSet"):
        service = thing["spec"].get("serviceName")
        if service not in all_of.services:
            yield Finding(of=name_of(thing), what=f"there is no service {service}")
    for thing in all_of.of_kind("StatefulSet", "Deployment"):
        labels = thing["spec"]["template"]["metadata"].get("labels", {})
        if not selects(thing["spec"]["selector"], labels):
            yield Finding(of=name_of(thing), what="it does not select its own pods")


def _budgets(all_of: Catalogue) -> Iterator[Finding]:
    scaled = {thing["spec"]["scaleTargetRef"]["name"] for thing in all_of.of_kind("ScaledObject")}
    for budget in all_of.of_kind("PodDisruptionBudget"):
        found = all_of.selected(budget["spec"].get("selector"))
        if not found:
            yield Finding(of=name_of(budget), what="it selects no pods")
        for pods in found:
            single = pods.parent["spec"].get("replicas", 1) < 2 and pods.parent["metadata"]["name"] not in scaled
            if budget["spec"].get("maxUnavailable") == 0 or (single and "minAvailable" in budget["spec"]):
                yield Finding(of=name_of(budget), what="no node could ever be drained")


def _quota(all_of: Catalogue) -> Iterator[Finding]:
    most = {thing["spec"]["scaleTargetRef"]["name"]: thing["spec"]["maxReplicaCount"] for thing in _scaled(all_of)}
    ours = (pods.parent for pods in all_of.pods)
    wanted = sum(most.get(thing["metadata"]["name"], thing["spec"].get("replicas", 1)) for thing in ours)
    wanted += sum(pool["spec"].get("replicas", 0) for pool in all_of.of_kind("KafkaNodePool"))
    for quota in all_of.of_kind("ResourceQuota"):
        pods = int(quota["spec"]["hard"].get("pods", wanted))
        if pods < wanted:
            yield Finding(of=name_of(quota), what=f"it has room for {pods} pods, and {wanted} may run")


def _scaled(all_of: Catalogue) -> Iterator[Object]:
    return all_of.of_kind("ScaledObject")


CHECKS = (
    _duplicates,
    _accounts,
    _no_roles_for_stages,
    _files,
    _environment,
    _probes,
    _services,
    _stateful_sets,
    _budgets,
    _quota,
)
