"""What is at the other end of all links, as a process of its own: ``python -m benchmarks.pipeline.device``.

It serves one port, which it tells first, and does what each line of JSON on its standard input asks:

========================================= ========================================================================
asked                                     done, and answered
========================================= ========================================================================
``{"accept": LINKS}``                     waits until so many clients are there
``{"flood": FILE, "times": N}``           sends a file's bytes so often to the only client; ``began_ns``
``{"pace": HEX, "rate": R, "seconds": S}`` sends a packet to each client R times a second on average, at random times;
                                          ``sent``, how many in all, and ``late_ns``, how late the latest was
``{"one": CLIENT, "packet": HEX}``        sends one packet to one client
========================================= ========================================================================

A packet's last eight bytes are replaced by the time at which it is sent, in nanoseconds of the clock that all processes
of a machine share (``CLOCK_MONOTONIC``), and its sequence count by the one that is due.
"""

from __future__ import annotations

import json
import random
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from benchmarks.environment import ROOT

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Device"]

PATIENCE_SECONDS = 120.0


class Device:
    """This end of it. Ends with the ``with`` block."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.pipeline.device"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port: int = self.answer()["port"]

    def tell(self, request: dict[str, Any]) -> None:
        """Ask for something; :meth:`answer` tells when it is done."""
        assert self._process.stdin is not None
        print(json.dumps(request), file=self._process.stdin, flush=True)

    def answer(self) -> dict[str, Any]:
        """What is answered to the first request that was not answered yet."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the device ended; what it said stands above")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Ask, and wait until it is done."""
        self.tell(request)
        return self.answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._process.kill()
        self._process.communicate()


class _Clients:
    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self._listener.settimeout(PATIENCE_SECONDS)
        self._sockets: list[socket.socket] = []
        self._counts: list[int] = []
        self.port: int = self._listener.getsockname()[1]

    def do(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what is asked for, and answer."""
        if "accept" in request:
            return self._accept(request["accept"])
        if "flood" in request:
            return self._flood(Path(request["flood"]).read_bytes(), request["times"])
        if "pace" in request:
            return self._pace(bytes.fromhex(request["pace"]), request["rate"], request["seconds"])
        self._send(request["one"], bytes.fromhex(request["packet"]))
        return {}

    def _accept(self, links: int) -> dict[str, Any]:
        while len(self._sockets) < links:
            client, _ = self._listener.accept()
            client.settimeout(PATIENCE_SECONDS)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets.append(client)
            self._counts.append(0)
        return {}

    def _flood(self, data: bytes, times: int) -> dict[str, Any]:
        (client,) = self._sockets
        began = time.monotonic_ns()
        for _ in range(times):
            client.sendall(data)
        return {"began_ns": began}

    def _pace(self, packet: bytes, rate: float, seconds: float) -> dict[str, Any]:
        """Random times, so that what looks at regular times is met at all of them alike."""
        draw = random.Random(7)
        last = int(seconds * rate)
        begin = time.monotonic()
        times = ((number + draw.random()) / rate for number in range(last) for _ in self._sockets)
        schedule = sorted(zip(times, list(range(len(self._sockets))) * last, strict=True))
        latest = 0.0
        for due, number in schedule:
            while (early := begin + due - time.monotonic()) > 0:
                time.sleep(early)
            latest = max(latest, -early)
            self._send(number, packet)
        return {"sent": len(schedule), "late_ns": int(latest * 1e9)}

    def _send(self, number: int, packet: bytes) -> None:
        # Unsegmented, with the next count (CCSDS 133.0-B-2, 4.1.3.4).
        count = (3 << 14 | self._counts[number]).to_bytes(2)
        self._counts[number] = (self._counts[number] + 1) % 2**14
        head = packet[:2] + count + packet[4:-8]
        self._sockets[number].sendall(head + time.monotonic_ns().to_bytes(8))


def main() -> None:
    """Serve until the standard input ends."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    clients = _Clients()
    print(json.dumps({"port": clients.port}), flush=True)
    for line in sys.stdin:
        print(json.dumps(clients.do(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
