"""A broker that takes records and never says so: what stands between it and its clients loses answers, when told to."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time

__all__ = ["SilencingProxy"]

_PRODUCE, _TXN_OFFSET_COMMIT = 0, 28
_PATIENCE_SECONDS = 20.0
_LENGTH = struct.Struct(">i")
_REQUEST = struct.Struct(">hhi")
"""API key, its version, correlation id: the beginning of a request, after its length."""


class SilencingProxy:
    """Passes on what clients and a broker say, on ``port``, in threads of this process.

    While :attr:`is_silencing`, the first records reach the broker, and the answer nobody; from then on connections end
    at which more records are sent, or how far a group got.
    """

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.broker_port = 0
        """Where the broker is. To be set before anybody comes."""
        self.is_silencing = False
        self.silenced = 0
        """How many answers to records nobody got."""
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                try:
                    broker = socket.create_connection(("127.0.0.1", self.broker_port))
                except OSError:
                    client.close()
                    continue
                dropped: set[int] = set()
                for serve in (self._requests, self._answers):
                    threading.Thread(target=self._serve, args=(serve, client, broker, dropped), daemon=True).start()

    @staticmethod
    def _serve(serve: object, client: socket.socket, broker: socket.socket, dropped: set[int]) -> None:
        assert callable(serve)
        with contextlib.suppress(EOFError, OSError):
            serve(client, broker, dropped)
        for each in (client, broker):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _requests(self, client: socket.socket, broker: socket.socket, dropped: set[int]) -> None:
        while True:
            frame = _frame(client)
            api, _, correlation = _REQUEST.unpack_from(frame, _LENGTH.size)
            if self.is_silencing and api == _TXN_OFFSET_COMMIT:
                until = time.monotonic() + _PATIENCE_SECONDS
                while not self.silenced and time.monotonic() < until:
                    time.sleep(0.01)  # it goes another way than the records, and may come before them
                return
            if self.is_silencing and api == _PRODUCE:
                if self.silenced:
                    return
                dropped.add(correlation)
            broker.sendall(frame)

    def _answers(self, client: socket.socket, broker: socket.socket, dropped: set[int]) -> None:
        while True:
            frame = _frame(broker)
            (correlation,) = _LENGTH.unpack_from(frame, _LENGTH.size)
            if correlation in dropped:
                self.silenced += 1
                return
            client.sendall(frame)

    def close(self) -> None:
        """Let nobody in any more."""
        self._listening.close()


def _frame(source: socket.socket) -> bytes:
    """A request or an answer, with its length. Raises EOFError."""
    length = _exactly(source, _LENGTH.size)
    return length + _exactly(source, _LENGTH.unpack(length)[0])


def _exactly(source: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = source.recv(size - len(data))
        if not part:
            raise EOFError
        data += part
    return data
