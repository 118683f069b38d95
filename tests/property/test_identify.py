"""Identification and sequence checks of whole batches, held against one packet at a time."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from c2kit.batches import PacketBatch
from c2kit.dictionaries import Dictionary
from c2kit.model.packets import Item, Match, Packet
from c2kit.model.target import Target
from c2kit.processors import Identifier, SequenceBreaks, UnknownPackets


@st.composite
def packets(draw: st.DrawFn, number: int) -> Packet:
    items, matches = [], []
    for index in range(draw(st.integers(0, 2))):
        start = draw(st.integers(0, 11))
        bits = draw(st.integers(1, 12 - start))
        order = draw(st.sampled_from(["big", "little"]))
        items.append(Item(name=f"I{index}", bit_offset=start, bit_length=bits, byte_order=order))
        matches.append(Match(f"I{index}", draw(st.integers(0, min(3, (1 << bits) - 1)))))
    fallback = draw(st.booleans())
    return Packet(name=f"P{number}", items=tuple(items), identification=tuple(matches), fallback=fallback)


def meets(packet: Packet, data: bytes) -> bool:
    """By plain big-integer arithmetic."""
    for item, match in zip(packet.items, packet.identification, strict=True):
        assert item.bit_offset is not None
        end = item.bit_offset + item.bit_length
        if end > 8 * len(data):
            return False
        little = int.from_bytes(data, "little") >> item.bit_offset
        big = int.from_bytes(data, "big") >> (8 * len(data) - end)
        if (little if item.byte_order == "little" else big) & ((1 << item.bit_length) - 1) != match.value:
            return False
    return True


def can_be(packet: Packet) -> bool:
    return any(meets(packet, number.to_bytes(2, "big")) for number in range(1 << 16))


def batch(sent: list[bytes], *, space_packets: bool = False) -> PacketBatch:
    ends = np.cumsum([len(data) for data in sent], dtype=np.int64)
    starts = ends - np.array([len(data) for data in sent], np.int64)
    received = np.zeros(len(sent), np.int64)
    buffer = b"".join(sent) + b"\xff" * 9
    return PacketBatch(buffer=buffer, starts=starts, ends=ends, received=received, space_packets=space_packets)


small = st.lists(st.integers(0, 3), max_size=3).map(bytes)


@given(st.data(), st.lists(small, max_size=12))
def test_a_batch_is_identified_as_its_packets_are_one_by_one(data: st.DataObject, sent: list[bytes]) -> None:
    definitions = [data.draw(packets(number)) for number in range(data.draw(st.integers(0, 4)))]
    definitions = [packet for packet in definitions if can_be(packet)]
    identifier = Identifier(Dictionary(targets=(Target(name="T", packets=tuple(definitions)),)))
    ordered = sorted(definitions, key=lambda packet: (packet.fallback, packet.name))
    expected = [next((packet.name for packet in ordered if meets(packet, each)), None) for each in sent]
    found = [
        (definitions[place].name, content)
        for group in identifier.process(batch(sent))
        for place, content in zip(np.asarray(group.definition).tolist(), group, strict=True)
    ]
    assert found == [(name, each) for name, each in zip(expected, sent, strict=True) if name is not None]
    unknown = [
        each for aside in identifier.take_asides() if isinstance(aside, UnknownPackets) for each in aside.packets
    ]
    assert unknown == [each for name, each in zip(expected, sent, strict=True) if name is None]


def differing_items(packet: Packet, data: bytes) -> int:
    """How many items differ, each looked at as if it were alone."""
    return sum(
        not meets(Packet(name="P", items=(item,), identification=(match,)), data)
        for item, match in zip(packet.items, packet.identification, strict=True)
    )


@given(st.data(), st.lists(small, min_size=1, max_size=12))
def test_what_comes_nearest_has_the_fewest_items_that_differ(data: st.DataObject, sent: list[bytes]) -> None:
    definitions = [data.draw(packets(number)) for number in range(data.draw(st.integers(1, 6)))]
    definitions = [packet for packet in definitions if can_be(packet)]
    identifier = Identifier(Dictionary(targets=(Target(name="T", packets=tuple(definitions)),)))
    list(identifier.process(batch(sent)))
    for aside in identifier.take_asides():
        assert isinstance(aside, UnknownPackets)
        for likeness in aside.likenesses:
            counts = {packet.name: differing_items(packet, likeness.example) for packet in definitions}
            nearest = [near.differing_items for near in likeness.nearest]
            assert nearest == sorted(counts.values())[:3]
            assert nearest == [counts[near.packet] for near in likeness.nearest]
            assert all(near.found != near.expected for near in likeness.nearest)


counts = st.tuples(st.sampled_from([1, 2, 0x7FF]), st.sampled_from([0, 1, 2, 3, 5, 8191, 8192, 8193, 16382, 16383]))


@given(st.lists(counts, max_size=20), st.lists(st.integers(0, 20), max_size=3))
def test_sequence_breaks_do_not_depend_on_how_the_packets_are_cut(sent: list[tuple[int, int]], cuts: list[int]) -> None:
    expected = {apid: [0, 0, 0, 0] for apid in (1, 2)}
    last: dict[int, int] = {}
    for apid, count in sent:
        if apid in last and apid != 0x7FF:
            ahead = (count - last[apid]) % 16384
            if ahead == 0:
                expected[apid][2] += 1
            elif ahead > 8192 or (count == 0 and ahead > 1):
                expected[apid][3] += 1
            elif ahead > 1:
                expected[apid][0] += 1
                expected[apid][1] += ahead - 1
        last[apid] = count
    identifier = Identifier(Dictionary())
    found = {apid: [0, 0, 0, 0] for apid in (1, 2)}
    edges = [0, *sorted(min(cut, len(sent)) for cut in cuts), len(sent)]
    for low, high in itertools.pairwise(edges):
        piece = [
            bytes([apid >> 8, apid & 255, 0xC0 | count >> 8, count & 255, 0, 0, 0]) for apid, count in sent[low:high]
        ]
        list(identifier.process(batch(piece, space_packets=True)))
        for aside in identifier.take_asides():
            if isinstance(aside, SequenceBreaks):
                numbers = (aside.gaps, aside.missing, aside.repeats, aside.resets)
                found[aside.apid] = [a + b for a, b in zip(found[aside.apid], numbers, strict=True)]
    assert found == expected
