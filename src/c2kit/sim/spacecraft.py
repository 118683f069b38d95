"""What the spacecraft is like, and how that changes with time: simple physics, worth looking at."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from attrs import define, field, frozen

if TYPE_CHECKING:
    import random

    from c2kit.sim.encoding import Values
    from c2kit.sim.memory import Memory
    from c2kit.sim.orbit import Orbit

__all__ = ["HEATED", "LINES", "STEP_S", "TICKS_A_SECOND", "Exposure", "Spacecraft"]

TICKS_A_SECOND = 5
STEP_S = 1 / TICKS_A_SECOND
"""The state moves on, and packets are made, in steps of this."""

LINES = {"RADIO": 0, "CAMERA": 1, "WHEELS": 2, "TRACKER": 3, "HEATERS": 4}
"""The power lines that can be switched, by their place in POWER.SWITCHES."""
_LINE_AMPERES = (0.21, 0.33, 0.12, 0.09, 0.08, 0.05, 0.04, 0.11)
_WATTS = {"BOOT": 2.0, "SAFE": 3.0, "NOMINAL": 5.5, "SCIENCE": 8.0, "DOWNLINK": 9.5, "TEST": 6.5}
_SOLAR_WATTS = 17.0
_CAPACITY_WH = 7.0
_EMPTY = 0.2
# Of each temperature: in the shadow for ever, in the sun for ever, and the seconds of its mass.
_THERMAL = {
    "OBC": (-4.0, 32.0, 800.0),
    "BATTERY": (2.0, 24.0, 2400.0),
    "RADIO": (-2.0, 30.0, 1000.0),
    "CAMERA": (-24.0, -8.0, 1800.0),
    "TANK": (0.0, 20.0, 2600.0),
    "PANEL": (-55.0, 58.0, 300.0),
}
HEATED = ("BATTERY", "TANK", "CAMERA", "RADIO")
"""What heaters 1 to 4 keep warm."""


@frozen
class Exposure:
    """A histogram that is being taken."""

    milliseconds: int
    bins: int
    filter: int


@define(eq=False)
class Spacecraft:
    """The state. ``noise`` makes measurements differ; whoever gives an equal one gets equal measurements."""

    name: str
    orbit: Orbit
    noise: random.Random
    memory: Memory
    t: float = 0.0
    """Seconds since the beginning."""
    mode: str = "NOMINAL"
    pointing: str = "NADIR"
    quaternion: tuple[float, ...] = (0.0, 0.0, 0.0, 1.0)
    """What INERTIAL points at."""
    pointing_error: float = 0.08
    switches: list[bool] = field(factory=lambda: [True, True, True, True, True, False, False, True])
    heaters: list[bool] = field(factory=lambda: [False] * 4)
    setpoints: list[float] = field(factory=lambda: [8.0, 5.0, -22.0, -10.0])
    charge: float = 0.36
    """Of the battery, 0 to 1."""
    amperes: float = -0.8
    temperatures: dict[str, float] = field(
        factory=lambda: {"OBC": 9.0, "BATTERY": 11.0, "RADIO": 14.0, "CAMERA": -18.0, "TANK": 9.0, "PANEL": -38.0}
    )
    detector_k: float = 205.0
    started_s: float = -1_234_567.0
    """When the flight software started."""
    boots: int = 12
    reset_cause: str = "COMMAND"
    image: str = "PRIMARY"
    accepted: int = 73
    rejected: int = 1
    exposures: int = 0
    exposing: Exposure | None = None
    shutter: str = "CLOSED"
    filter: int = 0
    said: list[tuple[str, Values]] = field(factory=list)
    """Packets that the flight software made by itself, with their values, to go down next."""

    def measured(self, value: float, spread: float) -> float:
        """The value as an instrument measures it."""
        return self.noise.gauss(value, spread)

    def is_on(self, line: str) -> bool:
        """Whether a power line is on."""
        return self.switches[LINES[line]]

    @property
    def sunlight(self) -> float:
        """0 in the shadow, 1 in the sun."""
        return self.orbit.sunlight(self.t)

    @property
    def volts(self) -> float:
        """Of the battery."""
        return 6.3 + 1.75 * self.charge + 0.12 * self.amperes

    @property
    def switch_amperes(self) -> list[float]:
        """Of each power line."""
        return [amperes if on else 0.0 for on, amperes in zip(self.switches, _LINE_AMPERES, strict=True)]

    def say(self, severity: str, subsystem: str, number: int, message: str) -> None:
        """Send an event."""
        values = {"SEVERITY": severity, "SUBSYSTEM": subsystem, "EVENT_ID": number, "MESSAGE": message}
        self.said.append(("EVENT", values))

    def change_mode(self, mode: str) -> None:
        """Enter a mode, with what that switches on and off."""
        if mode == self.mode:
            return
        self.mode = mode
        if mode == "SAFE":
            self.pointing, self.pointing_error = "SUN", 4.0
            self.exposing, self.shutter = None, "CLOSED"
        elif self.pointing == "SUN" and self.is_on("WHEELS"):
            self.pointing, self.pointing_error = "NADIR", 3.0
        self.say("INFO", "OBC", 200, f"Mode is {mode}")

    def step(self) -> None:
        """Let 0.2 s pass."""
        light_before, pass_before = self.sunlight, self.orbit.is_in_pass(self.t)
        self.t = round((self.t + STEP_S) * TICKS_A_SECOND) / TICKS_A_SECOND
        self._tell_of_orbit(light_before, is_in_pass=pass_before)
        self._step_battery()
        self._step_temperatures()
        if self.is_on("WHEELS"):
            self.pointing_error += (0.08 - self.pointing_error) * STEP_S / 6
        else:
            self.pointing_error = min(self.pointing_error + 0.05 * STEP_S, 60)

    def _tell_of_orbit(self, light_before: float, *, is_in_pass: bool) -> None:
        light = self.sunlight
        if light_before == 0 < light:
            self.say("INFO", "EPS", 102, "Sun in sight")
        elif light == 0 < light_before:
            self.say("INFO", "EPS", 101, "Shadow entered")
        if self.orbit.is_in_pass(self.t) != is_in_pass:
            self.say("INFO", "OBC", 111 if is_in_pass else 110, "Pass ends" if is_in_pass else "Pass begins")

    def _step_battery(self) -> None:
        watts = _WATTS[self.mode] + sum(self.switch_amperes) + 1.5 * sum(self.heaters)
        surplus = _SOLAR_WATTS * self.sunlight * math.cos(math.radians(min(self.pointing_error, 90))) - watts
        surplus *= 1 - max(self.charge - 0.9, 0) / 0.1 if surplus > 0 else 1  # the charger floats at the end
        self.amperes = surplus / 7.2
        self.charge = min(max(self.charge + surplus * STEP_S / 3600 / _CAPACITY_WH, 0.02), 1.0)
        if self.charge < _EMPTY and self.mode not in {"SAFE", "TEST", "BOOT"}:
            self.say("ERROR", "EPS", 120, f"Battery at {100 * self.charge:.0f} %")
            self.change_mode("SAFE")

    def _step_temperatures(self) -> None:
        light = self.sunlight
        for name, (cold, warm, seconds) in _THERMAL.items():
            towards = cold + (warm - cold) * light + (14 if name == "RADIO" and self.mode == "DOWNLINK" else 0)
            if name in HEATED and self.heaters[HEATED.index(name)]:
                towards += 25
            self.temperatures[name] += (towards - self.temperatures[name]) * STEP_S / seconds
        for number, name in enumerate(HEATED):
            is_cold = self.temperatures[name] < self.setpoints[number] + (0.5 if self.heaters[number] else 0)
            self.heaters[number] = is_cold and self.is_on("HEATERS")
        cooled = 198.0 if self.is_on("CAMERA") and self.mode != "SAFE" else 255.0
        self.detector_k += (cooled - self.detector_k) * STEP_S / 90
