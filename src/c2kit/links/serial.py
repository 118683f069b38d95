"""A link over a serial port, by pyserial, which is needed only where one is opened."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Self

from attrs import evolve, field, frozen

from c2kit.errors import UsageError
from c2kit.links import _checks
from c2kit.links.backoff import Backoff
from c2kit.links.blocking import BlockingLink
from c2kit.links.link import LinkSpec, Surroundings, text_of
from c2kit.links.values import Outcome, SendResult

if TYPE_CHECKING:
    from collections.abc import Iterator

    import serial

__all__ = ["Serial", "SerialLink"]

_LOOK_SECONDS = 0.2
"""How long a read waits before the thread looks whether the link is still wanted."""
_PARITIES = {"none": "N", "even": "E", "odd": "O", "mark": "M", "space": "S"}


@frozen
class Serial(LinkSpec):
    """A serial port. Needs the extra ``serial``, which is looked for when the link is started."""

    device: str
    """Such as ``/dev/ttyUSB0`` or ``COM3``."""
    baud: int = 9600
    byte_bits: int = field(default=8, kw_only=True)
    parity: str = field(default="none", kw_only=True)
    """``none``, ``even``, ``odd``, ``mark`` or ``space``."""
    stop_bits: float = field(default=1, kw_only=True)
    """1, 1.5 or 2."""
    hardware_flow_control: bool = field(default=False, kw_only=True)
    """By RTS and CTS."""
    reconnect_seconds: float = field(default=0.5, kw_only=True)
    """The first delay before a port that cannot be opened, or went away, is tried again; delays double."""
    reconnect_max_seconds: float = field(default=30.0, kw_only=True)
    receive_max_bytes: int = field(default=1_048_576, kw_only=True)
    """What may wait to be taken before the link stops reading."""

    def __attrs_post_init__(self) -> None:
        _checks.a_name("device of Serial", self.device)
        _checks.at_least("baud of Serial", self.baud, 1)
        _checks.one_of("byte_bits of Serial", self.byte_bits, (5, 6, 7, 8))
        _checks.one_of("parity of Serial", self.parity, tuple(_PARITIES))
        _checks.one_of("stop_bits of Serial", self.stop_bits, (1, 1.5, 2))
        _checks.retry_seconds("Serial", self.reconnect_seconds, self.reconnect_max_seconds)
        _checks.at_least("receive_max_bytes of Serial", self.receive_max_bytes, 1)

    def at(self, address: str) -> Self:
        """The same with another device; see :meth:`LinkSpec.at`."""
        return evolve(self, device=address)

    def start(self, surroundings: Surroundings | None = None) -> SerialLink:
        """See :meth:`LinkSpec.start`. Raises UsageError where pyserial is not installed."""
        try:
            import serial  # noqa: F401, PLC0415 - an extra: whoever has no serial port does without it
        except ImportError:
            raise UsageError(
                "a serial link", expected="pyserial", found="none", remedy="pip install 'c2kit[serial]'"
            ) from None
        return SerialLink(self, surroundings or Surroundings())


class SerialLink(BlockingLink):
    """A running :class:`Serial`: ``CONNECTED`` while the port is open, whether or not a device is at its other end."""

    def __init__(self, spec: Serial, surroundings: Surroundings) -> None:
        self.spec = spec
        self._port: serial.Serial | None = None
        self._writing = threading.Lock()
        self._stalled = ""
        super().__init__(
            surroundings, spec.receive_max_bytes, Backoff(spec.reconnect_seconds, spec.reconnect_max_seconds)
        )

    def send(
        self,
        data: bytes,
        *,
        timeout_seconds: float = 10.0,
        expires_at: int | None = None,
        connection: int | None = None,
    ) -> SendResult:
        """Write in the caller's thread; see :meth:`Link.send`."""
        due = time.monotonic() + timeout_seconds
        late = f"not sent within {timeout_seconds:g} s"
        if not self._writing.acquire(timeout=max(0.0, timeout_seconds)):
            return SendResult(Outcome.NOT_SENT, late)
        try:
            port = self._port
            if port is None or self._stalled or connection not in (None, self._connection_number):
                return SendResult(Outcome.NOT_SENT, f"the link is {self._state.state}: {self._state.reason}")
            if expires_at is not None and self._surroundings.now() >= expires_at:
                return SendResult(Outcome.NOT_SENT, "it has expired")
            if (left := due - time.monotonic()) <= 0:
                return SendResult(Outcome.NOT_SENT, late)
            return self._write(port, data, left)
        finally:
            self._writing.release()

    def _write(self, port: serial.Serial, data: bytes, seconds: float) -> SendResult:
        try:
            port.write_timeout = seconds
        except OSError as error:  # the device is gone, and nothing was written
            return SendResult(Outcome.NOT_SENT, text_of(error))
        try:
            port.write(data)
        except OSError as error:  # pyserial does not tell how much was written
            self._stalled = f"a send stalled: {text_of(error)}"
            self._interrupt()
            return SendResult(Outcome.PARTIAL, text_of(error))
        self._counters.sent_bytes += len(data)
        return SendResult(Outcome.SENT, "", len(data))

    def _describe(self) -> str:
        return self.spec.device

    def _open(self) -> None:
        import serial  # noqa: PLC0415 - as in `start`

        spec = self.spec
        self._port = serial.Serial(
            port=spec.device,
            baudrate=spec.baud,
            bytesize=spec.byte_bits,
            parity=_PARITIES[spec.parity],
            stopbits=spec.stop_bits,
            rtscts=spec.hardware_flow_control,
            timeout=_LOOK_SECONDS,
        )

    def _shut(self) -> None:
        self._interrupt_write()
        with self._writing:
            port, self._port = self._port, None
            is_stalled, self._stalled = bool(self._stalled), ""
        if port is None:
            return
        try:
            if is_stalled:
                port.reset_output_buffer()  # closing would wait for it to leave
        finally:
            port.close()

    def _interrupt(self) -> None:
        port = self._port
        if port is not None and hasattr(port, "cancel_read"):
            with contextlib.suppress(OSError, TypeError):  # it was closed in between
                port.cancel_read()

    def _interrupt_write(self) -> None:
        port = self._port
        if port is not None and hasattr(port, "cancel_write"):
            with contextlib.suppress(OSError, TypeError):
                port.cancel_write()

    def _read(self) -> Iterator[bytes]:
        port = self._port
        assert port is not None, "it was opened"  # noqa: S101 - tells the type checker
        while True:
            first = bytes(port.read(1))
            if self._stalled:
                raise OSError(self._stalled)
            waiting = port.in_waiting if first else 0
            yield first + bytes(port.read(waiting)) if waiting else first
