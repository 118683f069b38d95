"""Where fields stand: offsets from the packet or from its data, and what follows what."""

from collections.abc import Sequence
from typing import Literal

import pytest

from c2kit.dictionaries.ccsdspy.places import Places, place
from c2kit.dictionaries.ccsdspy.table import Cell, Row
from c2kit.dictionaries.ccsdspy.types import read_field
from c2kit.model.source import Source

FieldText = tuple[str, str, int, int | None]
HEADER: list[FieldText] = [
    ("VERSION", "uint", 3, 0),
    ("TYPE", "uint", 1, 3),
    ("SHDR", "uint", 1, 4),
    ("ID", "uint", 11, 5),
    ("FLAGS", "uint", 2, 16),
    ("COUNT", "uint", 14, 18),
    ("LENGTH", "uint", 16, 32),
]


def put(fields: Sequence[FieldText], offsets_from: Literal["packet", "data"] | None = None) -> Places:
    read = []
    for line, (name, data_type, bits, offset) in enumerate(fields, 2):
        texts = {"name": name, "data_type": data_type, "bit_length": str(bits)}
        if offset is not None:
            texts["bit_offset"] = str(offset)
        source = Source("defs.csv", line, 1)
        read.append(read_field(Row({column: Cell(text, source) for column, text in texts.items()}, source)))
    return place(read, "defs.csv", offsets_from)


def starts(places: Places) -> list[int | None]:
    return [placed.bit_offset for placed in places.placed]


@pytest.mark.parametrize(
    "fields",
    [
        [("A", "uint", 8, 0), ("B", "uint", 8, 8)],
        # The same boundaries as the primary header's words, but nothing else that speaks for it.
        [("DAY", "uint", 16, 0), ("MILLISECONDS", "uint", 32, 16)],
        [("A", "uint", 16, 0), ("B", "uint", 16, 16), ("C", "uint", 16, 32)],
        [("TIME", "uint", 48, 0)],
        # An APID's width and place, but the field before crosses the header's boundaries.
        [("A", "uint", 2, 0), ("B", "uint", 3, 2), ("C", "uint", 11, 5)],
        [("LATE", "uint", 8, 47)],
    ],
)
def test_small_offsets_count_from_the_data_unless_the_first_fields_are_the_primary_headers(
    fields: list[FieldText],
) -> None:
    places = put(fields)

    assert starts(places) == [48 + (offset or 0) for *_, offset in fields]
    assert "the end of the primary header" in places.notes[0]


@pytest.mark.parametrize(
    "fields",
    [
        HEADER,
        [*HEADER, ("A", "uint", 8, 48)],
        HEADER[::-1],
        [("APID", "uint", 11, 5), ("A", "uint", 8, 48)],
        [("SEQ_COUNT", "uint", 14, 18), ("A", "uint", 8, 48)],
        [("STREAM_ID", "uint", 16, 0), ("SEQUENCE", "uint", 16, 16), ("LEN", "uint", 16, 32)],
        [("CCSDS_PACKET_LENGTH", "uint", 16, 32), ("A", "uint", 8, 48)],
        [("HEADER", "fill", 48, 0), ("A", "uint", 8, 48)],
        [("A", "uint", 8, 48), ("B", "uint", 8, 60)],
        [("A", "uint", 8, 500)],
    ],
)
def test_other_offsets_count_from_the_packet(fields: list[FieldText]) -> None:
    places = put(fields)

    assert starts(places) == [offset for *_, offset in fields]
    assert "the packet's first bit" in places.notes[0]


@pytest.mark.parametrize("fields", [HEADER, [("A", "uint", 8, 0)], [("A", "uint", 8, 100)]])
def test_what_the_user_says_is_done_without_a_note(fields: list[FieldText]) -> None:
    offsets = [offset or 0 for *_, offset in fields]

    assert starts(put(fields, "packet")) == offsets
    assert starts(put(fields, "data")) == [48 + offset for offset in offsets]
    assert put(fields, "packet").notes == put(fields, "data").notes == []


@pytest.mark.parametrize("offsets_from", [None, "packet", "data"])
def test_without_offsets_fields_follow_the_primary_header(offsets_from: Literal["packet", "data"] | None) -> None:
    places = put([("A", "uint", 3, None), ("B", "uint(2)", 10, None), ("C", "int", 8, None)], offsets_from)

    assert starts(places) == [48, 51, 71]
    assert "after the primary header" in places.notes[0]
    assert places.warnings == []


def test_a_primary_header_without_offsets_is_suspicious() -> None:
    places = put([(name, kind, bits, None) for name, kind, bits, _ in HEADER])

    assert starts(places)[0] == 48
    assert "look like the primary header" in places.warnings[0]


def test_a_field_without_offset_follows_the_farthest_end_so_far() -> None:
    fields: list[FieldText] = [
        ("FIRST", "uint", 8, None),
        ("WORD", "uint", 16, 20),
        ("BIT", "uint", 1, 20),
        ("NEXT", "uint", 8, None),
        ("FAR", "uint", 8, 100),
        ("LAST", "uint", 8, None),
    ]

    assert starts(put(fields, "data")) == [48, 68, 68, 84, 148, 156]


def test_what_comes_after_an_array_of_varying_length_follows_it() -> None:
    places = put([("N", "uint", 8, None), ("A", "uint(N)", 8, None), ("B", "uint", 8, None), ("C", "uint", 8, None)])

    assert starts(places) == [48, 56, None, None]
    assert places.warnings == []


def test_a_place_told_after_an_array_of_varying_length_is_kept_with_a_warning() -> None:
    places = put([("A", "uint(expand)", 8, 64), ("B", "uint", 8, 48), ("C", "uint", 8, None)], "packet")

    assert starts(places) == [64, 48, 56]
    assert "though A before it varies in length" in places.warnings[0]


def test_each_field_that_begins_before_another_ends_is_told_once() -> None:
    fields: list[FieldText] = [(f"M[{index}]", "uint", 4, 104) for index in range(4)]

    places = put([*fields, ("END", "uint", 4, 108)], "packet")

    assert places.warnings == [
        f"defs.csv:{line}:1: M[{line - 2}] shares bits 104 to 107 of the packet with M[0]" for line in (3, 4, 5)
    ]


def test_a_place_outside_of_any_space_packet_is_a_problem_and_moves_nothing() -> None:
    places = put([("A", "uint", 8, 0), ("B", "fill", 524_336, None), ("C", "uint", 8, None)], "packet")

    assert [problem.source for problem in places.problems] == [Source("defs.csv", 3, 1)]
    assert starts(places) == [0, 8]
