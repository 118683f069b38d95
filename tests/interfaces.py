"""An interface of a mission at a real link: the device at its other end, and a bus that fails on order."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Any, Self

from c2kit.batches import PacketBatch
from c2kit.batches.kinds import Kind
from c2kit.bus import BusUnavailable, Delivery, Record, Step, StreamBus, Worker
from c2kit.bus.records import CommandStatus, Event, LinkControl, UplinkCommand, pack, unpack
from c2kit.links import State, TcpClient
from c2kit.pipeline.composition.mission import Mission
from c2kit.pipeline.composition.names import stage_identity, stream_name
from c2kit.processors import CommandEncoder, Identifier
from c2kit.protocols import CcsdsPackets
from tests.links import PATIENCE_SECONDS, listener, port_of, until
from tests.missions import example_dictionary, published, wire_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from types import TracebackType

    from c2kit.bus import PartitionId, Position, Sink, StateKey, StreamInfo, StreamSpec, View
    from c2kit.links import LinkSpec
    from c2kit.pipeline.interfaces.stage import InterfaceStage

FAR = 2**62
"""A time that does not come."""


class Device:
    """A TCP server that keeps all it receives, over all connections; closed by ``with``.

    It has no thread, so that nothing races with a test: whoever looks at it lets it accept and read all that has come.
    """

    def __init__(self) -> None:
        self._received = bytearray()
        self._connections: list[socket.socket] = []
        self._open: list[socket.socket] = []
        self._listener = listener()
        self._listener.settimeout(0)
        self.port = port_of(self._listener)

    @property
    def link(self) -> TcpClient:
        return TcpClient("127.0.0.1", self.port, reconnect_seconds=0.01, reconnect_max_seconds=0.05)

    @property
    def received(self) -> bytes:
        self._look()
        return bytes(self._received)

    @property
    def connections(self) -> list[socket.socket]:
        """All that there ever were."""
        self._look()
        return self._connections

    def send(self, data: bytes) -> None:
        """Send to whoever connected last."""
        self._wait_for_a_connection()
        self._open[-1].sendall(data)

    def hang_up(self) -> None:
        """Close all connections, of which there must be one."""
        self._wait_for_a_connection()
        self._close_all()

    def _wait_for_a_connection(self) -> None:
        """The other side may know of a connection before this one does."""
        until(self._look, "a connection")

    def _look(self) -> bool:
        """Accept and read all that has come; returns whether there is a connection."""
        with contextlib.suppress(BlockingIOError):
            while True:
                sock, _ = self._listener.accept()
                self._connections.append(sock)
                self._open.append(sock)
        self._open = [sock for sock in self._open if self._read(sock)]
        return bool(self._open)

    def _read(self, sock: socket.socket) -> bool:
        """Read all that has come; returns whether more may come."""
        try:
            while data := sock.recv(65_536, socket.MSG_DONTWAIT):
                self._received += data
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        return False

    def _close_all(self) -> None:
        for sock in self._connections:
            sock.close()
        self._open.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._look()
        self._listener.close()
        self._close_all()


def interface_mission(link: LinkSpec, **settings: Any) -> Mission:  # noqa: ANN401 - of an interface
    """FIREFLY behind an interface ``fep``, with readers for what it writes."""
    mission = Mission("firefly", dictionary=example_dictionary())
    protocols = settings.pop("protocols", [CcsdsPackets()])
    mission.interface("fep", link, protocols=protocols, targets=["FIREFLY"], **settings)
    mission.stage("identify", Identifier())
    mission.stage("encode", CommandEncoder())
    return mission


# -- what others write --------------------------------------------------------------------------


def write(bus: StreamBus, writer: str, kind: Kind, *values: bytes) -> None:
    """Put records on one of the streams of ``fep``, in one step."""
    stream = stream_name("firefly", kind, "fep")
    with bus.worker(stage_identity("firefly", writer), [], outputs=[stream]) as worker:
        worker.commit(Step(publish=[Record(stream, "fep", value) for value in values]))


def uplink_command(name: str, data: bytes = b"", expires_ns: int = FAR) -> UplinkCommand:
    """A command with bytes of which each name has its own."""
    return UplinkCommand(
        id=name,
        target="FIREFLY",
        name="NOOP",
        interface="fep",
        data=data or packet(name.encode()),
        dictionary_hash="",
        caller="test",
        encoded_ns=0,
        expires_ns=expires_ns,
    )


def packet(payload: bytes) -> bytes:
    """A space packet by CCSDS 133.0-B-2, 4.1.3."""
    return b"\x18\x01\xc0\x00" + (len(payload) - 1).to_bytes(2, "big") + payload


def uplink(bus: StreamBus, *commands: UplinkCommand) -> None:
    write(bus, "encode", Kind.UPLINK, *map(pack, commands))


def control(bus: StreamBus, *, enabled: bool, reason: str = "") -> None:
    record = LinkControl(enabled=enabled, reason=reason, caller="test", time_ns=0)
    write(bus, "command-source", Kind.LINK_CONTROL, pack(record))


# -- what the interface told ---------------------------------------------------------------------


def statuses(bus: StreamBus, mission: Mission) -> list[CommandStatus]:
    return [unpack(CommandStatus, record.value) for record in published(bus, mission, Kind.COMMAND_STATUS, "fep")]


def steps_of(bus: StreamBus, mission: Mission, command: str) -> list[str]:
    """The fates of one command, in their order."""
    return [str(status.fate) for status in statuses(bus, mission) if status.id == command]


def events(bus: StreamBus, mission: Mission, kind: str = "") -> list[Event]:
    told = [unpack(Event, record.value) for record in published(bus, mission, Kind.EVENTS, "fep")]
    return [event for event in told if not kind or event.kind == kind]


def batches(bus: StreamBus, mission: Mission, kind: Kind = Kind.FRAMES) -> list[PacketBatch]:
    wire = wire_of(bus, mission)
    read = [wire.read(record.value) for record in published(bus, mission, kind, "fep")]
    return [batch for batch in read if isinstance(batch, PacketBatch)]


def frames(bus: StreamBus, mission: Mission) -> list[bytes]:
    return [frame for batch in batches(bus, mission) for frame in batch]


# -- turns ----------------------------------------------------------------------------------------


def turn_until(stage: InterfaceStage, condition: Callable[[], object], what: str = "it") -> None:
    """Let it take turns until something is so."""

    def is_so() -> object:
        return condition() or (stage.turn(0.01) and False)

    until(is_so, what)


def turn_until_up(stage: InterfaceStage) -> None:
    """Let it take turns until its link is up and it has told so."""
    turn_until(stage, lambda: is_open(stage) and stage.interface.state.state is State.CONNECTED, "the link")
    turn_until(stage, lambda: not stage.turn(0))


def is_open(stage: InterfaceStage) -> bool:
    return stage._downlink is not None


# -- a bus and a sender that fail on order ---------------------------------------------------------


class Crash(BaseException):
    """The process ends here."""


class Faults:
    """Fails at one point of all that are passed once it is armed: it is the ``at``-th, counted from 0.

    ``points`` has what was passed by name, so that a test knows that there were no more.
    """

    def __init__(self, at: int, *, crashes: bool = True, is_armed: bool = True) -> None:
        self.at = at
        self.is_armed = is_armed
        self.points: list[str] = []
        self._crashes = crashes

    @property
    def has_failed(self) -> bool:
        return len(self.points) > self.at

    def pass_point(self, name: str, *, can_be_unavailable: bool = True) -> None:
        if not self.is_armed or (not self._crashes and not can_be_unavailable):
            return
        self.points.append(name)
        if len(self.points) - 1 == self.at:
            raise Crash(name) if self._crashes else BusUnavailable(name)


class FailingWorker(Worker):
    """A worker that fails before or after it does something."""

    def __init__(self, inner: Worker, faults: Faults) -> None:
        self._inner = inner
        self._faults = faults

    def receive(self, timeout_seconds: float, *, max_bytes: int = 8_000_000) -> Delivery:
        delivery = self._inner.receive(timeout_seconds, max_bytes=max_bytes)
        if delivery.records:
            self._faults.pass_point("received", can_be_unavailable=False)
        return delivery

    def commit(self, step: Step) -> None:
        self._faults.pass_point("before a commit")
        self._inner.commit(step)
        self._faults.pass_point("after a commit", can_be_unavailable=False)

    def rewind(self) -> None:
        self._inner.rewind()

    def snapshot(self, key: StateKey) -> bytes | None:
        self._faults.pass_point("before a snapshot")
        return self._inner.snapshot(key)

    @property
    def assigned(self) -> frozenset[PartitionId]:
        return self._inner.assigned

    def close(self) -> None:
        self._inner.close()


class FailingBus(StreamBus):
    """A bus whose workers fail; everything else it leaves to another one."""

    def __init__(self, inner: StreamBus, faults: Faults) -> None:
        self.url = inner.url
        self._inner = inner
        self._faults = faults
        self.workers: list[FailingWorker] = []

    def apply(self, specs: Iterable[StreamSpec]) -> None:
        self._inner.apply(specs)

    def streams(self, prefix: str = "") -> Sequence[StreamInfo]:
        return self._inner.streams(prefix)

    def worker(self, stage: str, inputs: Collection[str], **settings: Any) -> Worker:  # noqa: ANN401 - as the contract's
        self.workers.append(FailingWorker(self._inner.worker(stage, inputs, **settings), self._faults))
        return self.workers[-1]

    def sink(
        self, stage: str, partitions: Collection[PartitionId], positions: Iterable[Position], *, ordinal: int = 0
    ) -> Sink:
        return self._inner.sink(stage, partitions, positions, ordinal=ordinal)

    def view(self, streams: Collection[str], *, from_oldest: bool = False) -> View:
        return self._inner.view(streams, from_oldest=from_oldest)

    def close(self) -> None:
        self._inner.close()


class FailingSender(Executor):
    """Runs what it is given at once; the process may end before or after that."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def submit(self, fn: Callable[..., Any], /, *args: Any, **settings: Any) -> Future[Any]:  # noqa: ANN401 - as the base's
        self._faults.pass_point("before the write", can_be_unavailable=False)
        done: Future[Any] = Future()
        done.set_result(fn(*args, **settings))
        self._faults.pass_point("after the write", can_be_unavailable=False)
        return done


class HeldSender(Executor):
    """Runs what it is given in a thread, once it is let go: it stands between the commit and the write."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.begun = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **settings: Any) -> Future[Any]:  # noqa: ANN401 - as the base's
        self.begun += 1
        done: Future[Any] = Future()

        def run() -> None:
            self.let_go.wait(PATIENCE_SECONDS)
            done.set_result(fn(*args, **settings))

        threading.Thread(target=run, daemon=True).start()
        return done


def each_point(most: int = 200) -> itertools.chain[int]:
    """The points at which something may fail; whoever sees that nothing failed any more leaves the loop."""
    return itertools.chain(range(most))
