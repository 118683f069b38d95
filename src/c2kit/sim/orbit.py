"""Where the satellite is: an orbit once in 94 minutes, with a shadow and a pass over the station."""

from __future__ import annotations

import math

from attrs import frozen

__all__ = ["PERIOD_S", "Orbit"]

PERIOD_S = 5640.0
SHADOW_S = 2160.0
PENUMBRA_S = 10.0
PASS_S = 600.0


@frozen
class Orbit:
    """All times are seconds from the beginning, which is in the shadow and at the beginning of a pass."""

    sunrise_s: float
    """When the first shadow ends."""

    def sunlight(self, t: float) -> float:
        """0 in the shadow, 1 in the sun."""
        since_sunrise = (t - self.sunrise_s) % PERIOD_S
        until_sunset = PERIOD_S - SHADOW_S - since_sunrise
        return min(max(min(since_sunrise, until_sunset) / PENUMBRA_S, 0.0), 1.0)

    def is_in_pass(self, t: float) -> bool:
        """Whether the station sees the satellite."""
        return t % PERIOD_S < PASS_S

    def angle(self, t: float) -> float:
        """How far it has gone since the beginning, in radians."""
        return 2 * math.pi * (t % PERIOD_S) / PERIOD_S

    def magnetic_field(self, t: float) -> tuple[float, float, float]:
        """In nanotesla, along the axes of the orbit."""
        return 24_000 * math.cos(self.angle(t)), 8_000.0, 31_000 * math.sin(self.angle(t))
