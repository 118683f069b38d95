"""Splitting by a length field: hand-made vectors, and the implementations against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2kit.errors import UsageError
from c2kit.kernel import reference
from c2kit.kernel.columns.split import put_length
from c2kit.kernel.contract import LengthRule, Split
from tests.kernels import KERNELS, OTHERS

if TYPE_CHECKING:
    from c2kit.kernel.contract import Kernel


SPACE_PACKET = LengthRule(length_bit_offset=32, length_bits=16, adjustment_bytes=7, minimum_bytes=7)
"""CCSDS 133.0-B-2, 4.1.3.5.3: octets in the packet data field less one, behind a primary header of six."""

# Rule, bytes, expected: packets, what the next one claims, whether that is bad.
VECTORS = {
    "two space packets and the beginning of a third": (
        SPACE_PACKET,
        "0001 C000 0000 AA  0001 C001 0002 BBBBBB  0001 C002",
        [(0, 7), (7, 16)],
        None,
        False,
    ),
    "a space packet without its last byte": (SPACE_PACKET, "0001 C000 0002 AABB", [], 9, False),
    "a length field that is all there is": (LengthRule(0, 8), "01 01", [(0, 1), (1, 2)], None, False),
    "no bytes": (SPACE_PACKET, "", [], None, False),
    "a length of zero": (LengthRule(0, 8), "02 FF 00 FF", [(0, 2)], 0, True),
    "a packet that does not hold its own length field": (LengthRule(0, 16), "0001 AAAA", [], 1, True),
    "a packet below the minimum": (LengthRule(0, 8, minimum_bytes=3), "02 FF FF", [], 2, True),
    "a packet above the maximum": (LengthRule(0, 8, maximum_bytes=3), "03 AA AA 04 AA AA AA", [(0, 3)], 4, True),
    "little-endian": (LengthRule(0, 16, little_endian=True), "0300 AA 0400 BBBB", [(0, 3), (3, 7)], None, False),
    "four bytes": (LengthRule(8, 32), "FF 00000006 AA FF", [(0, 6)], None, False),
    "eight bytes that claim more than any memory": (
        LengthRule(0, 64, maximum_bytes=2**70),
        "FFFFFFFFFFFFFFFF AA",
        [],
        2**64 - 1,
        False,
    ),
    "three bytes": (LengthRule(0, 24), "000004 AA 000003", [(0, 4), (4, 7)], None, False),
    "in words of four bytes": (LengthRule(0, 8, unit_bytes=4), "01 AAAAAA 02", [(0, 4)], 8, False),
    # The length is 5 in bits 3 to 10: 111 00000101 00000.
    "across bytes": (LengthRule(3, 8), "E0A0 AAAAAA E0C0", [(0, 5)], 6, False),
    # Little-endian bits count from the least significant: 3 is in the upper four bits of the first byte.
    "the upper half of a byte, little-endian": (
        LengthRule(4, 4, little_endian=True),
        "3F AA AA 1F",
        [(0, 3), (3, 4)],
        None,
        False,
    ),
    # 64 bits that begin within a byte lie in nine.
    "nine bytes": (LengthRule(4, 64), "F 000000000000000A F AA F0", [(0, 10)], None, False),
}


def bounds(split: Split) -> list[tuple[int, int]]:
    return list(zip(split.starts.tolist(), split.ends.tolist(), strict=True))


@KERNELS
@pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS.keys())
def test_packets_end_where_their_length_field_says(
    kernel: Kernel, vector: tuple[LengthRule, str, list[tuple[int, int]], int | None, bool]
) -> None:
    rule, text, packets, claim, is_bad = vector
    split = kernel.split(bytes.fromhex(text.replace(" ", "")), rule)
    assert bounds(split) == packets
    assert split.next_byte == (packets[-1][1] if packets else 0)
    assert (split.next_size_bytes, split.is_bad) == (claim, is_bad)


@KERNELS
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_splitting_may_begin_anywhere_in_any_bytes_like_object(kernel: Kernel, kind: type) -> None:
    split = kernel.split(kind(b"??\x02A\x03AA\x05"), LengthRule(0, 8), 2)
    assert bounds(split) == [(2, 4), (4, 7)]
    assert (split.next_byte, split.next_size_bytes) == (7, 5)


@st.composite
def rules(draw: st.DrawFn) -> LengthRule:
    return LengthRule(
        length_bit_offset=draw(st.one_of(st.sampled_from([0, 8, 32]), st.integers(0, 40))),
        length_bits=draw(st.one_of(st.sampled_from([8, 16, 32, 64]), st.integers(1, 64))),
        little_endian=draw(st.booleans()),
        unit_bytes=draw(st.sampled_from([1, 1, 2, 4])),
        adjustment_bytes=draw(st.sampled_from([0, 7, 12, -3])),
        minimum_bytes=draw(st.sampled_from([1, 7])),
        maximum_bytes=draw(st.sampled_from([20, 300, 2**32, 2**70])),
    )


buffers = st.one_of(st.binary(max_size=80), st.lists(st.sampled_from([0, 0, 0, 1, 2, 8, 255]), max_size=80).map(bytes))


@given(rule=rules(), buffer=buffers, start_byte=st.integers(0, 10))
def test_all_implementations_split_any_bytes_by_any_rule_alike(
    rule: LengthRule, buffer: bytes, start_byte: int
) -> None:
    start_byte = min(start_byte, len(buffer))
    one = reference.split(buffer, rule, start_byte)
    for kernel in OTHERS.values():
        other = kernel.split(buffer, rule, start_byte)
        assert bounds(one) == bounds(other)
        assert (one.next_byte, one.next_size_bytes, one.is_bad) == (
            other.next_byte,
            other.next_size_bytes,
            other.is_bad,
        )


@given(rule=rules(), size=st.integers(0, 400), filler=st.sampled_from([0, 0xFF, 0xA5]))
def test_a_length_that_was_put_is_the_one_that_is_read_and_changes_nothing_else(
    rule: LengthRule, size: int, filler: int
) -> None:
    packet = bytearray([filler]) * size
    try:
        put_length(packet, rule)
    except UsageError:
        most = rule.unit_bytes * (2**rule.length_bits - 1) + rule.adjustment_bytes
        possible = range(rule.adjustment_bytes, min(most, rule.maximum_bytes) + 1, rule.unit_bytes)
        assert size not in possible or size < max(rule.minimum_bytes, rule.header_bytes)
        return
    split = reference.split(bytes(packet) + b"more", rule)
    assert bounds(split)[0] == (0, size)
    before = int.from_bytes(bytes([filler]) * size, "little" if rule.little_endian else "big")
    after = int.from_bytes(packet, "little" if rule.little_endian else "big")
    changed = f"{before ^ after:0{8 * size}b}"
    first = rule.length_bit_offset
    order = changed[::-1] if rule.little_endian else changed
    assert "1" not in order[:first] + order[first + rule.length_bits :]


@KERNELS
@given(rule=rules(), buffer=buffers, start_byte=st.integers(0, 10))
def test_the_place_sought_is_the_first_that_is_not_bad(
    kernel: Kernel, rule: LengthRule, buffer: bytes, start_byte: int
) -> None:
    places = range(start_byte, max(start_byte, len(buffer) - rule.header_bytes + 1))
    splits = ((place, reference.split(buffer, rule, place)) for place in places)
    good = (place for place, split in splits if split.next_byte > place or not split.is_bad)
    assert kernel.seek_length(buffer, rule, start_byte) == next(good, places.stop)
