"""The bus itself: what is on the cluster, and what it hands out."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import ExitStack, closing, suppress
from typing import TYPE_CHECKING, TypeVar

from attrs import evolve

from c2kit.bus.base import BusUnavailable, StreamBus, StreamInfo, Tally, check_compatible, check_streams
from c2kit.bus.kafka.admin import Admin
from c2kit.bus.kafka.catalogue import Catalogues
from c2kit.bus.kafka.clients import Clients, explained
from c2kit.bus.kafka.errors import NotPermitted
from c2kit.bus.kafka.feed import Feed
from c2kit.bus.kafka.places import Place, Places
from c2kit.bus.kafka.positions import checked, counted_of, seen_committed
from c2kit.bus.kafka.pulse import Pulse
from c2kit.bus.kafka.readers import KafkaSink, KafkaView
from c2kit.bus.kafka.renewal import Renewal
from c2kit.bus.kafka.scan import Scan
from c2kit.bus.kafka.state import State, totals_of
from c2kit.bus.kafka.streams import KnownStream
from c2kit.bus.kafka.tails import Tails
from c2kit.bus.kafka.transactions import EXCLUSIVE_TRANSACTION_TIMEOUT_MS, TRANSACTION_TIMEOUT_MS, Transactions
from c2kit.bus.kafka.workers import RECORD_OVERHEAD_BYTES, ExclusiveWorker, GroupWorker, KafkaWorker
from c2kit.bus.naming import is_catalogue, state_name, transactional_prefix
from c2kit.bus.news import Bell
from c2kit.bus.topic import LARGEST_RECORD_BYTES, catalogue_topic, state_topic, stream_topic
from c2kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from c2kit.bus.base import PartitionId, Position, Sink, StreamSpec, View, Worker
    from c2kit.bus.kafka.security import Secrets

__all__ = ["KafkaBus", "Shared"]

User = TypeVar("User", KafkaWorker, KafkaSink, KafkaView)


class Shared:
    """What everything that a bus hands out shares."""

    def __init__(self, clients: Clients) -> None:
        self.clients = clients
        self.admin = Admin(clients)
        self.feed = Feed(clients)
        self.tails = Tails(clients)
        self.pulse = Pulse()
        self.places = Places()
        self.tallies: dict[str, Tally] = {}

    def tally(self, stage: str) -> Tally:
        """That of a stage, which goes on when its worker is replaced."""
        return self.tallies.setdefault(stage, Tally())


class KafkaBus(StreamBus):
    """``kafka:HOST:PORT,...``, see the package. Opening it asks nobody: what cannot be reached is told by its use.

    Args:
        brokers: some of the cluster's, by which the others are found: ``host:port``, separated by commas.
        security: what clients need to be let in; without it nothing is encrypted.

    Raises UsageError for files of a secret of which no client can be made.
    """

    is_embedded = False
    largest_value_bytes = LARGEST_RECORD_BYTES - RECORD_OVERHEAD_BYTES

    def __init__(self, brokers: str, security: Secrets | None = None) -> None:
        self.url = f"kafka:{brokers}"
        self._shared = Shared(Clients(brokers, security))
        self._catalogues = Catalogues(self._shared.clients, self._shared.admin)
        self._counting = threading.Lock()
        self._totals: dict[str, tuple[Scan, dict[int, dict[str, int]]]] = {}
        """By the topic of a stage's state: what its replicas have published."""
        self._users: set[KafkaWorker | KafkaSink | KafkaView] = set()
        self._changing_users = threading.Lock()
        self._is_closed = False
        self._renewal = None if security is None else Renewal(self._shared.clients, self._shared.feed.renew)

    # -- streams --------------------------------------------------------------------------------

    @explained
    def apply(self, specs: Iterable[StreamSpec]) -> None:
        """See :meth:`c2kit.bus.base.StreamBus.apply`. Stages that are named get a topic for their state, too."""
        self._check_open()
        wanted = {spec.name: spec for spec in specs}
        existing = self._catalogues.of_missions({name.partition(".")[0] for name in wanted})
        for name, spec in wanted.items():
            if name in existing:
                check_compatible(existing[name], spec)
        names, brokers = self._shared.admin.names()
        stages = {stage for spec in wanted.values() for stage in (*spec.writers, *spec.consumers)}
        topics = [stream_topic(spec, brokers) for spec in wanted.values()]
        topics += [state_topic(stage, brokers) for stage in sorted(stages)]
        topics += [catalogue_topic(mission, brokers) for mission in sorted({name.partition(".")[0] for name in wanted})]
        self._shared.admin.create([topic for topic in topics if topic.name not in names])
        for name, topic in self._shared.admin.topics(wanted).items():
            if topic.partitions != wanted[name].partitions:
                check_compatible(evolve(wanted[name], partitions=topic.partitions), wanted[name])
        self._catalogues.write([spec for name, spec in wanted.items() if existing.get(name) != spec])

    @explained
    def streams(self, prefix: str = "") -> Sequence[StreamInfo]:
        """See :meth:`c2kit.bus.base.StreamBus.streams`. What a topic holds in bytes is not told to clients.

        The lag of stages is left out whose groups this identity may not describe.
        """
        self._check_open()
        names, _ = self._shared.admin.names()
        missions = {name.partition(".")[0] for name in names if is_catalogue(name)}
        asked = {
            mission for mission in missions if f"{mission}.".startswith(prefix) or prefix.startswith(f"{mission}.")
        }
        specs = self._catalogues.of_missions(asked)
        wanted = {name: spec for name, spec in specs.items() if name.startswith(prefix) and name in names}
        topics = self._shared.admin.topics(wanted)
        known = [KnownStream(wanted[name], topic.uuid) for name, topic in sorted(topics.items())]
        return self._infos(known)

    def _infos(self, known: Sequence[KnownStream]) -> list[StreamInfo]:
        keys = [key for stream in known for key in stream.partitions]
        first, following = self._shared.admin.first_offsets(keys), self._shared.admin.next_offsets(keys)
        newest_ns = self._shared.admin.newest_ns(keys)
        read: dict[str, list[PartitionId]] = {}
        for stream in known:
            for consumer in stream.spec.consumers:
                read.setdefault(consumer, []).extend(stream.partitions)
        waits = {
            (consumer, key): (max(first[key], passed.get(key, 0)), following[key])
            for consumer, passed in self._passed(read).items()
            for key in read[consumer]
        }
        counts = self._shared.tails.counted(waits)
        return [
            StreamInfo(
                spec=stream.spec,
                uuid=stream.uuid,
                first_offsets=tuple(first[key] for key in stream.partitions),
                next_offsets=tuple(following[key] for key in stream.partitions),
                size_bytes=0,
                lag={
                    consumer: sum(counts[consumer, key].records for key in stream.partitions)
                    for consumer in stream.spec.consumers
                    if all((consumer, key) in counts for key in stream.partitions)
                },
                estimated=frozenset(
                    consumer
                    for consumer in stream.spec.consumers
                    if any((consumer, key) in counts and counts[consumer, key].is_most for key in stream.partitions)
                ),
                counts_records=False,
                newest_ns=max((newest_ns[key] for key in stream.partitions if key in newest_ns), default=None),
            )
            for stream in known
        ]

    @explained
    def published(self, streams: Collection[str]) -> Mapping[str, int]:
        """See :meth:`c2kit.bus.base.StreamBus.published`."""
        specs = {name: stream.spec for name, stream in self._known(streams).items()}
        with self._counting:
            stages = {stage for spec in specs.values() for stage in spec.writers}
            totals = {stage: count for stage in stages if (count := self._total(state_name(stage))) is not None}
        return {
            name: sum(totals[stage][name] for stage in spec.writers)
            for name, spec in specs.items()
            if totals.keys() >= set(spec.writers)
        }

    def _total(self, topic: str) -> Counter[str] | None:
        """What the replicas of a stage have published; ``None`` if it keeps no state, or that may not be known."""
        try:
            if topic not in self._totals:
                if topic not in self._shared.admin.topics([topic]):
                    return None
                scan = Scan(self._shared.clients, self._shared.admin, topic, is_committed=True)
                self._totals[topic] = (scan, {})
            totals_of(*self._totals[topic])
        except NotPermitted:
            return None
        total: Counter[str] = Counter()
        for each in self._totals[topic][1].values():
            total.update(each)
        return total

    def _passed(self, read: Mapping[str, Collection[PartitionId]]) -> dict[str, dict[PartitionId, int]]:
        """How far stages got, as far as it may be known: of all at once, as each client has to find whom to ask."""
        with ExitStack() as opened:
            consumers = {stage: opened.enter_context(closing(self._shared.clients.onlooker(stage))) for stage in read}
            passed = {}
            for stage, keys in read.items():
                with suppress(NotPermitted):  # it may be nobody else's business
                    passed[stage] = seen_committed(consumers[stage], stage, keys)
            return passed

    def _known(self, names: Collection[str]) -> dict[str, KnownStream]:
        """Those of these streams that there are."""
        self._check_open()
        specs = self._catalogues.specs(names)
        topics = self._shared.admin.topics(specs)
        return {name: KnownStream(specs[name], topic.uuid) for name, topic in topics.items()}

    # -- users ----------------------------------------------------------------------------------

    @explained
    def worker(
        self,
        stage: str,
        inputs: Collection[str],
        *,
        outputs: Collection[str] = (),
        ordinal: int = 0,
        exclusive: bool = False,
        on_news: Callable[[], None] | None = None,
    ) -> Worker:
        """See :meth:`c2kit.bus.base.StreamBus.worker`. A worker in another process that had this place is fenced."""
        streams = self._known({*inputs, *outputs})
        check_streams(stage, inputs, outputs, {name: stream.spec for name, stream in streams.items()})
        bell = None if on_news is None else Bell(on_news)
        place = Place(stage, ordinal, exclusive)
        with self._shared.places.entering(place):
            timeout_ms = EXCLUSIVE_TRANSACTION_TIMEOUT_MS if exclusive else TRANSACTION_TIMEOUT_MS
            parts = {
                "transactions": Transactions(
                    self._shared.clients,
                    f"{transactional_prefix(stage)}{ordinal}",
                    timeout_ms=timeout_ms,
                    tally=self._shared.tally(stage),
                ),
                "state": State(self._shared.clients, self._shared.admin, state_name(stage)),
            }
            about = (self._shared, place, streams, frozenset(outputs))
            if exclusive:
                partitions = [key for name in inputs for key in streams[name].partitions]
                return self._kept(ExclusiveWorker(*about, inputs=partitions, bell=bell, **parts))
            return self._kept(GroupWorker(*about, inputs=list(inputs), bell=bell, **parts))

    @explained
    def sink(
        self, stage: str, partitions: Collection[PartitionId], positions: Iterable[Position], *, ordinal: int = 0
    ) -> Sink:
        """See :meth:`c2kit.bus.base.StreamBus.sink`."""
        streams = self._known({name for name, _ in partitions})
        check_streams(
            stage, {name for name, _ in partitions}, (), {name: stream.spec for name, stream in streams.items()}
        )
        begin = self._begin(streams, partitions, positions)
        place = Place(stage, ordinal, owned=frozenset(partitions))
        with self._shared.places.entering(place):
            return self._kept(KafkaSink(self._shared, place, streams, begin, self._records_before(stage, begin)))

    def _records_before(self, stage: str, begin: Mapping[PartitionId, int]) -> dict[PartitionId, int]:
        """How many records there ever were before where a sink begins, as far as that can be told: it need not be."""
        try:
            with closing(self._shared.clients.reader(stage)) as consumer:
                known = counted_of(consumer, begin.keys())
            first = self._shared.admin.first_offsets(begin)
            known = {key: (0, 0) for key in begin if first[key] == 0} | known
            between = {
                (stage, key): (min(offset, begin[key]), max(offset, begin[key]))
                for key, (offset, _) in known.items()
                if min(offset, begin[key]) >= first[key] or offset == begin[key]
            }
            counts = self._shared.tails.counted(between)
        except BusUnavailable:
            return {}
        return {
            key: known[key][1] + (count.records if begin[key] >= known[key][0] else -count.records)
            for (_, key), count in counts.items()
            if not count.is_most
        }

    def _begin(
        self,
        streams: Mapping[str, KnownStream],
        partitions: Collection[PartitionId],
        positions: Iterable[Position],
    ) -> dict[PartitionId, int]:
        given: dict[str, list[Position]] = {}
        for position in positions:
            if (position.stream, position.partition) in partitions:
                given.setdefault(position.stream, []).append(position)
        begin: dict[PartitionId, int] = {}
        for name, some in given.items():
            begin |= checked(self._shared.admin, streams[name], some)
        return begin | self._shared.admin.first_offsets(set(partitions) - begin.keys())

    @explained
    def view(self, streams: Collection[str], *, from_oldest: bool = False) -> View:
        """See :meth:`c2kit.bus.base.StreamBus.view`."""
        known = self._known(streams)
        for name in streams:
            if name not in known:
                raise UsageError(f"no stream {name} on this bus", remedy="see which there are with bus.streams()")
        keys = [key for stream in known.values() for key in stream.partitions]
        begin = self._shared.admin.first_offsets(keys) if from_oldest else self._shared.admin.next_offsets(keys)
        return self._kept(KafkaView(self._shared, begin))

    def tallies(self) -> Mapping[str, Tally]:
        """See :meth:`c2kit.bus.base.StreamBus.tallies`."""
        return dict(self._shared.tallies)

    def errors(self) -> Mapping[str, int]:
        """See :meth:`c2kit.bus.base.StreamBus.errors`."""
        return dict(self._shared.clients.errors)

    def trouble(self) -> str:
        """See :meth:`c2kit.bus.base.StreamBus.trouble`."""
        return self._shared.clients.cause

    def _check_open(self) -> None:
        if self._is_closed:
            raise BusUnavailable("the bus is closed")

    def _kept(self, user: User) -> User:
        """Remember whom to close with the bus, for as long as it is open itself."""
        with self._changing_users:
            if not self._is_closed:
                self._users = {user, *(other for other in self._users if not other.is_closed)}
                return user
        user.close()
        raise BusUnavailable("the bus is closed")

    def close(self) -> None:
        """See :meth:`c2kit.bus.base.StreamBus.close`."""
        with self._changing_users:
            self._is_closed = True
            users, self._users = self._users, set()
        if self._renewal is not None:
            self._renewal.close()
        try:
            for user in users:
                user.close()
        finally:
            self._shared.pulse.close()
            self._shared.feed.close()
