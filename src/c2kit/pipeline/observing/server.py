"""The HTTP side of a process: ``/livez``, ``/readyz`` and ``/metrics``, for probes, scrapers and people.

What it must never do is hold up a probe: a kubelet that gets no answer kills the process. So each connection has a
thread and a few seconds; where there are too many, the oldest is closed for the newest. It has nothing to do with the
links of the mission, and shares no thread with them.
"""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING, Any

from attrs import asdict, frozen

from c2kit.errors import UsageError
from c2kit.links._checks import a_port
from c2kit.links.link import text_of
from c2kit.links.names import address_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from c2kit.pipeline.observing.health import Health

    Exposition = Callable[[str], tuple[bytes, str]]

__all__ = ["HealthServer"]

_log = logging.getLogger(__name__)

_CONNECTION_SECONDS = 10.0
_MAX_CONNECTIONS = 16
_POLL_SECONDS = 0.1


class HealthServer:
    """Serves the health and the metrics of this process, in threads of its own, once it is started.

    ``/livez`` is 200 while every watched stage goes on, ``/readyz`` while every stage and dependency works; otherwise
    they are 503, and a JSON body says which, since when and why. ``/metrics`` is for Prometheus. GET and HEAD alone.

    Args:
        host: an address of this machine; ``0.0.0.0`` and ``::`` are all of them.
        port: 0 lets the system choose; :attr:`address` tells.
        health: what to tell.
        exposition: gives the metrics and their content type for the ``Accept`` of whoever asks.
        connection_seconds: how long a connection may last.
        max_connections: how many there may be before the oldest is closed.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        health: Health,
        exposition: Exposition,
        connection_seconds: float = _CONNECTION_SECONDS,
        max_connections: int = _MAX_CONNECTIONS,
    ) -> None:
        a_port("the port of the HTTP server", port, lowest=0)
        self._where = (host, port)
        self._pages = _Pages(health, exposition)
        self._bounds = _Bounds(connection_seconds, max_connections)
        self._server: _Server | None = None

    def start(self) -> Self:
        """Listen and serve.

        Raises:
            UsageError: the address cannot be had: it is taken, not of this machine, or not allowed.
        """
        if self._server is not None:
            raise UsageError("the HTTP server", expected="to be started once", found="a second time")
        try:
            self._server = _Server(self._where, self._pages, self._bounds)
        except OSError as error:
            raise UsageError(
                f"the HTTP address {address_text(self._where)}",
                expected="one that is free on this machine",
                found=text_of(error),
                remedy="set C2KIT_HTTP to another; port 0 lets the system choose one",
            ) from None
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=(_POLL_SECONDS,), name="c2kit-http", daemon=True).start()
        return self

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens at. Raises UsageError before it is started."""
        if self._server is None:
            raise UsageError("the HTTP server", expected="to be started", found="not started")
        host, port, *_ = self._server.socket.getsockname()
        return host, port

    def close(self) -> None:
        """Stop serving, and close all connections; a second time does nothing."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()


@frozen
class _Bounds:
    """What a client may take."""

    seconds: float
    connections: int


@frozen
class _Answer:
    """What is sent back."""

    status: HTTPStatus
    body: bytes
    content_type: str


class _Pages:
    """What there is to see."""

    def __init__(self, health: Health, exposition: Exposition) -> None:
        self._health = health
        self._exposition = exposition
        self._scraping = threading.Lock()

    def answer(self, path: str, accept: str) -> _Answer | None:
        """The answer for a path; None where there is nothing."""
        if path == "/livez":
            return _verdict("alive", "stuck", self._health.stuck)
        if path == "/readyz":
            return _verdict("ready", "not_ready", self._health.unready)
        return self._metrics(accept) if path == "/metrics" else None

    def _metrics(self, accept: str) -> _Answer:
        """One scrape at a time, so that however many ask and however slow a bus is, one thread waits for it."""
        if not self._scraping.acquire(timeout=_CONNECTION_SECONDS / 2):
            return _Answer(HTTPStatus.SERVICE_UNAVAILABLE, b"another scrape takes its time\n", "text/plain")
        try:
            return _Answer(HTTPStatus.OK, *self._exposition(accept))
        except Exception:  # noqa: BLE001 - whatever it is, whoever scrapes must be told, and the server goes on
            _log.exception("the metrics cannot be told")
            return _Answer(HTTPStatus.INTERNAL_SERVER_ERROR, b"the log says why\n", "text/plain")
        finally:
            self._scraping.release()


def _verdict(good: str, bad: str, found: tuple[Any, ...]) -> _Answer:
    body = json.dumps({good: not found, bad: [asdict(each) for each in found]}) + "\n"
    status = HTTPStatus.SERVICE_UNAVAILABLE if found else HTTPStatus.OK
    return _Answer(status, body.encode(), "application/json")


class _Server(ThreadingMixIn, TCPServer):
    """A listening socket, and its connections, each in a thread."""

    daemon_threads = True

    def __init__(self, where: tuple[str, int], pages: _Pages, bounds: _Bounds) -> None:
        self.address_family = socket.AF_INET6 if ":" in where[0] else socket.AF_INET
        super().__init__(where, _Handler, bind_and_activate=False)
        self.socket.close()
        dual = where[0] == "::" and socket.has_dualstack_ipv6()
        self.socket = socket.create_server(where, family=self.address_family, backlog=128, dualstack_ipv6=dual)
        self.pages = pages
        self._bounds = bounds
        self._lock = threading.Lock()
        self._opened: dict[socket.socket, float] = {}
        """When each connection was opened, the oldest first."""

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as socketserver has it
        """Serve a connection; the oldest goes if there are too many."""
        with self._lock:
            self._opened[request] = time.monotonic()
            too_many = list(self._opened)[: max(0, len(self._opened) - self._bounds.connections)]
            self._end(too_many)
        super().process_request(request, client_address)

    def service_actions(self) -> None:
        """End the connections whose time is over."""
        latest = time.monotonic() - self._bounds.seconds
        with self._lock:
            self._end([request for request, opened in self._opened.items() if opened < latest])

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - as socketserver has it
        """A connection has been served."""
        with self._lock:
            self._opened.pop(request, None)
            super().shutdown_request(request)

    def server_close(self) -> None:
        """Listen no more, and end what is still there."""
        super().server_close()
        with self._lock:
            self._end(list(self._opened))

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401, ARG002 - as socketserver has it
        """A client that went away is none; anything else is our mistake."""
        if not isinstance(sys.exception(), OSError):
            _log.exception("a request from %s failed", address_text(client_address))

    def _end(self, requests: list[socket.socket]) -> None:
        """Wake the threads of these, which then find their client gone and close them."""
        for request in requests:
            self._opened.pop(request)
            with contextlib.suppress(OSError):  # it went by itself
                request.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    """One request, and the connection is closed."""

    server: _Server
    server_version = "c2kit"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer."""
        path = self.path.partition("?")[0]
        answer = self.server.pages.answer(path, self.headers.get("Accept", ""))
        if answer is None:
            self.send_error(HTTPStatus.NOT_FOUND, explain="There are /livez, /readyz and /metrics.")
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_HEAD = do_GET  # noqa: N815 - as http.server has it

    def log_message(self, *_: object) -> None:
        """Say nothing: a probe every second is no news."""
