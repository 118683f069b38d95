"""An interface on a bus: all that comes from a real link is published once or accounted for, and it stays switched."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from c2kit.batches.kinds import Kind
from c2kit.bus import BusUnavailable, Fenced, StreamBus, open_bus
from c2kit.bus.records import Severity
from c2kit.links import State, TcpServer, UdpListener
from c2kit.pipeline.interfaces.stage import InterfaceStage
from c2kit.protocols import CcsdsPackets, Fixed
from tests.interfaces import (
    Device,
    FailingBus,
    Faults,
    batches,
    control,
    events,
    frames,
    interface_mission,
    is_open,
    packet,
    turn_until,
    turn_until_up,
    uplink,
    uplink_command,
    write,
)
from tests.links import until
from tests.missions import prepared, surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from c2kit.pipeline.composition.mission import Mission


@pytest.fixture(params=["memory", "sqlite"])
def bus(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StreamBus]:
    with open_bus("memory:" if request.param == "memory" else f"sqlite:{tmp_path / 'bus.db'}") as opened:
        yield opened


@pytest.fixture
def device() -> Iterator[Device]:
    with Device() as made:
        yield made


def started(bus: StreamBus, mission: Mission) -> InterfaceStage:
    prepared(bus, mission)
    return InterfaceStage(surroundings(bus, mission, "fep"))


def packets(count: int) -> list[bytes]:
    return [packet(number.to_bytes(4, "big")) for number in range(count)]


def account(stage: InterfaceStage) -> tuple[int, int, int, int]:
    row = stage.bytes()
    assert row.unaccounted == 0
    return row.received, row.framed, row.discarded, row.held


def test_frames_are_published_in_order_with_every_byte_in_the_account(bus: StreamBus, device: Device) -> None:
    mission, sent = interface_mission(device.link), packets(500)
    with closing(started(bus, mission)) as stage:
        turn_until_up(stage)
        data = b"".join(sent)
        for at in range(0, len(data), 777):
            device.send(data[at : at + 777])
        turn_until(stage, lambda: stage.bytes().framed == len(data))
        assert frames(bus, mission) == sent
        assert account(stage) == (len(data), len(data), 0, 0)
        assert all(batch.interface == "fep" and batch.space_packets for batch in batches(bus, mission))


def test_raw_bytes_of_both_directions_are_those_on_the_wire(bus: StreamBus, device: Device, tmp_path: Path) -> None:
    mission = interface_mission(device.link, raw_log=tmp_path, protocols=[Fixed(4)])
    with closing(started(bus, mission)) as stage:
        turn_until_up(stage)
        for piece in (b"abcdef", b"g", b"hi"):
            device.send(piece)
            turn_until(stage, lambda: stage.turn(0.01))
        uplink(bus, uplink_command("one", b"1234"))
        turn_until(stage, lambda: device.received == b"1234")
        turn_until(stage, lambda: any(batch.is_uplink for batch in batches(bus, mission, Kind.RAW)))
        raw = batches(bus, mission, Kind.RAW)
        assert b"".join(piece for batch in raw if not batch.is_uplink for piece in batch) == b"abcdefghi"
        assert [piece for batch in raw if batch.is_uplink for piece in batch] == [b"1234"]
        assert frames(bus, mission) == [b"abcd", b"efgh"]
        assert account(stage) == (9, 8, 0, 1)


def test_datagrams_that_wait_become_one_record_and_their_order_stays(bus: StreamBus) -> None:
    mission = interface_mission(UdpListener(0, host="127.0.0.1"))
    with closing(started(bus, mission)) as stage, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        turn_until_up(stage)
        sent = packets(100)
        for each in sent:
            sender.sendto(each, stage.interface.link.address)  # type: ignore[attr-defined]
        until(lambda: stage.interface.counters.received_bytes == 1000)
        turn_until(stage, lambda: not stage.turn(0))
        assert frames(bus, mission) == sent
        assert [len(batch) for batch in batches(bus, mission)] == [100]


def test_what_is_discarded_is_told_once_a_step_and_reason_with_its_first_bytes(bus: StreamBus) -> None:
    mission = interface_mission(UdpListener(0, host="127.0.0.1"))
    with closing(started(bus, mission)) as stage, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        turn_until_up(stage)
        for number in range(200):
            sender.sendto(bytes([0xFF]) * 1000 + bytes([number]), stage.interface.link.address)  # type: ignore[attr-defined]
        until(lambda: stage.interface.counters.received_bytes == 200_200)
        turn_until(stage, lambda: not stage.turn(0))
        told = events(bus, mission, "discarded")
        assert len(told) <= 2, "one a reason"
        assert sum(event.facts["bytes"] for event in told) == 200_200
        assert all(len(event.facts["data"]) <= 65_536 * 4 / 3 + 4 for event in told), "base64"
        assert account(stage) == (200_200, 0, 200_200, 0)


def test_changes_of_the_link_are_told(bus: StreamBus, device: Device) -> None:
    mission = interface_mission(device.link)
    with closing(started(bus, mission)) as stage:
        turn_until_up(stage)
        device.hang_up()
        turn_until(stage, lambda: stage.interface.counters.connects == 2)
        turn_until_up(stage)
        told = events(bus, mission, "link")
        states = [event.facts["state"] for event in told]
        assert states == ["connecting", "connected", "down", "connecting", "connected"]
        assert [event.severity for event in told if event.facts["state"] == "down"] == [Severity.WARNING]


def test_lost_datagrams_are_told(bus: StreamBus, monkeypatch: pytest.MonkeyPatch) -> None:
    mission = interface_mission(UdpListener(0, host="127.0.0.1"))
    with closing(started(bus, mission)) as stage:
        turn_until_up(stage)
        turn_until(stage, lambda: not stage.turn(0))
        counters = stage.interface.link._counters
        monkeypatch.setattr(counters, "lost_datagrams", 3)
        turn_until(stage, lambda: not stage.turn(0))
        monkeypatch.setattr(counters, "lost_datagrams", 5)
        turn_until(stage, lambda: not stage.turn(0))
        assert [event.facts["count"] for event in events(bus, mission, "lost-datagrams")] == [3, 2]


def test_a_step_that_the_bus_does_not_take_is_kept_and_nothing_more_is_taken_from_the_link(
    bus: StreamBus, device: Device
) -> None:
    mission, sent = interface_mission(device.link), packets(30)
    prepared(bus, mission)
    faults = Faults(0, crashes=False, is_armed=False)
    with closing(InterfaceStage(surroundings(FailingBus(bus, faults), mission, "fep"))) as stage:
        turn_until_up(stage)
        device.send(b"".join(sent[:10]))
        until(lambda: stage.interface.counters.received_bytes == 100)
        for number in range(5):
            faults.at, faults.is_armed = number, True
            with pytest.raises(BusUnavailable):
                stage.turn(0)
            assert stage.due_seconds() == 0
            device.send(b"".join(sent[10 + 4 * number :][:4]))
            until(lambda: stage.interface.counters.received_bytes == 140 + 40 * number)  # noqa: B023 - called at once
            assert stage.interface.account.received == 100
        faults.is_armed = False
        turn_until(stage, lambda: stage.bytes().framed == 300)
        assert frames(bus, mission) == sent


def test_while_the_bus_takes_nothing_a_tcp_link_reads_no_more_than_may_wait_and_nothing_is_lost(
    bus: StreamBus, device: Device
) -> None:
    most = 100_000
    mission = interface_mission(evolve(device.link, receive_max_bytes=most), protocols=[Fixed(1000)])
    prepared(bus, mission)
    faults = Faults(0, crashes=False, is_armed=False)
    sent = [number.to_bytes(4) * 250 for number in range(20_000)]
    with closing(InterfaceStage(surroundings(FailingBus(bus, faults), mission, "fep"))) as stage:
        turn_until_up(stage)
        (connection,) = device.connections
        feeder = threading.Thread(target=_send_all, args=(connection, b"".join(sent)))
        feeder.start()
        until(lambda: stage.interface.counters.received_bytes > most // 2)
        received = 0
        while stage.interface.counters.received_bytes != received:  # until the link has stopped reading
            received = stage.interface.counters.received_bytes
            for _ in range(20):
                faults.at, faults.is_armed = len(faults.points), True
                with pytest.raises(BusUnavailable):
                    stage.turn(0)
                time.sleep(0.01)
        assert received <= 3 * (most + 131_072), "what is in the step, and what may wait"
        assert feeder.is_alive(), "who sends has to wait"
        faults.is_armed = False
        turn_until(stage, lambda: stage.bytes().framed == len(sent) * 1000)
        feeder.join()
        assert frames(bus, mission) == sent
        assert account(stage) == (len(sent) * 1000, len(sent) * 1000, 0, 0)


def _send_all(connection: socket.socket, data: bytes) -> None:
    connection.setblocking(True)  # noqa: FBT003 - the library's signature
    connection.sendall(data)


def test_while_the_bus_takes_nothing_a_udp_link_discards_what_has_no_room_and_accounts_for_it(bus: StreamBus) -> None:
    most, size = 20_000, 500
    mission = interface_mission(UdpListener(0, host="127.0.0.1", receive_max_bytes=most), protocols=[Fixed(size)])
    prepared(bus, mission)
    faults = Faults(0, crashes=False, is_armed=False)
    stage = InterfaceStage(surroundings(FailingBus(bus, faults), mission, "fep"))
    with closing(stage), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        turn_until_up(stage)
        turn_until(stage, lambda: not stage.turn(0))
        sent = [number.to_bytes(4) * (size // 4) for number in range(200)]
        for number, datagram in enumerate(sent, start=1):
            sender.sendto(datagram, stage.interface.link.address)  # type: ignore[attr-defined]
            until(lambda: stage.interface.counters.received_bytes == size * number)  # noqa: B023 - called at once
            faults.at, faults.is_armed = len(faults.points), True
            with pytest.raises(BusUnavailable):
                stage.turn(0)
        counters = stage.interface.counters
        assert 0 < counters.discarded_datagrams < len(sent)
        assert stage.interface.link.waiting_bytes <= most + size + 256
        faults.is_armed = False
        turn_until(stage, lambda: stage.bytes().received == size * len(sent))
        kept = frames(bus, mission)
        assert kept == sent[: len(kept)], "what came first is kept"
        discarded = size * (len(sent) - len(kept))
        assert account(stage) == (size * len(sent), size * len(kept), discarded, 0)
        told = [event for event in events(bus, mission, "discarded") if event.facts["reason"] == "no room"]
        assert sum(event.facts["bytes"] for event in told) == discarded == counters.discarded_bytes
        assert sum(event.facts["count"] for event in told) == counters.discarded_datagrams
        assert {event.severity for event in told} == {Severity.ERROR}
        sender.sendto(sent[-1], stage.interface.link.address)  # type: ignore[attr-defined]
        turn_until(stage, lambda: len(frames(bus, mission)) == len(kept) + 1)


def test_bytes_that_wait_for_more_when_the_process_ends_are_counted_as_discarded_by_the_next(
    bus: StreamBus, device: Device
) -> None:
    mission, whole = interface_mission(device.link), packets(3)
    with closing(started(bus, mission)) as first:
        turn_until_up(first)
        device.send(b"".join(whole) + whole[0][:7])
        turn_until(first, lambda: first.bytes().received == 37)
        assert account(first) == (37, 30, 0, 7)
    with closing(started(bus, mission)) as second:
        turn_until_up(second)
        assert account(second) == (37, 30, 7, 0)
        device.send(whole[1])
        turn_until(second, lambda: second.bytes().received == 47)
        assert account(second) == (47, 40, 7, 0)
        assert [event.facts["bytes"] for event in events(bus, mission, "discarded")] == [7]
        assert frames(bus, mission) == [*whole, whole[1]]


def test_the_link_opens_only_once_the_first_step_is_committed(bus: StreamBus, device: Device) -> None:
    mission = interface_mission(device.link)
    prepared(bus, mission)
    faults = Faults(0, crashes=False)
    with closing(InterfaceStage(surroundings(FailingBus(bus, faults), mission, "fep"))) as stage:
        for at in (0, 1, 2, 3, 0, 0, 0):  # three snapshots and the commit, which is then tried alone
            faults.points.clear()
            faults.at = at
            with pytest.raises(BusUnavailable):
                stage.turn(0)
            assert not is_open(stage)
        assert not device.connections
        faults.is_armed = False
        turn_until_up(stage)


def test_whoever_is_fenced_closes_its_link_first(bus: StreamBus, device: Device) -> None:
    mission = interface_mission(device.link)
    prepared(bus, mission)
    failing = FailingBus(bus, Faults(10**6))
    with closing(InterfaceStage(surroundings(failing, mission, "fep"))) as stage:
        turn_until_up(stage)
        failing.workers[0].close()  # as if another had taken its place
        with pytest.raises(Fenced):
            stage.turn(0)
        assert stage.interface.state.state is State.DISABLED


def test_a_second_one_is_refused_while_the_first_lives(bus: StreamBus, device: Device) -> None:
    mission = interface_mission(device.link)
    with closing(started(bus, mission)) as first:
        turn_until_up(first)
        with pytest.raises(Fenced):
            started(bus, mission)
        assert not first.turn(0)
        assert first.interface.state.state is State.CONNECTED


def test_a_link_is_disabled_and_enabled_and_stays_so_over_a_restart(bus: StreamBus, device: Device) -> None:
    mission = interface_mission(device.link)
    with closing(started(bus, mission)) as stage:
        turn_until_up(stage)
        control(bus, enabled=False, reason="maintenance")
        turn_until(stage, lambda: stage.interface.state.state is State.DISABLED)
        turn_until(stage, lambda: not stage.turn(0))
        assert events(bus, mission, "link")[-1].facts["reason"] == "maintenance of test"
    with closing(started(bus, mission)) as stage:
        turn_until(stage, lambda: is_open(stage))
        turn_until(stage, lambda: not stage.turn(0))
        assert stage.interface.state.state is State.DISABLED
        control(bus, enabled=False)
        control(bus, enabled=True)
        turn_until_up(stage)
    with closing(started(bus, mission)) as stage:
        turn_until_up(stage)
    assert len(device.connections) == 3


def test_a_link_that_is_disabled_while_nobody_runs_it_does_not_open(bus: StreamBus, device: Device) -> None:
    mission = interface_mission(device.link)
    prepared(bus, mission)
    control(bus, enabled=False)
    with closing(started(bus, mission)) as stage:
        turn_until(stage, lambda: is_open(stage))
        turn_until(stage, lambda: not stage.turn(0))
        assert stage.interface.state.state is State.DISABLED
        assert stage.consumed() == {("firefly.link-control.fep", 0): 1, ("firefly.uplink.fep", 0): 0}
    assert not device.connections


def test_what_is_no_control_is_passed_over_and_told(bus: StreamBus, device: Device) -> None:
    mission = interface_mission(device.link)
    prepared(bus, mission)
    write(bus, "command-source", Kind.LINK_CONTROL, b"{}")
    with closing(started(bus, mission)) as stage:
        turn_until_up(stage)
        assert "LinkControl" in events(bus, mission, "refused")[0].message


def test_a_turn_ends_its_waiting_for_an_arrival_and_for_news_of_the_bus(bus: StreamBus, device: Device) -> None:
    mission = interface_mission(device.link)
    with closing(started(bus, mission)) as stage:
        turn_until_up(stage)
        for is_arrival in (True, False):
            if is_arrival:
                device.send(packets(1)[0])
            else:
                control(bus, enabled=True)
            while not stage.turn(3600):
                pass
            turn_until(stage, lambda: not stage.turn(0))
        assert stage.bytes().framed == 10
        assert stage.consumed()["firefly.link-control.fep", 0] == 1


def test_a_server_has_framing_for_each_client_and_all_are_told(bus: StreamBus) -> None:
    mission = interface_mission(TcpServer(0, host="127.0.0.1"), protocols=[CcsdsPackets()])
    with closing(started(bus, mission)) as stage:
        turn_until(stage, lambda: is_open(stage) and stage.interface.state.state is State.CONNECTING)
        address = stage.interface.link.address  # type: ignore[attr-defined]
        one, two = packets(2)
        with socket.create_connection(address) as first, socket.create_connection(address) as second:
            turn_until_up(stage)
            first.sendall(one[:5])
            turn_until(stage, lambda: stage.bytes().received == 5)
            second.sendall(two)
            turn_until(stage, lambda: stage.bytes().received == 15)
            first.sendall(one[5:] + one[:3])
            turn_until(stage, lambda: stage.bytes().received == 23)
        turn_until(stage, lambda: stage.bytes().held == 0)
        turn_until(stage, lambda: stage.interface.state.connections == 0 and not stage.turn(0))
        assert frames(bus, mission) == [two, one]
        assert account(stage) == (23, 20, 3, 0)
        peers = [event.facts["state"] for event in events(bus, mission, "link") if event.facts["peer"]]
        assert peers == ["connected", "connected", "down", "down"]


def test_what_was_taken_is_committed_when_it_is_drained_and_what_waits_is_left(bus: StreamBus, device: Device) -> None:
    mission, sent = interface_mission(device.link), packets(50)
    with closing(started(bus, mission)) as stage:
        turn_until_up(stage)
        device.send(b"".join(sent) + b"\x18")
        until(lambda: stage.interface.counters.received_bytes == 501)
        uplink(bus, uplink_command("late"))
        stage.drain()
        stage.drain()
        assert frames(bus, mission) == sent
        assert account(stage) == (501, 500, 1, 0)
        assert events(bus, mission, "link")[-1].facts["state"] == "disabled"
        assert not device.received
        assert stage.consumed()["firefly.uplink.fep", 0] == 0


def test_one_that_is_drained_before_it_began_opens_no_link(bus: StreamBus, device: Device) -> None:
    with closing(started(bus, interface_mission(device.link))) as stage:
        stage.drain()
        assert not is_open(stage)
    assert not device.connections
