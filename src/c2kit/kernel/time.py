"""The times of packets, from their fields to POSIX nanoseconds and back, in exact integer arithmetic.

CCSDS 301.0-B-4 "Time Code Formats": 3.2 unsegmented (CUC), 3.3 day segmented (CDS). A time is kept as whole seconds and
nanoseconds of a second until the very end, so that nothing overflows on the way; fractions of a nanosecond are cut off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from attrs import define

from c2kit.errors import DefinitionError, UsageError
from c2kit.kernel.contract import Column
from c2kit.kernel.leapseconds import leap_seconds
from c2kit.kernel.tally import Tally, tallies
from c2kit.model.fields import Encoding, Field, Fixed
from c2kit.model.time import Cds, Cuc, Scale

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from c2kit.kernel.leapseconds import LeapSeconds
    from c2kit.kernel.tally import Tallies
    from c2kit.model.packets import Packet
    from c2kit.model.time import Epoch, PacketTime

    Numbers = npt.NDArray[Any]
    Integers = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

__all__ = ["Times", "check_time", "encode_time", "packet_times", "time_fields"]

_SECOND = 1_000_000_000
_DAY = 86_400
_CUC_BYTES = 10
"""The most octets of a fraction: 3, and 7 more with an extended P-field (CCSDS 301.0-B-4, 3.2.2)."""
_MAX_COARSE_BITS = 56
"""The most octets of whole seconds are 4, and 3 more with an extended P-field."""


@define(frozen=True, slots=True, eq=False)
class Times:
    """When ``n`` packets were made."""

    column: Column
    """``(n,)`` int64: POSIX nanoseconds, UTC; no value where the fields have none or tell no possible time."""
    is_leap: npt.NDArray[np.bool_]
    """``(n,)``: inside a leap second, and therefore shown as in the second after it."""
    tallies: Tallies
    """Times out of range (which have no value), in leap seconds, and past the expiry of the leap-second table."""


def time_fields(time: PacketTime) -> tuple[str, ...]:
    """The names of the fields that hold a packet's time."""
    code = time.code
    names = (code.coarse, code.fine) if isinstance(code, Cuc) else (code.days, code.milliseconds, code.submilliseconds)
    return tuple(name for name in names if name is not None)


def check_time(packet: Packet) -> None:
    """Refuse a time whose fields are missing or not such as its code asks for.

    Raises :class:`~c2kit.errors.DefinitionError`.
    """
    if packet.time is None:
        return
    for name in time_fields(packet.time):
        _time_field(packet, name)
    code = packet.time.code
    if isinstance(code, Cuc):
        _check_integer(packet, code.coarse, range(1, _MAX_COARSE_BITS + 1))
        if code.fine is not None:
            _check_fine(packet, code.fine)
    else:
        _check_integer(packet, code.days, range(1, 33))
        _check_integer(packet, code.milliseconds, range(27, 65))
        if code.submilliseconds is not None:
            _check_integer(packet, code.submilliseconds, (16, 32))


def _refuse(packet: Packet, what: str, *, expected: object = None, found: object = None, remedy: str = "") -> NoReturn:
    text = f"{packet.name}: its time {what}"
    raise DefinitionError(text, source=packet.source, expected=expected, found=found, remedy=remedy)


def _time_field(packet: Packet, name: str) -> Field:
    field = packet.items_by_name.get(name)
    if not isinstance(field, Field):
        _refuse(packet, f"is in {name}, which is no field of the packet", remedy="name an item that is not derived")
    return field


def _check_integer(packet: Packet, name: str, widths: range | tuple[int, ...]) -> None:
    field = _time_field(packet, name)
    if field.encoding is not Encoding.UNSIGNED or field.is_array or field.bit_length not in widths:
        expected = f"an unsigned integer of {widths[0]} {'or' if len(widths) == 2 else 'to'} {widths[-1]} bits"
        found = f"{field.encoding.value} of {field.bit_length} bits"
        _refuse(packet, f"is in {name}, which its code does not allow", expected=expected, found=found)


def _check_fine(packet: Packet, name: str) -> None:
    field = _time_field(packet, name)
    if field.encoding is not Encoding.BINARY:
        _check_integer(packet, name, range(1, 65))
    elif not isinstance(field.length, Fixed) or not 1 <= field.length.count <= _CUC_BYTES:
        expected = f"a fixed length of 1 to {_CUC_BYTES} bytes"
        _refuse(packet, f"has its fraction in {name}, which its code does not allow", expected=expected)


