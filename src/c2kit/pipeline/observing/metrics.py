"""The metrics of a process, read where they are when somebody scrapes: nothing is counted a second time for them.

Labels are names of the mission's composition and of enumerations of c2kit, and so bounded by them: nothing that comes
over a link, and no command, ever makes a time series of its own.
"""

from __future__ import annotations

import itertools
import logging
from typing import TYPE_CHECKING, Any

import attrs
from attrs import frozen
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

import c2kit
from c2kit.pipeline.observing.steps import STEP_BUCKETS
from c2kit.pipeline.observing.table import GROUPS, MetricType, ProcessRow, SourceRow, StageRow, StreamRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from prometheus_client.core import Metric

    from c2kit.bus import StreamInfo
    from c2kit.pipeline.composition.description import MissionDescription, StageDescription
    from c2kit.pipeline.observing.ledger import ByteRow, EdgeRow, LedgerRow
    from c2kit.pipeline.observing.steps import StepMeter
    from c2kit.pipeline.observing.table import BusErrorRow, Column, CommandRow, DeadLetterRow, Group, LinkRow, TallyRow

__all__ = ["Metrics", "Sources"]

_log = logging.getLogger(__name__)


def _nothing() -> tuple[()]:
    return ()


@frozen(kw_only=True)
class Sources:
    """Where the metrics are. Each is called once a scrape, in a thread of the HTTP server.

    One that raises takes its own metrics away from that scrape, and no others.
    """

    ledger: Callable[[], Iterable[LedgerRow]] = _nothing
    bytes: Callable[[], Iterable[ByteRow]] = _nothing
    edges: Callable[[], Iterable[EdgeRow]] = _nothing
    streams: Callable[[], Iterable[StreamInfo]] = _nothing
    """Streams that no stage of this process reads or writes are left out."""
    steps: Callable[[], Iterable[StepMeter]] = _nothing
    links: Callable[[], Iterable[LinkRow]] = _nothing
    commands: Callable[[], Iterable[CommandRow]] = _nothing
    dead_letters: Callable[[], Iterable[DeadLetterRow]] = _nothing
    tallies: Callable[[], Iterable[TallyRow]] = _nothing
    bus_errors: Callable[[], Iterable[BusErrorRow]] = _nothing


class Metrics:
    """All metrics of this process, in a registry of their own.

    Args:
        sources: where they are.
        description: the mission.
        stages: those of it that run in this process.
    """

    def __init__(self, sources: Sources, description: MissionDescription, stages: Sequence[StageDescription]) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(_Rows(sources, description, stages))
        ProcessCollector(registry=self.registry)

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """The metrics now, and their content type: OpenMetrics for who accepts it, else the text of Prometheus."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type


class _Rows(Collector):
    """Makes metrics of rows, as the table says."""

    def __init__(self, sources: Sources, description: MissionDescription, stages: Sequence[StageDescription]) -> None:
        self._sources: dict[str, Callable[[], Iterable[Any]]] = attrs.asdict(sources, recurse=False)
        self._sources["streams"] = lambda: self._streams(sources.streams())
        self._names = {stage.identity: stage.name for stage in description.stages}
        self._own = {stream for stage in stages for stream in (*stage.reads, *stage.writes)}
        self._fixed: dict[str, Sequence[Any]] = {
            "process": [ProcessRow(version=c2kit.__version__, mission=description.name)],
            "stages": [StageRow(stage=stage.name, role=stage.role) for stage in stages],
        }

    def describe(self) -> Iterable[Metric]:
        """Nothing: otherwise the registry would ask all sources only to learn the names."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """All metrics; also of those that have no value yet, names and types."""
        rows = dict(self._fixed)
        failed = []
        for source, read in self._sources.items():
            try:
                rows[source] = list(read())
            except Exception:  # noqa: BLE001 - whatever it is, the other metrics are wanted all the more
                _log.exception("the metrics of %s cannot be read", source)
                rows[source] = ()
                failed.append(source)
        rows["sources"] = [SourceRow(source=source, has_failed=source in failed) for source in self._sources]
        for group in GROUPS:
            yield from _families(group, rows[group.source])

    def _streams(self, infos: Iterable[StreamInfo]) -> Iterator[StreamRow]:
        return (StreamRow.of(info, self._names) for info in infos if info.spec.name in self._own)


def _families(group: Group, rows: Iterable[Any]) -> Iterator[Metric]:
    expanded = [(_labels(group, row), row) for each in rows for row in group.expand(each)]
    for column in group.columns:
        family = _FAMILIES[column.type](column.name, _sentence(column), labels=group.labels)
        for labels, row in expanded:
            value = column.value(row)
            if column.type is MetricType.HISTOGRAM:
                family.add_metric(labels, *_buckets(value))
            elif value is not None:
                family.add_metric(labels, value)
        yield family


_FAMILIES: dict[MetricType, Callable[..., Any]] = {
    MetricType.COUNTER: CounterMetricFamily,
    MetricType.GAUGE: GaugeMetricFamily,
    MetricType.HISTOGRAM: HistogramMetricFamily,
}


def _labels(group: Group, row: object) -> list[str]:
    return [str(getattr(row, label)) for label in group.labels]


def _sentence(column: Column) -> str:
    return column.text[0].upper() + column.text[1:] + "."


def _buckets(meter: StepMeter) -> tuple[list[tuple[str, float]], float]:
    """Cumulated, as Prometheus has them."""
    totals = itertools.accumulate(meter.counts)
    bounds = ("+Inf" if bound == STEP_BUCKETS[-1] else str(bound) for bound in STEP_BUCKETS)
    return list(zip(bounds, totals, strict=True)), meter.seconds
