"""A topic of Apache Kafka as plain data: one that is wanted, or one that was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LARGEST_RECORD_BYTES", "Cluster", "Topic"]

LARGEST_RECORD_BYTES = 16_000_000
"""What a topic takes: twice what a stage takes at once, so that what becomes of one record fits into the next topic."""


@frozen(kw_only=True)
class Topic:
    """Its name, its partitions, how many brokers have a copy of each, and settings by Kafka's names for them.

    Of a wanted one, the settings that matter; of one that was found, all that hold for it, wherever they were set.
    """

    name: str
    partitions: int
    replication_factor: int
    settings: Mapping[str, str]


@frozen(kw_only=True)
class Cluster:
    """What a cluster has: its brokers with the settings of each, by its number, and topics by name."""

    brokers: Mapping[int, Mapping[str, str]]
    topics: Mapping[str, Topic]
