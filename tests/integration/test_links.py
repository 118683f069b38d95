"""Links on real sockets, files and pseudo-terminals: they come up again by themselves, and nothing is left untold."""

import contextlib
import errno
import itertools
import os
import pty
import random
import re
import socket
import struct
import sys
import termios
import threading
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from c2kit.batches import PacketBatch
from c2kit.errors import UsageError
from c2kit.links import (
    Ends,
    File,
    Interface,
    LinkDiscard,
    LinkState,
    Outcome,
    SelectorLoop,
    SendResult,
    Serial,
    State,
    Surroundings,
    TcpClient,
    TcpServer,
    Udp,
    UdpListener,
)
from c2kit.links.inbox import ARRIVAL_BYTES
from c2kit.links.link import Link
from c2kit.protocols import Burst, CcsdsPackets, Reason
from tests.framing import space_packet
from tests.links import (
    PATIENCE_SECONDS,
    Watch,
    in_thread,
    is_end,
    listener,
    port_of,
    receive_exactly,
    take_bytes,
    take_until,
    until,
)

FAST = {"reconnect_seconds": 0.002, "reconnect_max_seconds": 0.01}
HOST = "127.0.0.1"


@pytest.fixture
def loop() -> Iterator[SelectorLoop]:
    loop = SelectorLoop()
    yield loop
    assert loop.run(lambda: loop._sources) == {}, "all sockets were closed"
    loop.close()


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with listener() as sock:
        yield sock


def client(port: int, **settings: float) -> TcpClient:
    return TcpClient(HOST, port, **FAST, **settings)  # type: ignore[arg-type]


def connected(address: tuple[str, int] | None) -> socket.socket:
    assert address is not None
    return socket.create_connection(address, PATIENCE_SECONDS)


# TCP client.


def test_bytes_come_and_go(server: socket.socket, loop: SelectorLoop) -> None:
    watch = Watch(loop)
    link = client(port_of(server)).start(watch.surroundings)
    peer, _ = server.accept()
    with peer:
        before = time.time_ns()
        peer.sendall(b"telemetry")
        assert take_bytes(link, 9) == b"telemetry"
        assert link.send(b"command") == SendResult(Outcome.SENT, "", 7)
        assert receive_exactly(peer, 7) == b"command"
        counters = link.counters
        assert (counters.received_bytes, counters.sent_bytes, counters.connects, counters.errors) == (9, 7, 1, 0)
        assert counters.last_received is not None
        assert before <= counters.last_received <= time.time_ns()
        link.close()
        assert peer.recv(1) == b""
    assert watch.states == [State.CONNECTING, State.CONNECTED, State.DISABLED]
    assert link.take()[-1].ends is Ends.CONNECTION
    assert link.is_finished
    assert link.send(b"x") == SendResult(Outcome.NOT_SENT, "the link is disabled: closed")


def test_a_connection_that_is_dropped_100_times_comes_back_and_each_time_is_told(
    server: socket.socket, loop: SelectorLoop
) -> None:
    watch = Watch(loop)
    link = client(port_of(server)).start(watch.surroundings)
    rng = random.Random(1)
    sent = b""
    for number in range(100):
        peer, _ = server.accept()
        data = number.to_bytes(2) * rng.randrange(1, 50)
        peer.sendall(data)
        sent += data
        if rng.random() < 0.3:  # a reset; wait, for it would take what was not read with it
            until(lambda: link.counters.received_bytes == len(sent))  # noqa: B023 - called at once
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
    arrivals = take_until(link, lambda taken: sum(map(is_end, taken)) == 100)
    link.close()
    assert b"".join(each.data for each in arrivals) == sent
    assert [each.connection for each in arrivals if is_end(each)] == list(range(1, 101))
    assert [each.connection for each in arrivals] == sorted(each.connection for each in arrivals)
    assert watch.states[:300] == [State.CONNECTING, State.CONNECTED, State.DOWN] * 100
    assert all(event.reason for event in watch.events)
    assert [event.time for event in watch.events] == sorted(event.time for event in watch.events)


