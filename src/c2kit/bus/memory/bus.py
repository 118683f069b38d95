"""The bus itself: opening it, and what it hands out."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from attrs import evolve

from c2kit.bus.base import StreamBus, StreamInfo, check_compatible, check_streams
from c2kit.bus.memory.core import Core
from c2kit.bus.memory.readers import MemorySink, MemoryView, MemoryWorker
from c2kit.bus.memory.streams import Partition, Stream
from c2kit.bus.news import Bell
from c2kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from c2kit.bus.base import PartitionId, Position, Sink, StreamSpec, View, Worker

__all__ = ["MemoryBus"]

DEFAULT_MAX_STREAM_BYTES = 256 * 2**20


class MemoryBus(StreamBus):
    """``memory:``, see the module. ``max_stream_bytes`` is the bound at which telemetry publishers wait."""

    def __init__(self, *, max_stream_bytes: int = DEFAULT_MAX_STREAM_BYTES) -> None:
        self.url = "memory:"
        self._core = Core(max_stream_bytes)

    def apply(self, specs: Iterable[StreamSpec]) -> None:
        """See :meth:`c2kit.bus.base.StreamBus.apply`."""
        with self._core.changing():
            self._core.check_open()
            for spec in specs:
                existing = self._core.streams.get(spec.name)
                if existing is None:
                    partitions = [Partition() for _ in range(spec.partitions)]
                    self._core.streams[spec.name] = Stream(spec, uuid.uuid4().hex, partitions)
                else:
                    check_compatible(existing.spec, spec)
                    existing.spec = evolve(existing.spec, consumers=spec.consumers, members=spec.members)
            self._core.tell(self._core.readers)
            self._core.room.notify_all()

    def streams(self, prefix: str = "") -> Sequence[StreamInfo]:
        """See :meth:`c2kit.bus.base.StreamBus.streams`."""
        with self._core.changing():
            self._core.check_open()
            return [
                self._core.info(stream)
                for name, stream in sorted(self._core.streams.items())
                if name.startswith(prefix)
            ]

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
        """See :meth:`c2kit.bus.base.StreamBus.worker`."""
        bell = None if on_news is None else Bell(on_news)
        with self._core.changing():
            self._core.check_open()
            check_streams(stage, inputs, outputs, self._core.specs({*inputs, *outputs}))
            group, partitions = self._core.group(stage), self._core.partition_ids(inputs)
            group.check_entry(ordinal, partitions, alone=exclusive)
            return MemoryWorker(
                self._core, group, ordinal, partitions, frozenset(outputs), is_exclusive=exclusive, bell=bell
            )

    def sink(
        self, stage: str, partitions: Collection[PartitionId], positions: Iterable[Position], *, ordinal: int = 0
    ) -> Sink:
        """See :meth:`c2kit.bus.base.StreamBus.sink`."""
        with self._core.changing():
            self._core.check_open()
            names = {stream for stream, _ in partitions}
            check_streams(stage, names, (), self._core.specs(names))
            begin = {key: self._core.partition(key).first for key in partitions}
            for position in positions:
                if (position.stream, position.partition) in begin:
                    begin[position.stream, position.partition] = self._core.checked(position)
            group = self._core.group(stage)
            group.check_entry(ordinal, frozenset(partitions), alone=False, owns=True)
            return MemorySink(self._core, group, ordinal, begin)

    def view(self, streams: Collection[str], *, from_oldest: bool = False) -> View:
        """See :meth:`c2kit.bus.base.StreamBus.view`."""
        with self._core.changing():
            self._core.check_open()
            for name in streams:
                if name not in self._core.streams:
                    raise UsageError(f"no stream {name} on this bus", remedy="see which there are with bus.streams()")
            begin = {
                key: self._core.partition(key).first if from_oldest else self._core.partition(key).next
                for key in self._core.partition_ids(streams)
            }
            return MemoryView(self._core, begin)

    def close(self) -> None:
        """See :meth:`c2kit.bus.base.StreamBus.close`."""
        with self._core.lock:
            self._core.closed = True
            readers = list(self._core.readers)
        for reader in readers:
            reader.close()