def packet_times(packet: Packet, columns: Mapping[str, Column], leap: LeapSeconds | None = None) -> Times:
    """When each packet was made, from the columns of its raw values.

    A clock that counts days of UTC shows 86 400 000 ms and more in a leap second only; the table says when there is
    one, and from its expiry on any such time is believed. ``leap`` is the table to use instead of the one that c2kit
    brings along. Raises :class:`~c2kit.errors.UsageError` for a packet whose definition has no time.
    """
    if packet.time is None:
        raise UsageError(f"{packet.name}: its definition does not tell where its time is", expected="a time")
    code, epoch, leap = packet.time.code, packet.time.epoch, leap or leap_seconds()
    clock = _read_cuc(packet, code, columns) if isinstance(code, Cuc) else _read_cds(code, columns)
    seconds, nanoseconds = _since_1970(clock, epoch)
    if epoch.scale is Scale.TAI:
        seconds, is_leap = leap.posix_from_tai(seconds)
        is_possible = clock.is_possible & ~clock.is_late
        is_unsure = seconds >= leap.expires
    else:
        is_unsure = clock.is_late & (seconds >= leap.expires)
        is_leap = clock.is_late & (leap.follows_leap(seconds) | is_unsure)
        is_possible = clock.is_possible & (is_leap | ~clock.is_late)
    present = _present([columns[name] for name in time_fields(packet.time)])
    valid = present & is_possible & _fits(seconds, nanoseconds)
    counts = {
        Tally.TIME_OUT_OF_RANGE: np.count_nonzero(present & ~valid),
        Tally.LEAP_SECOND: np.count_nonzero(valid & is_leap),
        Tally.LEAP_TABLE_EXPIRED: np.count_nonzero(valid & is_unsure),
    }
    values = np.where(valid, seconds * _SECOND + nanoseconds, 0)
    return Times(Column(values, None if valid.all() else valid), valid & is_leap, tallies(counts))


@define(frozen=True, slots=True, eq=False)
class _Clock:
    """What clocks show, on their own scale."""

    seconds: Integers
    nanoseconds: Integers
    is_possible: Flags
    """Whether each part is within its range."""
    is_late: Flags
    """Whether the day has gone on for longer than 86 400 s."""


def _present(columns: list[Column]) -> Flags:
    present = np.ones(len(columns[0]), np.bool_)
    for column in columns:
        if column.valid is not None:
            present &= column.valid
    return present


def _since_1970(clock: _Clock, epoch: Epoch) -> tuple[Integers, Integers]:
    nanoseconds = clock.nanoseconds + epoch.posix_ns % _SECOND
    return clock.seconds + epoch.posix_ns // _SECOND + nanoseconds // _SECOND, nanoseconds % _SECOND


def _fits(seconds: Integers, nanoseconds: Integers) -> Flags:
    """Whether int64 holds the time in nanoseconds: from 1677-09-21 to 2262-04-11."""
    limits = np.iinfo(np.int64)
    (first, after_first), (last, after_last) = divmod(limits.min, _SECOND), divmod(limits.max, _SECOND)
    is_late_enough = (seconds > first) | ((seconds == first) & (nanoseconds >= after_first))
    fits: Flags = is_late_enough & ((seconds < last) | ((seconds == last) & (nanoseconds <= after_last)))
    return fits


def _read_cuc(packet: Packet, code: Cuc, columns: Mapping[str, Column]) -> _Clock:
    seconds = columns[code.coarse].values.astype(np.int64)
    nanoseconds = np.zeros(len(seconds), np.int64)
    if code.fine is not None:
        nanoseconds = _fraction_ns(_limbs(_time_field(packet, code.fine), columns[code.fine]))
    always = np.ones(len(seconds), np.bool_)
    return _Clock(seconds, nanoseconds, always, ~always)


