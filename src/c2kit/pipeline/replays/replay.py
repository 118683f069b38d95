"""Replays: logged packets, written once more as frames, to streams of their own.

How far a replay got is committed with what it writes. One that dies at any moment is gone on with by asking for the
same once more; nothing is left out then, and nothing comes twice. The names of its streams all begin with
``<mission>.replay.<id>.``, where nothing live is, so that no replay can reach what is live.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import asdict, define, evolve, field, frozen

from c2kit.batches import PacketBatch
from c2kit.batches.kinds import Kind
from c2kit.batches.packets import joined
from c2kit.bus import Fenced, Record, Step, StreamSpec
from c2kit.bus.records import LaneState, pack_state, unpack_state
from c2kit.dictionaries import Dictionary
from c2kit.errors import UsageError
from c2kit.pipeline.composition.names import REPLAY, check_name, replay_prefix, stage_identity, stream_name
from c2kit.pipeline.definitions import Definitions
from c2kit.pipeline.wire import Wire, lane_of
from c2kit.storage import UNKNOWN_TIME
from c2kit.storage.merge import merged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import TracebackType
    from typing import Self

    import numpy.typing as npt

    from c2kit.bus import StreamBus, Worker

__all__ = ["Replay", "Wanted"]

_KEY = ("Replay", "")
_STEP_BYTES = 1_000_000
_RECORD_BYTES = 64_000


@frozen(kw_only=True)
class Wanted:
    """Which packets are replayed: decided when a replay is begun, and the same whenever it is gone on with.

    ``told`` is how it was asked for, by which it is known again that the same is wanted: what counts back from now is
    another time each time.
    """

    told: str
    start_ns: int | None = None
    end_ns: int | None = None
    packets: tuple[str, ...] = ()


@frozen(kw_only=True)
class _State:
    """How far a replay is: which packets, how many of each log, and whether that is all."""

    wanted: Wanted
    taken: Mapping[str, int] = field(factory=dict)
    is_finished: bool = False

    @property
    def packets(self) -> int:
        return sum(self.taken.values())

    def packed(self) -> bytes:
        told = json.dumps(asdict(self), separators=(",", ":")).encode()
        return pack_state(LaneState(taken=self.packets, given=self.packets, snapshot=told))

    @classmethod
    def unpacked(cls, value: bytes) -> _State:
        told = json.loads(unpack_state(value).snapshot)
        wanted: dict[str, Any] = told["wanted"]
        return cls(
            wanted=Wanted(**wanted | {"packets": tuple(wanted["packets"])}),
            taken=told["taken"],
            is_finished=told["is_finished"],
        )


@define(eq=False)
class _Draft:
    """A step while it is made."""

    frames: dict[str, list[PacketBatch]] = field(factory=dict)
    """By interface."""
    taken: dict[str, int] = field(factory=dict)
    """By log."""
    size_bytes: int = 0

    def add(self, log: str, frames: PacketBatch) -> None:
        self.frames.setdefault(frames.interface, []).append(frames)
        self.taken[log] = self.taken.get(log, 0) + len(frames)
        self.size_bytes += frames.size_bytes


@define(eq=False)
class _Pace:
    """Lets time go by so many times as fast as it did when packets were received."""

    speed: float
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    _began: tuple[int, float] | None = None

    def due(self, times: npt.NDArray[np.int64], start: int) -> int:
        """The index after the last packet that is due now."""
        if self._began is None and times[start] > 0:
            self._began = int(times[start]), self.monotonic()
        return start + int(np.searchsorted(times[start:], self._now(), side="right"))

    def wait_for(self, time_ns: int) -> None:
        self.sleep(max(0.0, (time_ns - self._now()) / 1e9 / self.speed))

    def _now(self) -> int:
        """The received time that is due; where nobody knows any yet, that of packets whose time nobody knows."""
        if self._began is None:
            return 0
        first_ns, began = self._began
        return first_ns + int((self.monotonic() - began) * self.speed * 1e9)


class Replay:
    """Writes the packets of logs to ``<mission>.replay.<id>.frames.<interface>``, in the order of receiving, once each.

    ::

        with Replay(bus, "firefly", "night", Wanted(told="the whole night")) as replay:
            replay.run({"log": PacketLogReader("var/log/firefly.packets.FIREFLY/0").read()})

    Frames have the origin ``replay:<id>`` and the times at which their packets were received; a packet of which nobody
    knows it any more has that of the one before it. A log does not tell that packets are known to be space packets, so
    that their sequence counts, which were checked when they came, are not checked again.

    Streams that are not there are created, without a reader: what such a stream has beyond the bus's bound is deleted.
    Those that are there stay as they are.

    Args:
        bus: where to.
        mission: its name.
        replay: the id: letters, digits and hyphens, at most 40.
        wanted: the packets; whoever goes on with a replay has to want the same.
        monotonic: seconds that go by.
        sleep: waits for so many seconds.

    Raises:
        Fenced: the same replay is being written by another process.
        UsageError: an id that cannot be, or one with which another replay was begun.
        BusUnavailable: not now; ask for the same again.
    """

    def __init__(
        self,
        bus: StreamBus,
        mission: str,
        replay: str,
        wanted: Wanted,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.mission, self.id = check_name("mission", mission), check_name("replay", replay)
        self._prefix = replay_prefix(self.id)
        self._identity = stage_identity(self.mission, REPLAY, prefix=self._prefix)
        self._bus, self._monotonic, self._sleep = bus, monotonic, sleep
        self._wire = Wire(Definitions(bus, self.mission, Dictionary()))
        self._streams: dict[str, str] = {}
        """By interface, as far as they can be written now."""
        self._latest = 0
        self._worker = self._entered()
        try:
            self._kept = self._worker.snapshot(_KEY)
            self._state = self._begun(wanted)
        except BaseException:
            self.close()
            raise

    def _entered(self) -> Worker:
        return self._bus.worker(self._identity, [], outputs=list(self._streams.values()), exclusive=True)

    def _begun(self, wanted: Wanted) -> _State:
        """How far it is, or that it begins."""
        if self._kept is None:
            return _State(wanted=wanted)
        state = _State.unpacked(self._kept)
        if state.wanted.told != wanted.told:
            raise UsageError(
                f"replay {self.id} of {self.mission} was begun with other packets",
                expected=state.wanted.told,
                found=wanted.told,
                remedy="ask for the same to go on with it, or choose another id to begin anew",
            )
        return state

    @property
    def wanted(self) -> Wanted:
        """The packets with which it was begun."""
        return self._state.wanted

    @property
    def packets(self) -> int:
        """How many packets are written."""
        return self._state.packets

    @property
    def is_finished(self) -> bool:
        """Whether all are."""
        return self._state.is_finished

    @property
    def is_read(self) -> bool:
        """Whether a mission is there that reads it: only then the bus keeps everything until it was read."""
        return any(info.spec.consumers for info in self._bus.streams(f"{self.mission}.{self._prefix}"))

    @property
    def streams(self) -> list[str]:
        """The names of the streams with its frames."""
        infos = self._bus.streams(f"{self.mission}.{self._prefix}{Kind.FRAMES}.")
        return [info.spec.name for info in infos if any(info.next_offsets)]

    def run(self, logs: Mapping[str, Iterable[PacketBatch]], *, speed: float | None = None) -> None:
        """Write all that is wanted of these logs and was not written yet.

        ``logs`` are all wanted packets of each log in the order of writing, by a name that it always has. With
        ``speed``, time goes by so many times as fast as it did; without, as fast as the bus takes it. Raises Fenced,
        BusUnavailable, and what reading the logs raises; a new Replay goes on.
        """
        if speed is not None and not speed > 0:
            raise UsageError("the speed of a replay", expected="more than 0", found=speed)
        if self.is_finished:
            return
        gone = sorted(self._state.taken.keys() - logs.keys())
        if gone:
            what = "logs of which packets were replayed already are not there"
            raise UsageError(what, found=", ".join(gone), remedy="bring them back as they were, or begin anew")
        pace = None if speed is None else _Pace(speed, self._monotonic, self._sleep)
        names, draft = list(logs), _Draft()
        done = [self._state.taken.get(name, 0) for name in names]
        for number, batch in merged(list(logs.values()), skip=done):
            for frames in self._paced(self._frames(batch), pace):
                if frames is not None:
                    draft.add(names[number], frames)
                if draft.size_bytes >= _STEP_BYTES or frames is None:
                    self._commit(draft)
                    draft = _Draft()
        self._commit(draft, is_finished=True)

    def _frames(self, batch: PacketBatch) -> PacketBatch:
        """Packets as an interface would publish them, with times that are known."""
        times = np.maximum.accumulate(np.maximum(batch.received, self._latest))
        self._latest = int(times[-1])
        return PacketBatch(
            buffer=batch.buffer,
            starts=batch.starts,
            ends=batch.ends,
            received=np.where(batch.received == UNKNOWN_TIME, times, batch.received),
            interface=batch.interface,
            origin=f"replay:{self.id}",
        )

    def _paced(self, frames: PacketBatch, pace: _Pace | None) -> Iterator[PacketBatch | None]:
        """The frames when they are due; ``None`` before it waits."""
        if pace is None:
            yield frames
            return
        times = np.maximum.accumulate(frames.received)
        start = 0
        while start < len(times):
            stop = pace.due(times, start)
            if stop > start:
                yield frames.select(np.arange(start, stop))
            else:
                yield None
                pace.wait_for(int(times[start]))
            start = stop

    def _commit(self, draft: _Draft, *, is_finished: bool = False) -> None:
        if not draft.taken and not is_finished:
            return
        self._let_write(draft.frames)
        taken = dict(self._state.taken)
        for log, count in draft.taken.items():
            taken[log] = taken.get(log, 0) + count
        state = evolve(self._state, taken=taken, is_finished=is_finished)
        kept = state.packed()
        self._worker.commit(Step(publish=list(self._records(draft)), snapshots={_KEY: kept}))
        self._state, self._kept = state, kept

    def _records(self, draft: _Draft) -> Iterator[Record]:
        for interface, frames in draft.frames.items():
            small = (part for batch in frames for part in batch.divided(_RECORD_BYTES))
            for batch in joined(small, max_bytes=_RECORD_BYTES):
                yield Record(self._streams[interface], lane_of(batch), self._wire.write(batch))

    def _let_write(self, interfaces: Iterable[str]) -> None:
        """See to it that the streams of these interfaces are there, and can be written."""
        new = [interface for interface in interfaces if interface not in self._streams]
        if not new:
            return
        for interface in new:
            if not interface:
                what = "packets were logged without the interface that they came from"
                raise UsageError(what, remedy="set the batches' interface before they are logged, or replayed")
            check_name("interface that packets came from", interface)
            self._streams[interface] = stream_name(self.mission, Kind.FRAMES, interface, prefix=self._prefix)
        there = {info.spec.name for info in self._bus.streams(f"{self.mission}.{self._prefix}")}
        specs = [
            StreamSpec(name=self._streams[interface], writer=self._identity, lanes=(interface,))
            for interface in new
            if self._streams[interface] not in there
        ]
        if specs:
            self._bus.apply(specs)
        self._worker.close()
        self._worker = self._entered()
        if self._worker.snapshot(_KEY) != self._kept:
            raise Fenced(f"replay {self.id} of {self.mission} was gone on with by another process meanwhile")

    def close(self) -> None:
        """Let another one go on with it; what is not committed was never written."""
        self._worker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
