"""What a stage keeps: the newest snapshot of each processor and lane, and how much each of its replicas published."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from c2kit.bus.kafka.scan import Scan
from c2kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from c2kit.bus.base import StateKey
    from c2kit.bus.kafka.admin import Admin
    from c2kit.bus.kafka.clients import Clients

__all__ = ["State", "totals_of"]

_PUBLISHED = b"published "
"""How the key of a replica's totals begins, which no key of a snapshot does: its ordinal follows."""


class State:
    """The snapshots of a stage, of all its replicas; those of what this replica owns are up to date.

    They are read when something is gained, after the positions: what the last owner committed is there then.
    """

    def __init__(self, clients: Clients, admin: Admin, topic: str) -> None:
        self._topic = topic
        is_there = topic in admin.topics([topic])
        self._scan = Scan(clients, admin, topic) if is_there else None
        self._values: dict[bytes, bytes] = {}
        self._news: dict[bytes, bytes] = {}
        """What was read and is not among them yet."""
        self._totals: dict[int, dict[str, int]] = {}

    def catch_up(self) -> None:
        """Read what was committed since the last time. Raises BusUnavailable."""
        self._read()
        self._values |= self._news
        self._news.clear()

    def is_of_another(self) -> bool:
        """Whether anything was committed that is not of this replica, the only one. Raises BusUnavailable."""
        self._read()
        return any(self._values.get(key) != value for key, value in self._news.items())

    def _read(self) -> None:
        if self._scan is not None:
            for key, value in self._scan.read():
                ordinal = _ordinal_of(key)
                if ordinal is None:
                    self._news[key] = value
                else:
                    self._totals[ordinal] = json.loads(value)

    def published(self, ordinal: int) -> dict[str, int]:
        """How many records of each stream a replica published, as far as it was read."""
        return dict(self._totals.get(ordinal, {}))

    def total_records(self, ordinal: int, totals: Mapping[str, int]) -> list[tuple[str, int, bytes, bytes]]:
        """What is to be written for that to be kept; nothing where the stage has no topic for its state."""
        if self._scan is None:
            return []
        return [(self._topic, 0, b"%b%d" % (_PUBLISHED, ordinal), json.dumps(totals).encode())]

    def get(self, key: StateKey) -> bytes | None:
        """The snapshot of that processor and lane."""
        return self._values.get(_packed(key))

    def records(self, snapshots: Mapping[StateKey, bytes]) -> Iterator[tuple[str, int, bytes, bytes]]:
        """What is to be written for snapshots to be kept: topic, partition, key and value."""
        if snapshots and self._scan is None:
            raise UsageError(
                f"topic {self._topic} for the state of a stage is not on this bus",
                remedy="apply the mission's streams, of which the stage is a writer or a consumer",
            )
        return ((self._topic, 0, _packed(key), value) for key, value in snapshots.items())

    def committed(self, snapshots: Mapping[StateKey, bytes]) -> None:
        """They were."""
        self._values |= {_packed(key): value for key, value in snapshots.items()}


def _packed(key: StateKey) -> bytes:
    return json.dumps(key).encode()


def _ordinal_of(key: bytes) -> int | None:
    """Of which replica it is the key of totals; ``None`` for any other."""
    return int(key.removeprefix(_PUBLISHED)) if key.startswith(_PUBLISHED) else None


def totals_of(scan: Scan, known: dict[int, dict[str, int]]) -> None:
    """Bring what is known of the replicas of a stage up to what they have committed."""
    for key, value in scan.read():
        ordinal = _ordinal_of(key)
        if ordinal is not None:
            known[ordinal] = json.loads(value)
