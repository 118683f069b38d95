"""What the extension does beside the contract: memory of the caller's, columns, refusals, references, threads."""

from __future__ import annotations

import gc
import random
import sys
import threading
from typing import Any

import numpy as np
import pytest
from attrs.exceptions import FrozenInstanceError
from hypothesis import given
from hypothesis import strategies as st

from c2kit.batches.arrow import TelemetrySchema
from c2kit.errors import UsageError
from c2kit.kernel import reference
from c2kit.kernel.clock import Clock
from c2kit.kernel.contract import Column, LengthRule
from c2kit.kernel.decommutation import Decommutation
from c2kit.kernel.envelope import Envelope
from c2kit.kernel.identity import Identities, Identity
from c2kit.kernel.layout import Layout
from c2kit.kernel.sequence import no_counts
from c2kit.model.conversions import PiecewiseLinear
from c2kit.model.crc import CRC32
from c2kit.model.fields import Condition, Encoding, Expand, Field, FieldReference, Fixed, Terminated
from c2kit.model.packets import Item, Packet
from c2kit.model.time import GPS, Cuc, PacketTime
from tests.property.layouts import assert_same_columns

compiled = pytest.importorskip("c2kit.kernel.compiled", reason="the kernel in C was not compiled here")
extension: Any = pytest.importorskip("c2kit.kernel._kernel", reason="the kernel in C was not compiled here")

NUMBERS = Layout(
    (
        Field(name="A", bit_length=3),
        Field(name="B", bit_length=13, encoding=Encoding.TWOS_COMPLEMENT),
        Field(name="C", bit_length=32, encoding=Encoding.IEEE754),
    )
)
EVERYTHING = Layout(
    (
        Field(name="N", bit_length=8),
        Field(name="IF", bit_length=8, present_if=(Condition("N", ">", 2),)),
        Field(name="TEXT", encoding=Encoding.STRING, length=Terminated(b"\0")),
        Field(name="LIST", bit_length=12, length=FieldReference("N")),
        Field(name="PAIR", bit_length=16, length=Fixed((2,)), present_if=(Condition("N", "!=", 1),)),
        Field(name="REST", encoding=Encoding.BINARY, length=Expand()),
    )
)


