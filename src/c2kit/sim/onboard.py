"""On-board command handling: what each command does, and what is reported of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, field

from c2kit.sim.commands import CommandDecoder, Refused
from c2kit.sim.memory import PROTECTED_BYTES
from c2kit.sim.spacecraft import LINES, TICKS_A_SECOND, Exposure
from c2kit.sim.telemetry import histogram, memory_dump

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from c2kit.sim.spacecraft import Spacecraft

    Arguments = Mapping[str, Any]
    Action = Callable[[], None]

__all__ = ["BOOT_S", "Onboard"]

BOOT_S = 40
WATCHDOG_S = 60
"""After this the radio is switched on again."""
DUMP_BYTES = 256
"""The most that one dump packet holds."""
SCIENCE_EXPOSURE = 12_000
"""Milliseconds of the exposures that SCIENCE takes by itself, every 20 s."""


@define(eq=False)
class Onboard:
    """The flight software. Each command that is accepted gets two reports: ACCEPTED at once, and DONE at its end."""

    craft: Spacecraft
    decoder: CommandDecoder
    clock_offset_ns: int = 0
    """How far the on-board clock was set away from true time."""
    clock_ns: int = 0
    """The on-board clock at this tick."""
    boots_at: int | None = None
    """The tick at which the computer has started again."""
    later: list[tuple[int, Action]] = field(factory=list)
    mode_changes: int = 0
    given_up: list[Exposure] = field(factory=list)
    """Exposures that were not finished."""

    @property
    def is_silent(self) -> bool:
        """Whether it neither sends nor hears."""
        return self.boots_at is not None or not self.craft.is_on("RADIO")

    def tick(self, tick: int) -> None:
        """Do what is due."""
        if self.boots_at is not None and tick >= self.boots_at:
            self._boot()
        due = [action for when, action in self.later if when <= tick]
        self.later = [(when, action) for when, action in self.later if when > tick]
        for action in due:
            action()
        if self.craft.mode == "SCIENCE" and tick % (20 * TICKS_A_SECOND) == 0:
            self._take(Exposure(SCIENCE_EXPOSURE, 64 if tick % (40 * TICKS_A_SECOND) == 0 else 256, 0), tick)

    def execute(self, data: bytes, tick: int) -> tuple[str | None, str]:
        """Carry out a command, or begin to; gives its name and its first result, ACCEPTED or why not."""
        name: str | None = None
        try:
            command = self.decoder.decode(data)
            name = command.name
            handler: Callable[[Arguments, int], float] = getattr(self, f"_{name.lower()}", self._unknown)
            seconds = handler(command.arguments, tick)
        except Refused as refused:
            self.craft.rejected += 1
            self._report(data, refused.result, refused.reason)
            return name, refused.result
        self.craft.accepted += 1
        self._report(data, "ACCEPTED", "")
        exposure = self.craft.exposing if name == "EXPOSE" else None
        self._after(seconds, tick, lambda: self._report_end(data, exposure))
        return name, "ACCEPTED"

    def _report_end(self, data: bytes, exposure: Exposure | None) -> None:
        if any(exposure is each for each in self.given_up):
            self._report(data, "FAILED", "exposure was given up")
        else:
            self._report(data, "DONE")

    def _report(self, data: bytes, result: str, reason: str | None = None) -> None:
        """Send a COMMAND_ACK. What is too short to say which command it is counts as all zeros."""
        header = data[:8].ljust(8, b"\0")
        values = {
            "COMMAND_APID": int.from_bytes(header[:2]) & 0x7FF,
            "COMMAND_COUNT": int.from_bytes(header[2:4]) & 0x3FFF,
            "FUNCTION": header[6],
            "RESULT": result,
        }
        self.craft.said.append(("COMMAND_ACK", values if reason is None else values | {"REASON": reason}))

    def _after(self, seconds: float, tick: int, action: Action) -> None:
        """Do something in so many seconds; at once where that is none."""
        if seconds <= 0:
            action()
        else:
            self.later.append((tick + max(round(seconds * TICKS_A_SECOND), 1), action))

    def _unknown(self, _: Arguments, __: int) -> float:
        raise Refused("UNKNOWN", "not implemented")

    def _noop(self, _: Arguments, __: int) -> float:
        return 0

    def _set_mode(self, arguments: Arguments, tick: int) -> float:
        before = self.craft.mode
        if arguments["MODE"] == "SCIENCE" and not self.craft.is_on("CAMERA"):
            raise Refused("NOT_NOW", "camera is off")
        self.craft.change_mode(arguments["MODE"])
        self.mode_changes += 1
        if arguments["DURATION"]:
            self._after(arguments["DURATION"], tick, lambda change=self.mode_changes: self._mode_ends(change, before))  # type: ignore[misc]
        return 0

    def _mode_ends(self, change: int, before: str) -> None:
        if change == self.mode_changes:  # none was commanded since
            self.craft.change_mode(before)

    def _reset(self, arguments: Arguments, tick: int) -> float:
        self._after(1 / TICKS_A_SECOND, tick, lambda: self._go_down(arguments["IMAGE"], tick))
        return 0

    def _go_down(self, image: str, tick: int) -> None:
        self.craft.change_mode("BOOT")
        self.craft.said.clear()
        self.later.clear()
        self.craft.image, self.craft.exposing = image, None
        self.boots_at = tick + BOOT_S * TICKS_A_SECOND

    def _boot(self) -> None:
        craft, self.boots_at = self.craft, None
        craft.boots, craft.reset_cause, craft.started_s = craft.boots + 1, "COMMAND", craft.t
        craft.accepted = craft.rejected = 0
        craft.switches[LINES["RADIO"]] = True
        # The secondary image is older than the camera, and says so each time.
        passed = craft.image != "SECONDARY"
        report = {
            "IMAGE": craft.image,
            "SOFTWARE_VERSION": {"GOLDEN": "1.0.0", "PRIMARY": "2.4.1", "SECONDARY": "2.3.0"}[craft.image],
            "BUILD_HASH": craft.memory.read(0, 8),
            "SELF_TEST_PASSED": passed,
        }
        craft.said.append(("BOOT_REPORT", report if passed else report | {"FAILED_TESTS": 0x40}))
        craft.change_mode("SAFE")

    def _set_clock(self, arguments: Arguments, _: int) -> float:
        wanted = arguments["SECONDS"] * 10**9 + (arguments["SUBSECONDS"] * 10**9 >> 16)
        self.clock_offset_ns += wanted - self.clock_ns
        return 0

    def _set_callsign(self, arguments: Arguments, _: int) -> float:
        self.craft.say("INFO", "OBC", 210, f"Callsign is {arguments['CALLSIGN'].strip()}")
        return 0

    def _set_switch(self, arguments: Arguments, tick: int) -> float:
        line, is_on = arguments["LINE"], arguments["STATE"] == "ON"
        if line == "RADIO" and not is_on:
            self._after(1 / TICKS_A_SECOND, tick, lambda: self._switch(line, is_on=False))
            self._after(WATCHDOG_S, tick, lambda: self._switch(line, is_on=True))
        else:
            self._switch(line, is_on=is_on)
        return 0

    def _switch(self, line: str, *, is_on: bool) -> None:
        self.craft.switches[LINES[line]] = is_on
        if line == "CAMERA" and not is_on:
            self.craft.exposing, self.craft.shutter = None, "CLOSED"
        self.craft.say("INFO", "EPS", 103, f"{line} is {'on' if is_on else 'off'}")

    def _set_heater(self, arguments: Arguments, _: int) -> float:
        self.craft.setpoints[arguments["HEATER"] - 1] = arguments["SETPOINT"]
        return 0

    def _point(self, arguments: Arguments, _: int) -> float:
        if not self.craft.is_on("WHEELS"):
            raise Refused("NOT_NOW", "wheels are off")
        self.craft.pointing, self.craft.pointing_error = arguments["POINTING"], 25.0
        self.craft.quaternion = tuple(arguments["QUATERNION"])
        return 30

    def _fire_thruster(self, arguments: Arguments, tick: int) -> float:
        if self.craft.mode == "SAFE":
            raise Refused("NOT_NOW", "mode is SAFE")
        seconds: float = arguments["DURATION"] / 1000
        self.craft.pointing_error += 0.05 * arguments["THRUST"] * seconds
        message = f"Thruster fired for {arguments['DURATION']} ms"
        self._after(seconds, tick, lambda: self.craft.say("WARNING", "ADCS", 301, message))
        return seconds

    def _expose(self, arguments: Arguments, tick: int) -> float:
        if not self.craft.is_on("CAMERA"):
            raise Refused("NOT_NOW", "camera is off")
        if self.craft.exposing:
            raise Refused("NOT_NOW", "exposing")
        exposure = Exposure(arguments["EXPOSURE_TIME"], arguments["BINS"], arguments["FILTER"])
        self._take(exposure, tick)
        return exposure.milliseconds / 1000

    def _take(self, exposure: Exposure, tick: int) -> None:
        if self.craft.exposing or not self.craft.is_on("CAMERA"):
            return
        self.craft.exposing, self.craft.shutter, self.craft.filter = exposure, "OPEN", exposure.filter
        self._after(exposure.milliseconds / 1000, tick, lambda: self._exposed(exposure))

    def _exposed(self, exposure: Exposure) -> None:
        craft = self.craft
        if craft.exposing is not exposure:
            self.given_up.append(exposure)
            return
        craft.exposing, craft.shutter = None, "CLOSED"
        craft.exposures += 1
        craft.said.append(("HISTOGRAM", histogram(craft, exposure)))

    def _load_memory(self, arguments: Arguments, _: int) -> float:
        if arguments["ADDRESS"] < PROTECTED_BYTES:
            raise Refused("NOT_NOW", "write-protected")
        self.craft.memory.write(arguments["ADDRESS"], arguments["DATA"])
        return 0

    def _dump_memory(self, arguments: Arguments, tick: int) -> float:
        address, size = arguments["ADDRESS"], arguments["SIZE"]
        pieces = range(0, size, DUMP_BYTES)
        for number, offset in enumerate(pieces):
            piece = address + offset, min(DUMP_BYTES, size - offset)
            self.later.append((tick + 1 + number, lambda piece=piece: self._dump(*piece)))  # type: ignore[misc]
        return len(pieces) / TICKS_A_SECOND

    def _dump(self, address: int, size: int) -> None:
        self.craft.said.append(("MEMORY_DUMP", memory_dump(self.craft, address, size)))
