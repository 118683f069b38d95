"""The decommutator and the limits monitor: columns of values, and what could not be converted."""

from __future__ import annotations

import struct
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.ipc
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from c2kit.batches import PacketBatch, TelemetryBatch
from c2kit.batches.arrow import TelemetrySchema
from c2kit.dictionaries import Dictionary
from c2kit.errors import DefinitionError, MessageError, UnknownName, UsageError
from c2kit.kernel.tally import Tally
from c2kit.model.conversions import Function, Polynomial, State, States
from c2kit.model.fields import Condition, Encoding, FieldReference, Fixed
from c2kit.model.limits import Limits, LimitState
from c2kit.model.packets import DerivedItem, Item, Match, Packet
from c2kit.model.target import Target
from c2kit.processors import Anomalies, Decommutator, Identifier, LimitsMonitor, UnknownPackets

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from c2kit.processors.asides import Aside

ID = Item(name="ID")
MODES = States((State("SAFE", 0, 0), State("ON", 2, 3)))
HEALTH = Packet(
    name="HEALTH",
    identification=(Match("ID", 1),),
    items=(
        ID,
        Item(name="MODE", conversion=MODES),
        Item(name="VOLTAGE", bit_length=16, conversion=Polynomial((0.5, 0.25)), limits=(Limits(red_low=1.0),)),
        Item(name="CURRENT", encoding=Encoding.TWOS_COMPLEMENT, limits=(Limits(name="eclipse", yellow_high=3),)),
        Item(name="NAME", encoding=Encoding.STRING, length=Fixed((4,))),
    ),
    derived=(DerivedItem(name="POWER", function=Function("c2kit.functions:product"), inputs=("VOLTAGE", "CURRENT")),),
)
DUMP = Packet(
    name="DUMP",
    identification=(Match("ID", 2),),
    items=(ID, Item(name="N"), Item(name="DATA", bit_length=16, length=FieldReference("N"))),
)
DICTIONARY = Dictionary(targets=(Target(name="SAT", packets=(HEALTH, DUMP)),))


def health(mode: int, voltage: int, current: int, name: bytes = b"abc\0") -> bytes:
    return struct.pack(">BBHb4s", 1, mode, voltage, current, name)


def frames_of(packets: Sequence[bytes]) -> list[PacketBatch]:
    buffer = b"".join(packets) + b"after"
    ends = np.cumsum([len(packet) for packet in packets], dtype=np.int64)
    starts = ends - np.array([len(packet) for packet in packets], np.int64)
    return [PacketBatch(buffer=buffer, starts=starts, ends=ends, received=np.arange(len(packets), dtype=np.int64))]


def identified(*packets: bytes, dictionary: Dictionary = DICTIONARY) -> list[PacketBatch]:
    return [group for frames in frames_of(packets) for group in Identifier(dictionary).process(frames)]


def decommutated(*packets: bytes) -> tuple[list[TelemetryBatch], list[Anomalies]]:
    decommutator = Decommutator(DICTIONARY)
    batches = [batch for group in identified(*packets) for batch in decommutator.process(group)]
    return batches, [aside for aside in decommutator.take_asides() if isinstance(aside, Anomalies)]


def test_items_become_columns_of_raw_and_engineering_values() -> None:
    (batch,), asides = decommutated(health(0, 6, -2), health(3, 4, 5, b"wxyz"))
    assert batch["VOLTAGE"].values.tolist() == [2.0, 1.5]
    assert batch.raw["VOLTAGE"].values.tolist() == [6, 4]
    assert batch["MODE"].values.tolist() == [0, 3]
    assert batch.text("MODE") == ["SAFE", "ON"]
    assert batch["NAME"].to_list() == ["abc", "wxyz"]
    assert batch["POWER"].values.tolist() == [-4.0, 7.5]
    assert asides == []


