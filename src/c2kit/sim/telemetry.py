"""What the packets hold: the engineering values of each, from the state of the spacecraft."""

from __future__ import annotations

import math
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.sim.encoding import Values
    from c2kit.sim.spacecraft import Exposure, Spacecraft

__all__ = ["due", "file_list", "histogram", "memory_dump"]

_MICROSECONDS_SINCE_LAUNCH = 7 * 365 * 86_400 * 10**6


def due(craft: Spacecraft, tick: int) -> Iterator[tuple[str, Values]]:
    """The packets that go down at a tick, as the mode has it, with their values."""
    is_safe = craft.mode == "SAFE"
    if tick % (25 if is_safe else 1) == 0:
        yield "ATTITUDE", attitude(craft)
    if tick % 5 == 0:
        yield "HEALTH", health(craft)
        if craft.is_on("TRACKER") and not is_safe:
            yield "STAR_TRACKER", star_tracker(craft)
        if craft.mode == "DOWNLINK":
            yield "MEMORY_DUMP", memory_dump(craft, 0x2000_0000 + 256 * tick, craft.noise.randint(16, 256))
    if tick % 50 == 0:
        yield "POWER", power(craft)
        yield "SOLAR_PANELS", solar_panels(craft)
        if craft.is_on("CAMERA") and not is_safe:
            yield "CAMERA_STATUS", camera_status(craft)
    if tick % 150 == 0:
        yield "THERMAL", thermal(craft)
    if tick % (50 if craft.mode == "DOWNLINK" else 300) == 0:
        yield "FILE_LIST", file_list(craft)


def health(craft: Spacecraft) -> Values:
    """The packet HEALTH."""
    load = {"SAFE": 12, "SCIENCE": 52, "DOWNLINK": 47}.get(craft.mode, 31) + (28 if craft.exposing else 0)
    return {
        "MODE": craft.mode,
        "UPTIME": int(craft.t - craft.started_s),
        "BOOT_COUNT": craft.boots,
        "RESET_CAUSE": craft.reset_cause,
        "RADIO_ON": craft.is_on("RADIO"),
        "CAMERA_ON": craft.is_on("CAMERA"),
        "WHEELS_ON": craft.is_on("WHEELS"),
        "ANTENNA_DEPLOYED": True,
        "CPU_LOAD": min(max(craft.measured(load, 4), 0), 100),
        "MEMORY_FREE": max(9_000_000 - 4096 * craft.exposures, 100_000),
        "BATTERY_VOLTAGE": craft.measured(craft.volts, 0.004),
        "BATTERY_CURRENT": craft.measured(craft.amperes, 0.01),
        "OBC_TEMPERATURE": craft.measured(craft.temperatures["OBC"], 0.4),
        "COMMANDS_ACCEPTED": craft.accepted % 2**16,
        "COMMANDS_REJECTED": craft.rejected % 2**16,
    }


def attitude(craft: Spacecraft) -> Values:
    """The packet ATTITUDE."""
    turn = craft.orbit.angle(craft.t)
    rate = 360 / 5640 if craft.pointing == "NADIR" else 0.0
    quaternion = {
        "NADIR": (0.0, math.sin(turn / 2), 0.0, math.cos(turn / 2)),
        "SUN": (0.5, 0.5, 0.5, 0.5),
        "INERTIAL": craft.quaternion,
    }
    return {
        "POINTING": craft.pointing,
        "ESTIMATOR_VALID": craft.pointing_error < 30,
        "IN_ECLIPSE": craft.sunlight == 0,
        "SPARE": 0,
        "QUATERNION": quaternion[craft.pointing],
        "RATES": [craft.measured(value, 2e-5) for value in (0.0, math.radians(rate), 0.0)],
        "POINTING_ERROR": abs(craft.measured(craft.pointing_error, 0.03)),
        "MAGNETIC_FIELD": [craft.measured(each, 40) for each in craft.orbit.magnetic_field(craft.t)],
        "GYROSCOPE": [craft.measured(value, 0.002) for value in (0.0, rate, 0.0)],
        "SUN_SENSOR": [4000 * craft.sunlight * share for share in (0.1, 0.9, 0.4)],
        "WHEEL_SPEEDS": [_wheel_speed(craft, speed) for speed in (1800, -2100, 1500, -900)],
    }


def _wheel_speed(craft: Spacecraft, speed: int) -> float:
    if not craft.is_on("WHEELS"):
        return 0.0
    return craft.measured(speed + 400 * math.sin(craft.orbit.angle(craft.t)) + 150 * craft.pointing_error, 3)


def star_tracker(craft: Spacecraft) -> Values:
    """The packet STAR_TRACKER. It is blinded where the satellite turns, and at sunrise."""
    values: Values = {"TRACKER_STATUS": "TRACKING", "STARS": 4 + craft.noise.randrange(9)}
    if 0 < craft.sunlight < 1:
        values = {"TRACKER_STATUS": "BLINDED", "STARS": 0}
    elif craft.pointing_error > 1:
        values = {"TRACKER_STATUS": "ACQUIRING", "STARS": craft.noise.randrange(4)}
    values["TRACKER_TIME"] = craft.t + 86_400
    if values["TRACKER_STATUS"] == "TRACKING":
        values["RIGHT_ASCENSION"] = craft.measured(math.degrees(craft.orbit.angle(craft.t)), 0.002)
        values["DECLINATION"] = craft.measured(40 * math.sin(craft.orbit.angle(craft.t)), 0.002)
        values["ROLL"] = craft.measured(12.5, 0.01)
    values["MAGNITUDES"] = [craft.noise.uniform(1.2, 5.8) for _ in range(2 * values["STARS"])]
    return values


