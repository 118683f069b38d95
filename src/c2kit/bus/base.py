"""The contract of a stream bus.

A bus carries records in named streams. A stream is a fixed number of partitions; a partition is a sequence of records,
numbered by offsets from 0, that only grows at its end. What holds on every bus, whatever process dies when:

* **Order.** Records of one lane (one key of one stream) are in one partition, in the order in which they were
committed.
* **No loss, no duplicate.** A worker's step (what it publishes, how far it read, the state it keeps) is committed
whole or
  not at all, and only by the worker that owns what it read. A worker that dies or is fenced leaves nothing behind of a
  step that was not committed, and whoever takes over begins exactly after the last one that was.
* **One writer.** A stream has one writing stage, or members that share it, each with lanes of its own. Workers of no
  other stage can publish to it.
* **Nothing is forgotten silently.** A position that a bus no longer has, or never had, is refused with
  :class:`PositionLost`; it never becomes another position.

Four kinds of user: a *worker* of a stage (:meth:`StreamBus.worker`) shares its inputs with the stage's other workers
and
commits steps; a *singleton* worker (``exclusive=True``) is the only one of its stage; a *sink*
(:meth:`StreamBus.sink`) keeps its positions with its own data and seeks to them; a *view* (:meth:`StreamBus.view`) only
looks, and holds nothing back.

Everything here may block on the disk or the network; nothing here may be called from a selector loop.
"""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from c2kit.errors import C2kitError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from types import TracebackType
    from typing import Self

__all__ = [
    "BusError",
    "BusUnavailable",
    "Delivery",
    "Fenced",
    "PartitionId",
    "PartitionsLost",
    "Position",
    "PositionLost",
    "Received",
    "Record",
    "Sink",
    "StateKey",
    "Step",
    "StreamBus",
    "StreamInfo",
    "StreamSpec",
    "Tally",
    "View",
    "Worker",
    "WorkerFailed",
    "check_compatible",
    "check_streams",
]


class BusError(C2kitError):
    """The bus cannot do what was asked, now or ever; subclasses say which."""


class Fenced(BusError):
    """Another worker owns what this one worked on; it must stop at once and may have committed nothing since.

    A fenced process exits: whatever it still holds in memory has been, or will be, done by its successor.
    """


class PartitionsLost(Fenced):
    """Of what a step passed, this worker owns some no more: other replicas do that. The step was not committed.

    The worker itself goes on: what it still owns is read again after :meth:`Worker.rewind`.
    """


class BusUnavailable(BusError):
    """The bus does not answer: a full disk, a lock that another program holds, a broker that is away.

    Nothing was committed. Trying again is right, and is the runner's business.
    """


class WorkerFailed(BusError):
    """What a worker or sink works with has failed for good, whatever it is asked: it can only be closed.

    A new one goes on after the last step that was committed, and finds whether the one in progress was.
    """


class PositionLost(BusError):
    """A stored position is not in the stream: of another stream, past its end, or older than what is retained.

    ``lost_records`` is how many records lie between it and the oldest retained one, where that is known.
    """

    def __init__(self, position: Position, *, reason: str, lost_records: int | None = None) -> None:
        self.position = position
        self.reason = reason
        self.lost_records = lost_records
        super().__init__(
            f"position {position} is lost: {reason}; nothing was read. "
            "Choose by hand where to go on, since what lies between is gone"
        )


PartitionId = tuple[str, int]
"""Stream name and partition number."""

StateKey = tuple[str, str]
"""Processor and lane: whose snapshot it is within a stage."""


