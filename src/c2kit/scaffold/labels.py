"""Labels: by which pods are selected, ours and those that others run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.scaffold.names import API_GROUP, KAFKA_CLUSTER

if TYPE_CHECKING:
    from c2kit.scaffold.plan import Plan

__all__ = ["DNS", "ISTIOD", "KAFKA_BROKERS", "MARKER", "NAME", "PART_OF", "of", "of_mission", "selector"]

Labels = dict[str, str]

NAME = "app.kubernetes.io/name"
PART_OF = "app.kubernetes.io/part-of"
MARKER = f"{API_GROUP}/mission"
"""On the namespace: whose it is, so that no other mission is put into it."""

DNS: Labels = {"k8s-app": "kube-dns"}
ISTIOD: Labels = {"app": "istiod"}
KAFKA_BROKERS: Labels = {"strimzi.io/cluster": KAFKA_CLUSTER, "strimzi.io/broker-role": "true"}


def selector(plan: Plan, label: str) -> Labels:
    """What selects the pods of an identity."""
    return {NAME: label, PART_OF: plan.mission}


def of(plan: Plan, label: str) -> Labels:
    """All labels of an identity's objects."""
    return {**selector(plan, label), "app.kubernetes.io/managed-by": "c2kit"}


def of_mission(plan: Plan) -> Labels:
    """The labels of objects that belong to no single identity."""
    return {PART_OF: plan.mission, "app.kubernetes.io/managed-by": "c2kit"}
