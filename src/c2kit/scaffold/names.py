"""All names of Kubernetes objects.

Stages may be called what Kubernetes cannot call an object: its names are lower-case, of ASCII letters, digits and
hyphens, begin with a letter (RFC 1035, since each stage has a service) and end with no hyphen. Names of a mission are
unique ignoring case and mostly fit once they are lower-case; the few that do not get a hash of what they were, so that
no two become one. The same name always becomes the same.
"""

from __future__ import annotations

import hashlib
import re

__all__ = [
    "API_GROUP",
    "KAFKA_CLUSTER",
    "OPERATORS_OWN",
    "SCALER",
    "label",
    "shared_user",
    "topic_resource",
]

API_GROUP = "c2kit.io"
"""What our own labels and annotations begin with."""
KAFKA_CLUSTER = "kafka"
"""The cluster of brokers; there is one in a namespace."""
SCALER = "scaler"
"""Who reads the lag of groups, to say how many replicas there should be."""
OPERATORS_OWN = (
    f"{KAFKA_CLUSTER}-clients-ca",
    f"{KAFKA_CLUSTER}-clients-ca-cert",
    f"{KAFKA_CLUSTER}-cluster-ca",
    f"{KAFKA_CLUSTER}-cluster-ca-cert",
    f"{KAFKA_CLUSTER}-entity-operator",
    f"{KAFKA_CLUSTER}-kafka",
    f"{KAFKA_CLUSTER}-kafka-bootstrap",
    f"{KAFKA_CLUSTER}-kafka-brokers",
    "default",
    SCALER,
)
"""What others make, or we do, in the same namespace: no stage's objects can have these names."""

_LONGEST_SUBJECT = 64
_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_PART = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


def label(name: str) -> str:
    """The name of a mission's, stage's or interface's objects: at most 49 characters.

    A StatefulSet puts eleven more after it into a label of its pods, which holds 63.
    """
    lower = name.lower()
    if _LABEL.fullmatch(lower):
        return lower
    return f"s-{lower.strip('-')}-{_hash(lower)}"


def shared_user(mission: str, name: str) -> str:
    """The name of a user on a cluster that other missions use, too, of the labels of the mission and of who it is.

    At most 64 characters, which is all that the subject of a certificate holds.
    """
    whole = f"{mission}-{name}"
    return whole if len(whole) <= _LONGEST_SUBJECT else f"{whole[: _LONGEST_SUBJECT - 7]}-{_hash(whole)}"


def topic_resource(topic: str) -> str:
    """The name of the object that stands for a topic of Kafka, which keeps its own name in ``spec.topicName``."""
    parts = topic.lower().split(".")
    if all(_PART.fullmatch(part) for part in parts):
        return ".".join(parts)
    return ".".join(part.strip("-") for part in parts) + f"-{_hash(topic.lower())}"


def _hash(text: str) -> str:
    """Enough to tell apart the names of one mission."""
    return hashlib.sha256(text.encode()).hexdigest()[:6]