def test_a_row_is_a_plain_dict() -> None:
    (batch,), _ = decommutated(health(0, 6, -2), health(3, 4, 5, b"wxyz"))
    assert batch.row(1) == {"ID": 1, "MODE": "ON", "VOLTAGE": 1.5, "CURRENT": 5, "NAME": "wxyz", "POWER": 7.5}
    assert batch.row(1, raw=True) == {"ID": 1, "MODE": 3, "VOLTAGE": 4, "CURRENT": 5, "NAME": b"wxyz"}


def test_each_definition_has_its_batch_in_the_order_of_arrival() -> None:
    batches, _ = decommutated(b"\x02\x01\x12\x34", health(0, 6, -2), b"\x02\x00", health(2, 1, 1))
    assert [(batch.packet.name, batch.received.tolist()) for batch in batches] == [("DUMP", [0, 2]), ("HEALTH", [1, 3])]
    assert batches[0]["DATA"].to_list() == [[0x1234], []]


def test_what_has_no_state_and_what_is_no_text_is_counted() -> None:
    (batch,), (aside,) = decommutated(health(1, 6, -2), health(9, 6, -2, b"\xff\xfe\0\0"), health(0, 6, 0))
    assert batch.text("MODE") == ["1", "9", "SAFE"]
    assert batch["NAME"].to_list() == ["abc", None, "abc"]
    assert aside.tallies == {Tally.WITHOUT_STATE: 2, Tally.UNDECODABLE_TEXT: 1}
    assert str(aside) == "SAT HEALTH: MODE: 2 without state; NAME: 1 undecodable text"


def test_packets_of_the_wrong_length_are_counted_and_decoded_as_far_as_they_go() -> None:
    (batch,), (aside,) = decommutated(health(0, 6, -2)[:-1], health(0, 6, -2)[:3], health(0, 6, -2) + b"more")
    assert batch["NAME"].to_list() == [None, None, "abc"]
    assert batch["VOLTAGE"].to_list() == [2.0, None, 2.0]
    assert batch["POWER"].to_list() == [-4.0, None, -4.0]
    assert aside.tallies == {Tally.PACKET_TOO_SHORT: 2, Tally.PACKET_TOO_LONG: 1}


def test_a_packet_of_varying_length_that_is_cut_is_too_short() -> None:
    (batch,), (aside,) = decommutated(b"\x02\x02\x12\x34\x56", b"\x02\x01\x12\x34")
    assert batch["DATA"].to_list() == [None, [0x1234]]
    assert aside.tallies == {Tally.PACKET_TOO_SHORT: 1}


def lengths(packet: Packet, *sent: bytes) -> dict[Tally, int]:
    """What is counted of packets, the only ones of a dictionary."""
    dictionary = Dictionary(targets=(Target(name="SAT", packets=(packet,)),))
    decommutator = Decommutator(dictionary)
    for group in identified(*sent, dictionary=dictionary):
        list(decommutator.process(group))
    asides = [aside for aside in decommutator.take_asides() if isinstance(aside, Anomalies)]
    return dict(asides[0].tallies) if asides else {}


def test_a_field_that_is_absent_does_not_make_a_packet_too_short() -> None:
    items = (
        Item(name="KIND"),
        Item(name="EXTRA", bit_length=16, present_if=(Condition("KIND", ">", 0),)),
        Item(name="MORE", present_if=(Condition("EXTRA", "==", 0x0102),)),
    )
    packet = Packet(name="P", items=items)
    assert lengths(packet, b"\x00", b"\x01\0\0", b"\x01\1\2\3") == {}
    assert lengths(packet, b"\x00", b"\x01\0", b"\x01\1\2", b"") == {Tally.PACKET_TOO_SHORT: 3}


def test_a_size_that_is_declared_is_what_packets_are_held_to() -> None:
    packet = Packet(name="P", items=(Item(name="A"),), size_bytes=3)
    assert lengths(packet, b"abc") == {}
    assert lengths(packet, b"ab", b"abcd", b"") == {Tally.PACKET_TOO_SHORT: 2, Tally.PACKET_TOO_LONG: 1}
    varying = Packet(name="P", items=(Item(name="N"), Item(name="DATA", length=FieldReference("N"))), size_bytes=3)
    assert lengths(varying, b"\x01ab", b"\x01abc", b"\x03ab") == {Tally.PACKET_TOO_SHORT: 1, Tally.PACKET_TOO_LONG: 1}


