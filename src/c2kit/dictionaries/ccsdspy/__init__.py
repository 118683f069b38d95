"""Packet definitions in the CSV format of ccsdspy: one packet a file, one field a row.

==================== =========================================================================================
``name``             the field's name
``data_type``        ``uint``, ``int``, ``float``, ``str``, ``fill``; an array as ``uint(4)``, ``"int(2, 3)"``,
                     ``uint(expand)`` or ``uint(NAME)``, which has as many elements as an earlier field says
``bit_length``       bits of one element, or of a whole string
``bit_offset``       optional: the first bit; where the cell is empty, the field follows those before it
``byte_order``       optional: ``big``, ``little``, or digits such as ``21`` or ``4321``
``array_shape``      optional: the shape, if it is not in the data type
``array_order``      optional: only ``C``, the last dimension varies fastest
``calibration``      optional: states or a polynomial, in JSON (:mod:`~c2kit.dictionaries.ccsdspy.calibration`)
``description``      optional
``units``            optional
==================== =========================================================================================

Columns may come in any order and be spelled ``bitOffset`` or ``Bit Offset`` as well; others are ignored, and a note
says so. The first three columns and ``bit_offset`` are what ccsdspy itself reads; the rest are its API's parameters.

The ``k``-th digit of a byte order says from which byte of the field, counted from its end, ccsdspy takes the ``k``-th
byte of the value, counted from its end. For all orders in use (``21``, ``4321``, ``2143``, ``3412``, ``321``) that is
what they seem to say: which byte of the value stands at each place.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Literal

from attrs import define, field, frozen

from c2kit.dictionaries.ccsdspy.places import Placed, Places, place
from c2kit.dictionaries.ccsdspy.table import read_table
from c2kit.dictionaries.ccsdspy.types import read_field
from c2kit.errors import DefinitionError, UsageError
from c2kit.kernel.conversions.checks import check_item
from c2kit.kernel.layout import Layout
from c2kit.model.fields import Encoding, Expand, Fixed, Text
from c2kit.model.packets import Item

if TYPE_CHECKING:
    from pathlib import Path

    from c2kit.dictionaries.ccsdspy.types import CsvField
    from c2kit.model.fields import FieldReference
    from c2kit.model.source import Source

__all__ = ["CsvDefinition", "load_csv"]


@frozen
class CsvDefinition:
    """What a file defines."""

    items: tuple[Item, ...]
    """In the order of the rows; bit offsets count from the packet's first bit."""
    notes: tuple[str, ...]
    """Choices that were made for the user, to be shown."""
    warnings: tuple[str, ...]
    """What is odd, and was loaded all the same."""
    source: Source


def load_csv(path: Path, *, offsets_from: Literal["packet", "data"] | None = None) -> CsvDefinition:
    """The packet that a CSV file defines.

    ``offsets_from`` says whether bit offsets count from the packet's first bit or from its data, which begin after the
    48 bits of the primary header. Unset, the data are assumed where the smallest offset is under 48 and the first
    fields are not the primary header's. Without any offsets the first field begins after the primary header.

    Raises:
        DefinitionError: what is wrong in the file, each with line and column.
        UsageError: ``offsets_from`` is something else.
    """
    if offsets_from not in (None, "packet", "data"):
        raise UsageError("offsets_from", expected="packet, data or None", found=repr(offsets_from))
    table = read_table(path)
    problems = list(table.problems)
    fields = []
    for row in table.rows:
        try:
            fields.append(read_field(row))
        except DefinitionError as error:
            problems.append(error)
    places = place(fields, str(path), offsets_from)
    problems += places.problems
    if problems:
        raise DefinitionError.of_many(problems)
    items = _Items(places).make()
    if not items:
        raise DefinitionError("it defines no field", source=table.source, remedy="add a row for each field")
    if table.ignored:
        places.notes.append(f"{path}: ignored columns that mean nothing here: {', '.join(table.ignored)}")
    for item in items:
        check_item(item)
    Layout(tuple(items))
    return CsvDefinition(tuple(items), tuple(places.notes), tuple(places.warnings), table.source)


