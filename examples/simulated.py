"""A make-believe FIREFLY: ten minutes of its telemetry, in bytes, from the definitions in ``dictionary/``.

Nothing here is read from a recording. The spacecraft leaves the Earth's shadow after four minutes; its battery has
reached the yellow limit by then, recovers in the sun, and the camera takes a histogram a minute. The same seed gives
the same bytes.

On its way to the ground the recording gets what recordings get: noise between two packets, two packets that were lost,
one that no definition knows, and an end in the middle of a packet.
"""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import TYPE_CHECKING

from c2kit import Dictionary
from c2kit.kernel.time import encode_time
from c2kit.sim import BEGIN_NS
from c2kit.sim.encoding import PacketEncoder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.model.packets import Packet
    from c2kit.sim.encoding import Values

DICTIONARY = Path(__file__).parent / "dictionary"

SUNRISE = 240.0
"""When the spacecraft leaves the shadow, in seconds from the beginning."""


def recording(seconds: int = 600, seed: int = 7) -> bytes:
    """The bytes that a ground station would have written."""
    dictionary = Dictionary.load(DICTIONARY)
    random_numbers = random.Random(seed)
    packets = list(_packets(dictionary.target("FIREFLY").packets_by_name, seconds, random_numbers))
    return _as_received(packets, random_numbers)


def _packets(definitions: dict[str, Packet], seconds: int, noise: random.Random) -> Iterator[bytes]:
    """All packets in the order of their times."""
    encoders = {name: PacketEncoder(packet) for name, packet in definitions.items()}
    counts: dict[int, int] = {}
    spacecraft = _Spacecraft(noise)
    for tick in range(seconds * 5):
        time = encode_time(definitions["HEALTH"], BEGIN_NS + tick * 200_000_000)
        for name, values in spacecraft.packets_at(tick / 5):
            apid = encoders[name].apid
            counts[apid] = (counts.get(apid, -1) + 1) % 2**14
            yield encoders[name].encode(values, count=counts[apid], time=time)