def test_anomalies_add_up_until_they_are_taken() -> None:
    decommutator = Decommutator(DICTIONARY)
    for mode, name in [(1, b"abc\0"), (0, b"\xff\xfe\0\0"), (9, b"\xff\xfe\0\0")]:
        for group in identified(health(mode, 6, -2, name) + b"more"):
            list(decommutator.process(group))
    (aside,) = decommutator.take_asides()
    assert isinstance(aside, Anomalies)
    assert aside.items == {"MODE": {Tally.WITHOUT_STATE: 2}, "NAME": {Tally.UNDECODABLE_TEXT: 2}}
    assert aside.tallies == {Tally.WITHOUT_STATE: 2, Tally.UNDECODABLE_TEXT: 2, Tally.PACKET_TOO_LONG: 3}
    assert str(aside) == "SAT HEALTH: 3 packet too long; MODE: 2 without state; NAME: 2 undecodable text"
    assert decommutator.take_asides() == []


def test_a_function_that_is_missing_is_told_before_the_first_packet() -> None:
    items = (Item(name="A", conversion=Function("c2kit.functions:nonsense")),)
    with pytest.raises(DefinitionError, match=r"A: its function c2kit\.functions:nonsense cannot be imported"):
        Decommutator(Dictionary(targets=(Target(name="SAT", packets=(Packet(name="P", items=items),)),)))


BUS = Packet(
    name="BUS",
    identification=(Match("ID", 3),),
    items=(
        ID,
        Item(name="MODE", conversion=MODES),
        Item(name="VOLTAGE", bit_length=16, conversion=Polynomial((0.5, 0.25)), limits=(Limits(red_low=1.0),)),
        Item(name="ON", bit_length=1, encoding=Encoding.BOOLEAN, present_if=(Condition("MODE", "<", 9),)),
    ),
)
NUMBERS = Dictionary(targets=(Target(name="SAT", packets=(BUS,)),))
SCHEMA = TelemetrySchema(target="SAT", packet=BUS, dictionary_hash=NUMBERS.target("SAT").hash)


def numbers_of(*packets: bytes) -> tuple[TelemetryBatch, list[Aside]]:
    identify, decommutate = Identifier(NUMBERS), Decommutator(NUMBERS)
    ((batch,),) = ([*decommutate.process(each)] for each in identify.process(frames_of(packets)[0]))
    return batch, decommutate.take_asides()


def bus(mode: int, voltage: int) -> bytes:
    return struct.pack(">BBHB", 3, mode, voltage, 0x80)


def test_numbers_are_the_same_when_they_were_on_a_stream() -> None:
    batch, _ = numbers_of(bus(0, 2), bus(9, 40))
    told = SCHEMA.from_message(SCHEMA.to_message(batch))
    for each in (batch, told):
        assert each.row(0) == {"ID": 3, "MODE": "SAFE", "VOLTAGE": 1.0, "ON": True}
        assert each.row(1) == {"ID": 3, "MODE": "9", "VOLTAGE": 10.5, "ON": None}
        assert each.row(1, raw=True) == {"ID": 3, "MODE": 9, "VOLTAGE": 40, "ON": None}
    assert (told.interface, told.origin, told.received.tolist()) == (
        batch.interface,
        batch.origin,
        batch.received.tolist(),
    )


def test_what_is_changed_of_a_batch_is_what_goes_on_a_stream() -> None:
    batch, _ = numbers_of(bus(0, 2), bus(9, 40))
    assert SCHEMA.from_message(SCHEMA.to_message(evolve(batch, interface="other"))).interface == "other"
    assert SCHEMA.from_message(SCHEMA.to_message(batch.select(np.array([1]))))["VOLTAGE"].to_list() == [10.5]