def power(craft: Spacecraft) -> Values:
    """The packet POWER."""
    is_charging = craft.amperes > 0.02
    battery = craft.temperatures["BATTERY"]
    return {
        "BUS_VOLTAGE": craft.measured(craft.volts, 0.004),
        "BUS_CURRENT": max(craft.measured(sum(craft.switch_amperes), 0.01), 0),
        "BATTERY_CHARGE": 100 * craft.charge,
        "BATTERY_HEATER": "AUTOMATIC" if craft.is_on("HEATERS") else "OFF",
        "CHARGER": ("FLOAT" if craft.charge > 0.95 else "BULK") if is_charging else "IDLE",
        "SWITCHES": craft.switches,
        "SWITCH_CURRENTS": [abs(craft.measured(each, 0.002)) if each else 0.0 for each in craft.switch_amperes],
        "BATTERY_TEMPERATURES": [battery + 0.4, battery - 0.6],
    }


def solar_panels(craft: Spacecraft) -> Values:
    """The packet SOLAR_PANELS."""
    turn = craft.orbit.angle(craft.t) * 3
    shares = [max(math.cos(angle - turn), 0.0) for angle in (0.2, 1.1, 2.0, 2.9, 3.8, 4.7)]
    light = craft.sunlight
    return {
        "PANEL_VOLTAGES": [light * 14.2 * share**0.08 if share else 0.0 for share in shares],
        "PANEL_CURRENTS": [light * 0.48 * share for share in shares],
        "SUN_ANGLES": [90 - 80 * light * share for share in shares],
    }


def thermal(craft: Spacecraft) -> Values:
    """The packet THERMAL."""
    degrees = craft.temperatures
    return {
        "HEATERS": craft.heaters,
        "CONTROL": "AUTOMATIC" if craft.is_on("HEATERS") else "MANUAL",
        "BATTERY_TEMPERATURE": degrees["BATTERY"],
        "RADIO_TEMPERATURE": degrees["RADIO"],
        "CAMERA_TEMPERATURE": degrees["CAMERA"],
        "TANK_TEMPERATURE": degrees["TANK"],
        "PANEL_TEMPERATURES": [degrees["PANEL"] - 4 * panel for panel in range(6)],
    }


def camera_status(craft: Spacecraft) -> Values:
    """The packet CAMERA_STATUS."""
    is_cold = craft.detector_k < 215
    return {
        "CAMERA_STATE": "EXPOSING" if craft.exposing else "READY" if is_cold else "COOLING",
        "SHUTTER": craft.shutter,
        "FILTER": craft.filter,
        "GAIN": 3,
        "CLOCK": _MICROSECONDS_SINCE_LAUNCH + round(craft.t * 1e6 * (1 + 2e-6)),
        "DETECTOR_TEMPERATURE": craft.measured(craft.detector_k, 0.05),
        "DARK_COUNTS": craft.measured(40 * math.exp((craft.detector_k - 200) / 12), 2),
        "HIGH_VOLTAGE": craft.measured(1650 if is_cold else 0, 0.2),
    }


def histogram(craft: Spacecraft, exposure: Exposure) -> Values:
    """The packet HISTOGRAM: a falling spectrum with a line in it; a long one as differences from its least count."""
    brightness = exposure.milliseconds / 30_000 / (1 + exposure.filter)
    counts = []
    for energy in range(exposure.bins):
        place = 64 * energy / exposure.bins
        expected = brightness * (400 * 0.94**place + 260 * math.exp(-(((place - 29) / 2.2) ** 2)))
        counts.append(max(round(craft.measured(expected, math.sqrt(expected))), 0))
    values: Values = {
        "EXPOSURE_ID": craft.exposures,
        "EXPOSURE_TIME": exposure.milliseconds,
        "ENCODING": "PLAIN",
        "BINS": exposure.bins,
        "OVERFLOWS": 0,
    }
    least = min(counts)
    if exposure.bins > 64 and max(counts) - least < 2**15:
        return values | {
            "ENCODING": "DIFFERENCES",
            "BASELINE": least,
            "DIFFERENCES": [count - least for count in counts],
        }
    return values | {"COUNTS": counts}


def memory_dump(craft: Spacecraft, address: int, size: int) -> Values:
    """The packet MEMORY_DUMP."""
    data = craft.memory.read(address, size)
    return {"ADDRESS": address % 2**32, "DATA": data, "CHECKSUM": zlib.crc32(data)}


def file_list(craft: Spacecraft) -> Values:
    """The packet FILE_LIST: a file for each exposure, the oldest of 2 000 making room."""
    newest = craft.exposures + 1800
    return {
        "FILES": min(newest, 2000),
        "BYTES_FREE": 64 * 2**30 - 4096 * min(newest, 2000),
        "NEWEST": f"{craft.name}-{newest:06}.hst",
        "OLDEST": f"{craft.name}-{max(newest - 1999, 1):06}.hst",
    }
