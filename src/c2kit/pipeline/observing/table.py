"""All metrics of c2kit in one table: what they are called, what they say, and what of which row they are.

Names follow the conventions of Prometheus: base units in the name, ``_total`` for what only grows.
"""

from __future__ import annotations

from enum import StrEnum, unique
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from c2kit.links.values import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from c2kit.bus import StreamInfo, Tally
    from c2kit.bus.records import Fate
    from c2kit.links.values import Counters, LinkState

__all__ = [
    "GROUPS",
    "BusErrorRow",
    "Column",
    "CommandRow",
    "DeadLetterRow",
    "Group",
    "LagRow",
    "LinkRow",
    "MetricType",
    "ProcessRow",
    "SourceRow",
    "StageRow",
    "StateRow",
    "StreamRow",
    "TallyRow",
]

_SECOND = 1_000_000_000


@unique
class MetricType(StrEnum):
    """How a metric behaves."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@frozen(kw_only=True)
class LinkRow:
    """An interface's link, as it is now."""

    interface: str
    state: LinkState
    counters: Counters
    frames: int = 0
    """Since it was opened."""

    def states(self) -> list[StateRow]:
        """A row for each state that there is."""
        return [StateRow(interface=self.interface, state=state, is_so=self.state.state is state) for state in State]


@frozen(kw_only=True)
class StateRow:
    """Whether an interface's link is in a state."""

    interface: str
    state: State
    is_so: bool


@frozen(kw_only=True)
class CommandRow:
    """How many commands a stage has brought to a fate."""

    stage: str
    fate: Fate
    count: int


@frozen(kw_only=True)
class DeadLetterRow:
    """How many packets and records a stage has set aside."""

    stage: str
    count: int


@frozen(kw_only=True)
class TallyRow:
    """What befell a stage on the bus."""

    stage: str
    tally: Tally
    rebuilt: int = 0
    """How often it was closed and begun anew."""


@frozen(kw_only=True)
class BusErrorRow:
    """How often clients of the bus were told of an error."""

    error: str
    count: int


@frozen(kw_only=True)
class LagRow:
    """What of a stream waits for one of its consumers, in records."""

    stream: str
    consumer: str
    lag: int


@frozen(kw_only=True)
class StreamRow:
    """A stream as it stands on the bus."""

    stream: str
    published: int
    size_bytes: int
    lags: tuple[LagRow, ...]

    @classmethod
    def of(cls, info: StreamInfo, names: Mapping[str, str]) -> StreamRow:
        """What a bus says of a stream, its consumers by their ``names`` in the mission."""
        stream = info.spec.name
        lags = (LagRow(stream=stream, consumer=names.get(who, who), lag=lag) for who, lag in info.lag.items())
        return cls(stream=stream, published=sum(info.next_offsets), size_bytes=info.size_bytes, lags=tuple(lags))


@frozen(kw_only=True)
class StageRow:
    """A stage that runs in this process."""

    stage: str
    role: str


@frozen(kw_only=True)
class ProcessRow:
    """This process."""

    version: str
    mission: str


@frozen(kw_only=True)
class SourceRow:
    """Whether a source of metrics could not be read."""

    source: str
    has_failed: bool


@frozen
class Column:
    """A metric: a number of each row, or none."""

    name: str
    type: MetricType
    text: str
    value: Callable[[Any], Any] = field(repr=False)


@frozen
class Group:
    """Metrics of the same rows. Labels are attributes of a row."""

    source: str
    labels: tuple[str, ...]
    columns: tuple[Column, ...]
    expand: Callable[[Any], Iterable[Any]] = lambda row: (row,)
    """The rows that one of the source stands for."""


def _counter(name: str, text: str, attribute: str) -> Column:
    return Column(name, MetricType.COUNTER, text, attrgetter(attribute))


def _gauge(name: str, text: str, attribute: str) -> Column:
    return Column(name, MetricType.GAUGE, text, attrgetter(attribute))


def _time(name: str, text: str, attribute: str) -> Column:
    """A gauge of POSIX nanoseconds, in seconds."""
    get = attrgetter(attribute)
    return Column(name, MetricType.GAUGE, text, lambda row: None if get(row) is None else get(row) / _SECOND)


def _info(name: str, text: str) -> Column:
    return Column(name, MetricType.GAUGE, text, lambda _: 1)