def test_limits_go_on_a_stream_with_the_numbers_that_they_are_of() -> None:
    batch, _ = numbers_of(bus(0, 1), bus(9, 40), bus(2, 0)[:3])
    (checked,) = LimitsMonitor().process(batch)
    schema = TelemetrySchema.of(checked)
    message = schema.to_message(checked)
    told = schema.from_message(message)
    assert told.limits["VOLTAGE"].to_list() == [LimitState.RED_LOW, LimitState.GREEN, None]
    assert [told.row(number) for number in range(3)] == [batch.row(number) for number in range(3)]
    (seen,) = pyarrow.ipc.open_stream(schema.schema_message() + message)
    seen.validate(full=True)
    assert seen["VOLTAGE"].to_pylist() == [0.75, 10.5, None]
    assert seen["VOLTAGE.limits"].to_pylist() == [LimitState.RED_LOW, LimitState.GREEN, None]
    assert SCHEMA.from_message(SCHEMA.to_message(checked)).limits == {}


def test_numbers_of_packets_of_the_wrong_length_are_counted_too() -> None:
    batch, (anomalies,) = numbers_of(bus(1, 2)[:3], bus(0, 2) + b"more", bus(0, 2))
    assert batch.raw["VOLTAGE"].to_list() == [None, 2, 2]
    assert isinstance(anomalies, Anomalies)
    assert anomalies.tallies == Counter({Tally.PACKET_TOO_SHORT: 1, Tally.WITHOUT_STATE: 1})
    assert anomalies.items == {"MODE": Counter({Tally.WITHOUT_STATE: 1})}


def test_an_empty_batch_gives_nothing() -> None:
    (group,) = identified(health(0, 6, -2))
    assert list(Decommutator(DICTIONARY).process(group.select(np.zeros(1, np.bool_)))) == []


@given(st.lists(st.binary(max_size=12), min_size=1, max_size=12), st.data())
def test_whatever_the_bytes_are_nothing_raises_and_cutting_changes_nothing(
    sent: list[bytes], data: st.DataObject
) -> None:
    sent = [bytes([1 + (len(each) & 1)]) + each for each in sent]
    cut = data.draw(st.integers(0, len(sent)))
    whole, whole_asides = decommutated(*sent)
    pieces = [decommutated(*piece) for piece in (sent[:cut], sent[cut:]) if piece]
    for batch in whole:
        parts = [part for batches, _ in pieces for part in batches if part.packet.name == batch.packet.name]
        for name in batch:
            assert [repr(value) for part in parts for value in part[name].to_list()] == [
                repr(value) for value in batch[name].to_list()
            ]
    for aside in whole_asides:
        others = [other for _, asides in pieces for other in asides if other.packet == aside.packet]
        assert sum((other.tallies for other in others), Counter()) == aside.tallies


def test_any_cutting_into_batches_gives_the_same_values() -> None:
    packets = [health(mode, voltage, mode - 2) for mode, voltage in zip(range(5), range(10, 60, 10), strict=True)]
    (whole,), _ = decommutated(*packets)
    pieces = [decommutated(*packets[:1])[0][0], decommutated(*packets[1:4])[0][0], decommutated(*packets[4:])[0][0]]
    for name in whole:
        assert [value for piece in pieces for value in piece[name].to_list()] == whole[name].to_list()


def test_packets_of_another_dictionary_are_refused() -> None:
    (group,) = identified(health(0, 6, -2))
    with pytest.raises(UsageError, match="identified by other definitions"):
        list(Decommutator(DICTIONARY).process(evolve(group, dictionary_hash="0" * 64)))
    with pytest.raises(UsageError, match="use an Identifier"):
        list(Decommutator(DICTIONARY).process(evolve(group, target=None)))


