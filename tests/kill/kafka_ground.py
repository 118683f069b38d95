"""The kill test on Apache Kafka: three real brokers, which are struck as the stages are."""

from __future__ import annotations

import shutil
import threading
import time
from bisect import bisect_left
from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, KafkaException, TopicPartition

from c2kit.bus import BusError, BusUnavailable, Fenced
from dev.kafka import Cluster
from tests.kill.broker_attack import BrokerAttack
from tests.kill.grounds import PUBLISHED, STORED, Ground, Look

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence
    from pathlib import Path
    from typing import Any, Self

    from c2kit.bus import StreamBus, StreamInfo
    from tests.kill.attack import Attack
    from tests.kill.broker_attack import BrokerBlow
    from tests.kill.progress import Progress
    from tests.kill.schedule import BrokerKind

__all__ = ["BROKERS", "KafkaGround", "KafkaLook", "longest_gap"]

BROKERS = 3
_PROPERTIES = {"broker.session.timeout.ms": "3000"}
"""After so long a broker that says nothing is taken for dead."""
_PATIENCE_SECONDS = 300.0
"""Longer than all brokers are away."""
_ENDED_FENCED, _ENDED_FOR_GOOD = 4, 5
_LOOK_SECONDS = 10.0
_COMMIT_SECONDS = 1.0


def longest_gap(moments: Sequence[float], began: float, ended: float) -> float:
    """The longest time between two of the moments, which rise, or between one and an end of the time looked at."""
    within = moments[bisect_left(moments, began) : bisect_left(moments, ended)]
    return max(later - earlier for earlier, later in pairwise([began, *within, ended]))


class KafkaLook(Look):
    """What readers of what is committed see. Reads all streams in a thread, for as long as the bus is open.

    Attributes:
        failed: what ended it before.
    """

    def __init__(self, bus: StreamBus, folders: Mapping[str, Path]) -> None:
        self._bus, self._folders = bus, folders
        self._streams: Mapping[str, StreamInfo] = {info.spec.name: info for info in bus.streams("firefly.")}
        self._changed = threading.Condition()
        self._ends: dict[tuple[str, int], int] = {}
        """By partition: the offset after the last record."""
        self._seen: dict[str, list[float]] = {stage: [] for stage in PUBLISHED}
        """By stage: when something that it had committed was seen."""
        self._count = 0
        self.failed: Exception | None = None
        self._stages = {f"firefly.{stream}": stage for stage, stream in PUBLISHED.items()}
        threading.Thread(target=self._read, name="look", daemon=True).start()

    def _read(self) -> None:
        try:
            with self._bus.view(list(self._streams), from_oldest=True) as view:
                while True:
                    try:
                        records = view.receive(1.0)
                    except BusUnavailable:
                        continue
                    with self._changed:
                        for record in records:
                            self._ends[record.stream, record.partition] = record.offset + 1
                        for stage in {self._stages[each.stream] for each in records if each.stream in self._stages}:
                            self._seen[stage].append(time.monotonic())
                        self._count += len(records)
                        self._changed.notify_all()
        except Fenced:  # the bus is closed
            return
        except BusError as error:
            self.failed = error

    def positions(self) -> Mapping[str, int]:
        """See :meth:`Look.positions`."""
        if self.failed is not None:
            raise self.failed
        stored = {
            stage: sum(file.stat().st_size for file in self._folders[stage].rglob("*") if file.is_file())
            for stage in STORED
        }
        with self._changed:
            return stored | {stage: len(seen) for stage, seen in self._seen.items()}

    def waiting(self) -> int:
        """See :meth:`Look.waiting`. Offsets between records count as such, but not those after the last one."""
        read: dict[str, list[TopicPartition]] = {}
        for name, info in self._streams.items():
            for consumer in info.spec.consumers:
                read.setdefault(consumer, []).extend(TopicPartition(name, at) for at in range(info.spec.partitions))
        with self._changed:
            ends = dict(self._ends)
        return sum(
            max(0, ends.get((each.topic, each.partition), 0) - max(0, each.offset))
            for group, partitions in read.items()
            for each in self._committed(group, partitions)
        )

    def _committed(self, group: str, partitions: list[TopicPartition]) -> list[TopicPartition]:
        brokers = self._bus.url.removeprefix("kafka:")
        with closing(Consumer({"bootstrap.servers": brokers, "group.id": group, "log_level": 0})) as consumer:
            try:
                return consumer.committed(partitions, _LOOK_SECONDS)
            except KafkaException as error:
                raise BusUnavailable(str(error)) from error

    def await_commit(self) -> None:
        """Wait until something committed is seen; not for long, if there is nothing."""
        with self._changed:
            before = self._count
            self._changed.wait_for(lambda: self._count > before, _COMMIT_SECONDS)

    def longest_silence(self, stage: str, began: float, ended: float) -> float:
        """For how long in this time nothing that a stage had committed was seen."""
        with self._changed:
            return longest_gap(self._seen[stage], began, ended)


class KafkaGround(Ground):
    """A cluster, to which all this happens. Logs of brokers are left in ``folder``."""

    restarted = frozenset({_ENDED_FENCED, _ENDED_FOR_GOOD})
    patience_seconds = _PATIENCE_SECONDS

    def __init__(self, folder: Path, seed: int, kinds: Sequence[BrokerKind]) -> None:
        self._folder, self._seed, self._kinds = folder, seed, kinds
        self._cluster: Cluster | None = None
        self._look: KafkaLook | None = None
        self._attack: BrokerAttack | None = None

    def __enter__(self) -> Self:
        self._cluster = Cluster(BROKERS, properties=_PROPERTIES)
        try:
            self._cluster.start()
        except BaseException:
            self.close()
            raise
        self.url = f"kafka:{self._cluster.addresses}"
        return self

    def look(self, bus: StreamBus) -> Look:
        """See :meth:`Ground.look`."""
        folders = {"log": self._folder / "log", "fep-raw-log": self._folder / "raw"}
        self._look = KafkaLook(bus, folders)
        return self._look

    def await_commit(self) -> None:
        """See :meth:`Ground.await_commit`."""
        assert self._look is not None
        self._look.await_commit()

    def can_stop_now(self) -> bool:
        """See :meth:`Ground.can_stop_now`: no process holds anything that others need."""
        return True

    def strikes(self, progress: Progress, attacks: Sequence[Attack]) -> Sequence[Coroutine[Any, Any, None]]:
        """See :meth:`Ground.strikes`."""
        assert self._cluster is not None
        assert self._look is not None
        self._attack = BrokerAttack(
            self._cluster,
            progress,
            self._look.longest_silence,
            attacks,
            seed=self._seed,
            patience_seconds=_PATIENCE_SECONDS,
        )
        return [self._attack.run(self._kinds)]

    @property
    def blows(self) -> Sequence[BrokerBlow]:
        """See :attr:`Ground.blows`."""
        return () if self._attack is None else self._attack.blows

    def close(self) -> None:
        """See :meth:`Ground.close`."""
        if self._cluster is not None:
            for number, broker in self._cluster.brokers.items():
                if broker.log.exists():
                    shutil.copy(broker.log, self._folder / f"broker-{number}.log")
            self._cluster.close()
