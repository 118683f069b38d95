"""The identifier: which packet it is, when it was made, and what is said of packets that it does not know."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from attrs import evolve

from c2kit.batches import PacketBatch
from c2kit.dictionaries import Dictionary
from c2kit.errors import DefinitionError, MessageError, UnknownName, UsageError
from c2kit.kernel.tally import Tally
from c2kit.model.fields import Condition, Encoding, Fixed
from c2kit.model.packets import Item, Match, Packet
from c2kit.model.target import Target
from c2kit.model.time import GPS, UNIX, Cuc, PacketTime
from c2kit.processors import Anomalies, Identifier, SequenceBreaks, UnknownPackets


def batch(*packets: bytes, space_packets: bool = False, interface: str = "fep") -> PacketBatch:
    """A batch in whose buffer other bytes stand before, between and after the packets."""
    buffer = b"\xee" + b"\xee".join(packets) + b"\xee" * 70
    ends = np.cumsum([len(packet) + 1 for packet in packets], dtype=np.int64)
    starts = ends - np.array([len(packet) for packet in packets], np.int64)
    received = np.arange(len(packets), dtype=np.int64) + 1000
    return PacketBatch(
        buffer=buffer, starts=starts, ends=ends, received=received, space_packets=space_packets, interface=interface
    )


def known_by(name: str, value: int | bytes, *, bits: int = 8, offset: int = 0, **rest: Any) -> Packet:  # noqa: ANN401 - any attribute
    item = Item(name="ID", bit_length=bits, bit_offset=offset)
    return Packet(name=name, items=(item,), identification=(Match("ID", value),), **rest)


def dictionary(*packets: Packet) -> Dictionary:
    return Dictionary(targets=(Target(name="SAT", packets=packets),))


def identified(identifier: Identifier, *packets: bytes) -> list[tuple[str, bytes]]:
    return [
        (f"{group.target}.{place}", packet)
        for group in identifier.process(batch(*packets))
        for place, packet in zip(np.asarray(group.definition).tolist(), group, strict=True)
    ]


class TestIdentification:
    def test_each_packet_is_known_by_its_item(self) -> None:
        identifier = Identifier(dictionary(known_by("A", 1), known_by("B", 2)))
        assert identified(identifier, b"\x02x", b"\x01", b"\x02yy") == [
            ("SAT.1", b"\x02x"),
            ("SAT.0", b"\x01"),
            ("SAT.1", b"\x02yy"),
        ]
        assert identifier.take_asides() == []

    def test_packets_of_several_targets_are_told_apart(self) -> None:
        two = Dictionary(
            targets=(Target(name="X", packets=(known_by("A", 1),)), Target(name="Y", packets=(known_by("A", 2),)))
        )
        identifier = Identifier(two)
        groups = list(identifier.process(batch(b"\x02", b"\x01", b"\x02")))
        assert [(group.target, list(group)) for group in groups] == [("X", [b"\x01"]), ("Y", [b"\x02", b"\x02"])]
        assert [group.dictionary_hash for group in groups] == [two.target("X").hash, two.target("Y").hash]

    def test_only_the_targets_that_were_named_are_looked_for(self) -> None:
        two = Dictionary(
            targets=(Target(name="X", packets=(known_by("A", 1),)), Target(name="Y", packets=(known_by("A", 2),)))
        )
        assert identified(Identifier(two, ["Y"]), b"\x02", b"\x01") == [("Y.0", b"\x02")]
        with pytest.raises(UnknownName, match="no target 'Z'"):
            Identifier(two, ["Z"])

    def test_a_packet_too_short_for_an_identification_does_not_meet_it(self) -> None:
        identifier = Identifier(dictionary(known_by("A", 0, offset=8), known_by("B", 7)))
        assert identified(identifier, b"\x07", b"") == [("SAT.1", b"\x07")]
        (aside,) = identifier.take_asides()
        assert isinstance(aside, UnknownPackets)
        assert list(aside.packets) == [b""]

    def test_a_fallback_comes_after_all_others(self) -> None:
        anything = Packet(name="ANYTHING", items=(Item(name="ID"),), fallback=True)
        identifier = Identifier(dictionary(anything, known_by("B", 7)))
        assert identified(identifier, b"\x07", b"\x08", b"") == [("SAT.1", b"\x07"), ("SAT.0", b"\x08"), ("SAT.0", b"")]

    def test_where_several_match_the_first_by_name_is_it(self) -> None:
        identifier = Identifier(dictionary(known_by("Z", 7), known_by("M", 7, bits=3, offset=5), known_by("B", 9)))
        assert identified(identifier, b"\x07") == [("SAT.1", b"\x07")]

    @pytest.mark.parametrize("size", [3, 8, 9, 20])
    def test_identifications_of_any_width_are_compared_whole(self, size: int) -> None:
        item = Item(name="ID", encoding=Encoding.BINARY, length=Fixed((size,)))
        ids = [bytes([number]) * size for number in range(4)] + [bytes(size - 1) + b"\x01"]
        packets = [
            Packet(name=f"P{number}", items=(item,), identification=(Match("ID", value),))
            for number, value in enumerate(ids)
        ]
        identifier = Identifier(dictionary(*packets))
        found = identified(identifier, *[value + b"rest" for value in ids], bytes(size - 1) + b"\x02")
        assert found == [(f"SAT.{number}", value + b"rest") for number, value in enumerate(ids)]

    def test_items_in_different_places_and_byte_orders_identify(self) -> None:
        items = (
            Item(name="LE", bit_length=16, byte_order="little"),
            Item(name="SIGNED", bit_length=5, bit_offset=19, encoding=Encoding.TWOS_COMPLEMENT),
        )
        packet = Packet(name="P", items=items, identification=(Match("LE", 0x1234), Match("SIGNED", -3)))
        identifier = Identifier(dictionary(packet))
        right = b"\x34\x12" + bytes([0b10111101])
        assert identified(identifier, right, b"\x12\x34\xbd", b"\x34\x12\xbc") == [("SAT.0", right)]

    def test_a_packet_that_can_never_be_identified_is_refused(self) -> None:
        with pytest.raises(DefinitionError, match="P can never be identified: ID cannot be 256"):
            Identifier(dictionary(known_by("P", 256)))

    def test_an_empty_batch_gives_nothing(self) -> None:
        assert list(Identifier(dictionary(known_by("A", 1))).process(batch())) == []


class TestUnknown:
    def test_the_nearest_definitions_and_the_first_differing_bit_are_told(self) -> None:
        packets = known_by("NEAR", 0x0F00, bits=16), known_by("FAR", 0xF0FF, bits=16)
        identifier = Identifier(dictionary(*packets))
        list(identifier.process(batch(b"\x0f\x04tail")))
        (aside,) = identifier.take_asides()
        assert isinstance(aside, UnknownPackets)
        (likeness,) = aside.likenesses
        assert likeness.example == b"\x0f\x04tail"
        nearest = likeness.nearest[0]
        assert (nearest.packet, nearest.differing_bits, nearest.bit_offset) == ("NEAR", 1, 13)
        assert (nearest.item, nearest.expected, nearest.found) == ("ID", 0x0F00, 0x0F04)
        assert likeness.nearest[1].packet == "FAR"
        assert str(aside) == (
            "1 unknown packet; nearest to SAT NEAR, but for ID (bit 13): expected 3840 (0xf00), found 3844 (0xf04)"
        )

    def test_packets_alike_are_told_once_with_their_number(self) -> None:
        identifier = Identifier(dictionary(known_by("A", 1)))
        list(identifier.process(batch(b"\x02a", b"\x03b", b"\x02c", b"\x01d", b"\x02e")))
        (aside,) = identifier.take_asides()
        assert isinstance(aside, UnknownPackets)
        assert list(aside.packets) == [b"\x02a", b"\x03b", b"\x02c", b"\x02e"]
        assert [(likeness.count, likeness.example) for likeness in aside.likenesses] == [(3, b"\x02a"), (1, b"\x03b")]

    def test_no_flood_of_kinds(self) -> None:
        identifier = Identifier(dictionary(known_by("A", 1)))
        list(identifier.process(batch(*[bytes([number]) for number in range(2, 250)])))
        (aside,) = identifier.take_asides()
        assert isinstance(aside, UnknownPackets)
        assert len(aside.packets) == 248
        assert len(aside.likenesses) == 8

    def test_a_packet_too_short_says_so(self) -> None:
        identifier = Identifier(dictionary(known_by("A", 1, bits=32)))
        list(identifier.process(batch(b"\x00")))
        (aside,) = identifier.take_asides()
        assert "found too short" in str(aside)

    def test_a_packet_with_one_wrong_item_is_nearer_than_one_with_two_wrong_bits(self) -> None:
        items = (Item(name="APID"), Item(name="KIND"))
        packets = [
            Packet(name=name, items=items, identification=(Match("APID", apid), Match("KIND", kind)))
            for name, apid, kind in [("TWO_ITEMS", 0x11, 0x23), ("LATE", 0x10, 0xDD), ("EARLY", 0xEF, 0x22)]
        ]
        identifier = Identifier(dictionary(*packets))
        list(identifier.process(batch(b"\x10\x22rest")))
        (aside,) = identifier.take_asides()
        assert isinstance(aside, UnknownPackets)
        nearest = aside.likenesses[0].nearest
        assert [(near.packet, near.item, near.bit_offset, near.differing_items) for near in nearest] == [
            ("LATE", "KIND", 8, 1),
            ("EARLY", "APID", 0, 1),
            ("TWO_ITEMS", "APID", 7, 2),
        ]

    def test_items_of_several_definitions_may_stand_anywhere(self) -> None:
        little = Packet(
            name="LITTLE",
            items=(Item(name="ID", bit_length=12, bit_offset=4, byte_order="little"),),
            identification=(Match("ID", 0xABC),),
        )
        far = known_by("FAR", 0x42, offset=30 * 8)
        identifier = Identifier(dictionary(little, far))
        list(identifier.process(batch(b"\xc0\xaa" + bytes(40), b"\xc0")))
        (aside,) = identifier.take_asides()
        assert isinstance(aside, UnknownPackets)
        # 0xABC stands as c. ab; aa instead of ab is the bit of weight 1 of its second byte.
        first, second = aside.likenesses
        assert [(near.packet, near.bit_offset, near.found) for near in first.nearest] == [
            ("LITTLE", 15, 0xAAC),
            ("FAR", 241, 0),
        ]
        assert [(near.packet, near.bit_offset, near.found) for near in second.nearest] == [
            ("LITTLE", 8, None),
            ("FAR", 240, None),
        ]

    def test_the_same_bits_in_a_shorter_packet_are_of_another_kind(self) -> None:
        identifier = Identifier(dictionary(known_by("A", 1, bits=16)))
        list(identifier.process(batch(b"\0\0", b"\0", b"\0\0\0", b"")))
        (aside,) = identifier.take_asides()
        assert isinstance(aside, UnknownPackets)
        assert [(likeness.count, likeness.example) for likeness in aside.likenesses] == [
            (2, b"\0\0"),
            (1, b"\0"),
            (1, b""),
        ]

    def test_where_nothing_is_defined_nothing_is_near(self) -> None:
        identifier = Identifier(Dictionary())
        list(identifier.process(batch(b"\0", b"")))
        (aside,) = identifier.take_asides()
        assert isinstance(aside, UnknownPackets)
        assert list(aside.packets) == [b"\0", b""]
        assert str(aside) == "2 unknown packets"

    def test_what_is_said_does_not_depend_on_what_was_said_before(self) -> None:
        packets = [known_by(f"P{number}", 257 * number, bits=16) for number in range(40)]
        identifier, fresh = Identifier(dictionary(*packets)), Identifier(dictionary(*packets))
        unknown = [bytes([high, high + 1]) for high in range(255)] * 2
        for data in unknown:
            list(identifier.process(batch(data)))
        told = [aside.likenesses for aside in identifier.take_asides() if isinstance(aside, UnknownPackets)]
        list(fresh.process(batch(unknown[-1])))
        (expected,) = fresh.take_asides()
        assert isinstance(expected, UnknownPackets)
        assert told[-1] == expected.likenesses
        assert told[:255] == told[255:]

    def test_asides_are_told_once(self) -> None:
        identifier = Identifier(dictionary(known_by("A", 1)))
        list(identifier.process(batch(b"\x00")))
        assert len(identifier.take_asides()) == 1
        assert identifier.take_asides() == []


class TestTime:
    ITEMS = (Item(name="ID"), Item(name="SECONDS", bit_length=32), Item(name="FINE", bit_length=16))

    def packet(self, name: str, value: int, time: PacketTime | None) -> Packet:
        return Packet(name=name, items=self.ITEMS, identification=(Match("ID", value),), time=time)

    def test_each_definition_tells_the_time_by_its_own_clock(self) -> None:
        code = Cuc("SECONDS", "FINE")
        packets = (
            self.packet("UNIX", 1, PacketTime(code, UNIX)),
            self.packet("GPS", 2, PacketTime(code, GPS)),
            self.packet("NONE", 3, None),
        )
        identifier = Identifier(dictionary(*packets))
        sent = [struct.pack(">BIH", number, 10, 0x8000) for number in (3, 2, 1)]
        (group,) = identifier.process(batch(*sent))
        # 1980-01-06T00:00:00Z is POSIX 315 964 800, and GPS time had no leap seconds then.
        assert group.generated.to_list() == [None, 315_964_810_500_000_000, 10_500_000_000]

    def test_a_time_that_cannot_be_is_null_and_told(self) -> None:
        items = (Item(name="SECONDS", bit_length=56),)
        packet = Packet(name="P", items=items, time=PacketTime(Cuc("SECONDS"), UNIX))
        identifier = Identifier(dictionary(packet))
        (group,) = identifier.process(batch((2**55).to_bytes(7), (1).to_bytes(7)))
        assert group.generated.to_list() == [None, 1_000_000_000]
        (aside,) = identifier.take_asides()
        assert isinstance(aside, Anomalies)
        assert aside.tallies == {Tally.TIME_OUT_OF_RANGE: 1}

    def test_bad_times_are_told_for_each_definition_that_shares_the_clock(self) -> None:
        items = (Item(name="ID"), Item(name="SECONDS", bit_length=56))
        packets = [
            Packet(name=name, items=items, identification=(Match("ID", value),), time=PacketTime(Cuc("SECONDS"), UNIX))
            for name, value in [("A", 1), ("B", 2), ("C", 3)]
        ]
        identifier = Identifier(dictionary(*packets))
        bad, good = (2**55).to_bytes(7), bytes(7)
        for sent in ([b"\x01" + bad, b"\x02" + bad, b"\x03" + good, b"\x01" + bad], [b"\x02" + bad]):
            list(identifier.process(batch(*sent)))
        told = [(aside.packet, aside.tallies) for aside in identifier.take_asides() if isinstance(aside, Anomalies)]
        assert told == [("A", {Tally.TIME_OUT_OF_RANGE: 2}), ("B", {Tally.TIME_OUT_OF_RANGE: 2})]

    def test_a_time_behind_an_item_of_varying_presence_is_found(self) -> None:
        items = (
            Item(name="ID"),
            Item(name="EXTRA", present_if=(Condition("ID", "==", 1),)),
            Item(name="SECONDS", bit_length=32),
        )
        identifier = Identifier(dictionary(Packet(name="P", items=items, time=PacketTime(Cuc("SECONDS"), UNIX))))
        (group,) = identifier.process(batch(b"\x01\xff\0\0\0\x05", b"\x02\0\0\0\x06"))
        assert group.generated.to_list() == [5_000_000_000, 6_000_000_000]


def space_packet(apid: int, count: int) -> bytes:
    """A telemetry packet with one byte of data (133.0-B-2, 4.1.3)."""
    return struct.pack(">HHHB", apid, 0xC000 | count, 0, 0xAA)


class TestSequence:
    def breaks(self, *packets: tuple[int, int], space_packets: bool = True) -> list[SequenceBreaks]:
        identifier = Identifier(Dictionary())
        sent = [space_packet(*packet) for packet in packets]
        list(identifier.process(batch(*sent, space_packets=space_packets)))
        return [aside for aside in identifier.take_asides() if isinstance(aside, SequenceBreaks)]

    def test_counts_that_go_on_are_no_break_also_past_the_last_one(self) -> None:
        assert self.breaks((1, 16382), (2, 7), (1, 16383), (1, 0), (2, 8), (1, 1)) == []

    def test_gaps_repeats_and_resets_are_told_by_apid(self) -> None:
        (first, second) = self.breaks((1, 5), (2, 100), (1, 8), (1, 8), (1, 9), (2, 3))
        assert (first.apid, first.gaps, first.missing, first.repeats, first.resets) == (1, 1, 2, 1, 0)
        assert (first.expected, first.found, first.received) == (6, 8, 1002)
        assert (second.apid, second.gaps, second.missing, second.repeats, second.resets) == (2, 0, 0, 0, 1)
        assert (second.expected, second.found) == (101, 3)
        assert str(first) == "APID 1: 2 missing in 1 gap, 1 repeated; first expected 6, found 8"

    def test_a_count_that_begins_again_is_a_reset_from_wherever_it_was(self) -> None:
        (found,) = self.breaks((1, 10_000), (1, 0), (1, 1), (1, 16_383), (1, 0))
        # From 1 to 16 383 is back by 2; on to 0 it goes as it should.
        assert (found.gaps, found.resets, found.expected, found.found) == (0, 2, 10_001, 0)

    def test_packets_too_short_for_a_header_have_no_count(self) -> None:
        identifier = Identifier(Dictionary())
        list(identifier.process(batch(space_packet(1, 5)[:5], b"", space_packet(1, 8)[:6], space_packets=True)))
        list(identifier.process(batch(space_packet(1, 9), space_packets=True)))
        assert not [aside for aside in identifier.take_asides() if isinstance(aside, SequenceBreaks)]

    def test_breaks_add_up_until_they_are_taken(self) -> None:
        identifier = Identifier(Dictionary())
        for _ in range(1000):  # an instrument that does not count
            list(identifier.process(batch(space_packet(1, 7), space_packets=True)))
        (found,) = [aside for aside in identifier.take_asides() if isinstance(aside, SequenceBreaks)]
        assert (found.repeats, found.breaks, found.expected, found.received) == (999, 999, 8, 1000)

    def test_what_a_recorder_plays_back_has_counts_of_its_own(self) -> None:
        identifier = Identifier(Dictionary())
        for count, origin in [(100, "realtime"), (5, "stored"), (101, "realtime"), (6, "stored")]:
            list(identifier.process(evolve(batch(space_packet(1, count), space_packets=True), origin=origin)))
        assert not [aside for aside in identifier.take_asides() if isinstance(aside, SequenceBreaks)]

    def test_idle_packets_and_frames_that_are_no_space_packets_are_not_looked_at(self) -> None:
        assert self.breaks((0x7FF, 5), (0x7FF, 5)) == []
        assert self.breaks((1, 5), (1, 5), space_packets=False) == []

    def test_the_last_count_is_remembered_by_interface_and_over_a_snapshot(self) -> None:
        identifier = Identifier(Dictionary())
        list(identifier.process(batch(space_packet(1, 5), space_packets=True)))
        list(identifier.process(batch(space_packet(1, 9), space_packets=True, interface="other")))
        other = Identifier(Dictionary())
        other.restore(identifier.snapshot())
        for successor in (identifier, other):
            successor.take_asides()
            list(successor.process(batch(space_packet(1, 7), space_packets=True)))
            (found,) = [aside for aside in successor.take_asides() if isinstance(aside, SequenceBreaks)]
            assert (found.gaps, found.expected, found.found) == (1, 6, 7)

    def test_every_apid_that_came_is_in_a_snapshot_whenever_it_came_first(self) -> None:
        identifier = Identifier(Dictionary())
        for apid, count in [(1, 5), (9, 0), (1, 6), (9, 3)]:
            list(identifier.process(batch(space_packet(apid, count), space_packets=True)))
        other = Identifier(Dictionary())
        other.restore(identifier.snapshot())
        list(other.process(batch(space_packet(4, 70), space_packets=True)))
        for apid, due in [(1, 7), (9, 4), (4, 71)]:
            successor = Identifier(Dictionary())
            successor.restore(other.snapshot())
            list(successor.process(batch(space_packet(apid, due + 1), space_packets=True)))
            (found,) = [aside for aside in successor.take_asides() if isinstance(aside, SequenceBreaks)]
            assert (found.apid, found.expected, found.missing) == (apid, due, 1)

    @pytest.mark.parametrize(
        "snapshot",
        [
            b"",
            b"nonsense",
            b"\xff",
            b"[]",
            b"{}",
            b'{"processor":"CommandEncoder","version":1,"memory":{}}',
            b'{"processor":"Identifier","version":2,"memory":{"totals":[0,0,0],"counts":[]}}',
            b'{"processor":"Identifier","version":1,"memory":[]}',
            b'{"processor":"Identifier","version":1,"memory":{"totals":[0,0,0]}}',
        ],
    )
    def test_a_snapshot_of_something_else_is_refused(self, snapshot: bytes) -> None:
        with pytest.raises(MessageError, match="a snapshot for Identifier"):
            Identifier(Dictionary()).restore(snapshot)

    @pytest.mark.parametrize("entry", ["5", '["fep","realtime",1]', '["fep","realtime",1,16384]', '["fep",1,1,1]'])
    def test_a_damaged_snapshot_is_refused_and_changes_nothing(self, entry: str) -> None:
        identifier = Identifier(Dictionary())
        list(identifier.process(batch(space_packet(1, 5), space_packets=True)))
        before = identifier.snapshot()
        damaged = f'{{"processor":"Identifier","version":1,"memory":{{"totals":[9,9,0],"counts":[{entry}]}}}}'
        with pytest.raises(MessageError, match="sequence counts in a snapshot"):
            identifier.restore(damaged.encode())
        assert identifier.snapshot() == before

    def test_without_the_check_nothing_is_looked_at(self) -> None:
        identifier = Identifier(Dictionary(), check_sequence=False)
        list(identifier.process(batch(space_packet(1, 5), space_packet(1, 5), space_packets=True)))
        assert not [aside for aside in identifier.take_asides() if isinstance(aside, SequenceBreaks)]


class TestTotals:
    def test_what_comes_in_is_identified_or_unknown_restarts_included(self) -> None:
        two = Dictionary(
            targets=(Target(name="X", packets=(known_by("A", 1),)), Target(name="Y", packets=(known_by("A", 2),)))
        )
        identifier, other = Identifier(two), Identifier(two)
        list(identifier.process(batch(b"\x01", b"\x02", b"\x03", b"\x02")))
        other.restore(identifier.snapshot())
        list(other.process(batch(b"\x04")))
        totals = other.totals
        assert (totals.packets_in, totals.packets_out, totals.unknown, totals.unaccounted) == (5, 3, 2, 0)

    def test_a_batch_left_in_the_middle_is_not_accounted_for(self) -> None:
        identifier = Identifier(dictionary(known_by("A", 1)))
        next(identifier.process(batch(b"\x01", b"\x02")))
        assert identifier.totals.unaccounted == 1


def test_packets_outside_the_buffer_are_refused() -> None:
    outside = evolve(batch(b"\x01"), ends=np.array([500]))
    with pytest.raises(UsageError, match="a packet is not in the buffer"):
        list(Identifier(dictionary(known_by("A", 1))).process(outside))