class _Spacecraft:
    """What the spacecraft is like at a time, as simple physics has it."""

    def __init__(self, noise: random.Random) -> None:
        self.noise = noise
        self.exposures = 0

    def packets_at(self, t: float) -> Iterator[tuple[str, Values]]:
        """The packets that are due, with their values."""
        if t == 0:
            yield "EVENT", {"SEVERITY": "INFO", "SUBSYSTEM": "EPS", "EVENT_ID": 101, "MESSAGE": "Shadow entered"}
        if t == SUNRISE:
            yield "EVENT", {"SEVERITY": "INFO", "SUBSYSTEM": "EPS", "EVENT_ID": 102, "MESSAGE": "Sun in sight"}
        yield "ATTITUDE", self.attitude(t)
        if t.is_integer():
            yield "HEALTH", self.health(t)
        if t % 10 == 0:
            yield "POWER", self.power(t)
            yield "SOLAR_PANELS", self.solar_panels(t)
        if t % 30 == 0:
            yield "THERMAL", self.thermal(t)
        if t % 60 == 45:
            yield "HISTOGRAM", self.histogram()

    def around(self, value: float, spread: float) -> float:
        """The value as an instrument measures it."""
        return self.noise.gauss(value, spread)

    def sunlight(self, t: float) -> float:
        """0 in the shadow, 1 in the sun; the penumbra takes ten seconds."""
        return float(min(max((t - SUNRISE) / 10, 0), 1))

    def battery_volts(self, t: float) -> float:
        if t < SUNRISE:
            return 7.05 - 0.32 * math.pow(t / SUNRISE, 1.5)
        return 7.9 - 1.17 * math.exp(-(t - SUNRISE) / 200)

    def battery_amperes(self, t: float) -> float:
        return -0.85 + 2.3 * self.sunlight(t) * math.exp(-max(t - SUNRISE, 0) / 900)

    def degrees(self, t: float, cold: float, warm: float, seconds: float) -> float:
        """A temperature that falls in the shadow and rises in the sun, as slowly as its mass wants."""
        if t < SUNRISE:
            return cold + (warm - cold) * math.exp(-(t + 600) / (4 * seconds))
        return warm + (self.degrees(SUNRISE - 1, cold, warm, seconds) - warm) * math.exp(-(t - SUNRISE) / seconds)

    def health(self, t: float) -> Values:
        is_exposing = 15 <= t % 60 < 45
        return {
            "MODE": "SCIENCE" if t >= SUNRISE else "NOMINAL",
            "UPTIME": 1_234_567 + int(t),
            "BOOT_COUNT": 12,
            "RESET_CAUSE": "COMMAND",
            "RADIO_ON": True,
            "CAMERA_ON": True,
            "WHEELS_ON": True,
            "ANTENNA_DEPLOYED": True,
            "CPU_LOAD": min(max(self.around(78 if is_exposing else 31, 4), 0), 100),
            "MEMORY_FREE": 9_000_000 - 4096 * self.exposures,
            "BATTERY_VOLTAGE": self.around(self.battery_volts(t), 0.004),
            "BATTERY_CURRENT": self.around(self.battery_amperes(t), 0.01),
            "OBC_TEMPERATURE": round(self.around(self.degrees(t, 4, 28, 400), 0.4)),
            "COMMANDS_ACCEPTED": 73,
            "COMMANDS_REJECTED": 1,
        }

    def attitude(self, t: float) -> Values:
        turn = 2 * math.pi * t / 5640  # once an orbit, to keep looking down
        field = (24_000 * math.cos(turn), 8_000, 31_000 * math.sin(turn))
        return {
            "POINTING": "NADIR",
            "ESTIMATOR_VALID": True,
            "IN_ECLIPSE": t < SUNRISE,
            "SPARE": 0,
            "QUATERNION": [0.0, math.sin(turn / 2), 0.0, math.cos(turn / 2)],
            "RATES": [self.around(rate, 2e-5) for rate in (0.0, 2 * math.pi / 5640, 0.0)],
            "POINTING_ERROR": abs(self.around(0.08, 0.03)),
            "MAGNETIC_FIELD": [self.around(component, 40) for component in field],
            "GYROSCOPE": [self.around(rate, 0.002) for rate in (0.0, 360 / 5640, 0.0)],
            "SUN_SENSOR": [round(4000 * self.sunlight(t) * share) for share in (0.1, 0.9, 0.4)],
            "WHEEL_SPEEDS": [round(self.around(speed + t / 2, 3)) for speed in (1800, -2100, 1500, -900)],
        }

    def power(self, t: float) -> Values:
        return {
            "BUS_VOLTAGE": self.around(self.battery_volts(t), 0.004),
            "BUS_CURRENT": max(self.around(0.85, 0.02), 0),
            "BATTERY_CHARGE": 52 - 14 * min(t, SUNRISE) / SUNRISE + 20 * max(t - SUNRISE, 0) / 360,
            "BATTERY_HEATER": "AUTOMATIC",
            "CHARGER": "BULK" if t >= SUNRISE else "IDLE",
            "SWITCHES": [True, True, True, False, True, False, False, True],
            "SWITCH_CURRENTS": [0.21, 0.33, 0.12, 0, 0.08, 0, 0, 0.11],
            "BATTERY_TEMPERATURES": [self.degrees(t, 6, 21, 700), self.degrees(t, 5, 20, 700)],
        }

    def solar_panels(self, t: float) -> Values:
        shares = [max(math.cos(angle - t / 900), 0) for angle in (0.2, 1.1, 2.0, 2.9, 3.8, 4.7)]
        light = self.sunlight(t)
        return {
            "PANEL_VOLTAGES": [light * (14.2 * share**0.08 if share else 0) for share in shares],
            "PANEL_CURRENTS": [light * 0.48 * share for share in shares],
            "SUN_ANGLES": [90 - 80 * light * share for share in shares],
        }

    def thermal(self, t: float) -> Values:
        return {
            "HEATERS": [t < SUNRISE, False, False, True],
            "CONTROL": "AUTOMATIC",
            "BATTERY_TEMPERATURE": self.degrees(t, 6, 21, 700),
            "RADIO_TEMPERATURE": self.degrees(t, 10, 36, 500),
            "CAMERA_TEMPERATURE": self.degrees(t, -18, -6, 900),
            "TANK_TEMPERATURE": self.degrees(t, 8, 18, 900),
            "PANEL_TEMPERATURES": [round(self.degrees(t, -38, 55, 200) - 6 * panel) for panel in range(6)],
        }

    def histogram(self) -> Values:
        """A falling spectrum with a line in it."""
        self.exposures += 1
        expected = [400 * 0.94**energy + 260 * math.exp(-(((energy - 29) / 2.2) ** 2)) for energy in range(64)]
        return {
            "EXPOSURE_ID": self.exposures,
            "EXPOSURE_TIME": 30_000,
            "ENCODING": "PLAIN",
            "BINS": 64,
            "COUNTS": [max(round(self.around(count, math.sqrt(count))), 0) for count in expected],
            "OVERFLOWS": 0,
        }


def _as_received(packets: list[bytes], noise: random.Random) -> bytes:
    """The packets as a ground station got them."""
    lost = len(packets) // 3
    unknown = bytes.fromhex("087fc0000003deadbeef")  # an APID that nothing is defined for
    hum = bytes(noise.choice(b"\x5a\xa5\xff") for _ in range(200))  # no byte of it begins a version-0 packet
    cut = packets[-1][: len(packets[-1]) // 2]
    kept = [*packets[:lost], *packets[lost + 2 : -1]]
    middle = len(kept) // 2
    return b"".join((*kept[:middle], hum, *kept[middle:], unknown, cut))
