"""Objects of Strimzi and KEDA: clusters, topics, users and what scales stages belong together."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from c2kit.scaffold.validation.catalogue import Catalogue, Finding, Object, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CHECKS"]

_CLUSTER = "strimzi.io/cluster"


def _members(all_of: Catalogue) -> Iterator[Finding]:
    clusters = all_of.names("Kafka")
    for thing in all_of.of_kind("KafkaNodePool", "KafkaTopic", "KafkaUser"):
        cluster = thing["metadata"].get("labels", {}).get(_CLUSTER)
        if clusters and cluster not in clusters:
            yield Finding(of=name_of(thing), what=f"it belongs to the cluster {cluster}, which there is not")


def _pools(all_of: Catalogue) -> Iterator[Finding]:
    for pool in all_of.of_kind("KafkaNodePool"):
        if not pool["spec"].get("roles"):
            yield Finding(of=name_of(pool), what="its nodes have no role")
        for volume in pool["spec"].get("storage", {}).get("volumes", []):
            if not volume.get("size"):
                yield Finding(of=name_of(pool), what="its storage has no size")


def _topics(all_of: Catalogue) -> Iterator[Finding]:
    brokers = sum(pool["spec"]["replicas"] for pool in _brokers(all_of))
    counted: Counter[str] = Counter()
    for topic in all_of.of_kind("KafkaTopic"):
        spec = topic["spec"]
        counted[spec.get("topicName", topic["metadata"]["name"])] += 1
        if brokers and spec["replicas"] > brokers:
            yield Finding(of=name_of(topic), what=f"{spec['replicas']} replicas on {brokers} brokers")
        if int(spec.get("config", {}).get("min.insync.replicas", 1)) > spec["replicas"]:
            yield Finding(of=name_of(topic), what="more replicas must be in sync than there are")
    for name, count in counted.items():
        if count > 1:
            yield Finding(of=f"KafkaTopic of {name}", what=f"it is there {count} times")


def _brokers(all_of: Catalogue) -> Iterator[Object]:
    return (pool for pool in all_of.of_kind("KafkaNodePool") if "broker" in pool["spec"].get("roles", []))


def _users(all_of: Catalogue) -> Iterator[Finding]:
    topics = _topic_names(all_of)
    for user in all_of.of_kind("KafkaUser"):
        for acl in user["spec"].get("authorization", {}).get("acls", []):
            resource = acl["resource"]
            name = resource.get("name", "")
            if resource.get("patternType") == "prefix" and not name.endswith("."):
                yield Finding(of=name_of(user), what=f"whatever begins with {name!r} is more than its own")
            elif acl["operations"] == ["Describe"]:
                continue  # who keeps nothing on the bus is told that there is nothing
            elif resource["type"] == "topic" and name not in topics and not name.startswith("__"):
                yield Finding(of=name_of(user), what=f"there is no topic {name}")
            if name == "*" or "All" in acl["operations"]:
                yield Finding(of=name_of(user), what=f"it may do more than a stage needs: {acl['operations']} {name}")


def _topic_names(all_of: Catalogue) -> dict[str, Object]:
    return {topic["spec"].get("topicName", topic["metadata"]["name"]): topic for topic in all_of.of_kind("KafkaTopic")}


def _scaling(all_of: Catalogue) -> Iterator[Finding]:
    workloads = {thing["metadata"]["name"]: thing for thing in all_of.of_kind("StatefulSet", "Deployment")}
    logins = all_of.names("TriggerAuthentication")
    lanes = _lanes(all_of)
    for scaled in all_of.of_kind("ScaledObject"):
        of, spec = name_of(scaled), scaled["spec"]
        target = workloads.get(spec["scaleTargetRef"]["name"])
        if target is None:
            yield Finding(of=of, what=f"there is no {spec['scaleTargetRef']['name']} to scale")
        elif "replicas" in target["spec"]:
            yield Finding(of=of, what="its target says how many replicas there are, too")
        for trigger in spec["triggers"]:
            group, topic = trigger["metadata"]["consumerGroup"], trigger["metadata"].get("topic")
            read = lanes.get(group, {})
            if lanes and not read:
                yield Finding(of=of, what=f"nobody reads as the group {group}")
            elif lanes and topic and topic not in read:
                yield Finding(of=of, what=f"there is no topic {topic} that {group} reads")
            elif lanes and spec["maxReplicaCount"] > sum(read.values()):
                yield Finding(of=of, what=f"{spec['maxReplicaCount']} replicas for {sum(read.values())} partitions")
            if trigger.get("authenticationRef", {}).get("name") not in logins:
                yield Finding(of=of, what="it has no way to be let in by the brokers")


def _lanes(all_of: Catalogue) -> dict[str, dict[str, int]]:
    """By group, the topics that its members share out among themselves, with their partitions."""
    topics = {
        name: topic["spec"]["partitions"]
        for name, topic in _topic_names(all_of).items()
        if topic["spec"].get("config", {}).get("cleanup.policy") != "compact"
    }
    found: dict[str, dict[str, int]] = {}
    for user in all_of.of_kind("KafkaUser"):
        acls = [acl for acl in user["spec"]["authorization"]["acls"] if "Read" in acl["operations"]]
        read = [acl["resource"]["name"] for acl in acls if acl["resource"]["type"] == "topic"]
        for group in (acl["resource"]["name"] for acl in acls if acl["resource"]["type"] == "group"):
            found[group] = {name: topics[name] for name in read if name in topics}
    return found


CHECKS = (_members, _pools, _topics, _users, _scaling)
