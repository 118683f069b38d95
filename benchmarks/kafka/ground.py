"""Brokers that are measured, and the missions that run on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.pipeline.ground import linked, telemetry_streams, wait_for
from c2kit.batches.kinds import Kind
from c2kit.pipeline.composition.names import stream_name
from c2kit.pipeline.provisioning import provisioning_of
from c2kit.processors import Decommutator, Identifier
from dev.kafka import MEASURED_FLAGS, Cluster

if TYPE_CHECKING:
    from benchmarks.workload import Workload
    from c2kit.pipeline.composition.mission import Mission

__all__ = ["applied", "empty", "last_streams", "measured_cluster"]


def measured_cluster(brokers: int) -> Cluster:
    """Brokers that run as fast as they can, once it is started."""
    return Cluster(brokers, flags=MEASURED_FLAGS)


def empty(cluster: Cluster) -> None:
    """Delete all topics, and with them how far anybody had read."""
    admin = cluster.admin
    names = {name for name in admin.list_topics(timeout=30).topics if not name.startswith("__")}
    for future in admin.delete_topics([*names]).values() if names else ():
        future.result(30)
    wait_for(lambda: names.isdisjoint(admin.list_topics(timeout=30).topics), pause_seconds=0.05)


def applied(workload: Workload, port: int, brokers: str, hops: int, links: int = 1) -> Mission:
    """A mission on brokers that have all it needs: interfaces alone are one hop, with two stages after them three."""
    mission = linked(workload, port, f"kafka:{brokers}", links)
    if hops == 3:
        mission.stage("identify", Identifier())
        mission.stage("decom", Decommutator())
    provisioning_of(mission).apply()
    return mission


def last_streams(mission: Mission) -> list[str]:
    """What comes out of the last hop."""
    if mission.stages:
        return telemetry_streams(mission)
    return [stream_name(mission.name, Kind.FRAMES, interface) for interface in mission.interfaces]
