"""Real requests over real sockets; what hangs is waited for with deadlines that no working server comes near."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from c2kit.errors import UsageError
from c2kit.pipeline.observing.health import Health
from c2kit.pipeline.observing.server import HealthServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE_SECONDS = 60
PLAIN = "text/plain; version=0.0.4; charset=utf-8"


def exposition(_: str) -> tuple[bytes, str]:
    return b"c2kit_up 1\n", PLAIN


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def server(health: Health) -> Iterator[HealthServer]:
    with HealthServer("127.0.0.1", 0, health=health, exposition=exposition) as started:
        yield started


def get(server: HealthServer, path: str, method: str = "GET") -> tuple[int, str, str]:
    """Give status, content type and body."""
    host, port = server.address
    request = urllib.request.Request(f"http://{host}:{port}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310 - it is http
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read().decode()


def said(server: HealthServer, request: bytes) -> bytes:
    """Give all that the server says to these bytes."""
    with socket.create_connection(server.address, timeout=PATIENCE_SECONDS) as client:
        client.sendall(request)
        return b"".join(iter(lambda: client.recv(65_536), b""))


def can_send(client: socket.socket) -> bool:
    try:
        client.sendall(b"G")
    except OSError:  # reset or broken, as it happens
        return False
    return True


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.005)


class TestPages:
    def test_a_process_that_is_well_is_alive_and_ready(self, server: HealthServer) -> None:
        assert get(server, "/livez") == (200, "application/json", '{"alive": true, "stuck": []}\n')
        assert get(server, "/readyz") == (200, "application/json", '{"ready": true, "not_ready": []}\n')

    def test_what_is_not_ready_is_named_with_its_time_and_reason(self, server: HealthServer, health: Health) -> None:
        health.watch("decom", within_seconds=1e6)
        health.not_ready("bus", "the disk is full")
        status, _, body = get(server, "/readyz")
        found = json.loads(body)
        assert (status, found["ready"]) == (503, False)
        assert [(each["name"], each["reason"]) for each in found["not_ready"]] == [
            ("bus", "the disk is full"),
            ("decom", "starting"),
        ]
        assert all(each["since"].endswith("Z") for each in found["not_ready"])
        assert get(server, "/livez")[0] == 200
        health.ready("bus")
        health.ready("decom")
        assert get(server, "/readyz")[0] == 200

    def test_a_stage_that_is_silent_too_long_is_named(self, server: HealthServer, health: Health) -> None:
        health.watch("decom", within_seconds=0)
        health.watch("log", within_seconds=1e6)
        status, _, body = get(server, "/livez")
        (stuck,) = json.loads(body)["stuck"]
        assert (status, stuck["name"], stuck["within_seconds"]) == (503, "decom", 0)
        assert stuck["silent_seconds"] > 0

    def test_metrics_are_what_was_given_with_their_type(self, server: HealthServer) -> None:
        assert get(server, "/metrics?name=x") == (200, PLAIN, "c2kit_up 1\n")

    def test_the_metrics_know_what_the_scraper_accepts(self, health: Health) -> None:
        def tell(accept: str) -> tuple[bytes, str]:
            return accept.encode(), "text/plain"

        with HealthServer("127.0.0.1", 0, health=health, exposition=tell) as server:
            answer = said(server, b"GET /metrics HTTP/1.1\r\nAccept: application/openmetrics-text\r\n\r\n")
        assert answer.endswith(b"\r\n\r\napplication/openmetrics-text")

    def test_head_has_the_same_headers_and_no_body(self, server: HealthServer, health: Health) -> None:
        assert get(server, "/livez", "HEAD") == (200, "application/json", "")
        health.not_ready("bus", "away")
        assert get(server, "/readyz", "HEAD")[0] == 503
        answer = said(server, b"HEAD /metrics HTTP/1.1\r\n\r\n")
        assert b"\r\nContent-Length: 11\r\n" in answer
        assert answer.endswith(b"\r\n\r\n")

    @pytest.mark.parametrize("path", ["/", "/health", "/livez/", "/livezz", "/../livez", "/metrics/x"])
    def test_there_is_nothing_else(self, server: HealthServer, path: str) -> None:
        status, _, body = get(server, path)
        assert status == 404
        assert "/readyz" in body

    def test_nothing_can_be_changed(self, server: HealthServer) -> None:
        assert {get(server, "/livez", method)[0] for method in ("POST", "PUT", "DELETE", "PATCH")} == {501}

    def test_the_server_does_not_tell_which_python_it_runs_on(self, server: HealthServer) -> None:
        assert b"Python" not in said(server, b"GET /livez HTTP/1.1\r\n\r\n")

    def test_metrics_that_fail_are_an_answer_too(self, health: Health, caplog: pytest.LogCaptureFixture) -> None:
        def fail(_: str) -> tuple[bytes, str]:
            raise RuntimeError("no metrics today")

        with HealthServer("127.0.0.1", 0, health=health, exposition=fail) as server:
            assert get(server, "/metrics")[0] == 500
            assert get(server, "/livez")[0] == 200
        assert "no metrics today" in caplog.text


class TestHostileClients:
    @pytest.mark.parametrize(
        ("request_bytes", "status"),
        [
            (b"\x00\xff\x16\x03\x01\r\n\r\n", 400),
            (b"GET\r\n\r\n", 400),
            (b"GET /livez HTTP/9.9.9\r\n\r\n", 400),
            (b"GET /livez HTTP/2.0\r\n\r\n", 505),
            (b"GET /" + b"a" * 70_000, 414),
            (b"GET /livez HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n", 431),
            (b"GET /livez HTTP/1.1\r\na: " + b"b" * 70_000 + b"\r\n\r\n", 431),
            (b"BREW /livez HTTP/1.1\r\n\r\n", 501),
        ],
    )
    def test_a_bad_request_is_answered_and_the_next_good_one_too(
        self, server: HealthServer, request_bytes: bytes, status: int
    ) -> None:
        with socket.create_connection(server.address, timeout=PATIENCE_SECONDS) as client:
            client.sendall(request_bytes)
            answer = client.recv(65_536)
        assert str(status).encode() in answer
        assert get(server, "/livez")[0] == 200

    def test_clients_that_say_nothing_hold_up_nobody_and_are_bounded(self, health: Health) -> None:
        with HealthServer("127.0.0.1", 0, health=health, exposition=exposition, max_connections=4) as server:
            before = threading.active_count()
            silent = [socket.create_connection(server.address, timeout=PATIENCE_SECONDS) for _ in range(50)]
            assert get(server, "/livez")[0] == 200
            until(lambda: threading.active_count() <= before + 4)
            assert silent[0].recv(1) == b"", "the oldest was closed"
            for client in silent:
                client.close()

    def test_a_client_that_trickles_or_says_nothing_is_closed_when_its_time_is_over(self, health: Health) -> None:
        with HealthServer("127.0.0.1", 0, health=health, exposition=exposition, connection_seconds=0.05) as server:
            with socket.create_connection(server.address, timeout=PATIENCE_SECONDS) as silent:
                assert silent.recv(1) == b""
            with socket.create_connection(server.address) as trickling:
                until(lambda: not can_send(trickling))

    def test_a_client_that_does_not_read_is_closed_when_its_time_is_over(self, health: Health) -> None:
        def much(_: str) -> tuple[bytes, str]:
            return bytes(50_000_000), PLAIN

        with HealthServer("127.0.0.1", 0, health=health, exposition=much, connection_seconds=0.2) as server:
            before = threading.active_count()
            with socket.create_connection(server.address) as client:
                client.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
                until(lambda: threading.active_count() > before)
                until(lambda: threading.active_count() == before)

    def test_clients_that_hang_up_at_once_leave_nothing_behind(
        self, server: HealthServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        before = threading.active_count()
        for request in (b"", b"GET /met", b"GET /metrics HTTP/1.1\r\n\r\n") * 20:
            with socket.create_connection(server.address) as client:
                client.sendall(request)
        assert get(server, "/livez")[0] == 200
        until(lambda: threading.active_count() <= before)
        assert caplog.text == ""


class TestConcurrency:
    def test_many_scrapes_at_once_are_all_answered(self, server: HealthServer) -> None:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda path: get(server, path)[0], ["/metrics", "/livez", "/readyz"] * 20))
        assert answers == [200] * 60

    def test_a_scrape_that_hangs_holds_up_no_probe(self, health: Health) -> None:
        begun, goes_on = threading.Event(), threading.Event()

        def wait(_: str) -> tuple[bytes, str]:
            begun.set()
            goes_on.wait(PATIENCE_SECONDS)
            return b"at last\n", PLAIN

        with HealthServer("127.0.0.1", 0, health=health, exposition=wait) as server, ThreadPoolExecutor(1) as pool:
            scrape = pool.submit(get, server, "/metrics")
            assert begun.wait(PATIENCE_SECONDS)
            assert [get(server, "/livez")[0] for _ in range(20)] == [200] * 20
            goes_on.set()
            assert scrape.result(PATIENCE_SECONDS)[2] == "at last\n"


class TestLife:
    def test_nothing_listens_before_it_is_started(self, health: Health) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            server = HealthServer("127.0.0.1", taken.getsockname()[1], health=health, exposition=exposition)
            with pytest.raises(UsageError, match="not started"):
                _ = server.address
            server.close()

    def test_a_port_in_use_is_refused_with_what_to_do(self, health: Health) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(UsageError, match=rf"127\.0\.0\.1:{port}.* in use.*set C2KIT_HTTP"):
                HealthServer("127.0.0.1", port, health=health, exposition=exposition).start()

    @pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
    def test_an_address_that_is_not_of_this_machine_is_refused(self, health: Health, host: str) -> None:
        with pytest.raises(UsageError, match=f"HTTP address {host}:0"):
            HealthServer(host, 0, health=health, exposition=exposition).start()

    def test_a_number_that_is_no_port_is_refused(self, health: Health) -> None:
        with pytest.raises(UsageError, match="a port from 0 to 65535, found 65536"):
            HealthServer("127.0.0.1", 65_536, health=health, exposition=exposition)

    def test_it_is_started_once_and_closed_as_often_as_one_likes(self, health: Health) -> None:
        server = HealthServer("127.0.0.1", 0, health=health, exposition=exposition).start()
        address = server.address
        with pytest.raises(UsageError, match="started once"):
            server.start()
        server.close()
        server.close()
        with pytest.raises(ConnectionRefusedError):
            http.client.HTTPConnection(*address).request("GET", "/livez")

    def test_the_port_can_be_had_again_at_once(self, health: Health) -> None:
        with HealthServer("127.0.0.1", 0, health=health, exposition=exposition) as first:
            _, port = first.address
            assert get(first, "/livez")[0] == 200
        with HealthServer("127.0.0.1", port, health=health, exposition=exposition) as second:
            assert get(second, "/livez")[0] == 200

    def test_all_addresses_are_those_of_both_families(self, health: Health) -> None:
        if not socket.has_dualstack_ipv6():
            pytest.skip("this machine has no IPv6")
        with HealthServer("::", 0, health=health, exposition=exposition) as server:
            _, port = server.address
            for host in ("127.0.0.1", "::1"):
                with socket.create_connection((host, port), timeout=PATIENCE_SECONDS) as client:
                    client.sendall(b"GET /livez HTTP/1.1\r\n\r\n")
                    assert b" 200 " in client.recv(65_536)
