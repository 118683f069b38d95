"""A CSV file as rows of cells that know their line and column.

RFC 4180, and what spreadsheets and people make of it: lines end with CR LF, LF or CR, blanks around cells do not count,
rows may be blank, a byte order mark may come first, and commas may trail.
"""

from __future__ import annotations

import bisect
import re
from typing import TYPE_CHECKING, NoReturn

from attrs import define, frozen

from c2kit.errors import DefinitionError
from c2kit.model.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["REQUIRED_COLUMNS", "Cell", "Row", "Table", "read_table"]

REQUIRED_COLUMNS = ("name", "data_type", "bit_length")
_OPTIONAL_COLUMNS = (
    "bit_offset",
    "byte_order",
    "array_shape",
    "array_order",
    "calibration",
    "description",
    "units",
)
_COLUMNS = {column.replace("_", ""): column for column in (*REQUIRED_COLUMNS, *_OPTIONAL_COLUMNS)} | {
    "calibrations": "calibration",
    "unit": "units",
}
"""``bit_offset`` may be spelled ``bitOffset`` or ``Bit Offset``: case, blanks and underscores do not count."""

_LINE_END = re.compile(r"\r\n|\n|\r")
_CELL = re.compile(
    r"""[ \t]*+(?:
        "(?P<quoted>(?:[^"]|"")*+)"[ \t]*+(?=,|\r|\n|\Z)
        | (?P<plain>[^,\r\n]*+)
    )""",
    re.VERBOSE,
)


@frozen
class Cell:
    """What stands between two commas, without the blanks around it, and where it begins."""

    text: str
    source: Source


@frozen
class Row:
    """One line of the table; ``source`` is where it begins."""

    cells: Mapping[str, Cell]
    source: Source

    def text(self, column: str) -> str:
        """What the row says in a column; empty where it says nothing."""
        cell = self.cells.get(column)
        return "" if cell is None else cell.text

    def wrong(
        self, column: str, what: str, *, expected: object = None, found: object = None, remedy: str = ""
    ) -> DefinitionError:
        """An error about the cell in that column."""
        cell = self.cells.get(column)
        source = self.source if cell is None else cell.source
        subject = f"{self.text('name')}: {what}" if self.text("name") else what
        return DefinitionError(subject, source=source, expected=expected, found=found, remedy=remedy)


@define(eq=False)
class Table:
    """The rows of a file, by the columns that mean something."""

    source: Source
    rows: list[Row]
    ignored: tuple[str, ...]
    """Names of the columns that mean nothing here."""
    problems: list[DefinitionError]
    """What is wrong with rows that are left out for this reason."""


def read_table(path: Path) -> Table:
    """The table in a file.

    Raises:
        DefinitionError: there is no text in it, or no header with the columns that are required.
    """
    records = [record for record in _records(str(path), _text(path)) if any(cell.text for cell in record)]
    if not records:
        expected = f"a header with {', '.join(REQUIRED_COLUMNS)}"
        raise DefinitionError("the file is empty", source=Source(str(path), 1, 1), expected=expected)
    columns, ignored = _columns(records[0])
    rows, problems = [], []
    for record in records[1:]:
        try:
            rows.append(_row(columns, record))
        except DefinitionError as error:
            problems.append(error)
    return Table(records[0][0].source, rows, ignored, problems)


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        what = f"it cannot be read: {error.strerror or error}"
        raise DefinitionError(what, source=Source(str(path)), remedy="mend the path") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        source = _Places(str(path), before).source(len(before))
        found, remedy = f"the byte {data[error.start]:#04x}", "save the file as UTF-8"
        raise DefinitionError("not a text file", source=source, expected="UTF-8", found=found, remedy=remedy) from None


@define(eq=False, init=False)
class _Places:
    """Tells line and column of places in a text."""

    file: str
    line_starts: list[int]

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.line_starts = [0, *(end.end() for end in _LINE_END.finditer(text))]

    def source(self, place: int) -> Source:
        """Line and column, both counted from 1."""
        line = bisect.bisect_right(self.line_starts, place)
        return Source(self.file, line, place - self.line_starts[line - 1] + 1)


def _records(file: str, text: str) -> Iterator[list[Cell]]:
    places = _Places(file, text)
    record: list[Cell] = []
    position = 0
    while position <= len(text):
        found = _CELL.match(text, position)
        assert found is not None  # noqa: S101 - for the type checker: the plain cell may be empty
        record.append(_cell(found, places))
        position = found.end()
        if position < len(text) and text[position] == ",":
            position += 1
            continue
        yield record
        record = []
        end = _LINE_END.match(text, position)
        position = len(text) + 1 if end is None else end.end()


def _cell(found: re.Match[str], places: _Places) -> Cell:
    quoted, plain = found["quoted"], found["plain"]
    if quoted is not None:
        return Cell(quoted.replace('""', '"').strip(), places.source(found.start("quoted") - 1))
    source = places.source(found.start("plain"))
    if plain.startswith('"'):
        remedy = 'close a quoted cell with " before the next comma, and write "" for a quote in it'
        raise DefinitionError("a quoted cell does not end", source=source, found=plain[:40], remedy=remedy)
    return Cell(plain.strip(), source)


def _columns(header: list[Cell]) -> tuple[list[str | None], tuple[str, ...]]:
    columns = [_COLUMNS.get(re.sub(r"[\s_-]+", "", cell.text).lower()) for cell in header]
    for index, column in enumerate(columns):
        if column is not None and column in columns[:index]:
            what = f"two columns are {column}"
            raise DefinitionError(what, source=header[index].source, remedy="remove one of them")
    missing = [column for column in REQUIRED_COLUMNS if column not in columns]
    if missing:
        _refuse_header(header, missing)
    ignored = [cell.text for cell, column in zip(header, columns, strict=True) if column is None and cell.text]
    return columns, tuple(ignored)


def _refuse_header(header: list[Cell], missing: list[str]) -> NoReturn:
    expected = f"{', '.join(REQUIRED_COLUMNS)} and, if you like, {', '.join(_OPTIONAL_COLUMNS)}"
    found = ", ".join(cell.text for cell in header)[:200]
    remedy = "name the columns in the first line"
    if len(header) == 1 and any(separator in header[0].text for separator in ";\t|"):
        remedy = "separate the columns by commas"
    what = f"there is no column {' and no '.join(missing)}"
    raise DefinitionError(what, source=header[0].source, expected=expected, found=found, remedy=remedy)


def _row(columns: list[str | None], record: list[Cell]) -> Row:
    for extra in record[len(columns) :]:
        if extra.text:
            remedy = 'put a cell with commas in quotes, as in "uint(2, 3)"'
            found = repr(extra.text[:40])
            raise DefinitionError(
                "the row has more cells than the header", source=extra.source, found=found, remedy=remedy
            )
    named = zip(columns, record, strict=False)
    return Row({column: cell for column, cell in named if column is not None}, record[0].source)
