"""Simulated satellites on the network: telemetry to all clients, commands from any, within bounds."""

import contextlib
import json
import selectors
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from c2kit.dictionaries import Dictionary
from c2kit.sim import FaultRates, FaultyLink, Satellite
from c2kit.sim.ports import Address, FilePort, TcpPort, UdpPort
from c2kit.sim.serve import Flight, Record, Simulator
from tests.links import until
from tests.unit.sim.conftest import SECOND, Order

LOOPBACK = ("127.0.0.1", 0)
PATIENCE_S = 60.0
LONG_S = 300
"""Seconds on board that do not pass before a test has seen what it wants, however slow the machine is."""


def tcp_flight(dictionary: Dictionary, selector: selectors.BaseSelector, number: int = 1) -> tuple[Flight, Address]:
    satellite = Satellite(dictionary, name=f"FIREFLY-{number}")
    port = TcpPort(LOOPBACK, selector, satellite.command)
    return Flight(satellite, FaultyLink(FaultRates()), port), port.address


@pytest.fixture
def selector() -> Iterator[selectors.BaseSelector]:
    with selectors.DefaultSelector() as opened:
        yield opened


@contextlib.contextmanager
def flying(simulator: Simulator) -> Iterator[threading.Thread]:
    """Let it run beside the test, and make what is left of its time pass at once when the test has seen enough."""
    thread = threading.Thread(target=simulator.run, daemon=True)
    thread.start()
    try:
        yield thread
        until(lambda: has_ended(simulator, thread))
    finally:
        for flight in simulator.flights:
            flight.port.close()


def has_ended(simulator: Simulator, thread: threading.Thread) -> bool:
    if simulator.speed:
        simulator._elapsed_ns = LONG_S * SECOND
    thread.join(0.01)
    return not thread.is_alive()


def connected(address: Address) -> socket.socket:
    return socket.create_connection(address, timeout=PATIENCE_S)


def read_to_end(client: socket.socket) -> bytes:
    pieces = []
    with client:
        while piece := client.recv(65_536):
            pieces.append(piece)
    return b"".join(pieces)


def run_and_close(simulator: Simulator) -> None:
    simulator.run()
    for flight in simulator.flights:
        flight.port.close()


def test_a_client_that_time_waited_for_gets_all(dictionary: Dictionary, selector: selectors.BaseSelector) -> None:
    flight, address = tcp_flight(dictionary, selector)
    simulator = Simulator([flight], selector, speed=0, seconds=60, waits=True)
    client = connected(address)
    run_and_close(simulator)
    assert read_to_end(client) == b"".join(sent.data for sent in flight.satellite.sent)
    assert flight.packets == len(flight.satellite.sent) > 400
    assert flight.satellite.now_ns == flight.satellite.start_ns + 60 * SECOND


