"""One thread for all sockets of a process.

The loop waits for sockets, for the next timer and for calls from other threads, and does whatever comes one after the
other. What it calls must not block. Nothing in it knows what a link is.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import selectors
import socket
import threading
import time
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Protocol, TypeVar

from attrs import define, field

from c2kit.errors import UsageError
from c2kit.links.resolve import Resolver

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["READ", "WRITE", "SelectorLoop", "Source", "Timer"]

READ = selectors.EVENT_READ
WRITE = selectors.EVENT_WRITE
_log = logging.getLogger(__name__)
_Given = TypeVar("_Given")


class Source(Protocol):
    """What is called when its socket is ready."""

    def ready(self, mask: int) -> None:
        """The socket can be read or written."""

    def broke(self, error: Exception) -> None:
        """What :meth:`ready` raised: a mistake in the program. Stop watching the socket, or it comes again at once."""


@define(order=True)
class Timer:
    """A call to come."""

    due: float
    number: int
    call: Callable[[], None] | None = field(order=False)

    def cancel(self) -> None:
        """Do not call; also after it was called."""
        self.call = None


class SelectorLoop:
    """Waits for many sockets in one thread, which starts with the first call and ends with :meth:`close`.

    ``monotonic`` tells the seconds that timers count; a test that moves a clock of its own calls :meth:`wake`.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.monotonic = monotonic
        self.resolver = Resolver()
        self._lock = threading.Lock()
        self._calls: deque[Callable[[], None]] = deque()
        self._timers: list[Timer] = []
        self._numbers = itertools.count()
        self._sources: dict[int, Source] = {}
        self._selector = selectors.DefaultSelector()
        self._woken, self._waker = socket.socketpair()
        for end in (self._woken, self._waker):
            end.settimeout(0)
        self._selector.register(self._woken, READ)
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def call(self, call: Callable[[], None]) -> None:
        """Have something called in the loop's thread, after all that was to be called before; from any thread.

        Raises:
            UsageError: the loop is closed.
        """
        with self._lock:
            if self._is_closed:
                raise UsageError("a selector loop is used", expected="before it is closed")
            self._calls.append(call)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="c2kit-links", daemon=True)
                self._thread.start()
        self.wake()

    def run(self, call: Callable[[], _Given]) -> _Given:
        """What something gives that is called in the loop's thread; waits for it, and raises what it raises."""
        if self.is_own_thread:
            return call()
        given: Future[_Given] = Future()

        def keep() -> None:
            try:
                given.set_result(call())
            except Exception as error:  # noqa: BLE001 - it is raised where it can be dealt with
                given.set_exception(error)

        self.call(keep)
        return given.result()

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Have something called after so long; from the loop's thread."""
        if len(self._timers) > 64 and 2 * sum(timer.call is None for timer in self._timers) > len(self._timers):
            self._timers = [timer for timer in self._timers if timer.call is not None]
            heapq.heapify(self._timers)
        timer = Timer(self.monotonic() + seconds, next(self._numbers), call)
        heapq.heappush(self._timers, timer)
        return timer

    def watch(self, sock: socket.socket, mask: int, source: Source) -> None:
        """Call the source whenever its socket is ready for this; 0 for nothing more. From the loop's thread.

        Stop watching a socket before it is closed.
        """
        number = sock.fileno()
        is_watched = number in self._sources
        if not mask:
            if is_watched:
                del self._sources[number]
                self._selector.unregister(number)
            return
        self._sources[number] = source
        if not is_watched:
            self._selector.register(number, mask)
        elif self._selector.get_key(number).events != mask:
            self._selector.modify(number, mask)

    def wake(self) -> None:
        """Look at calls and timers now; from any thread."""
        try:
            self._waker.send(b"\0")
        except (BlockingIOError, InterruptedError):
            pass  # it has been woken often enough
        except OSError:
            if not self._is_closed:
                raise

    @property
    def is_own_thread(self) -> bool:
        """Whether this is called in the loop's thread."""
        return threading.current_thread() is self._thread

    @property
    def thread(self) -> threading.Thread | None:
        """The loop's thread, once there was something to do."""
        return self._thread

    def close(self) -> None:
        """Do what was to be called, and end. Close what is watched before."""
        with self._lock:
            was_closed, self._is_closed = self._is_closed, True
            thread = self._thread
        if was_closed:
            return
        self.resolver.close()
        self.wake()
        if thread is None:
            self._free()
        elif not self.is_own_thread:
            thread.join()

    def _run(self) -> None:
        while self._calls or not self._is_closed:
            for key, mask in self._selector.select(self._seconds_to_wait()):
                self._dispatch(key.fd, mask)
            self._do_calls()
            self._do_timers()
        self._free()

    def _free(self) -> None:
        self._selector.close()
        self._woken.close()
        self._waker.close()

    def _seconds_to_wait(self) -> float | None:
        if self._calls or self._is_closed:
            return 0
        while self._timers and self._timers[0].call is None:
            heapq.heappop(self._timers)
        return max(0, self._timers[0].due - self.monotonic()) if self._timers else None

    def _dispatch(self, number: int, mask: int) -> None:
        if number == self._woken.fileno():
            self._woken.recv(4096)
            return
        source = self._sources.get(number)
        if source is None:
            return  # what came before in this round closed it
        try:
            source.ready(mask)
        except Exception as error:  # noqa: BLE001 - a mistake in one link must not end all others
            _log.exception("a link broke")
            source.broke(error)

    def _do_calls(self) -> None:
        for _ in range(len(self._calls)):
            self._do(self._calls.popleft())

    def _do_timers(self) -> None:
        now = self.monotonic()
        while self._timers and self._timers[0].due <= now:
            call = heapq.heappop(self._timers).call
            if call is not None:
                self._do(call)

    def _do(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception:  # noqa: BLE001 - as above: the loop serves many
            _log.exception("a call in the loop of links failed")
