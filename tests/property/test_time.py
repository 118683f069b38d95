"""Times of packets, held against integers that never overflow and a calendar that is walked second by second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from c2kit.kernel import reference
from c2kit.kernel.clock import Clock
from c2kit.kernel.layout import raw_dtype
from c2kit.kernel.leapseconds import LeapSeconds, leap_seconds
from c2kit.kernel.tally import Tally
from c2kit.kernel.time import check_time, encode_time, packet_times
from c2kit.model.fields import Encoding, Fixed
from c2kit.model.packets import Item, Packet
from c2kit.model.time import Cds, Cuc, Epoch, PacketTime, Scale
from tests.columns import numbers, strings
from tests.kernels import OTHERS
from tests.property.layouts import assert_same_columns

if TYPE_CHECKING:
    from c2kit.kernel.contract import Column
    from c2kit.kernel.time import Times

SECOND = 10**9
DAY = 86_400
INT64 = range(-(2**63), 2**63)


@st.composite
def tables(draw: st.DrawFn) -> LeapSeconds:
    """Tables of leap seconds, inserted and left out, a few seconds or years apart."""
    start, offset = draw(st.integers(-(10**10), 10**10)) // DAY * DAY, 10
    entries = [(start, offset)]
    for days, step in draw(st.lists(st.tuples(st.integers(1, 4000), st.sampled_from([1, 1, -1])), max_size=5)):
        start, offset = start + days * DAY, offset + step
        entries.append((start, offset))
    return LeapSeconds(tuple(entries), (start + draw(st.integers(1, 10**8))) * SECOND)


def utc_of(table: LeapSeconds, tai: int) -> tuple[int, bool]:
    """Each entry in turn: the last one that has begun, or the leap second right before the next one."""
    posix = tai - table.entries[0][1]
    for (_, before), (start, after) in zip(table.entries, table.entries[1:], strict=False):
        if tai >= start + after:
            posix = tai - after
        elif tai >= start + before:
            return start, True
    return posix, False


EPOCHS = st.builds(
    Epoch,
    st.just("own"),
    st.one_of(st.integers(-(2**64), 2**64), st.integers(-(10**18), 10**18)),
    st.sampled_from(Scale),
)


@st.composite
def clocks(draw: st.DrawFn) -> Packet:
    """Packets with a time in any code and any width."""
    if draw(st.booleans()):
        items = [Item(name="A", bit_length=draw(st.integers(1, 56)))]
        if draw(st.booleans()):
            items.append(Item(name="B", bit_length=draw(st.integers(1, 64))))
        elif draw(st.booleans()):
            items.append(Item(name="B", encoding=Encoding.BINARY, length=Fixed((draw(st.integers(1, 10)),))))
        code: Cuc | Cds = Cuc(*(item.name for item in items))
    else:
        items = [
            Item(name="A", bit_length=draw(st.integers(1, 32))),
            Item(name="B", bit_length=draw(st.integers(27, 64))),
        ]
        if draw(st.booleans()):
            items.append(Item(name="C", bit_length=draw(st.sampled_from([16, 32]))))
        code = Cds(*(item.name for item in items))
    return Packet(name="P", items=tuple(items), time=PacketTime(code, draw(EPOCHS)))


def raw_values(item: Item) -> st.SearchStrategy[int | bytes | None]:
    if item.encoding.is_bytes:
        size = (item.fixed_bits or 0) // 8
        return st.one_of(st.none(), st.binary(min_size=size, max_size=size), st.just(b"\xff" * size))
    top = (1 << item.bit_length) - 1
    likely = [0, 1, 999, 1000, 999_999_999, 10**9, 86_399_999, 86_400_000, 86_400_999, 86_401_000, 21_549, 2**53]
    return st.one_of(
        st.none(), st.integers(0, top), st.sampled_from([top, *(value for value in likely if value <= top)])
    )


def column(item: Item, values: list[int | bytes | None]) -> Column:
    if item.encoding.is_bytes:
        return strings([value if isinstance(value, bytes) else None for value in values])
    return numbers(values, raw_dtype(item))


def expected(packet: Packet, row: tuple[int | bytes | None, ...], table: LeapSeconds) -> tuple[int | None, bool, bool]:
    """The time, whether it is in a leap second, and whether it is beyond what the table knows."""
    assert packet.time is not None
    if None in row:
        return None, False, False
    ints = [int.from_bytes(value, "big") if isinstance(value, bytes) else value or 0 for value in row]
    is_late = False
    if isinstance(packet.time.code, Cuc):
        since = ints[0] * SECOND
        if len(ints) == 2:
            since += ints[1] * SECOND >> (packet.items[1].fixed_bits or 0)
    else:
        parts = (0, 0) if len(ints) == 2 else ((1000, 1000) if packet.items[2].bit_length == 16 else (1, 10**9))
        sub = ints[2] if len(ints) == 3 else 0
        if ints[1] >= 86_401_000 or (len(ints) == 3 and sub >= parts[1]):
            return None, False, False
        is_late = ints[1] >= 86_400_000
        since = ints[0] * DAY * SECOND + ints[1] * 10**6 + (sub * parts[0] if parts[0] != 1 else sub // 1000)
    seconds, rest = divmod(packet.time.epoch.posix_ns + since, SECOND)
    if packet.time.epoch.scale is Scale.TAI:
        if is_late:
            return None, False, False
        seconds, is_leap = utc_of(table, seconds)
        is_unsure = seconds * SECOND >= table.expires_ns
    else:
        inserted = {start for (_, a), (start, b) in zip(table.entries, table.entries[1:], strict=False) if b > a}
        is_unsure = is_late and seconds * SECOND >= table.expires_ns
        is_leap = is_late and (seconds in inserted or is_unsure)
        if is_late and not is_leap:
            return None, False, False
    when = seconds * SECOND + rest
    return (when, is_leap, is_unsure) if when in INT64 else (None, False, False)


@given(st.data(), clocks(), st.one_of(tables(), st.just(leap_seconds())))
def test_times_are_what_big_integers_say(data: st.DataObject, packet: Packet, table: LeapSeconds) -> None:
    rows = data.draw(st.lists(st.tuples(*(raw_values(item) for item in packet.items)), min_size=1, max_size=8))
    check_time(packet)
    columns = {item.name: column(item, [row[n] for row in rows]) for n, item in enumerate(packet.items)}
    result = packet_times(packet, columns, table)
    wanted = [expected(packet, row, table) for row in rows]
    assert result.column.to_list() == [when for when, _, _ in wanted]
    assert result.is_leap.tolist() == [is_leap for _, is_leap, _ in wanted]
    assert result.tallies[Tally.LEAP_SECOND] == sum(is_leap for _, is_leap, _ in wanted)
    assert result.tallies[Tally.LEAP_TABLE_EXPIRED] == sum(is_unsure for _, _, is_unsure in wanted)
    complete = sum(None not in row for row in rows)
    assert result.tallies[Tally.TIME_OUT_OF_RANGE] == complete - sum(when is not None for when, _, _ in wanted)


@given(tables(), st.data())
def test_tai_comes_back_from_every_second_near_a_leap(table: LeapSeconds, data: st.DataObject) -> None:
    start, offset = data.draw(st.sampled_from(table.entries))
    tai = start + offset + np.arange(-4, 5)
    posix, is_leap = table.posix_from_tai(tai)
    assert [(second, flag) for second, flag in zip(posix.tolist(), is_leap.tolist(), strict=True)] == [
        utc_of(table, second) for second in tai.tolist()
    ]
    assert table.tai_from_posix(posix, is_leap).tolist() == tai.tolist()


@given(clocks(), st.integers(0, 2**62), st.booleans())
def test_what_is_shown_is_read_as_the_last_time_not_after_it(packet: Packet, since: int, is_leap: bool) -> None:  # noqa: FBT001
    assert packet.time is not None
    epoch = packet.time.epoch
    when = epoch.posix_ns + since
    assume(when in INT64)
    assume(when - 100 * SECOND in INT64)
    try:
        shown = encode_time(packet, when, is_leap=is_leap)
    except ValueError:
        reject()  # the clock is too narrow for this time
    result = packet_times(packet, {item.name: column(item, [shown[item.name]]) for item in packet.items})
    read = result.column.to_list()[0]
    items = packet.items
    if isinstance(packet.time.code, Cuc):
        step = -(-SECOND >> (items[1].fixed_bits or 0)) if len(items) == 2 else SECOND
    else:
        step = 10**6 if len(items) == 2 else 10**3 if items[2].bit_length == 16 else 1
    # Below a nanosecond nothing is lost; a coarser code is itself cut to nanoseconds when it is read.
    assert 0 <= when - read <= (step if step > 1 else 0)
    if epoch.scale is Scale.TAI:
        folds = leap_seconds().follows_leap(np.array([when // SECOND]))[0]
        if read // SECOND == when // SECOND:
            assert result.is_leap[0] == (is_leap and folds)


def assert_same_times(found: Times, wanted: Times) -> None:
    assert_same_columns([found.column], [wanted.column])
    assert found.is_leap.tolist() == wanted.is_leap.tolist()
    assert found.tallies == wanted.tallies


@given(st.data(), clocks(), st.one_of(tables(), st.just(leap_seconds())))
def test_every_kernel_reads_the_same_times(data: st.DataObject, packet: Packet, table: LeapSeconds) -> None:
    clock = Clock.of(packet, table)
    assert clock is not None
    rows = data.draw(st.lists(st.tuples(*(raw_values(item) for item in packet.items)), max_size=8))
    whole = [row for row in rows if None not in row]
    names = [item.name for item in packet.items]
    packets = [reference.encode(clock.layout, dict(zip(names, row, strict=True))) for row in whole]
    # Whole packets, those that lack a byte, and any bytes.
    packets += [packet[:-1] for packet in packets] + data.draw(
        st.lists(st.binary(min_size=20, max_size=20), max_size=3)
    )
    ends = np.cumsum([len(packet) for packet in packets], dtype=np.int64)
    starts = ends - np.array([len(packet) for packet in packets], np.int64)
    expected = reference.times(clock, b"".join(packets), starts, ends)
    for kernel in OTHERS.values():
        assert_same_times(kernel.times(clock, b"".join(packets), starts, ends), expected)


@pytest.mark.parametrize("count", [0, 1, 2, 31, 32, 33, 10_000])
@given(st.data(), clocks())
def test_every_kernel_reads_the_same_times_of_many_packets(count: int, data: st.DataObject, packet: Packet) -> None:
    clock = Clock.of(packet)
    assert clock is not None
    buffer = data.draw(st.binary(min_size=40, max_size=60))
    starts = np.random.default_rng(1).integers(0, 20, count)
    ends = starts + 20
    times = [kernel.times(clock, buffer, starts, ends) for kernel in OTHERS.values()]
    for other in times[1:]:
        assert_same_times(other, times[0])
