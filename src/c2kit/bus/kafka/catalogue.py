"""What a mission's topics cannot tell of its streams: who writes them, who reads them, which lanes were known."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

from attrs import asdict

from c2kit.bus.base import BusUnavailable, StreamSpec
from c2kit.bus.kafka.errors import bus_error
from c2kit.bus.kafka.scan import Scan
from c2kit.bus.naming import catalogue_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from confluent_kafka import KafkaError, Message

    from c2kit.bus.kafka.admin import Admin
    from c2kit.bus.kafka.clients import Clients

__all__ = ["Catalogues"]

_ANSWER_SECONDS = 30.0


class Catalogues:
    """The catalogues of missions, as far as they were read. Safe to share among threads."""

    def __init__(self, clients: Clients, admin: Admin) -> None:
        self._clients, self._admin = clients, admin
        self._used = threading.Lock()
        self._scans: dict[str, Scan] = {}
        self._specs: dict[str, StreamSpec] = {}

    def specs(self, names: Collection[str]) -> dict[str, StreamSpec]:
        """Those of these that are on the bus. What is known is not asked again: most of it is fixed for ever."""
        with self._used:
            missing = {name.partition(".")[0] for name in names if name not in self._specs}
            for mission in sorted(missing):
                self._read(mission)
            return {name: self._specs[name] for name in names if name in self._specs}

    def of_missions(self, missions: Iterable[str]) -> dict[str, StreamSpec]:
        """All streams of these missions, as they are described now."""
        with self._used:
            wanted = set(missions)
            for mission in sorted(wanted):
                self._read(mission)
            return {name: spec for name, spec in self._specs.items() if name.partition(".")[0] in wanted}

    def _read(self, mission: str) -> None:
        topic = catalogue_name(mission)
        if topic not in self._scans:
            if topic not in self._admin.topics([topic]):
                return
            self._scans[topic] = Scan(self._clients, self._admin, topic)
        for key, value in self._scans[topic].read():
            self._specs[key.decode()] = _spec(value)

    def write(self, specs: Collection[StreamSpec]) -> None:
        """Describe streams. The topics are there."""
        if not specs:
            return
        failed: list[KafkaError] = []

        def told(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                failed.append(error)

        producer = self._clients.plain_producer()
        for spec in specs:
            topic = catalogue_name(spec.name.partition(".")[0])
            producer.produce(topic, _packed(spec), spec.name.encode(), partition=0, on_delivery=told)
        left = producer.flush(_ANSWER_SECONDS)
        if failed:
            raise bus_error("streams cannot be described in their catalogue", failed[0])
        if left:
            raise BusUnavailable("streams cannot be described in their catalogue: no broker answers")
        with self._used:
            self._specs |= {spec.name: spec for spec in specs}


def _packed(spec: StreamSpec) -> bytes:
    return json.dumps(asdict(spec)).encode()


def _spec(value: bytes) -> StreamSpec:
    values = json.loads(value)
    lists = {name: tuple(values.get(name, ())) for name in ("lanes", "consumers", "members")}
    return StreamSpec(**values | lists)
