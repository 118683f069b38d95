"""Bytes on their way out of a socket."""

from __future__ import annotations

import threading

from c2kit.links.values import Outcome, SendResult

__all__ = ["Outgoing"]


class Outgoing:
    """One send on one connection. The loop's thread writes and finishes it, another one waits for that."""

    def __init__(self, data: bytes, expires_at: int | None) -> None:
        self.data = data
        self.expires_at = expires_at
        self.written_bytes = 0
        self._finished = threading.Event()
        self._result = SendResult(Outcome.NOT_SENT, "it still waits")

    def finish(self, reason: str = "") -> None:
        """Say what became of it, which follows from how much was written; the first word counts."""
        if self._finished.is_set():
            return
        if self.written_bytes >= len(self.data) and not reason:
            outcome = Outcome.SENT
        else:
            outcome = Outcome.PARTIAL if self.written_bytes else Outcome.NOT_SENT
        self._result = SendResult(outcome, reason, self.written_bytes)
        self._finished.set()

    def wait(self, timeout_seconds: float) -> bool:
        """Whether it is finished, after so long at most."""
        return self._finished.wait(max(0.0, timeout_seconds))

    @property
    def result(self) -> SendResult:
        """What became of it."""
        return self._result

    @property
    def is_finished(self) -> bool:
        """Whether that is certain."""
        return self._finished.is_set()
