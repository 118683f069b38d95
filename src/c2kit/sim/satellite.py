"""The satellite as its ground station sees it: packets come down, commands go up. No clock, no sockets."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.errors import DefinitionError, UsageError
from c2kit.kernel.time import encode_time
from c2kit.model.time import Cuc
from c2kit.sim import telemetry
from c2kit.sim.commands import CommandDecoder
from c2kit.sim.encoding import PacketEncoder
from c2kit.sim.memory import Memory
from c2kit.sim.onboard import Onboard
from c2kit.sim.orbit import Orbit
from c2kit.sim.spacecraft import TICKS_A_SECOND, Spacecraft

if TYPE_CHECKING:
    from c2kit.dictionaries import Dictionary
    from c2kit.model.packets import Packet
    from c2kit.sim.encoding import Values

__all__ = ["BEGIN_NS", "ReceivedCommand", "Satellite", "SentPacket"]

BEGIN_NS = 1_800_000_000 * 10**9
"""2027-01-15T08:00:00 UTC."""
_PACKETS = (
    *("ATTITUDE", "BOOT_REPORT", "CAMERA_STATUS", "COMMAND_ACK", "EVENT", "FILE_LIST", "HEALTH", "HISTOGRAM"),
    *("MEMORY_DUMP", "POWER", "SOLAR_PANELS", "STAR_TRACKER", "THERMAL"),
)
_TICK_NS = 10**9 // TICKS_A_SECOND
_DRIFT = 5_000_000
"""The on-board clock gains a nanosecond in so many: 0.2 microseconds a second."""


@frozen
class SentPacket:
    """A packet that went down: true time (POSIX nanoseconds, UTC), the name of its definition, and its bytes."""

    time_ns: int
    name: str
    data: bytes


@frozen
class ReceivedCommand:
    """A command that was handled on board.

    ``time_ns`` is true time. ``name`` is ``None`` where it was not known; ``result`` is that of its first COMMAND_ACK.
    """

    time_ns: int
    data: bytes
    name: str | None
    result: str


class Satellite:
    """A satellite for the example dictionary's target FIREFLY.

    Equal arguments and equal commands at equal times give equal packets, however the time between is cut into calls of
    :meth:`advance`. Satellites of one seed and different names differ.

    ``passes``: it is heard and hears only while the station sees it, 10 of every 94 minutes; otherwise always.
    ``record``: keep ``sent``, which grows with all that goes down; ``received`` is always kept.

    Raises:
        UnknownName: the dictionary has no such target, or the target lacks a packet of the example.
        DefinitionError: a packet of the target is not dated as those of the example dictionary are.
    """

    def __init__(
        self,
        dictionary: Dictionary,
        *,
        seed: int = 0,
        name: str = "FIREFLY",
        target: str = "FIREFLY",
        start_ns: int = BEGIN_NS,
        passes: bool = False,
        record: bool = True,
    ) -> None:
        definitions = dictionary.target(target)
        noise = random.Random(f"{name} {seed}")  # noqa: S311 - it must repeat, not be secure
        self.name = name
        self.sent: list[SentPacket] = []
        self.received: list[ReceivedCommand] = []
        self.missed: list[bytes] = []
        """Commands that were sent to it while it could not hear."""
        self.start_ns = start_ns
        self._now_ns = start_ns
        self._passes, self._record = passes, record
        packets = [definitions.packet(name) for name in _PACKETS]
        self._encoders = {packet.name: PacketEncoder(packet) for packet in packets}
        self._clocks = {packet.name: _cuc(packet) for packet in packets}
        self._epoch_ns = _since_epoch(definitions.packet("HEALTH"), start_ns)
        self._counts: dict[int, int] = {}
        self._inbox: list[bytes] = []
        self._craft = Spacecraft(
            name=name, orbit=Orbit(sunrise_s=noise.randrange(60, 240)), noise=noise, memory=Memory(f"{name} {seed}")
        )
        self._onboard = Onboard(self._craft, CommandDecoder(definitions))
        self._tick = 0

    @property
    def now_ns(self) -> int:
        """True time: what :meth:`advance` was last given."""
        return self._now_ns

    @property
    def mode(self) -> str:
        """The mode that it is in."""
        return self._craft.mode

    def advance(self, to_ns: int) -> list[bytes]:
        """Let time pass, and give the packets that go down before ``to_ns`` (POSIX nanoseconds, UTC), in their order.

        Raises :class:`~c2kit.errors.UsageError` for a time before the last one.
        """
        if to_ns < self._now_ns:
            raise UsageError("time to advance to", expected=f"{self._now_ns} ns or later", found=to_ns)
        packets: list[bytes] = []
        while self._true_time_ns() < to_ns:
            packets += self._one_tick()
        self._now_ns = to_ns
        return packets

    def command(self, data: bytes) -> None:
        """Send up one command. It is handled at the next fifth of a second, and recorded once."""
        self._inbox.append(bytes(data))

    def _true_time_ns(self) -> int:
        return self.start_ns + self._tick * _TICK_NS

    def _is_linked(self) -> bool:
        in_view = not self._passes or self._craft.orbit.is_in_pass(self._craft.t)
        return in_view and not self._onboard.is_silent

    def _one_tick(self) -> list[bytes]:
        craft, onboard = self._craft, self._onboard
        elapsed_ns = self._tick * _TICK_NS
        onboard.clock_ns = self._epoch_ns + elapsed_ns + elapsed_ns // _DRIFT + onboard.clock_offset_ns
        onboard.tick(self._tick)
        self._handle_commands()
        said, craft.said = craft.said, []
        packets = []
        if self._is_linked():
            packets = [self._encoded(name, values) for name, values in [*said, *telemetry.due(craft, self._tick)]]
        self._tick += 1
        craft.step()
        return packets

    def _handle_commands(self) -> None:
        inbox, self._inbox = self._inbox, []
        for data in inbox:
            if self._is_linked():
                name, result = self._onboard.execute(data, self._tick)
                self.received.append(ReceivedCommand(self._true_time_ns(), data, name, result))
            else:
                self.missed.append(data)

    def _encoded(self, name: str, values: Values) -> bytes:
        encoder, clock = self._encoders[name], self._clocks[name]
        count = self._counts.get(encoder.apid, 0)
        self._counts[encoder.apid] = (count + 1) % 2**14
        seconds, nanoseconds = divmod(self._onboard.clock_ns, 10**9)
        time: dict[str, int | bytes] = {clock[0]: seconds % 2**32, clock[1]: (nanoseconds << 16) // 10**9}
        data = encoder.encode(values, count=count, time=time)
        if self._record:
            self.sent.append(SentPacket(self._true_time_ns(), name, data))
        return data


def _cuc(packet: Packet) -> tuple[str, str]:
    """The items with seconds and fractions."""
    code = packet.time.code if packet.time else None
    if not isinstance(code, Cuc) or code.fine is None:
        what = f"{packet.name}: a simulated satellite dates its packets in CUC, with a fraction"
        raise DefinitionError(what, source=packet.source, remedy="simulate the example dictionary's FIREFLY")
    return code.coarse, code.fine


def _since_epoch(packet: Packet, time_ns: int) -> int:
    """What the on-board clock shows, in nanoseconds: it counts on through leap seconds."""
    shown = encode_time(packet, time_ns)
    return int(shown[_cuc(packet)[0]]) * 10**9 + time_ns % 10**9
