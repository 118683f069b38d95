"""Commands at a real link: each is sent at most once and has one end on record, wherever the process dies."""

from __future__ import annotations

import itertools
import socket
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from c2kit.batches.kinds import Kind
from c2kit.bus import BusUnavailable, Fenced, StreamBus, open_bus
from c2kit.bus.records import Fate
from c2kit.links import Outcome, SendResult, TcpServer, UdpListener
from c2kit.pipeline.composition.streams import specs_of
from c2kit.pipeline.interfaces.stage import InterfaceStage
from c2kit.protocols import CcsdsPackets, Fixed
from tests.interfaces import (
    Crash,
    Device,
    FailingBus,
    FailingSender,
    Faults,
    HeldSender,
    batches,
    events,
    frames,
    interface_mission,
    packet,
    statuses,
    steps_of,
    turn_until,
    turn_until_up,
    uplink,
    uplink_command,
    write,
)
from tests.links import until
from tests.missions import prepared, surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from c2kit.pipeline.composition.mission import Mission

ENDS = {str(fate) for fate in Fate if fate.is_end}


def opened(kind: str, folder: Path) -> StreamBus:
    return open_bus("memory:" if kind == "memory" else f"sqlite:{folder / 'bus.db'}")


@pytest.fixture(params=["memory", "sqlite"])
def bus(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StreamBus]:
    with opened(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def device() -> Iterator[Device]:
    with Device() as made:
        yield made


def stage_of(bus: StreamBus, mission: Mission, sender: Executor | None = None, **settings: Any) -> InterfaceStage:  # noqa: ANN401 - of the surroundings
    prepared(bus, mission)
    return InterfaceStage(evolve(surroundings(bus, mission, "fep"), **settings), sender=sender)


def ends_of(bus: StreamBus, mission: Mission, command: str) -> list[str]:
    return [fate for fate in steps_of(bus, mission, command) if fate in ENDS]


def turn_until_ended(stage: InterfaceStage, bus: StreamBus, mission: Mission, *commands: str) -> None:
    turn_until(stage, lambda: all(ends_of(bus, mission, each) for each in commands), "the ends")
    turn_until(stage, lambda: not stage.turn(0))


# -- one after the other ---------------------------------------------------------------------------


@pytest.mark.parametrize("has_sender", [True, False])
def test_commands_are_sent_once_and_in_order_and_every_step_is_on_record(
    bus: StreamBus, device: Device, *, has_sender: bool
) -> None:
    mission = interface_mission(device.link)
    names = [f"c{number}" for number in range(10)]
    with ThreadPoolExecutor(4) as pool, closing(stage_of(bus, mission, pool if has_sender else None)) as stage:
        turn_until_up(stage)
        uplink(bus, *map(uplink_command, names[:7]))
        uplink(bus, *map(uplink_command, names[7:]))
        turn_until_ended(stage, bus, mission, *names)
        sent = b"".join(packet(name.encode()) for name in names)
        until(lambda: len(device.received) >= len(sent))
        assert device.received == sent
        assert [(status.id, status.fate) for status in statuses(bus, mission)] == [
            (name, fate) for name in names for fate in (Fate.SENDING, Fate.SENT)
        ]
        assert stage.fates() == {Fate.SENDING: 10, Fate.SENT: 10}
        assert not events(bus, mission, "command")
        assert {(status.stage, status.interface, status.caller) for status in statuses(bus, mission)} == {
            ("fep", "fep", "test")
        }


def test_payloads_are_framed_as_the_protocols_say(bus: StreamBus, device: Device) -> None:
    mission = interface_mission(device.link, protocols=[Fixed(4)])
    with closing(stage_of(bus, mission)) as stage:
        turn_until_up(stage)
        uplink(bus, uplink_command("good", b"1234"), uplink_command("bad", b"12345"))
        turn_until_ended(stage, bus, mission, "good", "bad")
        assert steps_of(bus, mission, "bad") == ["REFUSED"]
        until(lambda: device.received)
        assert device.received == b"1234"


def test_while_the_link_is_down_commands_are_refused_and_the_gap_is_told(bus: StreamBus) -> None:
    mission = interface_mission(TcpServer(0, host="127.0.0.1"))
    with closing(stage_of(bus, mission)) as stage:
        uplink(bus, uplink_command("one"))
        turn_until_ended(stage, bus, mission, "one")
        assert steps_of(bus, mission, "one") == ["REFUSED"]
        (event,) = events(bus, mission, "command")
        assert event.facts["id"] == "one"
        assert "sequence count" in event.message
        assert stage.fates() == {Fate.REFUSED: 1}


def test_what_comes_too_late_has_expired_also_where_the_link_is_down(bus: StreamBus, device: Device) -> None:
    mission = interface_mission(device.link)
    prepared(bus, mission)
    uplink(bus, uplink_command("early", expires_ns=5_000))
    with closing(stage_of(bus, mission)) as stage:
        turn_until_up(stage)
        uplink(bus, uplink_command("late", expires_ns=4_999), uplink_command("in time", expires_ns=5_001))
        turn_until_ended(stage, bus, mission, "early", "late", "in time")
        assert steps_of(bus, mission, "early") == ["EXPIRED"]
        assert steps_of(bus, mission, "late") == ["EXPIRED"]
        assert steps_of(bus, mission, "in time") == ["SENDING", "SENT"]
        until(lambda: device.received)
        assert device.received == packet(b"in time")


def test_what_expires_between_the_commit_and_the_write_is_not_written(bus: StreamBus, device: Device) -> None:
    mission, clock, sender = interface_mission(device.link), [0], HeldSender()
    with closing(stage_of(bus, mission, sender, now=lambda: clock[0])) as stage:
        turn_until_up(stage)
        uplink(bus, uplink_command("one", expires_ns=100))
        turn_until(stage, lambda: sender.begun)
        clock[0] = 100
        sender.let_go.set()
        turn_until_ended(stage, bus, mission, "one")
        assert steps_of(bus, mission, "one") == ["SENDING", "EXPIRED"]
        assert not device.received
        assert len(events(bus, mission, "command")) == 1


def test_what_is_no_command_is_passed_over_and_told(bus: StreamBus, device: Device) -> None:
    mission = interface_mission(device.link)
    with closing(stage_of(bus, mission)) as stage:
        turn_until_up(stage)
        write(bus, "encode", Kind.UPLINK, b"\xff" * 100_000)
        uplink(bus, uplink_command("one"))
        turn_until_ended(stage, bus, mission, "one")
        assert steps_of(bus, mission, "one") == ["SENDING", "SENT"]
        (event,) = events(bus, mission, "refused")
        assert (event.facts["stream"], event.facts["offset"]) == ("firefly.uplink.fep", 0)
        assert stage.consumed()["firefly.uplink.fep", 0] == 2


def test_telemetry_goes_on_and_no_other_command_begins_while_one_is_being_written(
    bus: StreamBus, device: Device
) -> None:
    mission, sender = interface_mission(device.link), HeldSender()
    with closing(stage_of(bus, mission, sender)) as stage:
        turn_until_up(stage)
        uplink(bus, uplink_command("one"), uplink_command("two"))
        turn_until(stage, lambda: sender.begun)
        for number in range(5):
            device.send(packet(bytes([number])))
            turn_until(stage, lambda: len(frames(bus, mission)) == number + 1)  # noqa: B023 - called at once
        assert sender.begun == 1
        assert stage.consumed()["firefly.uplink.fep", 0] == 1
        sender.let_go.set()
        turn_until_ended(stage, bus, mission, "one", "two")
        assert steps_of(bus, mission, "two") == ["SENDING", "SENT"]


def test_a_write_that_ends_wakes_a_turn(bus: StreamBus, device: Device) -> None:
    mission, sender = interface_mission(device.link), HeldSender()
    with closing(stage_of(bus, mission, sender)) as stage:
        turn_until_up(stage)
        uplink(bus, uplink_command("one"))
        turn_until(stage, lambda: sender.begun)
        turn_until(stage, lambda: not stage.turn(0))
        sender.let_go.set()
        while not ends_of(bus, mission, "one"):
            stage.turn(3600)


# -- writes that do not go well --------------------------------------------------------------------


def sent_with(bus: StreamBus, mission: Mission, outcome: Callable[[], SendResult], **settings: Any) -> InterfaceStage:  # noqa: ANN401 - of the surroundings
    """A stage whose link says this of the command ``one``, which it has ended."""
    stage = stage_of(bus, mission, **settings)
    turn_until_up(stage)

    def send(*_: object, **__: object) -> SendResult:
        return outcome()

    stage.interface.link.send = send  # type: ignore[method-assign]
    uplink(bus, uplink_command("one"))
    turn_until_ended(stage, bus, mission, "one")
    return stage


def test_of_a_partial_write_nobody_can_tell(bus: StreamBus, device: Device, tmp_path: Path) -> None:
    mission = interface_mission(device.link, raw_log=tmp_path)
    outcome = SendResult(Outcome.PARTIAL, "it stalled", 4)
    with closing(sent_with(bus, mission, lambda: outcome)) as stage:
        assert stage.fates() == {Fate.SENDING: 1, Fate.UNKNOWN: 1}
        assert "4 bytes of 9" in statuses(bus, mission)[-1].reason
        assert [list(batch) for batch in batches(bus, mission, Kind.RAW)] == [[packet(b"one")[:4]]]
        assert len(events(bus, mission, "command")) == 1


def test_of_a_write_that_raises_nobody_can_tell(bus: StreamBus, device: Device) -> None:
    mission = interface_mission(device.link)

    def outcome() -> SendResult:
        raise ValueError("the driver broke")

    with closing(sent_with(bus, mission, outcome)) as stage:
        assert stage.fates() == {Fate.SENDING: 1, Fate.UNKNOWN: 1}
        assert "the driver broke" in statuses(bus, mission)[-1].reason


def test_what_certainly_did_not_leave_is_refused(bus: StreamBus, device: Device, tmp_path: Path) -> None:
    mission = interface_mission(device.link, raw_log=tmp_path)
    with closing(sent_with(bus, mission, lambda: SendResult(Outcome.NOT_SENT, "busy"))) as stage:
        assert stage.fates() == {Fate.SENDING: 1, Fate.REFUSED: 1}
        assert statuses(bus, mission)[-1].reason == "busy"
        assert not batches(bus, mission, Kind.RAW)


def test_raw_bytes_are_those_that_each_client_was_sent(bus: StreamBus, tmp_path: Path) -> None:
    mission = interface_mission(TcpServer(0, host="127.0.0.1"), raw_log=tmp_path)
    with closing(stage_of(bus, mission)) as stage:
        turn_until(stage, lambda: stage._downlink is not None and stage.interface.link.address)  # type: ignore[attr-defined]
        address = stage.interface.link.address  # type: ignore[attr-defined]
        with socket.create_connection(address), socket.create_connection(address):
            turn_until(stage, lambda: stage.interface.counters.connects == 2)
            uplink(bus, uplink_command("one"))
            turn_until_ended(stage, bus, mission, "one")
        (batch,) = batches(bus, mission, Kind.RAW)
        assert batch.is_uplink
        assert list(batch) == [packet(b"one")] * 2


def test_a_link_that_only_listens_refuses(bus: StreamBus) -> None:
    mission = interface_mission(UdpListener(0, host="127.0.0.1"), protocols=[CcsdsPackets()])
    with closing(stage_of(bus, mission)) as stage:
        turn_until_up(stage)
        uplink(bus, uplink_command("one"))
        turn_until_ended(stage, bus, mission, "one")
        assert steps_of(bus, mission, "one") == ["SENDING", "REFUSED"]


def test_of_a_command_that_the_sender_does_not_take_nobody_can_tell(bus: StreamBus, device: Device) -> None:
    mission, pool = interface_mission(device.link), ThreadPoolExecutor(1)
    pool.shutdown()
    with closing(stage_of(bus, mission, pool)) as stage:
        turn_until_up(stage)
        uplink(bus, uplink_command("one"))
        turn_until_ended(stage, bus, mission, "one")
        assert steps_of(bus, mission, "one") == ["SENDING", "UNKNOWN"]
        assert not device.received


def test_a_command_that_waits_for_a_thread_when_the_stage_is_drained_is_refused(bus: StreamBus, device: Device) -> None:
    class Never(Executor):
        def submit(self, _: Callable[..., Any], /, *args: Any, **settings: Any) -> Future[Any]:  # noqa: ANN401, ARG002 - as the base's
            return Future()

    mission = interface_mission(device.link)
    with closing(stage_of(bus, mission, Never())) as stage:
        turn_until_up(stage)
        uplink(bus, uplink_command("one"), uplink_command("two"))
        turn_until(stage, lambda: steps_of(bus, mission, "one"))
        stage.drain()
        assert steps_of(bus, mission, "one") == ["SENDING", "REFUSED"]
        assert steps_of(bus, mission, "two") == []


# -- wherever the process dies ------------------------------------------------------------------------


class Flight:
    """A mission whose interface dies as often as it is told to, and then runs to the end of its command."""

    def __init__(self, bus: StreamBus, device: Device) -> None:
        self.bus = bus
        self.device = device
        self.written_bytes = 0
        self.mission = interface_mission(device.link)
        bus.apply(specs_of(self.mission.describe()))

    def fly(self, faults: Faults, act: Callable[[InterfaceStage], None]) -> bool:
        """A life of the interface; returns whether it died."""
        failing = FailingBus(self.bus, faults)
        stage = InterfaceStage(surroundings(failing, self.mission, "fep"), sender=FailingSender(faults))
        try:
            act(stage)
        except Crash:
            return True
        finally:
            # The operating system closes what a dead process had open: its place on the bus, and its sockets.
            stage.close()
            if stage._downlink is not None:
                self.written_bytes += stage.interface.counters.sent_bytes
        return False

    def first(self, stage: InterfaceStage, faults: Faults) -> None:
        """The command comes while the link is up; only from then on something fails."""
        faults.is_armed = False
        turn_until_up(stage)
        faults.is_armed = True
        uplink(self.bus, uplink_command("one"))
        turn_until(stage, lambda: ends_of(self.bus, self.mission, "one"))

    def later(self, stage: InterfaceStage) -> None:
        """It has the command's end, its predecessors' or its own, and does nothing more."""
        turn_until(stage, lambda: stage._downlink is not None)
        turn_until(stage, lambda: ends_of(self.bus, self.mission, "one"))
        turn_until(stage, lambda: not stage.turn(0))

    def check(self) -> str:
        """At most one transmission, one end, and both fit together. Returns the end."""
        told = steps_of(self.bus, self.mission, "one")
        (end,) = [fate for fate in told if fate in ENDS]
        assert told[-1] == end, told
        until(lambda: len(self.device.received) >= self.written_bytes)
        assert self.device.received in (b"", packet(b"one"))
        sent = bool(self.device.received)
        assert sent in {"SENT": (True,), "UNKNOWN": (False, True)}.get(end, (False,)), (end, sent)
        assert told in (["SENDING", end], ["REFUSED"], ["EXPIRED"]), told
        return end


def flights(kind: str, folder: Path) -> Iterator[Flight]:
    for number in itertools.count():
        with opened(kind, folder / str(number)) as bus, Device() as device:
            yield Flight(bus, device)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_wherever_it_dies_a_command_is_sent_at_most_once_and_has_one_end(kind: str, tmp_path: Path) -> None:
    ends = {}
    for at, flight in enumerate(flights(kind, tmp_path)):
        faults = Faults(at)
        died = flight.fly(faults, lambda stage: flight.first(stage, faults))  # noqa: B023 - called at once
        if died:
            flight.fly(Faults(10**6), flight.later)
        end = flight.check()
        if not died:
            assert end == "SENT"
            break
        ends[at, faults.points[-1]] = end
    for at, point in ((0, "received"), (1, "before a commit")):
        assert ends.pop((at, point)) in ("SENT", "REFUSED"), "it comes again, maybe before the link is up"
    assert ends == {
        (2, "after a commit"): "UNKNOWN",
        (3, "before the write"): "UNKNOWN",
        (4, "after the write"): "UNKNOWN",
        (5, "before a commit"): "UNKNOWN",
        (6, "after a commit"): "SENT",
    }


def test_wherever_its_successor_dies_too_it_is_the_same(tmp_path: Path) -> None:
    made = flights("memory", tmp_path)
    for at in range(7):
        for again in itertools.count():
            flight, faults, more = next(made), Faults(at), Faults(again)
            assert flight.fly(faults, lambda stage: flight.first(stage, faults))  # noqa: B023 - called at once
            died = flight.fly(more, flight.later)
            if died:
                flight.fly(Faults(10**6), flight.later)
            flight.check()
            if not died:
                assert again >= 5, "three snapshots, and a commit before and after"
                break


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_wherever_the_bus_is_away_for_a_while_a_command_is_sent_exactly_once(kind: str, tmp_path: Path) -> None:
    def act(stage: InterfaceStage, flight: Flight, faults: Faults) -> None:
        faults.is_armed = False
        turn_until_up(stage)
        faults.is_armed = True
        uplink(flight.bus, uplink_command("one"))
        while not ends_of(flight.bus, flight.mission, "one"):
            try:
                stage.turn(0.01)
            except BusUnavailable:
                faults.at += len(faults.points) < 4  # the same once or twice more

    for at, flight in enumerate(flights(kind, tmp_path)):
        faults = Faults(at, crashes=False)
        flight.fly(faults, lambda stage: act(stage, flight, faults))  # noqa: B023 - called at once
        assert flight.check() == "SENT"
        if not faults.has_failed:
            assert at >= 2, "both commits"
            break


def test_one_that_hangs_before_the_write_and_wakes_later_has_written_at_most_once(
    bus: StreamBus, device: Device
) -> None:
    mission, sender = interface_mission(device.link), HeldSender()
    prepared(bus, mission)
    failing = FailingBus(bus, Faults(10**6))
    first = InterfaceStage(surroundings(failing, mission, "fep"), sender=sender)
    turn_until_up(first)
    uplink(bus, uplink_command("one"))
    turn_until(first, lambda: sender.begun)
    failing.workers[0].close()  # as it is for one that was stopped and struck out
    with closing(stage_of(bus, mission)) as second:
        turn_until_up(second)
        assert steps_of(bus, mission, "one") == ["SENDING", "UNKNOWN"]
        sender.let_go.set()
        with pytest.raises(Fenced):
            turn_until(first, lambda: False)
        first.close()
        uplink(bus, uplink_command("two"))
        turn_until_ended(second, bus, mission, "two")
        until(lambda: packet(b"two") in device.received)
        assert device.received.count(packet(b"one")) <= 1
        assert steps_of(bus, mission, "one") == ["SENDING", "UNKNOWN"]
