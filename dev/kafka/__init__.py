"""Apache Kafka on this machine, for developers and tests: real brokers from jars, on loopback, gone when you are.

Needs Java 17 or later, Maven for the first run, and confluent-kafka. Nothing of it is shipped with c2kit.
"""

from __future__ import annotations

from dev.kafka.broker import Broker
from dev.kafka.cluster import Cluster
from dev.kafka.installation import MEASURED_FLAGS, Installation, NotInstallable

__all__ = ["MEASURED_FLAGS", "Broker", "Cluster", "Installation", "NotInstallable"]