GROUPS: tuple[Group, ...] = (
    Group(
        "process",
        ("version", "mission"),
        (_info("c2kit_process_info", "1; the version of c2kit, and the mission that it runs"),),
    ),
    Group("stages", ("stage", "role"), (_info("c2kit_stage_info", "1 for each stage that runs in this process"),)),
    Group(
        "ledger",
        ("stage", "processor", "partition"),
        (
            _counter("c2kit_processor_taken_total", "packets or commands that a processor took", "taken"),
            _counter("c2kit_processor_given_total", "packets or commands that it gave", "given"),
            _counter("c2kit_processor_refused_total", "packets or commands that fell aside", "refused"),
            _counter("c2kit_processor_merged_total", "packets or commands that became part of others", "merged"),
            _gauge("c2kit_processor_held", "packets or commands that wait in its memory", "held"),
            _gauge("c2kit_processor_unaccounted", "packets or commands that do not add up; 0, or alarm", "unaccounted"),
        ),
    ),
    Group(
        "steps",
        ("stage",),
        (
            Column(
                "c2kit_step_seconds",
                MetricType.HISTOGRAM,
                "from when the input of a step was there until it was committed; its count is that of the steps",
                lambda meter: meter,
            ),
            _time("c2kit_stage_last_commit_timestamp_seconds", "when a stage last committed a step", "last_commit_ns"),
        ),
    ),
    Group(
        "streams",
        ("stream",),
        (
            _counter("c2kit_stream_published_records_total", "records that were ever published", "published"),
            _gauge("c2kit_stream_retained_bytes", "bytes of the records that the bus still has", "size_bytes"),
        ),
    ),
    Group(
        "streams",
        ("stream", "consumer"),
        (_gauge("c2kit_stream_lag_records", "records that wait for a consumer, whether it runs or not", "lag"),),
        attrgetter("lags"),
    ),
    Group(
        "edges",
        ("stream", "consumer"),
        (
            _counter("c2kit_stream_consumed_records_total", "records that a consumer here has passed", "consumed"),
            _gauge("c2kit_stream_unaccounted_records", "records that do not add up; 0, or alarm", "unaccounted"),
        ),
    ),
    Group(
        "links",
        ("interface", "state"),
        (_gauge("c2kit_link_state", "1 for the state that a link is in, 0 for the others", "is_so"),),
        lambda row: row.states(),
    ),
    Group(
        "links",
        ("interface",),
        (
            _gauge("c2kit_link_connections", "connections that there are", "state.connections"),
            _counter("c2kit_link_received_bytes_total", "bytes that arrived", "counters.received_bytes"),
            _counter("c2kit_link_received_frames_total", "frames or packets that they made", "frames"),
            _counter(
                "c2kit_link_sent_bytes_total", "bytes that the operating system was handed", "counters.sent_bytes"
            ),
            _counter("c2kit_link_connects_total", "connections that came to be", "counters.connects"),
            _counter("c2kit_link_errors_total", "attempts and connections that failed", "counters.errors"),
            _counter(
                "c2kit_link_lost_datagrams_total",
                "datagrams that the operating system dropped, where it tells",
                "counters.lost_datagrams",
            ),
            _time("c2kit_link_last_received_timestamp_seconds", "when bytes last arrived", "counters.last_received"),
        ),
    ),
    Group(
        "bytes",
        ("interface",),
        (
            _counter("c2kit_interface_received_bytes_total", "bytes that were taken from the link", "received"),
            _counter("c2kit_interface_framed_bytes_total", "bytes that frames were made of", "framed"),
            _counter("c2kit_interface_discarded_bytes_total", "bytes that are part of no frame", "discarded"),
            _gauge("c2kit_interface_held_bytes", "bytes that wait for the rest of their frame", "held"),
            _gauge("c2kit_interface_unaccounted_bytes", "bytes that do not add up; 0, or alarm", "unaccounted"),
        ),
    ),
    Group(
        "commands",
        ("stage", "fate"),
        (_counter("c2kit_commands_total", "commands that a stage here brought to a fate", "count"),),
    ),
    Group(
        "dead_letters",
        ("stage",),
        (_counter("c2kit_dead_letters_total", "packets and records that a stage here set aside", "count"),),
    ),
    Group(
        "tallies",
        ("stage",),
        (
            _counter("c2kit_bus_commits_total", "steps that a cluster has", "tally.commits"),
            _counter("c2kit_bus_aborts_total", "steps that were taken back there, to be done again", "tally.aborts"),
            _counter("c2kit_bus_rebalances_total", "times that partitions came or went", "tally.rebalances"),
            _counter("c2kit_bus_fencings_total", "times that another took the place of a stage", "tally.fencings"),
            _counter("c2kit_stage_rebuilds_total", "times that a stage was begun anew beside others", "rebuilt"),
        ),
    ),
    Group(
        "bus_errors",
        ("error",),
        (_counter("c2kit_bus_errors_total", "times that brokers failed or were not reached", "count"),),
    ),
    Group(
        "sources",
        ("source",),
        (_gauge("c2kit_metrics_source_failed", "1 where a source of metrics cannot be read", "has_failed"),),
    ),
)
"""Groups of one source may follow each other; a metric is in one group only."""