def test_a_slow_reader_makes_time_wait_where_it_may(
    dictionary: Dictionary, selector: selectors.BaseSelector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Did time not wait, so much would wait for the reader that it would be let go."""
    monkeypatch.setattr("c2kit.sim.serve._PAUSE_BYTES", 20_000)
    monkeypatch.setattr("c2kit.sim.ports.MAX_WAITING_BYTES", 50_000)
    flight, address = tcp_flight(dictionary, selector)
    flight.port._listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # type: ignore[attr-defined]
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(PATIENCE_S)
    client.connect(address)
    with flying(Simulator([flight], selector, speed=0, seconds=600, waits=True)) as thread:
        until(lambda: flight.port.waiting_bytes > 20_000 and stands_still(flight.satellite))
        assert flight.port.is_used
        received = read_rest(client, thread)
    assert received == b"".join(sent.data for sent in flight.satellite.sent)
    assert len(received) > 200_000
    client.close()


def stands_still(satellite: Satellite) -> bool:
    before = satellite.now_ns
    time.sleep(0.2)
    return satellite.now_ns == before


def read_rest(client: socket.socket, flight: threading.Thread) -> bytes:
    """All that comes until the flight is over, which it is not before everything was sent."""
    pieces = []
    client.settimeout(0.01)
    is_over = False
    while not is_over:
        is_over = not flight.is_alive()
        with contextlib.suppress(TimeoutError):
            while piece := client.recv(1_000_000):
                pieces.append(piece)
    return b"".join(pieces)


def test_every_client_gets_telemetry_and_may_command(
    dictionary: Dictionary, selector: selectors.BaseSelector, order: Order
) -> None:
    flight, address = tcp_flight(dictionary, selector)
    noop, ping = order("NOOP"), order("SET_CALLSIGN", CALLSIGN="AB")
    with flying(Simulator([flight], selector, speed=5, seconds=LONG_S, waits=True)):
        one, other = connected(address), connected(address)
        one.sendall(noop[:3])
        time.sleep(0.05)
        one.sendall(noop[3:])
        other.sendall(b"\xff" * 10 + ping)
        until(lambda: len(flight.satellite.received) == 2)
        assert one.recv(100_000)
        assert other.recv(100_000)
        one.close()
        other.close()
    assert sorted(command.data for command in flight.satellite.received) == sorted([noop, ping])


def test_each_satellite_has_a_port_of_its_own(
    dictionary: Dictionary, selector: selectors.BaseSelector, order: Order
) -> None:
    flights = [tcp_flight(dictionary, selector, number) for number in range(1, 4)]
    clients = [connected(address) for _, address in flights]
    clients[1].sendall(order("NOOP"))
    run_and_close(Simulator([flight for flight, _ in flights], selector, speed=0, seconds=20, waits=True))
    streams = [read_to_end(client) for client in clients]
    for (flight, _), stream in zip(flights, streams, strict=True):
        assert stream == b"".join(sent.data for sent in flight.satellite.sent)
    assert len(set(streams)) == 3
    assert [len(flight.satellite.received) for flight, _ in flights] == [0, 1, 0]


def test_a_client_that_takes_nothing_is_let_go(
    dictionary: Dictionary, selector: selectors.BaseSelector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("c2kit.sim.ports.MAX_WAITING_BYTES", 1000)
    flight, address = tcp_flight(dictionary, selector)
    with connected(address), contextlib.closing(flight.port):
        for key, events in selector.select(PATIENCE_S):  # a port is for one thread: no simulator runs beside
            key.data(events)
        assert flight.port.is_used
        flight.port.send([bytes(20_000_000)])
        assert not flight.port.is_used


def test_connections_break_as_often_as_asked(dictionary: Dictionary, selector: selectors.BaseSelector) -> None:
    flight, address = tcp_flight(dictionary, selector)
    with flying(Simulator([flight], selector, speed=5, seconds=LONG_S, drop_every_s=0.2)):
        for _ in range(3):
            read_to_end(connected(address))


def test_packets_are_datagrams_and_commands_come_back(
    dictionary: Dictionary, selector: selectors.BaseSelector, order: Order
) -> None:
    satellite = Satellite(dictionary)
    with socket.socket(type=socket.SOCK_DGRAM) as ground:
        ground.bind(LOOPBACK)
        ground.settimeout(PATIENCE_S)
        port = UdpPort(ground.getsockname(), selector, satellite.command)
        with flying(Simulator([Flight(satellite, FaultyLink(FaultRates()), port)], selector, speed=5, seconds=LONG_S)):
            datagrams = [ground.recvfrom(65_536)]
            ground.sendto(order("NOOP") + order("NOOP") + b"\x1f", datagrams[0][1])
            datagrams += [ground.recvfrom(65_536) for _ in range(50)]
    assert [data for data, _ in datagrams] == [sent.data for sent in satellite.sent[:51]]
    assert [command.name for command in satellite.received] == ["NOOP", "NOOP"]


def test_a_file_gets_what_a_bad_link_leaves_and_the_record_what_was_sent(
    dictionary: Dictionary, selector: selectors.BaseSelector, tmp_path: Path, order: Order
) -> None:
    satellite = Satellite(dictionary)
    link = FaultyLink(FaultRates(duplicates=0.05, reordered=0.05))
    record = Record(tmp_path / "truth", "FIREFLY")
    flight = Flight(satellite, link, FilePort(tmp_path / "f.tlm"), record)
    satellite.command(order("NOOP"))
    run_and_close(Simulator([flight], selector, speed=0, seconds=60))
    record.close()
    sent = [each.data for each in satellite.sent]
    again = FaultyLink(link.rates)
    assert (tmp_path / "f.tlm").read_bytes() == b"".join(again.send(sent) + again.end())
    assert link.faults
    assert (tmp_path / "truth/FIREFLY.sent.tlm").read_bytes() == b"".join(sent)
    (line,) = (tmp_path / "truth/FIREFLY.commands.jsonl").read_text().splitlines()
    assert json.loads(line) == {
        "time_ns": satellite.start_ns,
        "hex": satellite.received[0].data.hex(),
        "name": "NOOP",
        "result": "ACCEPTED",
    }