@define(eq=False)
class _Items:
    """Makes items of placed fields."""

    places: Places
    names: dict[str, Source] = field(factory=dict)

    def make(self) -> list[Item]:
        """The items, in the order of the rows."""
        return [item for placed in self._needed() for item in self._items(placed)]

    def _needed(self) -> list[Placed]:
        """All but fill that nothing depends on: whatever comes next has a place of its own, or nothing comes."""
        placed = self.places.placed
        last = max((index for index, each in enumerate(placed) if not each.field.is_fill), default=-1)
        expanding = any(isinstance(each.field.shape, Expand) for each in placed)
        return [
            each
            for index, each in enumerate(placed)
            if not each.field.is_fill
            or (each.bit_offset is None and each.field.total_bits and (index < last or expanding))
        ]

    def _items(self, placed: Placed) -> list[Item]:
        each = placed.field
        if each.is_fill:
            return [self._fill(placed)]
        if each.encoding is Encoding.STRING:
            return self._strings(placed)
        order = _byte_order(each, placed.bit_offset)
        if each.byte_order.isdigit() and order not in ("big", each.byte_order):
            what = f"byte order {each.byte_order} of {each.name} means what it means to ccsdspy, here called {order}"
            self.places.notes.append(f"{each.row.source}: {what}")
        return [self._item(placed, each.name, length=each.shape, bit_length=each.bit_length, byte_order=order)]

    def _fill(self, placed: Placed) -> Item:
        """Where places vary, bits that are nobody's must be an item, so that others find theirs."""
        name, bits = self._fill_name(placed.field), placed.field.total_bits or 0
        if bits <= 64:
            return self._item(placed, name, length=None, bit_length=bits)
        return self._item(placed, name, length=Fixed((bits,)), bit_length=1)

    def _fill_name(self, each: CsvField) -> str:
        """A name that nobody has."""
        base = each.name or "fill"
        taken = {placed.field.name for placed in self.places.placed if not placed.field.is_fill}
        numbered = itertools.chain([base], (f"{base}_{number}" for number in itertools.count(2)))
        name = next(name for name in numbered if name not in taken and name not in self.names)
        what = f"fill after an array of varying length is kept as item {name}"
        self.places.notes.append(f"{each.row.source}: {what}")
        return name

    def _strings(self, placed: Placed) -> list[Item]:
        """A string; an array of single characters is one string, of longer ones an item for each of them."""
        each = placed.field
        if each.shape is None:
            return [self._item(placed, each.name, length=Fixed((each.bit_length // 8,)), text=Text())]
        if not isinstance(each.shape, Fixed) or (each.bit_length == 8 and len(each.shape.shape) == 1):
            return [self._item(placed, each.name, length=each.shape, text=Text())]
        members = []
        for number, index in enumerate(itertools.product(*map(range, each.shape.shape))):
            start = None if placed.bit_offset is None else placed.bit_offset + number * each.bit_length
            name = f"{each.name}[{','.join(map(str, index))}]"
            length = Fixed((each.bit_length // 8,))
            members.append(self._item(Placed(each, start), name, length=length, text=Text()))
        return members

    def _item(
        self,
        placed: Placed,
        name: str,
        *,
        length: Fixed | FieldReference | Expand | None,
        bit_length: int = 8,
        byte_order: str = "big",
        text: Text | None = None,
    ) -> Item:
        row = placed.field.row
        source = row.cells["name"].source if "name" in row.cells else row.source
        first = self.names.setdefault(name, source)
        if first is not source:
            raise DefinitionError(
                f"{name} stands twice", source=source, found=f"the first at {first}", remedy="rename one"
            )
        return Item(
            name=name,
            encoding=placed.field.encoding or Encoding.UNSIGNED,
            bit_length=bit_length,
            bit_offset=placed.bit_offset,
            byte_order=byte_order,
            length=length,
            text=text,
            conversion=placed.field.conversion,
            units=row.text("units"),
            description=row.text("description"),
            source=source,
        )


def _byte_order(each: CsvField, bit_offset: int | None) -> str:
    """The byte order of a number as :mod:`c2kit.model.fields` writes it.

    ccsdspy takes the bits in big-endian order first, wherever they begin; digits mean that, ``little`` does not.
    """
    count = each.bit_length // 8
    digits = "".join(map(str, range(1, count + 1)))
    if each.byte_order == "big" or each.bit_length <= 8:
        return "big"
    if each.byte_order == "little":
        return "little" if bit_offset is not None and bit_offset % 8 == 0 else digits[::-1]
    # Digit k: the k-th byte of the value from its end is taken from this byte of the field, counted from its end.
    stands = {count + 1 - int(digit): count - index for index, digit in enumerate(each.byte_order)}
    order = "".join(str(stands[place]) for place in range(1, count + 1))
    return "big" if order == digits else order