def test_an_item_that_is_not_there_is_refused_with_a_hint() -> None:
    (batch,), _ = decommutated(health(0, 6, -2))
    with pytest.raises(UnknownName, match="did you mean VOLTAGE"):
        batch["VOLTAGES"]


EXAMPLE = Dictionary.load(Path(__file__).parents[3] / "examples" / "dictionary")


def rows(sent: list[bytes], pieces: list[slice]) -> tuple[dict[str, list[str]], list[bytes]]:
    """What each packet of the example gives, row by row, and what is unknown, when sent in these pieces."""
    identify, decommutate, monitor = Identifier(EXAMPLE), Decommutator(EXAMPLE), LimitsMonitor()
    found: dict[str, list[str]] = {}
    for piece in pieces:
        for frames in frames_of(sent[piece]):
            for packets in identify.process(frames):
                for telemetry in decommutate.process(packets):
                    for checked in monitor.process(telemetry):
                        states = {name: column.to_list() for name, column in checked.limits.items()}
                        found.setdefault(f"{checked.target} {checked.packet.name}", []).extend(
                            repr((checked.row(index), {name: each[index] for name, each in states.items()}))
                            for index in range(len(checked))
                        )
    unknown = [each for aside in identify.take_asides() if isinstance(aside, UnknownPackets) for each in aside.packets]
    return found, unknown


@settings(max_examples=40)
@given(st.randoms(use_true_random=False), st.data())
def test_hostile_packets_of_the_example_decode_alike_one_by_one(random: Random, data: st.DataObject) -> None:
    sent = []
    for _ in range(data.draw(st.integers(1, 12))):
        body = random.randbytes(random.choice([0, 3, 20, 60, 64, 200]))
        head = struct.pack(">HHHIHB", 0x0800 | random.randrange(98, 108), 0, 0, 5, 6, random.randrange(1, 5))
        sent.append(random.choice([head + body, b"\x5a\xc3\x01" + body, b"\x5a\xc3\x02" + body, body]))
    whole = rows(sent, [slice(None)])
    assert whole == rows(sent, [slice(index, index + 1) for index in range(len(sent))])
    assert sum(map(len, whole[0].values())) + len(whole[1]) == len(sent)


class TestLimits:
    def states(self, limits_set: str) -> dict[str, list[int | None]]:
        (batch,), _ = decommutated(health(0, 6, -2), health(0, 0, 4), health(0, 6, 4)[:3])
        (checked,) = LimitsMonitor(limits_set).process(batch)
        return {name: column.to_list() for name, column in checked.limits.items()}

    def test_each_value_has_a_state_and_no_value_has_none(self) -> None:
        assert self.states("default") == {"VOLTAGE": [LimitState.GREEN, LimitState.RED_LOW, None]}

    def test_a_named_set_is_used_where_there_is_one_and_the_default_elsewhere(self) -> None:
        assert self.states("eclipse") == {
            "VOLTAGE": [LimitState.GREEN, LimitState.RED_LOW, None],
            "CURRENT": [LimitState.GREEN, LimitState.YELLOW_HIGH, None],
        }

    def test_a_packet_without_limits_stays_as_it_is(self) -> None:
        (batch,), _ = decommutated(b"\x02\x00")
        assert list(LimitsMonitor().process(batch)) == [batch]
        assert LimitsMonitor().take_asides() == []

    def test_the_set_may_be_changed_between_batches(self) -> None:
        (batch,), _ = decommutated(health(0, 6, 4))
        monitor = LimitsMonitor()
        (before,) = monitor.process(batch)
        monitor.limits_set = "eclipse"
        (after,) = monitor.process(batch)
        assert (list(before.limits), list(after.limits)) == (["VOLTAGE"], ["VOLTAGE", "CURRENT"])

    def test_it_has_no_memory(self) -> None:
        monitor = LimitsMonitor()
        assert monitor.snapshot() == b""
        monitor.restore(b"")
        with pytest.raises(MessageError, match="a snapshot for LimitsMonitor, expected none: it has no memory"):
            monitor.restore(b"x")
