"""Generated CSV definitions: the values that ccsdspy itself gives, and no way to break the loader."""

import csv
import io
import json
import math
import random
import struct
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from c2kit.dictionaries.ccsdspy import load_csv
from c2kit.errors import DefinitionError
from c2kit.kernel import columns, reference
from c2kit.kernel.layout import Layout

FieldText = tuple[str, int]
"""Data type as it is written, and the bits of one element."""

APID = 42


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("definitions")


def packets(sizes: list[int], seed: int) -> tuple[bytes, Any, Any]:
    """Packets with so many random bytes of data, back to back, and their first and last bytes."""
    noise = random.Random(seed)
    data = [
        struct.pack(">HHH", APID, 0xC000 | number, size - 1) + noise.randbytes(size)
        for number, size in enumerate(sizes)
    ]
    ends = np.cumsum([len(one) for one in data], dtype=np.int64)
    return b"".join(data), np.concatenate([[0], ends[:-1]]).astype(np.int64), ends


def write(file: Path, rows: list[FieldText], offsets: list[int] | None = None) -> None:
    table = [(f"F{number}", data_type, bits) for number, (data_type, bits) in enumerate(rows)]
    text = io.StringIO()
    out = csv.writer(text)
    if offsets is None:
        out.writerows([("name", "data_type", "bit_length"), *table])
    else:
        extended = [(*row, offset) for row, offset in zip(table, offsets, strict=True)]
        out.writerows([("name", "data_type", "bit_length", "bit_offset"), *extended])
    file.write_text(text.getvalue())


INTEGERS = st.tuples(st.sampled_from(["uint", "int"]), st.integers(1, 64))
# ccsdspy puts zero bytes before strings of 3, 5, 6 and 7 bytes.
WHOLE = st.sampled_from(
    [("float", 32), ("float", 64), ("str", 8), ("str", 72), ("uint", 16), ("int", 64), ("fill", 24)]
)


@st.composite
def fixed_rows(draw: st.DrawFn) -> list[FieldText]:
    """Rows of whole bytes together, in which text and floats begin on byte boundaries, as ccsdspy needs it."""
    rows: list[FieldText] = []
    used = 0
    for _ in range(draw(st.integers(1, 12))):
        kind, bits = draw(INTEGERS if used % 8 else INTEGERS | WHOLE)
        if used % 8 + bits > 64 and kind in ("uint", "int"):
            bits = 64 - used % 8  # ccsdspy has no integers that touch more than eight bytes
        count = (
            draw(st.sampled_from([None, None, (2,), (2, 3)])) if bits % 8 == 0 and kind not in ("str", "fill") else None
        )
        if count is not None and (used % 8 == 0 or bits < 64):
            rows.append((f"{kind}({', '.join(map(str, count))})", bits))
            used += bits * math.prod(count)
        else:
            rows.append((kind, bits))
            used += bits
    if used % 8:
        rows.append(("fill", 8 - used % 8))
    return rows


def total_bits(rows: list[FieldText]) -> list[int]:
    """The bits of each row's elements together."""
    shapes = [data_type.partition("(")[2].rstrip(")") for data_type, _ in rows]
    counts = [math.prod(int(extent) for extent in shape.split(",")) if shape else 1 for shape in shapes]
    return [bits * count for (_, bits), count in zip(rows, counts, strict=True)]


def assert_equal_values(ours: list[Any], theirs: Any) -> None:  # noqa: ANN401 - what NumPy gives
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        if isinstance(one, bytes):
            # NumPy's byte strings do not tell trailing zero bytes from none.
            assert one.rstrip(b"\0") == bytes(other)
        else:
            np.testing.assert_array_equal(np.array(one, dtype=np.asarray(other).dtype), other)