@frozen(kw_only=True)
class StreamSpec:
    """A stream as a mission needs it. ``name`` is the physical name, ``<mission>.<kind>.<scope>``.

    ``lanes`` are the lanes known beforehand: each has its own partition while there are enough. ``consumers`` are the
    stages that must have passed a record before a bus that keeps by consumption deletes it. ``is_telemetry`` streams
    block
    their publisher at the size bound; others (commands, status, events) have room of their own and never do.
    """

    name: str
    writer: str
    partitions: int = 1
    lanes: tuple[str, ...] = ()
    consumers: tuple[str, ...] = ()
    is_telemetry: bool = True
    compacted: bool = False
    """Keep the newest record of each lane for ever, and nothing is owed of older ones."""
    members: tuple[str, ...] = ()
    """Where several stages share the stream, each with lanes of its own: those, for whom ``writer`` stands."""

    @property
    def writers(self) -> tuple[str, ...]:
        """The stages that write it."""
        return self.members or (self.writer,)

    def partition_of(self, lane: str) -> int:
        """The partition of a lane: fixed for the life of the stream."""
        if lane in self.lanes:
            return self.lanes.index(lane) % self.partitions
        return zlib.crc32(lane.encode()) % self.partitions


@frozen
class Position:
    """How far a reader got: ``offset`` is of the next record to read in that partition of that very stream.

    ``stream_uuid`` is given to a stream when it is created, so that a stream of the same name that was deleted and made
    again is not taken for the old one.
    """

    stream: str
    stream_uuid: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.stream}[{self.partition}]@{self.offset}"


@frozen
class Record:
    """What is published: one batch, command or event, as bytes, in one lane of one stream."""

    stream: str
    lane: str
    value: bytes = field(repr=False)


@frozen(kw_only=True)
class Received:
    """A record as read. ``offset`` rises by at least one within a partition; ``published_ns`` is for people."""

    stream: str
    partition: int
    offset: int
    lane: str
    value: bytes = field(repr=False)
    published_ns: int


@frozen(kw_only=True)
class Delivery:
    """What :meth:`Worker.receive` gives: changes of ownership first, then records.

    ``lost`` partitions are no longer this worker's: what is in progress of them must be dropped, uncommitted.
    ``gained`` ones
    are: their state is to be restored by :meth:`Worker.snapshot` before their records are processed.
    """

    records: Sequence[Received] = ()
    gained: frozenset[PartitionId] = frozenset()
    lost: frozenset[PartitionId] = frozenset()


@frozen(kw_only=True)
class Step:
    """What becomes true together: records, positions passed (next offset by partition), and snapshots."""

    publish: Sequence[Record] = ()
    passed: Mapping[PartitionId, int] = field(factory=dict)
    snapshots: Mapping[StateKey, bytes] = field(factory=dict)


@define(eq=False)
class Tally:
    """What befell the workers of a stage since the bus was opened. May be looked at by any thread."""

    commits: int = 0
    aborts: int = 0
    """Steps that were taken back, to be done again."""
    rebalances: int = 0
    """How often partitions came or went."""
    fencings: int = 0
    """How often another took the place."""


@frozen(kw_only=True)
class StreamInfo:
    """A stream as it stands, for people and checks. Offsets by partition; ``lag`` by consuming stage.

    ``lag`` counts records, but for consumers that are ``estimated``: for those at most so many wait. ``size_bytes`` is
    0 where the bus is not told it.
    """

    spec: StreamSpec
    uuid: str
    first_offsets: tuple[int, ...]
    next_offsets: tuple[int, ...]
    size_bytes: int
    lag: Mapping[str, int]
    counts_records: bool = True
    """Whether every offset is a record. Where steps leave marks among them, offsets only tell order."""
    estimated: frozenset[str] = frozenset()
    """The consumers for which too much waits to be counted."""
    oldest_ns: int | None = None
    """When the oldest record that is retained was published; ``None`` where none is, or the bus is not told it."""
    newest_ns: int | None = None
    """When the newest record that is retained was published; ``None`` where none is."""


