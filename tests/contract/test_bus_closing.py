"""What every bus guarantees when it is closed under its users, and when positions are not in a stream."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from c2kit.bus.base import BusUnavailable, Fenced, PositionLost, Record, Step, StreamSpec, Worker
from c2kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from c2kit.bus.base import Delivery, Sink, StreamBus, View

IN, OTHER = ("m.in", 0), ("m.other", 0)
SOON = 60.0
PATIENCE = 60.0


def spec(name: str = "m.in", *, consumers: tuple[str, ...] = ("decom",)) -> StreamSpec:
    return StreamSpec(name=name, writer="source", consumers=consumers)


def publish(bus: StreamBus, count: int, size: int = 1) -> None:
    with bus.worker("source", (), outputs=("m.in",)) as source:
        for _ in range(count):
            source.commit(Step(publish=[Record("m.in", "lane", bytes(size))]))


def ending(work: Callable[[], object], stop: Callable[[], None]) -> list[BaseException]:
    """What ``work``, which blocks in a thread, raises when ``stop`` is called here."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(0.2)
    assert thread.is_alive()
    stop()
    thread.join(SOON)
    assert not thread.is_alive()
    return raised


@pytest.mark.parametrize("closed", ["user", "bus"])
@pytest.mark.parametrize("kind", ["worker", "sink", "view"])
def test_closing_ends_a_wait_in_another_thread(bus: StreamBus, kind: str, closed: str) -> None:
    bus.apply([spec()])
    user: Worker | Sink | View = bus.worker("decom", ("m.in",))
    if kind != "worker":
        user.close()
        user = bus.sink("log", [IN], []) if kind == "sink" else bus.view(["m.in"])
    user.receive(0.0)
    while isinstance(user, Worker) and not user.assigned:
        user.receive(0.05)
    (error,) = ending(lambda: user.receive(60.0), user.close if closed == "user" else bus.close)
    assert isinstance(error, Fenced)
    with pytest.raises(Fenced):
        user.receive(0.0)


@pytest.mark.file_bus
@pytest.mark.parametrize("closed", ["user", "bus"])
def test_closing_ends_a_wait_for_room(bus: StreamBus, closed: str) -> None:
    bus.apply([spec()])
    publish(bus, 1, size=2_000_000)
    source = bus.worker("source", (), outputs=("m.in",))
    step = Step(publish=[Record("m.in", "lane", b"x")])
    (error,) = ending(lambda: source.commit(step), source.close if closed == "user" else bus.close)
    assert isinstance(error, Fenced)


def test_a_closed_bus_hands_out_nothing(bus: StreamBus) -> None:
    bus.apply([spec()])
    bus.close()
    with pytest.raises(BusUnavailable):
        bus.worker("decom", ("m.in",))
    with pytest.raises(BusUnavailable):
        bus.view(["m.in"])


@pytest.mark.file_bus
def test_records_that_are_not_there_yet_cannot_be_passed(bus: StreamBus) -> None:
    bus.apply([spec()])
    publish(bus, 1)
    with bus.worker("decom", ("m.in",)) as worker:
        worker.receive(SOON)
        with pytest.raises(UsageError, match="no record before offset 2"):
            worker.commit(Step(passed={IN: 2}))
        worker.commit(Step(passed={IN: 1}))
        publish(bus, 1)
        assert [record.offset for record in worker.receive(SOON).records] == [1]
    with bus.sink("log", [IN], []) as sink, pytest.raises(UsageError, match="no record before offset 3"):
        sink.passed({IN: 3})


@pytest.mark.file_bus
def test_a_position_that_was_deleted_is_told_and_passed_only_by_hand(bus: StreamBus) -> None:
    bus.apply([spec(consumers=("log",))])
    publish(bus, 3)
    with bus.worker("decom", ("m.in",)) as worker:
        worker.receive(SOON)
        worker.commit(Step(passed={IN: 1}))
    with bus.sink("log", [IN], []) as sink:
        sink.passed({IN: 3})
        publish(bus, 1)
        wait = threading.Event()
        while bus.streams()[0].first_offsets != (3,):
            assert not wait.wait(0.05)
    with bus.worker("decom", ("m.in",)) as worker:
        first: Delivery = worker.receive(SOON)
        assert first.gained == {IN}
        assert not first.records
        with pytest.raises(PositionLost) as caught:
            worker.receive(SOON)
        assert (caught.value.position.offset, caught.value.lost_records) == (1, 2)
        worker.commit(Step(passed={IN: 3}))
        worker.rewind()
        assert [record.offset for record in worker.receive(SOON).records] == [3]


@pytest.mark.file_bus
def test_a_stage_that_never_ran_lags_by_what_is_there(bus: StreamBus) -> None:
    bus.apply([spec()])
    publish(bus, 3)
    with bus.worker("decom", ("m.in",)) as worker:
        worker.receive(SOON)
        worker.commit(Step(passed={IN: 3}))
        wait = threading.Event()
        while bus.streams()[0].first_offsets != (3,):
            assert not wait.wait(0.05)
    bus.apply([spec(consumers=("decom", "late"))])
    publish(bus, 1)
    assert bus.streams()[0].lag == {"decom": 1, "late": 1}


@pytest.mark.parametrize("wide_is_first", [True, False])
def test_replicas_with_other_inputs_leave_nothing_unread(bus: StreamBus, *, wide_is_first: bool) -> None:
    bus.apply([spec(), spec("m.other")])
    wide, narrow = ("m.in", "m.other"), ("m.other",)
    inputs = (wide, narrow) if wide_is_first else (narrow, wide)
    with bus.worker("decom", inputs[0]) as one, bus.worker("decom", inputs[1], ordinal=1) as two:
        deadline = time.monotonic() + PATIENCE
        while one.assigned | two.assigned != {IN, OTHER}:
            assert time.monotonic() < deadline, (one.assigned, two.assigned)
            one.receive(0.0)
            two.receive(0.0)
            assert not one.assigned & two.assigned