@given(rows=fixed_rows(), with_offsets=st.booleans(), count=st.integers(1, 4), seed=st.integers(0, 2**32))
def test_fixed_packets_have_the_values_that_ccsdspy_gives(
    folder: Path, rows: list[FieldText], *, with_offsets: bool, count: int, seed: int
) -> None:
    ccsdspy = pytest.importorskip("ccsdspy", reason="ccsdspy is not installed: nothing to compare with")
    sizes = total_bits(rows)
    offsets = [48 + sum(sizes[:index]) for index in range(len(rows))]
    write(folder / "defs.csv", rows, offsets if with_offsets else None)
    assume(any(not data_type.startswith("fill") for data_type, _ in rows))
    buffer, starts, ends = packets([sum(sizes) // 8] * count, seed)

    theirs = ccsdspy.FixedLength.from_file(str(folder / "defs.csv")).load(io.BytesIO(buffer))

    layout = Layout(load_csv(folder / "defs.csv").items)
    for kernel in (columns, reference):
        for field, column in zip(layout.fields, kernel.decode(layout, buffer, starts, ends), strict=True):
            assert_equal_values(column.to_list(), theirs[field.name])


@st.composite
def variable_rows(draw: st.DrawFn) -> list[FieldText]:
    """Rows with arrays sized by the row before, perhaps one that expands, and more rows before and after them."""
    whole = st.sampled_from([("uint", 8), ("int", 16), ("float", 32), ("uint", 32)])
    widths = st.sampled_from([8, 16, 32, 64])
    rows: list[FieldText] = draw(st.lists(whole, max_size=2))
    for _ in range(draw(st.integers(0, 2))):
        # ccsdspy has room for one field between two arrays, not for more.
        rows.append(("uint", 8))
        rows.append((f"uint(F{len(rows) - 1})", draw(widths)))
    if draw(st.booleans()):
        rows.append(("uint(expand)", draw(widths)))
    return [*rows, *draw(st.lists(whole, min_size=1, max_size=3))]


@given(rows=variable_rows(), counts=st.lists(st.integers(0, 5), min_size=3, max_size=3), seed=st.integers(0, 2**32))
def test_variable_packets_have_the_values_that_ccsdspy_gives(
    folder: Path, rows: list[FieldText], counts: list[int], seed: int
) -> None:
    ccsdspy = pytest.importorskip("ccsdspy", reason="ccsdspy is not installed: nothing to compare with")
    write(folder / "defs.csv", rows)
    noise = random.Random(seed)
    data = b""
    ends = []
    for number, count in enumerate(counts):
        body = bytearray()
        for data_type, bits in rows:
            is_counter = (data_type, bits) == ("uint", 8)
            elements = count if "(" in data_type else 1
            body += bytes([count]) if is_counter else noise.randbytes(elements * bits // 8)
        data += struct.pack(">HHH", APID, 0xC000 | number, len(body) - 1) + body
        ends.append(len(data))

    theirs = ccsdspy.VariableLength.from_file(str(folder / "defs.csv")).load(io.BytesIO(data))

    layout = Layout(load_csv(folder / "defs.csv").items)
    starts, stops = np.array([0, *ends[:-1]], np.int64), np.array(ends, np.int64)
    for kernel in (columns, reference):
        for field, column in zip(layout.fields, kernel.decode(layout, data, starts, stops), strict=True):
            assert_equal_values(column.to_list(), theirs[field.name])


GOOD = """name,data_type,bit_offset,bit_length,byteOrder,arrayShape,calibration
SECONDS,uint,0,32,,,
MODE,uint,32,4,,,"{""0"": ""OFF"", ""[1,3]"": ""ON"", ""5-9"": ""SAFE""}"
VOLTS,int,36,12,,,"{""0"": 20, ""1"": -0.5}"
CURRENT,float,48,32,4321,,[1.5e-3]
TEXT,str,80,64,,,
GRID,"uint(2, 3)",144,8,,,
SPARE,fill,192,8,,,
N,uint,200,8,,,
LIST,uint,208,16,21,N,
REST,uint(expand),,8,,,
SUM,uint,,16,,,
"""


PIECES = [
    *(",", '"', '""', "\n", "\r", "\r\n", "\0", "\ufeff", "é", "\u2028", " ", "(", ")", "[", "]", "{", "}", ":"),
    *("-1", "0", "1e9", "99999999", "7.0", "NaN", "12345678", "little", "expand", "N", "uint", "fill", "str", "float"),
    *("name", "bit_offset"),
]


def _mutations() -> st.SearchStrategy[str]:
    pieces = st.sampled_from(PIECES)
    edit = st.tuples(st.integers(0, len(GOOD)), st.integers(0, 12), pieces | st.text(max_size=3))
    return st.lists(edit, min_size=1, max_size=5).map(_edited)


def _edited(edits: list[tuple[int, int, str]]) -> str:
    text = GOOD
    for place, removed, put in edits:
        text = text[:place] + put + text[place + removed :]
    return text


@given(text=_mutations(), offsets_from=st.sampled_from([None, "packet", "data"]), seed=st.integers(0, 2**32))
def test_a_damaged_definition_is_refused_with_file_and_line_or_decodes(
    folder: Path,
    text: str,
    offsets_from: Literal["packet", "data"] | None,
    seed: int,
) -> None:
    file = folder / "damaged.csv"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        definition = load_csv(file, offsets_from=offsets_from)
    except DefinitionError as error:
        for one in (error, *error.others):
            assert one.source is not None
            assert one.source.file == str(file)
            assert one.source.line > 0
        return
    buffer, starts, ends = packets([1, 20, 40, 64], seed)
    layout = Layout(definition.items)
    assert [len(column) for column in columns.decode(layout, buffer, starts, ends)] == [4] * len(definition.items)


@given(before=st.binary(max_size=60), after=st.binary(max_size=60), is_good_between=st.booleans())
def test_any_bytes_are_refused_or_load(folder: Path, before: bytes, after: bytes, *, is_good_between: bool) -> None:
    file = folder / "bytes.csv"
    file.write_bytes(before + GOOD.encode() * is_good_between + after)

    assert complaint_about(file).startswith(f"{file}:") or load_csv(file).items


@given(
    content=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.text("0123456789,[]-x. ", max_size=6), inner, max_size=4)
        ),
        max_leaves=8,
    )
)
def test_any_json_in_a_calibration_is_refused_or_loads(folder: Path, content: Any) -> None:  # noqa: ANN401 - any JSON
    file = folder / "calibration.csv"
    with file.open("w", newline="") as out:
        csv.writer(out).writerow(["name", "data_type", "bit_length", "calibration"])
        csv.writer(out).writerow(["X", "uint", 16, json.dumps(content)])

    assert complaint_about(file).startswith(f"{file}:2:") or load_csv(file).items


def complaint_about(file: Path) -> str:
    """Tell what is wrong in a file; nothing if it loads."""
    try:
        load_csv(file)
    except DefinitionError as error:
        return str(error)
    return ""
