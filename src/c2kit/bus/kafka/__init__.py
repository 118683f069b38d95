"""``kafka:HOST:PORT,...``: streams as topics of an Apache Kafka cluster, for any number of processes and machines.

What of the contract is kept by what:

* A stream is a topic, and its name is the topic's. What a topic cannot tell (its writer, the lanes that were known, who
  reads it) is a record on the mission's catalogue, the compacted topic ``<mission>.streams``.
* A step is a transaction. Its producer's transactional id is ``<identity>.<ordinal>`` and outlives restarts, so that a
  successor ends what its predecessor left open, and fences it. Everybody reads what is committed, and nothing else.
* Snapshots are on the compacted topic ``<mission>.state.<stage>``, written within the step.
* Replicas of a stage are a consumer group with static members; an exclusive worker, a sink and a view are in none, and
  read the partitions that they were told. Of exclusive workers of one place the newest is the one that goes on.
* Records are deleted by time and size, whether they were read or not.

Offsets rise by more than one where a transaction ended: they tell order, and do not count records. So what waits is
counted by reading it, as far as that is little; what was published, by its writers, on the topic of their state and
within the step; and how many records a sink has had is told beside how far it got.
"""

from __future__ import annotations

from c2kit.bus.kafka.bus import KafkaBus

__all__ = ["KafkaBus"]
