"""How every bus tells those who serve many workers with few threads that something may wait."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from c2kit.bus import Record, Step, StreamSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from c2kit.bus import StreamBus, Worker

IN, OTHER = ("m.in", 0), ("m.other", 0)
SOON = 60.0


def spec(name: str = "m.in", *, partitions: int = 1) -> StreamSpec:
    return StreamSpec(name=name, writer="source", partitions=partitions, lanes=("a", "b")[:partitions])


def publish(bus: StreamBus, value: bytes = b"1", *, stream: str = "m.in") -> None:
    with bus.worker("source", (), outputs=(stream,)) as source:
        source.commit(Step(publish=[Record(stream, "a", value)]))


def often(bus: StreamBus) -> int:
    """How often a thing is done that must never go wrong: on a cluster each time takes a while."""
    return 20 if bus.is_embedded else 5


class Served:
    """A worker that is looked at only when it has news, as a pool of threads does it."""

    def __init__(
        self, bus: StreamBus, stage: str, inputs: tuple[str, ...] = ("m.in",), *, ordinal: int = 0, alone: bool = False
    ) -> None:
        self.calls = 0
        self._rung = threading.Event()
        self.worker = bus.worker(stage, inputs, ordinal=ordinal, exclusive=alone, on_news=self._ring)
        self.values: list[bytes] = []
        self.gained: set[tuple[str, int]] = set()
        self.lost: set[tuple[str, int]] = set()
        self._ring()

    def _ring(self) -> None:
        self.calls += 1
        self._rung.set()

    def until(self, holds: Callable[[Served], bool]) -> None:
        """Serve the worker until something holds; every look is owed to a call."""
        deadline = time.monotonic() + SOON
        while not holds(self):
            assert self._rung.wait(deadline - time.monotonic()), "it was not called"
            self.serve()

    def serve(self) -> None:
        """Take what there is, if the worker was called."""
        if not self._rung.is_set():
            return
        self._rung.clear()
        delivery = self.worker.receive(0.0)
        while delivery.records or delivery.gained or delivery.lost:
            self.gained |= delivery.gained
            self.lost |= delivery.lost
            self.values += [record.value for record in delivery.records]
            delivery = self.worker.receive(0.0)

    def until_idle(self) -> None:
        """Serve the worker until it is not called any more for a while."""
        while self._rung.wait(0.2):
            self._rung.clear()
            self.worker.receive(0.0)


def test_a_worker_is_called_when_records_come(bus: StreamBus) -> None:
    bus.apply([spec()])
    served = Served(bus, "decom", alone=True)
    served.until(lambda each: each.gained == {IN})
    values = [b"%d" % number for number in range(often(bus))]
    for value in values:
        publish(bus, value)
        served.until(lambda each, value=value: each.values[-1:] == [value])  # type: ignore[misc]
    assert served.values == values


def test_a_worker_is_not_called_for_streams_and_stages_of_others(bus: StreamBus) -> None:
    bus.apply([spec(), spec("m.other")])
    served = Served(bus, "decom", alone=True)
    served.until(lambda each: each.gained == {IN})
    served.until_idle()
    calls, times = served.calls, often(bus)
    for _ in range(times):
        publish(bus, stream="m.other")
        bus.worker("log", ("m.in",)).close()
    records = 0
    with bus.view(["m.other"], from_oldest=True) as view:
        while more := len(view.receive(SOON if records < times else 0.0)):
            records += more
    assert records == times
    threading.Event().wait(0.1)
    assert served.calls == calls


def test_a_worker_is_called_when_its_share_changes(bus: StreamBus) -> None:
    bus.apply([spec(partitions=2)])
    both = {("m.in", 0), ("m.in", 1)}
    one = Served(bus, "decom")
    one.until(lambda each: each.gained == both)
    two = Served(bus, "decom", ordinal=1)
    deadline = time.monotonic() + SOON
    while not two.gained:
        assert time.monotonic() < deadline, "they were not called"
        one.serve()
        two.serve()
    assert two.gained == one.lost
    assert len(one.lost) == 1
    one.worker.close()
    two.until(lambda each: each.gained == both)


def test_a_closed_worker_is_called_never_again(bus: StreamBus) -> None:
    bus.apply([spec()])
    calls: list[bool] = []
    closed: list[bool] = []
    worker = bus.worker("decom", ("m.in",), exclusive=True, on_news=lambda: calls.append(bool(closed)))
    stop = threading.Event()

    def feed() -> None:
        while not stop.is_set():
            publish(bus)

    feeder = threading.Thread(target=feed)
    feeder.start()
    deadline = time.monotonic() + SOON
    while len(calls) < often(bus) and time.monotonic() < deadline:
        time.sleep(0.001)
    worker.close()
    closed.append(True)
    after = len(calls)
    for _ in range(often(bus)):
        before = bus.streams()[0].next_offsets
        while bus.streams()[0].next_offsets == before:
            time.sleep(0.001)
    stop.set()
    feeder.join(SOON)
    assert len(calls) == after >= often(bus)
    assert not any(calls)


def test_a_callback_that_fails_is_logged_and_harms_nobody(bus: StreamBus, caplog: pytest.LogCaptureFixture) -> None:
    bus.apply([spec()])

    def broken() -> None:
        raise RuntimeError("not mine")

    with bus.worker("decom", ("m.in",), exclusive=True, on_news=broken) as worker:
        publish(bus)
        assert received(worker) == [b"1"]
    assert "a callback for news of a stream bus failed" in caplog.text


def received(worker: Worker) -> list[bytes]:
    """What comes with the first records."""
    while not (records := worker.receive(SOON).records):
        pass
    return [record.value for record in records]
