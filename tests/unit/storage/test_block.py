"""What a block says of itself is read back, and anything else in its place is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2kit.bus.base import Position
from c2kit.errors import MessageError
from c2kit.storage.block import BlockHeader, Source, Totals, widest

NUMBERS = st.integers(0, 2**63)
TIMES = st.integers(-(2**63), 2**63 - 1)
SPANS = st.none() | st.tuples(TIMES, TIMES)
TEXTS = st.text(max_size=8)
TOTALS = st.builds(Totals, packets=NUMBERS, received=SPANS, generated=SPANS)
SOURCES = st.builds(
    Source,
    interface=TEXTS,
    origin=TEXTS,
    target=st.none() | TEXTS,
    dictionary_hash=st.none() | TEXTS,
    command=st.none() | TEXTS,
    command_id=st.none() | TEXTS,
)
HEADERS = st.builds(
    BlockHeader,
    offset=NUMBERS,
    size_bytes=NUMBERS,
    crc32=NUMBERS,
    schema_crc32=NUMBERS,
    holds=TOTALS,
    segment=TOTALS,
    positions=st.none() | st.lists(st.builds(Position, TEXTS, TEXTS, NUMBERS, NUMBERS), max_size=3).map(tuple),
    sources=st.lists(SOURCES, max_size=3).map(tuple),
    is_rebuilt=st.booleans(),
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


@given(HEADERS)
def test_a_header_is_read_back(header: BlockHeader) -> None:
    assert BlockHeader.from_json(header.to_json()) == header


@given(HEADERS, st.data())
def test_anything_else_is_refused_and_raises_nothing_else(header: BlockHeader, data: st.DataObject) -> None:
    told = json.loads(header.to_json())
    name = data.draw(st.sampled_from(sorted(told)))
    change = data.draw(ANY_JSON)
    if data.draw(st.booleans()):
        told[name] = change
    else:
        del told[name]
    try:
        read = BlockHeader.from_json(json.dumps(told))
    except MessageError:
        return
    assert (
        json.loads(read.to_json()).items() >= {key: value for key, value in told.items() if value is not False}.items()
    )


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "[" * 10_000, '{"offset": -1}'])
def test_what_is_no_header_is_refused(text: str) -> None:
    with pytest.raises(MessageError, match="header of a block"):
        BlockHeader.from_json(text)


def test_a_header_says_nothing_negative() -> None:
    header = BlockHeader(offset=-1, size_bytes=0, crc32=0, schema_crc32=0, holds=Totals(), segment=Totals())
    with pytest.raises(MessageError, match="negative"):
        BlockHeader.from_json(header.to_json())


def test_the_span_of_spans_is_the_widest() -> None:
    assert widest(None, (3, 5), None, (1, 4)) == (1, 5)
    assert widest(None, None) is None