def _limbs(field: Field, column: Column) -> npt.NDArray[np.uint64]:
    """A binary fraction in limbs of 32 bits: ``(limbs, n)``, the most significant first."""
    if column.offsets is None:
        bits = column.values.astype(np.uint64) << np.uint64(64 - field.bit_length)
        return np.stack([bits >> np.uint64(32), bits & np.uint64(0xFFFFFFFF)])
    count = len(column)
    size = (field.fixed_bits or 0) // 8
    octets = np.zeros((count, -(-size // 4) * 4), np.uint8)
    present = np.diff(column.offsets) == size
    octets[present, :size] = column.values.reshape(-1, size)
    return octets.view(">u4").astype(np.uint64).T


def _fraction_ns(limbs: npt.NDArray[np.uint64]) -> Integers:
    """Whole nanoseconds in binary fractions of a second, exactly: what is carried from limb to limb is under 2^30."""
    carry = np.zeros(limbs.shape[1], np.uint64)
    for limb in limbs[::-1]:
        carry = (limb * np.uint64(_SECOND) + carry) >> np.uint64(32)
    return carry.astype(np.int64)


def _read_cds(code: Cds, columns: Mapping[str, Column]) -> _Clock:
    # No clock shows more; the bound keeps what a hostile one shows from overflowing.
    milliseconds = np.minimum(columns[code.milliseconds].values, _DAY * 1000 + 1000).astype(np.int64)
    is_possible = milliseconds < _DAY * 1000 + 1000
    seconds = columns[code.days].values.astype(np.int64) * _DAY + milliseconds // 1000
    nanoseconds = milliseconds % 1000 * 1_000_000
    if code.submilliseconds is not None:
        parts: Numbers = columns[code.submilliseconds].values
        # 16 bits count microseconds, 32 bits count picoseconds (CCSDS 301.0-B-4, 3.3.2).
        in_microseconds = parts.dtype == np.uint16
        is_possible &= parts < (1_000 if in_microseconds else _SECOND)
        nanoseconds += parts.astype(np.int64) * 1_000 if in_microseconds else parts.astype(np.int64) // 1_000
        nanoseconds %= _SECOND
    return _Clock(seconds, nanoseconds, is_possible, milliseconds >= _DAY * 1000)


def encode_time(
    packet: Packet, ns: int, leap: LeapSeconds | None = None, *, is_leap: bool = False
) -> dict[str, int | bytes]:
    """The raw values of the fields that make a packet's time be ``ns`` (POSIX nanoseconds, UTC).

    Where the code is coarser, they tell the last time not after it; decoding them gives exactly ``ns`` where it is not.
    ``is_leap`` says that the second is the leap second which folds onto it. Raises
    :class:`~c2kit.errors.UsageError` for a time that the fields cannot tell.
    """
    if packet.time is None:
        raise UsageError(f"{packet.name}: its definition does not tell where its time is", expected="a time")
    code, epoch, leap = packet.time.code, packet.time.epoch, leap or leap_seconds()
    second, nanoseconds = divmod(ns, _SECOND)
    posix = np.array([second], np.int64)
    is_leap = is_leap and bool(leap.follows_leap(posix)[0])
    if epoch.scale is Scale.TAI:
        second = int(leap.tai_from_posix(posix, np.array([is_leap]))[0])
    since = second * _SECOND + nanoseconds - epoch.posix_ns
    if since < 0:
        raise UsageError(f"{packet.name}: {ns} ns is before the clock's epoch", expected=f"{epoch.name} or later")
    if isinstance(code, Cuc):
        return _show_cuc(packet, code, since)
    return _show_cds(packet, code, since, is_late=is_leap and epoch.scale is Scale.UTC)


def _show_cuc(packet: Packet, code: Cuc, since: int) -> dict[str, int | bytes]:
    seconds, rest = divmod(since, _SECOND)
    shown: dict[str, int | bytes] = {code.coarse: _fitting(packet, code.coarse, seconds)}
    if code.fine is None:
        return shown
    field = _time_field(packet, code.fine)
    bits = field.fixed_bits or 0
    # Finer than a nanosecond, the first code of a nanosecond is the one that is read as it.
    fine = -(-(rest << bits) // _SECOND) if 1 << bits >= _SECOND else (rest << bits) // _SECOND
    shown[code.fine] = fine.to_bytes(bits // 8, "big") if field.encoding.is_bytes else fine
    return shown


def _show_cds(packet: Packet, code: Cds, since: int, *, is_late: bool) -> dict[str, int | bytes]:
    days, rest = divmod(since, _DAY * _SECOND)
    milliseconds, rest = divmod(rest, 1_000_000)
    if is_late:
        days, milliseconds = days - 1, milliseconds + _DAY * 1000
    shown: dict[str, int | bytes] = {
        code.days: _fitting(packet, code.days, days),
        code.milliseconds: _fitting(packet, code.milliseconds, milliseconds),
    }
    if code.submilliseconds is not None:
        is_microseconds = _time_field(packet, code.submilliseconds).bit_length == 16
        shown[code.submilliseconds] = rest // 1_000 if is_microseconds else rest * 1_000
    return shown


def _fitting(packet: Packet, name: str, value: int) -> int:
    bits = _time_field(packet, name).bit_length
    if value >> bits:
        raise UsageError(
            f"{packet.name}: its clock cannot show this time in {name}", expected=f"{bits} bits", found=value
        )
    return value
