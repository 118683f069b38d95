"""The mission's own cluster of Apache Kafka, as Strimzi's operator makes it, and its topics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.bus.topic import REPLICAS
from c2kit.scaffold import labels
from c2kit.scaffold.names import KAFKA_CLUSTER, topic_resource
from c2kit.scaffold.network import broker_clients
from c2kit.scaffold.plan import KAFKA_PORT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.bus.topic import Topic
    from c2kit.scaffold.plan import Plan
    from c2kit.scaffold.rendering import Templates

__all__ = ["cluster", "topics"]


def cluster(plan: Plan, templates: Templates) -> Iterator[str]:
    """The cluster, and who may talk to its nodes: documents of YAML."""
    strimzi = plan.settings.kafka.strimzi
    about = {
        "cluster": KAFKA_CLUSTER,
        "namespace": plan.namespace,
        "labels": labels.of_mission(plan),
        "strimzi": strimzi,
        "port": KAFKA_PORT,
        "clients": broker_clients(plan),
    }
    pool_labels = {**labels.of_mission(plan), "strimzi.io/cluster": KAFKA_CLUSTER}
    config = _config(strimzi.brokers)
    yield templates.render("kafka.yaml.j2", **about, pool_labels=pool_labels, config=config)
    yield templates.render("kafka-network.yaml.j2", **about, api_server_cidrs=plan.settings.api_server_cidrs)


def _config(brokers: int) -> dict[str, str | int | bool]:
    """Settings of brokers, without which ``c2kit streams check`` would complain."""
    replicas = min(REPLICAS, brokers)
    in_sync = 2 if replicas == REPLICAS else 1
    return {
        "auto.create.topics.enable": False,
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "unclean.leader.election.enable": False,
    }


def topics(plan: Plan, templates: Templates, *, cluster_name: str = KAFKA_CLUSTER, namespace: str = "") -> list[str]:
    """The topics as objects of Strimzi's: documents of YAML."""
    return [_topic(plan, topic, templates, cluster_name, namespace or plan.namespace) for topic in plan.topics]


def _topic(plan: Plan, topic: Topic, templates: Templates, cluster_name: str, namespace: str) -> str:
    return templates.render(
        "kafkatopic.yaml.j2",
        name=topic_resource(topic.name),
        namespace=namespace,
        labels={**labels.of_mission(plan), "strimzi.io/cluster": cluster_name},
        topic=topic,
    )
