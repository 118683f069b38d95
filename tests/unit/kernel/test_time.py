"""The times of packets, held against ``datetime`` and published instants."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from c2kit.errors import DefinitionError, UsageError
from c2kit.kernel.contract import Column
from c2kit.kernel.layout import raw_dtype
from c2kit.kernel.leapseconds import LeapSeconds
from c2kit.kernel.tally import Tally
from c2kit.kernel.time import Times, check_time, encode_time, packet_times, time_fields
from c2kit.model.conversions import Function
from c2kit.model.fields import Encoding, Expand, Fixed
from c2kit.model.packets import DerivedItem, Item, Packet
from c2kit.model.source import Source
from c2kit.model.time import EPOCHS, GPS, J2000, TAI1958, UNIX, UTC1958, Cds, Cuc, Epoch, PacketTime, Scale
from tests.columns import numbers, strings

SECOND = 10**9


def cuc(epoch: Epoch, coarse_bits: int = 32, fine_bits: int | None = None, fine_bytes: int | None = None) -> Packet:
    items = [Item(name="COARSE", bit_length=coarse_bits)]
    if fine_bits is not None:
        items.append(Item(name="FINE", bit_length=fine_bits))
    if fine_bytes is not None:
        items.append(Item(name="FINE", encoding=Encoding.BINARY, length=Fixed((fine_bytes,))))
    fine = "FINE" if len(items) > 1 else None
    return Packet(name="P", items=tuple(items), time=PacketTime(Cuc("COARSE", fine), epoch), source=Source("p.yaml", 3))


def cds(epoch: Epoch, day_bits: int = 16, sub_bits: int | None = None) -> Packet:
    items = [Item(name="DAY", bit_length=day_bits), Item(name="MS", bit_length=32)]
    if sub_bits is not None:
        items.append(Item(name="SUB", bit_length=sub_bits))
    code = Cds("DAY", "MS", None if sub_bits is None else "SUB")
    return Packet(name="P", items=tuple(items), time=PacketTime(code, epoch), source=Source("p.yaml", 3))


def columns(packet: Packet, *rows: Sequence[Any]) -> dict[str, Column]:
    made = {}
    for item, values in zip(packet.items, zip(*rows, strict=True), strict=True):
        made[item.name] = strings(values) if item.encoding.is_bytes else numbers(values, raw_dtype(item))
    return made


def times(packet: Packet, *rows: Sequence[Any], leap: LeapSeconds | None = None) -> Times:
    return packet_times(packet, columns(packet, *rows), leap)


def ns(*fields: int) -> int:
    """Nanoseconds since 1970 of a calendar reading; the last of eight fields is nanoseconds of a microsecond."""
    since = datetime(*fields[:7], tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)  # type: ignore[misc,arg-type]
    return (since // timedelta(microseconds=1)) * 1000 + (fields[7] if len(fields) > 7 else 0)


@pytest.mark.parametrize(
    ("epoch", "first"),
    [
        (UNIX, ns(1970, 1, 1)),
        (GPS, ns(1980, 1, 6)),
        (J2000, ns(2000, 1, 1, 11, 58, 55, 816_000)),
        (UTC1958, ns(1958, 1, 1)),
        (TAI1958, ns(1957, 12, 31, 23, 59, 50)),  # UTC did not exist yet: the offset of 1972 is held
    ],
)
def test_a_clock_at_zero_shows_its_epoch(epoch: Epoch, first: int) -> None:
    assert times(cuc(epoch), (0,)).column.to_list() == [first]
    assert epoch in EPOCHS.values()


@pytest.mark.parametrize(
    ("gps_seconds", "utc"),
    [
        (0, (1980, 1, 6)),
        (1_000_000_000, (2011, 9, 14, 1, 46, 25)),  # celebrated as the gigasecond of GPS
        (1_167_264_016, (2016, 12, 31, 23, 59, 59)),
        (1_167_264_018, (2017, 1, 1)),
    ],
)
def test_gps_seconds_at_known_instants(gps_seconds: int, utc: tuple[int, ...]) -> None:
    result = times(cuc(GPS), (gps_seconds,))
    assert result.column.to_list() == [ns(*utc)]
    assert not result.is_leap.any()
    assert not result.tallies


def test_a_leap_second_is_folded_flagged_and_counted() -> None:
    result = times(cuc(GPS, fine_bits=8), (1_167_264_016, 128), (1_167_264_017, 64), (1_167_264_018, 64))
    midnight = ns(2017, 1, 1)
    assert result.column.to_list() == [midnight - SECOND // 2, midnight + SECOND // 4, midnight + SECOND // 4]
    assert result.is_leap.tolist() == [False, True, False]
    assert result.tallies == {Tally.LEAP_SECOND: 1}


def test_cuc_with_the_epoch_of_ccsds_counts_every_second_of_tai() -> None:
    # CCSDS 301.0-B-4, 3.2.1. 2020-01-01 is 62 years of 365 days and 15 leap days after the epoch; TAI is 37 s ahead.
    count = (62 * 365 + 15) * 86_400 + 37
    assert times(cuc(TAI1958, fine_bits=24), (count, 1 << 23)).column.to_list() == [ns(2020, 1, 1, 0, 0, 0, 500_000)]


@pytest.mark.parametrize("bits", [1, 7, 8, 13, 16, 24, 30, 32, 33, 48, 56, 63, 64])
def test_a_fraction_of_any_width_is_cut_to_whole_nanoseconds(bits: int) -> None:
    codes = [0, 1, (1 << bits) - 1, 1 << (bits - 1), 0x5A5A5A5A5A5A5A5A >> (64 - bits)]
    result = times(cuc(UNIX, fine_bits=bits), *((7, code) for code in codes))
    assert result.column.to_list() == [7 * SECOND + ((code * SECOND) >> bits) for code in codes]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 8, 9, 10])
def test_a_fraction_in_octets_is_exact_to_the_last(size: int) -> None:
    # Up to 10 octets: 3, and 7 more with an extended P-field (CCSDS 301.0-B-4, 3.2.2).
    fractions = [bytes(size), b"\xff" * size, bytes(range(1, size + 1)), b"\x80" + bytes(size - 1)]
    result = times(cuc(UNIX, fine_bytes=size), *((9, fraction) for fraction in fractions), (None, None))
    expected = [9 * SECOND + (int.from_bytes(fraction, "big") * SECOND >> 8 * size) for fraction in fractions]
    assert result.column.to_list() == [*expected, None]


def test_the_lowest_octet_of_ten_decides_where_it_must() -> None:
    # The first code of nanosecond 1 and the code before it differ in the last octet only.
    first = -(-(1 << 80) // SECOND)
    rows = [(0, code.to_bytes(10, "big")) for code in (first - 1, first)]
    assert times(cuc(UNIX, fine_bytes=10), *rows).column.to_list() == [0, 1]


@pytest.mark.parametrize("bits", [8, 16, 24, 32, 40, 48, 56])
def test_seconds_of_any_width(bits: int) -> None:
    largest = (1 << bits) - 1
    result = times(cuc(UNIX, coarse_bits=bits, fine_bits=16), (largest, 0xFFFF), (1, 0))
    fits = largest < 2**63 // SECOND
    assert result.column.to_list() == [largest * SECOND + 999_984_741 if fits else None, SECOND]
    assert result.tallies[Tally.TIME_OUT_OF_RANGE] == (0 if fits else 1)


def test_the_first_and_last_nanosecond_of_int64_and_what_is_beyond() -> None:
    early = Epoch("early", -(2**63), Scale.UTC)
    packet = cuc(early, coarse_bits=40, fine_bits=64)

    def reading(since: int) -> tuple[int, int]:
        return since // SECOND, -(-((since % SECOND) << 64) // SECOND)

    result = times(packet, reading(0), reading(1), reading(2**64 - 1), reading(2**64), reading(2**64 + 10 * SECOND))
    assert result.column.to_list() == [-(2**63), 1 - 2**63, 2**63 - 1, None, None]
    assert result.tallies == {Tally.TIME_OUT_OF_RANGE: 2}
    before = cuc(Epoch("before", -(2**63) - 1, Scale.UTC), coarse_bits=40, fine_bits=64)
    assert times(before, reading(0), reading(1)).column.to_list() == [None, -(2**63)]


def test_where_a_field_has_no_value_there_is_no_time_and_nothing_is_counted() -> None:
    result = times(cuc(GPS, fine_bits=16), (1, 1), (None, 1), (2, None), (3, 0))
    assert [value is None for value in result.column.to_list()] == [False, True, True, False]
    assert result.column.values[1:3].tolist() == [0, 0]
    assert not result.tallies


def test_no_packets_have_no_times() -> None:
    packet = cds(UTC1958, sub_bits=16)
    result = packet_times(packet, {item.name: numbers([], raw_dtype(item)) for item in packet.items})
    assert len(result.column) == len(result.is_leap) == 0


@pytest.mark.parametrize(
    ("day_bits", "sub_bits", "row", "expected"),
    [
        (16, None, (0, 0), ns(1958, 1, 1)),
        (16, None, (21_915, 43_200_001), ns(2018, 1, 1, 12, 0, 0, 1000)),
        (16, 16, (21_915, 43_200_001, 999), ns(2018, 1, 1, 12, 0, 0, 1999)),
        (16, 32, (21_915, 43_200_001, 999_999_999), ns(2018, 1, 1, 12, 0, 0, 1999, 999)),
        (16, 32, (21_915, 43_200_001, 1_000), ns(2018, 1, 1, 12, 0, 0, 1000, 1)),
        (16, None, (65_535, 86_399_999), ns(2137, 6, 6, 23, 59, 59, 999_000)),
        (24, None, (65_536, 0), ns(2137, 6, 7)),
        (24, 16, (111_000, 1, 1), ns(2261, 11, 28, 0, 0, 0, 1001)),
    ],
)
def test_day_segmented_times(day_bits: int, sub_bits: int | None, row: tuple[int, ...], expected: int) -> None:
    # CCSDS 301.0-B-4, 3.3.1: days from 1958-01-01 on, starting with 0; 3.3.2: microseconds or picoseconds.
    result = times(cds(UTC1958, day_bits, sub_bits), row)
    assert result.column.to_list() == [expected]
    assert not result.tallies


@pytest.mark.parametrize(
    ("packet", "row"),
    [
        (cds(UTC1958), (0, 86_401_000)),
        (cds(UTC1958), (0, 2**32 - 1)),
        (cds(UTC1958), (0, 86_400_000)),  # no leap second ended that day
        (cds(UTC1958, sub_bits=16), (0, 0, 1_000)),
        (cds(UTC1958, sub_bits=32), (0, 0, 1_000_000_000)),
        (cds(UTC1958, sub_bits=32), (0, 0, 2**32 - 1)),
        (cds(UTC1958, day_bits=24), (2**24 - 1, 0)),
        (cds(TAI1958), (21_549, 86_400_000)),  # a day of TAI never has another second
    ],
)
def test_what_no_clock_shows_has_no_time_and_is_counted(packet: Packet, row: tuple[int, ...]) -> None:
    good = (0,) * len(row)
    result = times(packet, good, row, good)
    assert [value is None for value in result.column.to_list()] == [False, True, False]
    assert result.tallies == {Tally.TIME_OUT_OF_RANGE: 1}


def test_the_leap_second_of_a_day_segmented_clock() -> None:
    # 2016-12-31, the 21 549th day after 1958-01-01, ended with a leap second.
    packet, midnight = cds(UTC1958, sub_bits=16), ns(2017, 1, 1)
    rows = [(21_549, 86_399_999, 999), (21_549, 86_400_000, 0), (21_549, 86_400_999, 999), (21_550, 0, 0)]
    result = times(packet, *rows)
    assert result.column.to_list() == [midnight - 1000, midnight, midnight + SECOND - 1000, midnight]
    assert result.is_leap.tolist() == [False, True, True, False]
    assert result.tallies == {Tally.LEAP_SECOND: 2}


def test_times_past_the_tables_expiry_are_converted_and_counted() -> None:
    old = LeapSeconds(((63_072_000, 10),), expires_ns=ns(1972, 6, 28))
    result = times(cuc(GPS), (0,), leap=old)
    assert result.column.to_list() == [ns(1980, 1, 6, 0, 0, 9)]  # without the 9 leap seconds until then
    assert result.tallies == {Tally.LEAP_TABLE_EXPIRED: 1}
    before = -SECOND * (1 + 10)
    early = Epoch("own", ns(1972, 6, 28) - before, Scale.TAI)
    assert times(cuc(early), (0,), leap=old).tallies == {Tally.LEAP_TABLE_EXPIRED: 1}
    last = Epoch("own", ns(1972, 6, 28) + 9 * SECOND, Scale.TAI)
    assert times(cuc(last), (0,), (1,), leap=old).tallies == {Tally.LEAP_TABLE_EXPIRED: 1}


def test_a_clock_of_utc_needs_no_table_but_for_a_leap_second_that_it_shows() -> None:
    old = LeapSeconds(((63_072_000, 10),), expires_ns=ns(1972, 6, 28))
    result = times(cds(UTC1958), (21_549, 0), (21_549, 86_400_000), leap=old)
    assert result.column.to_list() == [ns(2016, 12, 31), ns(2017, 1, 1)]
    assert result.tallies == {Tally.LEAP_SECOND: 1, Tally.LEAP_TABLE_EXPIRED: 1}
    assert not times(cuc(UNIX), (4 * 10**9,), leap=old).tallies


def test_an_epoch_between_two_seconds_carries_into_the_seconds() -> None:
    epoch = Epoch("own", 600_000_000, Scale.UTC)
    assert times(cuc(epoch, fine_bits=1), (5, 1), (5, 0)).column.to_list() == [6_100_000_000, 5_600_000_000]


def test_a_packet_without_a_time_cannot_be_asked_for_it() -> None:
    with pytest.raises(UsageError, match="P: its definition does not tell where its time is"):
        packet_times(Packet(name="P", items=()), {})
    with pytest.raises(UsageError, match="P: its definition does not tell where its time is"):
        encode_time(Packet(name="P", items=()), 0)


def test_the_fields_of_a_time_in_their_order() -> None:
    assert time_fields(PacketTime(Cuc("A", "B"), GPS)) == ("A", "B")
    assert time_fields(PacketTime(Cuc("A"), GPS)) == ("A",)
    assert time_fields(PacketTime(Cds("A", "B", "C"), GPS)) == ("A", "B", "C")


DERIVED = DerivedItem(name="SUM", function=Function("c2kit.functions:sum"), inputs=("COARSE",))


@pytest.mark.parametrize(
    ("items", "code", "complaint"),
    [
        ([Item(name="A")], Cuc("B"), "is in B, which is no field"),
        ([Item(name="COARSE")], Cuc("SUM"), "is in SUM, which is no field"),
        ([Item(name="A", bit_length=57)], Cuc("A"), "expected an unsigned integer of 1 to 56 bits"),
        ([Item(name="A", encoding=Encoding.TWOS_COMPLEMENT)], Cuc("A"), "found twos_complement of 8 bits"),
        ([Item(name="A", length=Fixed((2,)))], Cuc("A"), "which its code does not allow"),
        ([Item(name="A"), Item(name="B", encoding=Encoding.IEEE754, bit_length=32)], Cuc("A", "B"), "ieee754"),
        (
            [Item(name="A"), Item(name="B", encoding=Encoding.BINARY, length=Fixed((11,)))],
            Cuc("A", "B"),
            "1 to 10 bytes",
        ),
        (
            [Item(name="A"), Item(name="B", encoding=Encoding.BINARY, length=Fixed((0,)))],
            Cuc("A", "B"),
            "1 to 10 bytes",
        ),
        ([Item(name="A"), Item(name="B", encoding=Encoding.BINARY, length=Expand())], Cuc("A", "B"), "fixed length"),
        ([Item(name="A", bit_length=16), Item(name="B", bit_length=26)], Cds("A", "B"), "27 to 64 bits"),
        (
            [Item(name="A", bit_length=16), Item(name="B", bit_length=32), Item(name="C", bit_length=10)],
            Cds("A", "B", "C"),
            "16 or 32 bits",
        ),
    ],
)
def test_a_time_in_unfit_fields_is_refused_with_file_and_line(
    items: list[Item], code: Cuc | Cds, complaint: str
) -> None:
    packet = Packet(
        name="P",
        items=tuple(items),
        derived=(DERIVED,),
        time=PacketTime(code, GPS),
        source=Source("p.yaml", 3),
    )
    with pytest.raises(DefinitionError, match=rf"p\.yaml:3: P: its time .*{complaint}"):
        check_time(packet)


@pytest.mark.parametrize("packet", [cuc(GPS), cuc(GPS, 56, 64), cuc(GPS, 32, None, 10), cds(UTC1958, 24, 32)])
def test_times_in_fit_fields_are_accepted(packet: Packet) -> None:
    check_time(packet)
    check_time(Packet(name="P", items=()))


@pytest.mark.parametrize("epoch", EPOCHS.values(), ids=EPOCHS)
@pytest.mark.parametrize("fine_bits", [30, 32, 48, 64])
def test_a_fine_enough_unsegmented_clock_gives_back_the_nanosecond(epoch: Epoch, fine_bits: int) -> None:
    packet = cuc(epoch, coarse_bits=40, fine_bits=fine_bits)
    for when in (ns(2000, 1, 1, 12), ns(2026, 2, 3, 4, 5, 6, 789_012, 345), ns(2017, 1, 1) - 1):
        shown = encode_time(packet, when)
        assert times(packet, (shown["COARSE"], shown["FINE"])).column.to_list() == [when]


def test_a_coarse_clock_shows_the_last_code_not_after_the_time() -> None:
    assert encode_time(cuc(UNIX, fine_bits=8), 10 * SECOND - 1) == {"COARSE": 9, "FINE": 255}
    assert encode_time(cuc(UNIX), 10 * SECOND - 1) == {"COARSE": 9}
    assert encode_time(cuc(UNIX, fine_bytes=2), 9 * SECOND + SECOND // 2) == {"COARSE": 9, "FINE": b"\x80\x00"}
    assert encode_time(cds(UTC1958), ns(2018, 1, 1, 12, 0, 0, 1999)) == {"DAY": 21_915, "MS": 43_200_001}
    assert encode_time(cds(UTC1958, 16, 16), ns(2018, 1, 1, 12, 0, 0, 1999, 999))["SUB"] == 999
    assert encode_time(cds(UTC1958, 16, 32), ns(2018, 1, 1, 12, 0, 0, 1999, 999))["SUB"] == 999_999_000


def test_a_leap_second_can_be_shown() -> None:
    folded = ns(2017, 1, 1, 0, 0, 0, 500_000)
    assert encode_time(cds(UTC1958), folded, is_leap=True) == {"DAY": 21_549, "MS": 86_400_500}
    assert encode_time(cuc(GPS), folded, is_leap=True) == {"COARSE": 1_167_264_017}
    assert encode_time(cuc(GPS), folded) == {"COARSE": 1_167_264_018}
    assert encode_time(cds(UTC1958), folded + SECOND, is_leap=True) == {"DAY": 21_550, "MS": 1_500}


def test_what_a_clock_cannot_show_is_refused() -> None:
    with pytest.raises(UsageError, match="before the clock's epoch, expected gps or later"):
        encode_time(cuc(GPS), 0)
    with pytest.raises(UsageError, match="cannot show this time in COARSE, expected 16 bits"):
        encode_time(cuc(UNIX, coarse_bits=16), 65_536 * SECOND)
    with pytest.raises(UsageError, match="cannot show this time in DAY, expected 16 bits"):
        encode_time(cds(UTC1958), ns(2137, 6, 7))


def test_columns_are_not_changed_by_being_read() -> None:
    packet = cds(UTC1958, sub_bits=16)
    given = columns(packet, (1, 2, 3), (4, 5, 6))
    before = {name: column.values.copy() for name, column in given.items()}
    packet_times(packet, given)
    assert all(np.array_equal(given[name].values, before[name]) for name in given)