def test_a_server_that_is_absent_at_the_start_is_found_when_it_comes(loop: SelectorLoop) -> None:
    with listener() as reserved:
        port = port_of(reserved)
    watch = Watch(loop)
    link = client(port).start(watch.surroundings)
    until(lambda: watch.saw(State.DOWN, 3), "three attempts")
    assert link.send(b"x").outcome is Outcome.NOT_SENT
    with listener(port) as late:
        peer, _ = late.accept()
        with peer:
            peer.sendall(b"here")
            assert take_bytes(link, 4) == b"here"
        until(lambda: watch.saw(State.CONNECTED))
        link.close()
    assert link.counters.errors == watch.states[: watch.states.index(State.CONNECTED)].count(State.DOWN)
    assert watch.events[1].reason == os.strerror(errno.ECONNREFUSED)


def test_a_name_without_address_is_told(loop: SelectorLoop) -> None:
    watch = Watch(loop)
    link = TcpClient("no-such-host.invalid", 7, **FAST).start(watch.surroundings)  # type: ignore[arg-type]
    until(lambda: watch.saw(State.DOWN))
    link.close()
    assert watch.events[1].reason.startswith("no address for no-such-host.invalid: ")


def test_a_connection_attempt_without_answer_is_given_up(loop: SelectorLoop) -> None:
    with socket.socket() as full:  # its queue of connections is full, so that further ones hear nothing
        full.bind((HOST, 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.settimeout(0)
            filler.connect_ex(full.getsockname())
        watch = Watch(loop)
        link = client(port_of(full), connect_timeout_seconds=0.05).start(watch.surroundings)
        until(lambda: watch.saw(State.DOWN))
        link.close()
        for filler in fillers:
            filler.close()
    assert watch.events[1].reason == "no answer within 0.05 s"


def test_a_half_open_connection_is_noticed_by_its_silence(server: socket.socket, loop: SelectorLoop) -> None:
    watch = Watch(loop)
    link = client(port_of(server), idle_seconds=0.05).start(watch.surroundings)
    with contextlib.ExitStack() as peers:
        peers.enter_context(server.accept()[0])  # silent, and never closed from here
        for silent in itertools.count(1):
            peer = peers.enter_context(server.accept()[0])
            with contextlib.suppress(ConnectionError):
                peer.sendall(b"alive")
            # Where the machine is slow, that one may have been silent for too long too.
            until(lambda: link.counters.received_bytes or watch.saw(State.DOWN, silent + 1))  # noqa: B023 - called at once
            if link.counters.received_bytes:
                break
        assert take_bytes(link, 5) == b"alive"
        link.close()
    assert "nothing was received for 0.05 s" in [event.reason for event in watch.events]


def test_the_system_is_asked_to_notice_a_peer_that_is_gone(server: socket.socket) -> None:
    link = client(port_of(server), keepalive_seconds=9).start()
    peer, _ = server.accept()
    with peer:
        until(lambda: link.state.state is State.CONNECTED)
        sock = next(iter(link._channels.values()))._sock  # type: ignore[attr-defined]
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 9
        link.close()


def test_a_slow_reader_makes_the_other_side_wait_and_loses_nothing(server: socket.socket, loop: SelectorLoop) -> None:
    limit = 100_000
    link = client(port_of(server), receive_max_bytes=limit).start(Watch(loop).surroundings)
    peer, _ = server.accept()
    data = random.Random(2).randbytes(20_000_000)
    sender = in_thread(lambda: peer.sendall(data))
    most = 0
    received: list[bytes] = []
    until(lambda: link.waiting_bytes >= limit, "a full inbox")
    time.sleep(0.05)
    assert sender.is_alive(), "the other side has to wait"
    while sum(map(len, received)) < len(data):
        most = max(most, link.waiting_bytes)
        received += [each.data for each in link.take(0.5)]
    sender.join(PATIENCE_SECONDS)
    link.close()
    peer.close()
    assert b"".join(received) == data
    assert most <= limit + 131_072 + 2 * ARRIVAL_BYTES


def test_a_peer_that_reads_nothing_stalls_a_send_which_is_then_partial_and_ends_the_connection(
    server: socket.socket, loop: SelectorLoop
) -> None:
    watch = Watch(loop)
    link = client(port_of(server)).start(watch.surroundings)
    deaf, _ = server.accept()
    until(lambda: watch.saw(State.CONNECTED))
    size = 50_000_000
    attempts = (link.send(bytes(size), timeout_seconds=patience) for patience in (0.2, 2.0, 20.0))
    result = next(each for each in attempts if each.outcome is not Outcome.NOT_SENT)  # a slow machine takes its time
    assert result.outcome is Outcome.PARTIAL
    assert 0 < result.written_bytes < size
    assert re.search(r"not sent within [\d.]+ s", result.reason)
    again, _ = server.accept()
    with deaf, again:
        until(lambda: watch.saw(State.CONNECTED, 2))
        assert link.send(b"next") == SendResult(Outcome.SENT, "", 4)
        assert receive_exactly(again, 4) == b"next", "on a new connection, not into the middle of the other"
        link.close()


def test_sends_behind_one_that_stalls_are_not_sent_at_all(server: socket.socket, loop: SelectorLoop) -> None:
    link = client(port_of(server), send_max_bytes=1000).start(Watch(loop).surroundings)
    deaf, _ = server.accept()
    with deaf:
        until(lambda: link.state.state is State.CONNECTED)
        results: list[SendResult] = []
        stalled = in_thread(lambda: results.append(link.send(bytes(50_000_000), timeout_seconds=PATIENCE_SECONDS)))
        until(lambda: link.counters.sent_bytes)
        late = link.send(b"late", timeout_seconds=0.02)
        assert late.outcome is Outcome.NOT_SENT
        assert "not sent within 0.02 s" in late.reason or "queue is full" in late.reason
        link.disable()
        stalled.join(PATIENCE_SECONDS)
        assert [each.outcome for each in results] == [Outcome.PARTIAL]
        link.close()


def test_a_send_that_has_expired_is_not_sent(server: socket.socket, loop: SelectorLoop) -> None:
    link = client(port_of(server)).start(Watch(loop).surroundings)
    peer, _ = server.accept()
    with peer:
        until(lambda: link.state.state is State.CONNECTED)
        assert link.send(b"old", expires_at=time.time_ns()) == SendResult(Outcome.NOT_SENT, "it has expired")
        assert link.send(b"new", expires_at=time.time_ns() + 10**11).outcome is Outcome.SENT
        assert receive_exactly(peer, 3) == b"new"
        link.close()


def test_sends_of_many_threads_do_not_mix(server: socket.socket, loop: SelectorLoop) -> None:
    link = client(port_of(server)).start(Watch(loop).surroundings)
    peer, _ = server.accept()
    with peer:
        until(lambda: link.state.state is State.CONNECTED)
        size = 100_000
        results: list[SendResult] = []
        for letter in b"abcd":
            in_thread(lambda letter=letter: results.append(link.send(bytes([letter]) * size)))  # type: ignore[misc]
        data = receive_exactly(peer, 4 * size)
        until(lambda: len(results) == 4)
        assert {data[at : at + size] for at in range(0, 4 * size, size)} == {bytes([each]) * size for each in b"abcd"}
        assert {each.outcome for each in results} == {Outcome.SENT}
        link.close()


def test_a_link_is_disabled_and_enabled_at_run_time(server: socket.socket, loop: SelectorLoop) -> None:
    watch = Watch(loop, is_enabled=False)
    link = client(port_of(server)).start(watch.surroundings)
    assert [(event.state, event.reason) for event in watch.events] == [(State.DISABLED, "from the start")]
    for _ in range(3):
        link.enable()
        link.enable()
        peer, _ = server.accept()
        with peer:
            until(lambda: link.state.state is State.CONNECTED)
            link.disable("maintenance")
            assert link.state.state is State.DISABLED
            assert peer.recv(1) == b""
        assert link.send(b"x") == SendResult(Outcome.NOT_SENT, "the link is disabled: maintenance")
    link.close()
    assert watch.states == [State.DISABLED, *[State.CONNECTING, State.CONNECTED, State.DISABLED] * 3]


def test_a_callback_may_disable_the_link_but_not_wait_for_a_send(server: socket.socket) -> None:
    told: list[LinkState] = []
    refused: list[UsageError] = []

    def on_state(event: LinkState) -> None:
        told.append(event)
        if event.state is State.CONNECTED:
            with pytest.raises(UsageError, match="loop's thread") as caught:
                link.send(b"x")
            refused.append(caught.value)
            link.disable("by a callback")

    link = client(port_of(server)).start(Surroundings(on_state=on_state, is_enabled=False))
    link.enable()
    peer, _ = server.accept()
    with peer:
        until(lambda: link.state.state is State.DISABLED and len(told) > 1)
        link.close()
    assert len(refused) == 1
    assert told[-1].reason == "by a callback"


def test_a_callback_that_raises_does_not_stop_the_link(server: socket.socket, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL")

    def on_state(_: LinkState) -> None:
        raise ZeroDivisionError

    link = client(port_of(server)).start(Surroundings(on_state=on_state))
    peer, _ = server.accept()
    with peer:
        peer.sendall(b"x")
        assert take_bytes(link, 1) == b"x"
    link.close()


def test_many_links_share_one_thread(server: socket.socket, loop: SelectorLoop) -> None:
    loop.run(lambda: None)
    before = set(threading.enumerate())
    links = [client(port_of(server)).start(Surroundings(loop=loop)) for _ in range(50)]
    peers = [server.accept()[0] for _ in links]
    for peer in peers:
        peer.sendall(b"12")
    assert [take_bytes(link, 2) for link in links] == [b"12"] * 50
    assert set(threading.enumerate()) <= before
    for link in links:
        link.close()
    for peer in peers:
        peer.close()


# TCP server.


def open_files() -> int:
    """How many files this process has open, where the system tells."""
    listing = Path("/proc/self/fd")
    return len(list(listing.iterdir())) if listing.exists() else 0


def test_1000_connections_opened_and_closed_are_all_told_and_leave_nothing(loop: SelectorLoop) -> None:
    watch = Watch(loop)
    link = TcpServer(0, host=HOST).start(watch.surroundings)
    until(lambda: link.address)
    files = open_files()
    address = link.address
    assert address is not None
    arrivals = []
    for number in range(1000):
        with connected(address) as peer:
            peer.sendall(number.to_bytes(2))
        arrivals += link.take()
    ended = sum(map(is_end, arrivals))
    arrivals += take_until(link, lambda taken: ended + sum(map(is_end, taken)) == 1000)
    until(lambda: len(watch.peers) == 2000)
    by_connection: dict[int, bytes] = {}
    for each in arrivals:
        by_connection[each.connection] = by_connection.get(each.connection, b"") + each.data
    assert [data for _, data in sorted(by_connection.items())] == [number.to_bytes(2) for number in range(1000)]
    assert [event.state for event in watch.peers].count(State.CONNECTED) == 1000
    assert [event.state for event in watch.peers].count(State.DOWN) == 1000
    assert link.counters.connects == 1000
    assert link._channels == {}
    assert open_files() <= files
    link.close()


def test_clients_have_framing_of_their_own() -> None:
    packets = [space_packet(bytes([number]) * 20, apid=number) for number in range(1, 6)]
    with Interface("gse", TcpServer(0, host=HOST), [CcsdsPackets()]) as gse:
        link = gse.link
        until(lambda: link.address)  # type: ignore[attr-defined]
        peers = [connected(link.address) for _ in packets]  # type: ignore[attr-defined]
        for at in range(len(packets[0])):  # byte by byte, in turns
            for peer, packet in zip(peers, packets, strict=True):
                peer.sendall(packet[at : at + 1])
        frames: list[bytes] = []
        due = time.monotonic() + PATIENCE_SECONDS
        while len(frames) < len(packets) and time.monotonic() < due:
            frames += [frame for batch in gse.receive(0.1) for frame in batch]
        assert sorted(frames) == packets
        for peer in peers:
            peer.close()


def test_one_client_too_many_is_refused_and_told(loop: SelectorLoop) -> None:
    watch = Watch(loop)
    link = TcpServer(0, host=HOST, max_clients=2).start(watch.surroundings)
    until(lambda: link.address)
    assert link.address is not None
    with (
        connected(link.address) as first,
        connected(link.address) as second,
    ):
        until(lambda: link.counters.connects == 2)
        with connected(link.address) as third:
            assert third.recv(1) == b""
        until(lambda: len(watch.peers) == 3)
        assert watch.peers[-1].reason == "refused: there are 2 clients already"
        assert link.send(b"to all") == SendResult(Outcome.SENT, "", 12)
        assert receive_exactly(first, 6) == receive_exactly(second, 6) == b"to all"
        assert link.send(b"one", connection=2) == SendResult(Outcome.SENT, "", 3)
        assert receive_exactly(second, 3) == b"one"
        assert link.send(b"none", connection=99).outcome is Outcome.NOT_SENT
        first.close()
        until(lambda: link._connections == 1)
        assert link.state.state is State.CONNECTED
    until(lambda: watch.states[-1] is State.CONNECTING)
    assert link.send(b"nobody").outcome is Outcome.NOT_SENT
    link.close()


def test_a_silent_client_is_dropped(loop: SelectorLoop) -> None:
    watch = Watch(loop)
    link = TcpServer(0, host=HOST, idle_seconds=0.03).start(watch.surroundings)
    until(lambda: link.address)
    assert link.address is not None
    with connected(link.address) as silent:
        assert silent.recv(1) == b""
    until(lambda: len(watch.peers) == 2)
    assert watch.peers[-1].reason == "nothing was received for 0.03 s"
    link.close()


def test_a_port_that_is_taken_is_told_and_tried_until_it_is_free(loop: SelectorLoop) -> None:
    watch = Watch(loop)
    with listener() as taken:
        port = port_of(taken)
        link = TcpServer(port, host=HOST, **FAST).start(watch.surroundings)  # type: ignore[arg-type]
        until(lambda: watch.saw(State.DOWN, 2))
    until(lambda: link.address == (HOST, port))
    link.close()
    assert watch.events[0].reason == f"cannot listen at {HOST}:{port}: {os.strerror(errno.EADDRINUSE)}"


def test_a_server_whose_inbox_is_full_accepts_nobody_until_there_is_room(loop: SelectorLoop) -> None:
    link = TcpServer(0, host=HOST, receive_max_bytes=1000).start(Watch(loop).surroundings)
    until(lambda: link.address)
    assert link.address is not None
    with connected(link.address) as loud:
        loud.sendall(bytes(5000))
        until(lambda: link.waiting_bytes >= 1000)
        with connected(link.address) as waits:
            waits.sendall(b"me too")
            time.sleep(0.02)
            assert link.counters.connects == 1
            arrivals = take_until(link, lambda taken: any(each.connection == 2 for each in taken))
    assert sum(len(each.data) for each in arrivals) == 5006
    link.close()


# UDP.


def test_datagrams_come_and_go_one_by_one(loop: SelectorLoop) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        device.bind((HOST, 0))
        device.settimeout(PATIENCE_SECONDS)
        watch = Watch(loop)
        link = Udp(HOST, port_of(device), local_host=HOST).start(watch.surroundings)
        until(lambda: link.address)
        assert link.send(b"command") == SendResult(Outcome.SENT, "", 7)
        data, sender = device.recvfrom(100)
        assert (data, sender) == (b"command", link.address)
        for datagram in (b"one", b"", b"three"):
            device.sendto(datagram, sender)
        arrivals = take_until(link, lambda taken: len(taken) == 3)
        assert [(each.data, each.ends, each.peer) for each in arrivals] == [
            (datagram, Ends.DATAGRAM, f"{HOST}:{port_of(device)}") for datagram in (b"one", b"", b"three")
        ]
        too_long = link.send(bytes(70_000))
        assert too_long == SendResult(Outcome.NOT_SENT, os.strerror(errno.EMSGSIZE))
        assert link.send(b"x", expires_at=1).reason == "it has expired"
        link.close()
    assert watch.states == [State.CONNECTING, State.CONNECTED, State.DISABLED]


def test_a_listener_cannot_send(loop: SelectorLoop) -> None:
    link = UdpListener(0, host=HOST).start(Watch(loop).surroundings)
    until(lambda: link.address)
    assert link.send(b"x") == SendResult(Outcome.NOT_SENT, "a UdpListener cannot send")
    link.close()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system does not tell what it dropped")
def test_a_flood_of_datagrams_is_bounded_and_what_is_lost_is_counted(loop: SelectorLoop) -> None:
    limit = 50_000
    spec = UdpListener(0, host=HOST, receive_max_bytes=limit, socket_buffer_bytes=10_000)
    link = spec.start(Watch(loop).surroundings)
    until(lambda: link.address)
    assert link.address is not None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
        for number in range(5000):
            flood.sendto(number.to_bytes(4) * 25, link.address)
        assert link.waiting_bytes <= limit + 100 + ARRIVAL_BYTES
        arrivals = take_until(link, len)
        sent = 5000
        due = time.monotonic() + PATIENCE_SECONDS
        # The count of the lost comes with the next datagram, which can be lost too, or wait in the system's buffer.
        while arrivals[-1].data != b"last" or missing(link) != sent - len(arrivals):
            assert time.monotonic() < due, f"{link.counters}, {sent} sent, {len(arrivals)} received"
            flood.sendto(b"last", link.address)
            sent += 1
            arrivals += link.take(0.1)
    numbers = [int.from_bytes(each.data[:4]) for each in arrivals if each.data != b"last"]
    assert numbers == sorted(set(numbers)), "in order, none twice"
    assert 0 < len(numbers) < 5000
    counters = link.counters
    assert 0 < counters.discarded_bytes <= 100 * counters.discarded_datagrams
    assert counters.received_bytes == sum(len(each.data) for each in arrivals) + counters.discarded_bytes
    link.close()


def missing(link: Link) -> int:
    return link.counters.lost_datagrams + link.counters.discarded_datagrams


def test_datagrams_do_not_join() -> None:
    packet = space_packet(b"whole")
    with Interface("antenna", UdpListener(0, host=HOST), [CcsdsPackets()]) as antenna:
        until(lambda: antenna.link.address)  # type: ignore[attr-defined]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for datagram in (packet[:8], packet[8:], packet + packet + packet[:3], packet):
                sender.sendto(datagram, antenna.link.address)  # type: ignore[attr-defined]
        frames: list[bytes] = []
        while len(frames) < 3:
            frames += [frame for batch in antenna.receive(1) for frame in batch]
        account = antenna.account
        lost = [event for event in antenna.take_events() if isinstance(event, LinkDiscard)]
    assert frames == [packet] * 3
    assert account.received == account.framed + account.discarded == 4 * len(packet) + 3
    assert account.framed == 3 * len(packet)
    assert [event.discarded.reason for event in lost].count(Reason.TRUNCATED) >= 2


# File.


def test_a_file_is_read_once_to_its_end(tmp_path: Path) -> None:
    data = random.Random(3).randbytes(300_000)
    (tmp_path / "recording").write_bytes(data)
    watch = Watch()
    link = File(str(tmp_path / "recording"), receive_max_bytes=1000).start(watch.surroundings)
    arrivals = take_until(link, lambda _: link.is_finished)
    assert b"".join(each.data for each in arrivals) == data
    assert arrivals[-1].ends is Ends.CONNECTION
    assert link.send(b"x").outcome is Outcome.NOT_SENT
    link.close()
    assert watch.states[:3] == [State.CONNECTING, State.CONNECTED, State.DOWN]


def test_a_file_is_followed_as_it_grows_and_when_it_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "log"
    watch = Watch()
    link = File(str(path), follow=True, **FAST).start(watch.surroundings)  # type: ignore[arg-type]
    until(lambda: watch.saw(State.DOWN, 2), "waiting for the file")
    path.write_bytes(b"one")
    assert take_bytes(link, 3) == b"one"
    with path.open("ab") as file:
        file.write(b"two")
    assert take_bytes(link, 3) == b"two"
    (tmp_path / "new").write_bytes(b"new file")
    (tmp_path / "new").replace(path)
    arrivals = take_until(link, lambda taken: b"".join(each.data for each in taken) == b"new file")
    assert arrivals[0].ends is Ends.CONNECTION
    link.disable()
    assert link.state.state is State.DISABLED
    link.enable()
    take_until(link, lambda taken: b"".join(each.data for each in taken) == b"new file")
    link.close()
    assert link.state == watch.events[-1]
    assert watch.states[-1] is State.DISABLED


def test_a_file_is_read_at_a_rate(tmp_path: Path) -> None:
    (tmp_path / "recording").write_bytes(bytes(1000))
    link = File(str(tmp_path / "recording"), bytes_per_second=10_000).start()
    began = time.monotonic()
    assert take_bytes(link, 1000) == bytes(1000)
    assert time.monotonic() - began > 0.05, "a lower bound: machines are late, never early"
    link.close()


# Serial.


@pytest.fixture
def terminal() -> Iterator[tuple[int, str]]:
    pytest.importorskip("serial")
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    yield ours, os.ttyname(theirs)
    os.close(theirs)
    os.close(ours)


def test_bytes_come_and_go_over_a_serial_port(terminal: tuple[int, str]) -> None:
    device, name = terminal
    watch = Watch()
    link = Serial(name, 115_200, **FAST).start(watch.surroundings)  # type: ignore[arg-type]
    until(lambda: link.state.state is State.CONNECTED)
    data = bytes(range(256))
    os.write(device, data)
    assert take_bytes(link, 256) == data
    assert link.send(b"command\r\n\x00") == SendResult(Outcome.SENT, "", 10)
    assert os.read(device, 100) == b"command\r\n\x00"
    assert link.send(b"x", expires_at=1) == SendResult(Outcome.NOT_SENT, "it has expired")
    link.disable()
    assert link.state.state is State.DISABLED
    assert link.send(b"x").outcome is Outcome.NOT_SENT
    link.enable()
    until(lambda: link.state.state is State.CONNECTED)
    os.write(device, b"again")
    assert take_bytes(link, 5) == b"again"
    link.close()
    assert watch.states == [*[State.CONNECTING, State.CONNECTED, State.DISABLED] * 2]


def test_a_serial_write_that_stalls_is_partial_and_the_port_is_opened_anew(terminal: tuple[int, str]) -> None:
    device, name = terminal
    watch = Watch()
    link = Serial(name, **FAST).start(watch.surroundings)  # type: ignore[arg-type]
    until(lambda: watch.saw(State.CONNECTED))
    assert link.send(bytes(10_000_000), timeout_seconds=0.5).outcome is Outcome.PARTIAL
    until(lambda: watch.saw(State.CONNECTED, 2), "opening it again")
    termios.tcflush(device, termios.TCIOFLUSH)
    link.close()
    assert watch.states == [*[State.CONNECTING, State.CONNECTED, State.DOWN], *watch.states[:2], State.DISABLED]
    assert watch.events[2].reason.startswith("a send stalled: ")


def test_a_serial_port_that_is_absent_is_told(tmp_path: Path) -> None:
    pytest.importorskip("serial")
    watch = Watch()
    link = Serial(str(tmp_path / "absent"), **FAST).start(watch.surroundings)  # type: ignore[arg-type]
    until(lambda: watch.saw(State.DOWN, 2))
    link.close()
    assert "cannot open" in watch.events[1].reason


# Interface.


def test_an_interface_alone_gives_frames_and_takes_payloads(server: socket.socket) -> None:
    packets = [space_packet(bytes([number] * 9), count=number) for number in range(5)]
    with Interface("fep", client(port_of(server)), [CcsdsPackets()], ["FIREFLY"]) as fep:
        peer, _ = server.accept()
        with peer:
            peer.sendall(b"".join(packets) + packets[0][:4])
            frames: list[bytes] = []
            for batch in fep:
                assert batch.interface == "fep"
                assert batch.space_packets
                frames += list(batch)
                if len(frames) == 5:
                    break
            assert frames == packets
            assert fep.send(packets[3]).outcome is Outcome.SENT
            assert receive_exactly(peer, len(packets[3])) == packets[3]
        peer, _ = server.accept()  # what began on the old connection is not continued on the new one
        with peer:
            peer.sendall(packets[4])
            assert [list(batch) for batch in _some(fep)] == [[packets[4]]]
        fep.disable()
    lost = [event for event in fep.take_events() if isinstance(event, LinkDiscard)]
    assert [(event.connection, event.discarded.data, event.discarded.reason) for event in lost] == [
        (1, packets[0][:4], Reason.TRUNCATED)
    ]
    list(fep)
    account = fep.account
    assert account.received == account.framed + account.discarded + account.held
    assert (account.discarded, account.held) == (4, 0)


def _some(fep: Interface) -> list[PacketBatch]:
    found: list[PacketBatch] = []
    while not found:
        found += fep.receive(1)
    return found


def test_iteration_ends_with_the_file(tmp_path: Path) -> None:
    packets = [space_packet(b"abc", count=number) for number in range(100)]
    (tmp_path / "recording").write_bytes(b"".join(packets) + b"\x00")
    told: list[object] = []
    with Interface("file", File(str(tmp_path / "recording")), [CcsdsPackets()], on_event=told.append) as file:
        assert [frame for batch in file for frame in batch] == packets
    assert [event.discarded.data for event in told if isinstance(event, LinkDiscard)] == [b"\x00"]
    assert file.take_events() == []


def test_events_that_nobody_takes_are_bounded() -> None:
    with Interface("udp", UdpListener(0, host=HOST), [CcsdsPackets()]) as udp:
        until(lambda: udp.link.address)  # type: ignore[attr-defined]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for number in range(200):
                sender.sendto(b"\xff" * 60_000, udp.link.address)  # type: ignore[attr-defined]
                list(udp.receive(1))
                assert udp.account.received == (number + 1) * 60_000
        kept = [event for event in udp.take_events() if isinstance(event, LinkDiscard)]
    assert udp.forgotten_events > 0
    assert sum(event.discarded.size_bytes for event in kept) <= 4_194_304
    assert udp.account.discarded == 200 * 60_000


def test_an_interface_is_used_as_it_must_be() -> None:
    fep = Interface("fep", TcpClient("localhost", 7011), [Burst()])
    with pytest.raises(UsageError, match="not opened"):
        fep.send(b"x")
    with pytest.raises(UsageError, match="link of interface fep"):
        Interface("fep", "localhost:7011", [Burst()])  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="chain"):
        Interface("fep", TcpClient("localhost", 7011), [])
    with fep, pytest.raises(UsageError, match="opened once"):
        fep.open()