class _Closing(ABC):
    """Something that is closed, by hand or by ``with``."""

    @abstractmethod
    def close(self) -> None:
        """Give up what is held."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Worker(_Closing):
    """One worker of a stage. Used by one thread; closed or left by ``with``."""

    @abstractmethod
    def receive(self, timeout_seconds: float, *, max_bytes: int = 8_000_000) -> Delivery:
        """All that waits in the partitions that this worker owns, in order, at most ``max_bytes`` (but one record).

        Blocks until something waits, ownership changes, or the time is over (then the delivery is empty). Gives each
        record once until it is fenced or :meth:`rewind` is called. Raises Fenced (also once closed, by any thread),
        BusUnavailable, and PositionLost where the next record was deleted before this stage passed it: the stage stands
        until a step passes what is lost, up to ``position.offset + lost_records``, and :meth:`rewind` is called.
        """

    @abstractmethod
    def commit(self, step: Step) -> None:
        """Make a step durable and visible: all of it, or, when this raises, none of it.

        Blocks while a telemetry stream that it publishes to is at its size bound. Steps of several workers in one
        process
        may share one commit. Raises Fenced where this worker lost a partition that the step passed (or, if exclusive,
        its stage), as PartitionsLost where it goes on with what it still owns; BusUnavailable; UsageError for a stream
        that this stage does not write, or for passing what is not there yet.
        """

    @abstractmethod
    def rewind(self) -> None:
        """Read again from the last committed positions; :meth:`snapshot` too is as of the last commit."""

    @abstractmethod
    def snapshot(self, key: StateKey) -> bytes | None:
        """The last committed snapshot of that processor and lane, whoever committed it; ``None`` if there is none."""

    @property
    @abstractmethod
    def assigned(self) -> frozenset[PartitionId]:
        """The partitions that this worker owns now, as far as it has been told by :meth:`receive`."""

    @abstractmethod
    def close(self) -> None:
        """Give up what is owned, at once and cleanly, so that another can take it. Commits nothing."""


class Sink(_Closing):
    """A reader whose positions are kept with its own data, outside the bus. Used by one thread."""

    @abstractmethod
    def receive(self, timeout_seconds: float, *, max_bytes: int = 8_000_000) -> Sequence[Received]:
        """As :meth:`Worker.receive`; its partitions never change hands.

        Raises Fenced, BusUnavailable, PositionLost.
        """

    @abstractmethod
    def passed(self, positions: Mapping[PartitionId, int]) -> None:
        """Tell the bus what is safely stored elsewhere, so that it may delete it: a hint, which may be lost."""

    @property
    @abstractmethod
    def positions(self) -> Mapping[PartitionId, Position]:
        """Where it began to read."""

    @property
    def records_before(self) -> Mapping[PartitionId, int]:
        """How many records there ever were before that; partitions are left out of which nobody can tell."""
        return {partition: position.offset for partition, position in self.positions.items()}

    @abstractmethod
    def close(self) -> None:
        """Give up the partitions."""


class View(_Closing):
    """A reader that only looks: it owns nothing, holds nothing back, and may miss what is deleted before it looks."""

    @abstractmethod
    def receive(self, timeout_seconds: float, *, max_bytes: int = 8_000_000) -> Sequence[Received]:
        """What came since the last call, in the order of each partition.

        Raises BusUnavailable, and Fenced once it is closed, by any thread.
        """

    @property
    @abstractmethod
    def missed(self) -> int:
        """How many records were deleted before this view could look at them."""

    @property
    @abstractmethod
    def reached(self) -> Mapping[PartitionId, int]:
        """How far it has looked: all records before these offsets that there are were given."""

    @abstractmethod
    def close(self) -> None:
        """Stop looking."""


class StreamBus(_Closing):
    """A bus. Safe to share among threads; what it hands out is not."""

    url: str
    """As it was opened, for instance ``sqlite:var/bus.db``."""
    is_embedded: bool = True
    """Whether it is the mission's own, which makes its streams as it begins. Else whoever provisions makes them."""
    largest_value_bytes: int | None = None
    """What a record's value may have at most, where there is a bound: a step with a larger one is refused."""

    @abstractmethod
    def apply(self, specs: Iterable[StreamSpec]) -> None:
        """Create the streams that are missing. Doing it twice, or in several processes at once, is doing it once.

        Consumers and members may change. Raises UsageError where a stream exists with other partitions, lanes or
        writer: those are fixed at creation.
        """

    @abstractmethod
    def streams(self, prefix: str = "") -> Sequence[StreamInfo]:
        """The streams whose names begin with ``prefix``, by name."""

    def published(self, streams: Collection[str]) -> Mapping[str, int]:
        """How many records of these streams were ever published, as their writers counted them with what they did.

        Only where offsets do not count records; and only of streams all of whose writers' counts may be known.
        """
        del streams
        return {}

    @abstractmethod
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
        """A worker of a stage, which shares the partitions of ``inputs`` with the stage's other workers.

        ``ordinal`` tells replicas apart and is stable over restarts. An exclusive stage has one worker: a new one,
        exclusive or not, takes the place of an old one that died, or that hangs and is fenced thereby. Without inputs
        it only publishes. A stage that never ran begins at the oldest record. Raises UsageError for a stream that does
        not exist or that another stage writes, Fenced where the place that it wants has a live worker.

        ``on_news`` is for who serves many workers with few threads: it is called when something may wait in the
        worker's partitions, or when what it owns may have changed, after which ``receive(0)`` tells. It is called for
        nothing too, but never again once :meth:`Worker.close` has returned, which waits for a call in progress. It
        runs in a thread of the bus or of whoever commits, and so must not block, nor use the bus, nor take a lock that
        is held while a worker is closed; what it raises is logged. The first call may come before this returns.
        """

    @abstractmethod
    def sink(
        self, stage: str, partitions: Collection[PartitionId], positions: Iterable[Position], *, ordinal: int = 0
    ) -> Sink:
        """A reader of exactly these partitions, from these positions; those without one from the oldest record.

        Raises PositionLost for a position of another stream of that name, past the end, or no longer retained.
        """

    @abstractmethod
    def view(self, streams: Collection[str], *, from_oldest: bool = False) -> View:
        """A look at streams from now on, or from the oldest record there is. Raises UsageError for unknown ones."""

    def tallies(self) -> Mapping[str, Tally]:
        """What befell the workers of each stage, by its name here; of no stage on a bus where nothing can."""
        return {}

    def errors(self) -> Mapping[str, int]:
        """How often brokers were not reached or failed since the bus was opened, by the name of the error."""
        return {}

    def trouble(self) -> str:
        """Why the bus may not be reached now, as far as that is known without asking it; else empty."""
        return ""

    @abstractmethod
    def close(self) -> None:
        """Close everything that was handed out. Commits nothing."""


def check_streams(
    stage: str, inputs: Collection[str], outputs: Collection[str], known: Mapping[str, StreamSpec]
) -> None:
    """Refuse a stage whose streams do not exist, or that would write another stage's stream."""
    for name in (*inputs, *outputs):
        if name not in known:
            raise UsageError(
                f"stage {stage} wants stream {name}, which is not on this bus",
                remedy="apply the mission's streams first",
            )
    for name in outputs:
        spec = known[name]
        if stage not in spec.writers:
            raise UsageError(f"stream {name} is written by stage {spec.writer} alone", found=f"stage {stage}")


def check_compatible(existing: StreamSpec, wanted: StreamSpec) -> None:
    """Refuse to take a stream that exists for one that is wanted otherwise."""
    for name in ("writer", "partitions", "lanes", "is_telemetry", "compacted"):
        found, expected = getattr(existing, name), getattr(wanted, name)
        if found != expected:
            raise UsageError(
                f"stream {existing.name} exists with another {name}, which is fixed at its creation",
                expected=expected,
                found=found,
                remedy="use a new mission name or a new bus, or compose the mission as it was",
            )
