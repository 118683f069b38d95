"""What is counted while values are computed: nothing that could not be converted vanishes.

A tally is a plain ``Counter`` with the keys of :class:`Tally`; what did not happen is not in it, so that an empty one
is false and ``total.update(tally)`` adds up.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum, unique
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import SupportsInt

__all__ = ["Tallies", "Tally", "tallies"]


@unique
class Tally(StrEnum):
    """What can happen to a value or a packet."""

    WITHOUT_STATE = "without_state"
    """An integer that no state names. It stays a number."""
    OUTSIDE_POINTS = "outside_points"
    """A number outside the points of a piecewise linear conversion that does not extrapolate. It has no value."""
    UNDECODABLE_TEXT = "undecodable_text"
    """Bytes that are no text in the item's character set. They have no engineering value."""
    TIME_OUT_OF_RANGE = "time_out_of_range"
    """A time that no clock can show, or that int64 nanoseconds cannot hold. It has no value."""
    LEAP_SECOND = "leap_second"
    """A time inside a leap second, folded onto the second that follows it."""
    PACKET_TOO_SHORT = "packet_too_short"
    """A packet that lacks a field which it should have, or bytes of the size declared. The field has no value."""
    PACKET_TOO_LONG = "packet_too_long"
    """A packet that goes on after the size declared, or else after the last field of a layout that does not vary."""
    LEAP_TABLE_EXPIRED = "leap_table_expired"
    """A time that was converted with a leap-second table which did not yet know it."""


Tallies = Counter[Tally]
"""How often each thing happened."""


def tallies(counts: Mapping[Tally, SupportsInt]) -> Tallies:
    """The tally of what happened at all."""
    return Counter({key: number for key, count in counts.items() if (number := int(count))})
