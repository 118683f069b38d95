"""TAI and UTC, held against published tables and instants."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from c2kit.errors import DefinitionError
from c2kit.kernel.leapseconds import LeapSeconds, leap_seconds

SYSTEM_TABLE = Path("/usr/share/zoneinfo/leap-seconds.list")

# Two real entries and two future ones that never were: one second inserted and one left out.
MADE_UP = """\
#	A comment of the file's own.
#$	3676924800
#@	4134153600
3644697600	36	# 1 Jul 2015
3692217600	37	# 1 Jan 2017
4102444800	38	# 1 Jan 2030
4118083200	37	# 1 Jul 2030
"""


def posix(*fields: int) -> int:
    return int(datetime(*fields, tzinfo=UTC).timestamp())  # type: ignore[misc,arg-type]


def seconds(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def test_the_table_agrees_with_the_one_of_the_operating_system() -> None:
    if not SYSTEM_TABLE.is_file():
        pytest.skip(f"{SYSTEM_TABLE} is not here: nothing to compare with")
    system = LeapSeconds.read(SYSTEM_TABLE.read_text())
    # One of the two may be newer and know more.
    known = min(len(system.entries), len(leap_seconds().entries))
    assert system.entries[:known] == leap_seconds().entries[:known]
    assert known >= 28


def test_the_table_knows_when_it_expires() -> None:
    assert datetime.fromtimestamp(leap_seconds().expires_ns / 1e9, UTC) == datetime(2027, 6, 28, tzinfo=UTC)
    assert leap_seconds().expires == posix(2027, 6, 28)


@pytest.mark.parametrize(
    ("utc", "tai_minus_utc"),
    [
        ((1972, 1, 1), 10),  # where UTC as it is today begins
        ((1972, 6, 30, 23, 59, 59), 10),
        ((1972, 7, 1), 11),
        ((1980, 1, 6), 19),  # the epoch of GPS time
        ((1999, 1, 1), 32),
        ((2005, 12, 31, 23, 59, 59), 32),
        ((2016, 12, 31, 23, 59, 59), 36),
        ((2017, 1, 1), 37),
        ((2026, 12, 31), 37),
        ((1958, 1, 1), 10),  # before the table, where its first offset is held
    ],
)
def test_offset_at_published_dates_in_both_directions(utc: tuple[int, ...], tai_minus_utc: int) -> None:
    when = seconds(posix(*utc))
    assert leap_seconds().tai_from_posix(when).tolist() == [posix(*utc) + tai_minus_utc]
    back, is_leap = leap_seconds().posix_from_tai(when + tai_minus_utc)
    assert back.tolist() == when.tolist()
    assert not is_leap.any()


def test_a_leap_second_folds_onto_the_next_day_and_is_flagged() -> None:
    midnight = posix(2017, 1, 1)
    tai = midnight + np.arange(35, 39)  # 23:59:59, 23:59:60, 00:00:00, 00:00:01
    back, is_leap = leap_seconds().posix_from_tai(tai)
    assert back.tolist() == [midnight - 1, midnight, midnight, midnight + 1]
    assert is_leap.tolist() == [False, True, False, False]
    assert leap_seconds().tai_from_posix(back, is_leap).tolist() == tai.tolist()


def test_a_flag_where_no_leap_second_is_has_no_effect() -> None:
    when = seconds(posix(2017, 1, 1) - 1, posix(2017, 1, 1) + 1, posix(2018, 1, 1), posix(1972, 1, 1))
    flags = np.ones(len(when), np.bool_)
    assert leap_seconds().tai_from_posix(when, flags).tolist() == leap_seconds().tai_from_posix(when).tolist()


def test_a_table_of_the_users_own_replaces_it() -> None:
    table = LeapSeconds.read(MADE_UP)
    assert table.expires == posix(2031, 1, 3)
    new_year = posix(2030, 1, 1)
    back, is_leap = table.posix_from_tai(new_year + np.arange(36, 40))
    assert back.tolist() == [new_year - 1, new_year, new_year, new_year + 1]
    assert is_leap.tolist() == [False, True, False, False]


def test_a_second_that_is_left_out_leaves_no_trace() -> None:
    table = LeapSeconds.read(MADE_UP)
    july = posix(2030, 7, 1)
    # 23:59:58 is followed by 00:00:00: there never was a 23:59:59.
    back, is_leap = table.posix_from_tai(july + np.arange(35, 39))
    assert back.tolist() == [july - 3, july - 2, july, july + 1]
    assert not is_leap.any()
    assert table.tai_from_posix(back).tolist() == (july + np.arange(35, 39)).tolist()


def test_every_second_around_every_leap_second_comes_back() -> None:
    table = leap_seconds()
    around = np.concatenate([start + offset + np.arange(-3, 4) for start, offset in table.entries])
    back, is_leap = table.posix_from_tai(around)
    assert is_leap.sum() == 27
    assert table.tai_from_posix(back, is_leap).tolist() == around.tolist()


def with_hash(text: str) -> str:
    digits = "".join(
        "".join(line.lstrip("#$@").partition("#")[0].split())
        for line in text.splitlines()
        if line.startswith(("#$", "#@")) or not line.startswith("#")
    )
    digest = hashlib.sha1(digits.encode(), usedforsecurity=False).hexdigest()
    # IERS writes each word without its leading zeros.
    words = [f"{int(digest[place : place + 8], 16):x}" for place in range(0, 40, 8)]
    return f"{text}#h\t{' '.join(words)}\n"


def test_the_checksum_of_a_file_is_believed_only_if_it_holds() -> None:
    assert LeapSeconds.read(with_hash(MADE_UP)) == LeapSeconds.read(MADE_UP)
    damaged = with_hash(MADE_UP).replace("4118083200", "4118169600")
    with pytest.raises(DefinitionError, match=r"mine\.list:8: .*damaged.*fetch it again"):
        LeapSeconds.read(damaged, file="mine.list")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no expiry"),
        ("#@ 4134153600\n", "no offsets"),
        ("#@ soon\n", "leap-seconds.list:1: .*a number.*'soon'"),
        ("#@ 4134153600\n3644697600 36 1\n", ":2: .*a time and an offset"),
        ("#@ 4134153600\n3644697600\n", ":2: .*a time and an offset"),
        ("#@ 4134153600\n3644697600 x\n", ":2: .*a number.*'x'"),
        ("#@ 4134153600\n3692217600 37\n3644697600 36\n", ":3: .*jumps"),
        ("#@ 4134153600\n3644697600 36\n3692217600 38\n", ":3: .*jumps"),
        ("<html>Not Found</html>\n", ":1: "),
    ],
)
def test_what_is_no_table_is_refused_with_its_line(text: str, complaint: str) -> None:
    with pytest.raises(DefinitionError, match=complaint):
        LeapSeconds.read(text)
