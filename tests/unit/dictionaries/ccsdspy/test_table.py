"""CSV files as rows of cells that know their line and column."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2kit.dictionaries.ccsdspy.table import Table, read_table
from c2kit.errors import DefinitionError

HEADER = "name,data_type,bit_length"


def read(folder: Path, data: str | bytes) -> Table:
    file = folder / "table.csv"
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_table(file)


def cells(table: Table) -> list[dict[str, str]]:
    return [{column: cell.text for column, cell in row.cells.items()} for row in table.rows]


A_ROW = {"name": "A", "data_type": "uint", "bit_length": "8"}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_in_any_of_the_usual_ways(tmp_path: Path, end: str) -> None:
    table = read(tmp_path, f"{HEADER}{end}A,uint,8{end}{end}A,uint,8")

    assert cells(table) == [A_ROW, A_ROW]
    assert [row.source.line for row in table.rows] == [2, 4]


@pytest.mark.parametrize(
    "text",
    [
        f"\ufeff{HEADER}\nA,uint,8\n",
        f"\n\n{HEADER}\n\n,,\n  \nA,uint,8\n,,,,\n",
        f"{HEADER},\nA,uint,8,\n",
        f"{HEADER},,,\nA,uint,8,,,,,,\n",
        "name, data_type, bit_length\nA, uint, 8\n",
        '"name","data_type" , "bit_length"\n "A",\t"uint",  "8"  \n',
        "  NAME ,Data Type,bit-length\n A ,\tuint\t, 8 \n",
        "bitLength,dataType,Name\n8,uint,A\n",
    ],
)
def test_what_spreadsheets_and_people_add_does_not_count(tmp_path: Path, text: str) -> None:
    assert cells(read(tmp_path, text)) in ([A_ROW], [dict(reversed(A_ROW.items()))])


def test_a_row_may_end_early(tmp_path: Path) -> None:
    (row,) = read(tmp_path, f"{HEADER},units\nA,uint\n").rows

    assert [row.text(column) for column in ("name", "data_type", "bit_length", "units")] == ["A", "uint", "", ""]


def test_cells_know_their_line_and_column_even_behind_quoted_line_ends(tmp_path: Path) -> None:
    first, second = read(tmp_path, f'{HEADER}\n"A\r\nB",  uint,8\nC,"uint(2, 3)",  9\n').rows

    assert first.text("name") == "A\r\nB"
    assert (first.cells["data_type"].source.line, first.cells["data_type"].source.column) == (3, 6)
    assert second.text("data_type") == "uint(2, 3)"
    assert (second.cells["data_type"].source.line, second.cells["data_type"].source.column) == (4, 3)
    assert (second.cells["bit_length"].source.line, second.cells["bit_length"].source.column) == (4, 18)


def test_columns_that_mean_nothing_are_named(tmp_path: Path) -> None:
    assert read(tmp_path, f"{HEADER},Owner,,Since\nA,uint,8,me,,\n").ignored == ("Owner", "Since")


@pytest.mark.parametrize(
    ("data", "place", "says"),
    [
        (b"", "1:1", "the file is empty"),
        (b"name,data_type\n", "1:1", "no column bit_length"),
        (b"A,uint,8\n", "1:1", "no column name and no data_type and no bit_length"),
        (b"name;data_type;bit_length\nA;uint;8\n", "1:1", "separate the columns by commas"),
        (b"name,data_type,bit_length,bitLength\n", "1:27", "two columns are bit_length"),
        (b'name,data_type,bit_length\nA,"uint,8\n', "2:3", "a quoted cell does not end"),
        (b'name,data_type,bit_length\nA,"uint"8,8\n', "2:3", "a quoted cell does not end"),
        (b"name,data_type,bit_length\nA,uint,8\nB\xe9,uint,8\n", "3:2", "expected UTF-8, found the byte 0xe9"),
        (b"\xff\xfen\0a\0m\0e\0", "1:1", "not a text file"),
    ],
)
def test_what_is_no_table_is_refused_with_its_place(tmp_path: Path, data: bytes, place: str, says: str) -> None:
    with pytest.raises(DefinitionError, match=says) as refused:
        read(tmp_path, data)

    assert str(refused.value).startswith(f"{tmp_path / 'table.csv'}:{place}: ")


def test_rows_with_too_many_cells_are_left_out_and_told(tmp_path: Path) -> None:
    table = read(tmp_path, f"{HEADER}\nA,int(2, 3),8\nA,uint,8\n")

    assert cells(table) == [A_ROW]
    (problem,) = table.problems
    assert "in quotes" in str(problem)
    assert str(problem.source).endswith("table.csv:2:13")


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0\ufeff"), max_size=8).filter(
    lambda text: text == text.strip()
)


@given(rows=st.lists(st.lists(CELLS, min_size=3, max_size=3).filter(any), max_size=6))
def test_cells_are_those_that_pythons_csv_module_wrote(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([HEADER.split(","), *rows])

    table = read(tmp_path_factory.getbasetemp(), text.getvalue())

    assert [[row.text(column) for column in HEADER.split(",")] for row in table.rows] == rows