def packets(count: int, size: int) -> tuple[bytes, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    bounds = np.arange(count + 1, dtype=np.int64) * size
    return bytes(byte % 9 for byte in random.Random(1).randbytes(count * size)), bounds[:-1], bounds[1:]


def program_of(layout: Layout) -> Any:  # noqa: ANN401 - the extension has no types at run time
    return compiled.program.compiled(layout).program


def test_numbers_are_decoded_to_memory_that_is_there_already() -> None:
    buffer, starts, ends = packets(33, 6)
    words = np.full(40, -1, np.int64)
    size = program_of(NUMBERS).decode_into(buffer, starts, ends, words)
    written = words.tobytes()[:size]
    parts = [column.values.tobytes() for column in reference.decode(NUMBERS, buffer, starts, ends)]
    assert written == b"".join(part.ljust(-(-len(part) // 8) * 8, b"\xff") for part in parts)
    assert (words[size // 8 :] == -1).all()


def test_what_does_not_go_into_given_memory_is_refused() -> None:
    buffer, starts, ends = packets(33, 6)
    words = np.zeros(100, np.int64)
    refused = [
        (NUMBERS, starts, ends, words[:10]),
        (NUMBERS, starts, starts + 5, words),
        (EVERYTHING, starts, ends, words),
        (NUMBERS, starts, ends + 1, words),
        (NUMBERS, starts, ends[:-1], words),
    ]
    for layout, lows, highs, room in refused:
        with pytest.raises(ValueError, match=r"words|buffer"):
            program_of(layout).decode_into(buffer, lows, highs, room)
    read_only = words[:]
    read_only.flags.writeable = False
    rooms: list[Any] = [read_only, words.astype(np.int32), words[::2], words.view(np.uint8)[1:-7].view(np.int64)]
    for room in rooms:
        with pytest.raises((TypeError, ValueError, BufferError)):
            program_of(NUMBERS).decode_into(buffer, starts, ends, room)
    assert not words.any()


def test_a_column_is_as_its_initialiser_makes_it() -> None:
    column = compiled.decode(NUMBERS, *packets(2, 6))[1]
    assert type(column) is Column
    made = Column(column.values)
    for name in ("valid", "offsets", "is_bytes", "is_text"):
        assert getattr(column, name) is getattr(made, name)
    assert column.values.flags.writeable
    with pytest.raises(FrozenInstanceError):
        column.valid = None  # type: ignore[misc]


PACKET = Packet(
    name="P",
    items=(
        Item(name="A", bit_length=3, encoding=Encoding.BOOLEAN),
        Item(name="B", bit_length=13, conversion=PiecewiseLinear(((0, 0), (900, 1)))),
        Item(name="C", bit_length=48, present_if=(Condition("A", ">", 0),)),
    ),
    time=PacketTime(Cuc("B"), GPS),
)
MADE = Decommutation.of(PACKET)
CLOCK = Clock.of(PACKET)
KNOWN = Identities((Identity(b"\1", b"\1"), Identity(bytes(9) + b"\1", bytes(10))))
ENVELOPE = Envelope(
    TelemetrySchema(target="T", packet=PACKET, dictionary_hash="0").head("link", "realtime"),
    np.arange(50),
    Column(np.arange(50), np.arange(50) > 9),
)


@pytest.mark.parametrize("layout", [NUMBERS, EVERYTHING], ids=["numbers", "everything"])
def test_no_call_keeps_anything(layout: Layout) -> None:
    buffer, starts, ends = packets(50, 9)
    values = {"A": 1, "B": 2, "C": 3.0}
    words = np.zeros(500, np.int64)

    def call() -> None:
        compiled.decode(layout, buffer, starts, ends)
        compiled.encode(NUMBERS, values)
        compiled.encode(NUMBERS, values | {"B": 1 << 11, "A": 7})
        codec = compiled.codec(NUMBERS)
        assert codec.record(buffer) == dict(zip("ABC", codec.values(memoryview(buffer)), strict=True))
        codec.values(buffer[:3])
        with pytest.raises(UsageError):
            codec.encode(values | {"A": 8})
        with pytest.raises(TypeError):
            codec.values("text")
        compiled.crc(buffer, starts, ends, CRC32)
        compiled.split(buffer, LengthRule(0, 8))
        compiled.group(starts % 3, 3)
        compiled.decommutate(MADE, buffer, starts, ends)
        written = compiled.decommutate(MADE, buffer, starts, ends, ENVELOPE)
        assert written.message is not None
        assert len(written.engineering["B"]) == len(written.raw["C"]) == 50
        compiled.match(KNOWN, buffer, starts, ends)
        compiled.sequence_breaks(buffer, starts, ends, no_counts())
        compiled.times(CLOCK, buffer, starts, ends)
        program_of(NUMBERS).decode_into(buffer, starts, ends, words)
        with pytest.raises(UsageError):
            compiled.decode(layout, buffer, starts, ends + 1)
        with pytest.raises(TypeError):
            extension.Program(())

    held = [buffer, starts, ends, words, None, Column, np.ndarray, layout, *values]
    for _ in range(3):
        call()
    gc.collect()
    before = [sys.getrefcount(each) for each in held]
    blocks = sys.getallocatedblocks()
    for _ in range(200):
        call()
    gc.collect()
    after = [sys.getrefcount(each) for each in held]
    assert sys.getallocatedblocks() - blocks < 150
    # Of None there are many, which come and go.
    assert all(abs(one - other) < 100 for one, other in zip(before, after, strict=True))


def test_threads_decode_side_by_side() -> None:
    buffer, starts, ends = packets(5_000, 9)
    expected = compiled.decode(EVERYTHING, buffer, starts, ends)
    found: list[list[Column]] = []

    def decode() -> None:
        found.extend(compiled.decode(EVERYTHING, buffer, starts, ends) for _ in range(10))

    threads = [threading.Thread(target=decode) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 40
    for columns in found:
        assert_same_columns(columns, expected)


def test_a_buffer_that_may_be_resized_is_held_while_it_is_read() -> None:
    buffer = bytearray(b"\1\2\3\4\5\6")
    (column, *_) = compiled.decode(NUMBERS, buffer, np.array([0]), np.array([6]))
    buffer += b"more"  # a BufferError, if the extension still held it
    assert column.to_list() == [0]


ANYTHING: Any = st.recursive(
    st.one_of(st.integers(-(2**65), 2**65), st.integers(-2, 9), st.binary(max_size=9), st.none(), st.floats()),
    lambda inner: st.lists(inner, max_size=10).map(tuple),
    max_leaves=25,
)


@given(st.sampled_from(["Program", "Codec", "Rule", "Crc", "Matcher", "Clock"]), st.lists(ANYTHING, max_size=8))
def test_nonsense_is_refused_and_breaks_nothing(kind: str, arguments: list[object]) -> None:
    try:
        getattr(extension, kind)(*arguments)
    except (TypeError, ValueError, OverflowError, MemoryError):
        return


ARRAYS: Any = st.one_of(
    ANYTHING,
    st.builds(np.zeros, st.integers(0, 9), st.sampled_from([np.int64, np.int64, np.uint8, np.bool_])),
    st.just(bytes(4_000)),
    st.tuples(*[st.sampled_from([0, 8, 72, 3_000, -8])] * 4),
)


@given(st.sampled_from(["sequence", "group", "match", "tell", "write"]), st.lists(ARRAYS, min_size=3, max_size=8))
def test_nonsense_for_what_writes_to_arrays_breaks_nothing(name: str, arguments: list[object]) -> None:
    # One of these at least is not what it should be, or all of them are.
    compiled.match(KNOWN, b"", np.zeros(0, np.int64), np.zeros(0, np.int64))
    compiled.times(CLOCK, b"", np.zeros(0, np.int64), np.zeros(0, np.int64))
    owners = {"match": KNOWN.plans["c2kit.kernel.compiled.headers"], "write": program_of(NUMBERS)}
    owners["tell"] = CLOCK.plans["c2kit.kernel.compiled.times"][0] if CLOCK is not None else None
    try:
        getattr(owners.get(name, extension), name)(*arguments)
    except (TypeError, ValueError, OverflowError, BufferError):
        return


SMALL = st.integers(-2, 70)
ELEMENTS = st.tuples(
    st.integers(0, 7), SMALL.filter(lambda bits: bits >= 0), st.integers(0, 3), SMALL.map(abs), st.binary(max_size=9)
)
CONDITIONS = st.tuples(
    SMALL, st.integers(0, 8), st.booleans(), st.integers(0, 2**64 - 1), st.integers(0, 9), st.floats()
)
CONVERSIONS = st.tuples(
    st.integers(-1, 3), st.integers(0, 4), st.integers(0, 3), st.integers(-1, 4), st.integers(-1, 4)
)


@given(st.data())
def test_programs_that_are_nearly_right_are_refused_or_decode_without_harm(data: st.DataObject) -> None:
    def field() -> tuple[object, ...]:
        told = data.draw(st.one_of(st.just(()), CONDITIONS))
        prefix = data.draw(st.one_of(st.just(()), ELEMENTS))
        numbers = [data.draw(SMALL) for _ in range(6)]
        length = (data.draw(st.integers(0, 7)), numbers[0], told, 1, 0, prefix, *numbers[1:4], numbers[4] % 4)
        return (
            data.draw(ELEMENTS),
            data.draw(SMALL),
            data.draw(st.integers(-1, 3)),
            data.draw(st.integers(-1, 3)),
            length,
        )

    fields = tuple(field() for _ in range(data.draw(st.integers(0, 3))))
    conditions = tuple(data.draw(st.lists(CONDITIONS, max_size=3)))
    conversions = tuple(data.draw(st.lists(CONVERSIONS, max_size=3)))
    constants = tuple(data.draw(st.lists(st.floats(), max_size=7))), tuple(data.draw(st.lists(SMALL, max_size=5)))
    types = (np.dtype(np.uint8),) * (len(fields) + len(conversions))
    terminators = data.draw(st.binary(max_size=5))
    try:
        program = extension.Program(
            fields, conditions, terminators, (conversions, *constants), Column, np.ndarray, types
        )
    except (ValueError, OverflowError, TypeError):
        return
    buffer, starts, ends = packets(5, 9)

    def empty(size: int) -> np.ndarray[Any, Any]:
        return np.empty(size, np.int64)

    program.decode(buffer, starts, ends, empty, empty)


class Otherwise:
    """Says nothing but that it was asked."""

    def answer(self, argument: object) -> object:
        return self, argument

    encode = values = record = answer


@given(st.data())
def test_codecs_that_are_nearly_right_are_refused_or_work_without_harm(data: st.DataObject) -> None:
    fields = tuple(
        (name, data.draw(ELEMENTS), data.draw(st.integers(-2, 200)), data.draw(st.integers(-2, 12)))
        for name in data.draw(st.lists(st.sampled_from("ABCD"), max_size=4))
    )
    try:
        codec = extension.Codec(fields, data.draw(st.integers(-1, 24)), data.draw(st.booleans()), Otherwise())
    except ValueError:
        return
    values = st.one_of(st.integers(-(2**65), 2**65), st.integers(-2, 300), st.floats(), st.binary(max_size=12))
    codec.encode(data.draw(st.dictionaries(st.sampled_from("ABCD"), values)))
    packet = data.draw(st.binary(max_size=30))
    codec.values(packet)
    codec.record(packet)


def test_a_dict_that_changes_while_it_is_read_breaks_nothing() -> None:
    class Hostile:
        """Has the hash of a name, so that a dict asks it whether it is that."""

        def __hash__(self) -> int:
            return hash("B")

        def __eq__(self, other: object) -> bool:
            values.clear()
            values.update({f"KEY{number}": number for number in range(100)})
            return False

    values: dict[Any, Any] = {Hostile(): 1, "A": 1, "C": 1.0}
    with pytest.raises((UsageError, RuntimeError)):
        compiled.codec(NUMBERS).encode(values)
