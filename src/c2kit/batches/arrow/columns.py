"""Which Arrow columns a batch has, and of which types: the mapping that ``docs/reference/arrow.md`` lays down.

A schema follows from the definition alone, never from the data, so that it is known before the first packet and is the
same for every batch of one definition.
"""

from __future__ import annotations

import json
from enum import Enum, unique
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from c2kit.kernel.conversions import engineering_dtype, has_own_engineering
from c2kit.kernel.layout import raw_dtype
from c2kit.model.conversions import States
from c2kit.model.fields import Fixed
from c2kit.model.packets import Item

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from c2kit.model.conversions import State
    from c2kit.model.packets import DerivedItem, Packet

__all__ = ["ArrowColumn", "ArrowType", "Role", "Values", "packet_columns", "telemetry_columns"]


@unique
class Values(Enum):
    """Which values of an item travel."""

    RAW = "raw"
    ENGINEERING = "engineering"
    BOTH = "both"


@unique
class Role(Enum):
    """What a column holds."""

    PACKET = "packet"
    """The bytes of each packet."""
    DEFINITION = "definition"
    """The index of each packet's definition in its target."""
    RECEIVED = "received"
    GENERATED = "generated"
    VALUE = "value"
    """An item whose engineering value is its raw value."""
    RAW = "raw"
    ENGINEERING = "engineering"
    LIMITS = "limits"


@frozen
class ArrowType:
    """The type of a column: an element, alone, in lists of fixed size inside each other, or in a list of any size.

    ``element`` is ``None`` for bytes. What is of fixed size has one entry in ``shape`` a dimension, outermost first.
    """

    element: np.dtype[np.generic] | None
    shape: tuple[int, ...] = ()
    is_list: bool = False
    is_text: bool = False
    is_large: bool = False
    """Whether the offsets of bytes have 64 bits."""
    is_time: bool = False
    """Whether the int64 are POSIX nanoseconds, UTC."""


TIME = ArrowType(np.dtype(np.int64), is_time=True)


@frozen
class ArrowColumn:
    """One column of a schema."""

    name: str
    role: Role
    type: ArrowType
    item: str = ""
    """The item that it belongs to; empty where it belongs to the packet."""
    is_nullable: bool = True
    metadata: tuple[tuple[str, str], ...] = ()


def packet_columns(*, is_identified: bool, is_large: bool) -> tuple[ArrowColumn, ...]:
    """The columns of a batch of packets."""
    packet = ArrowType(None, is_large=is_large)
    columns = [
        ArrowColumn("packet", Role.PACKET, packet, is_nullable=False),
        ArrowColumn("received", Role.RECEIVED, TIME, is_nullable=False),
        ArrowColumn("generated", Role.GENERATED, TIME),
    ]
    if is_identified:
        definition = ArrowType(np.dtype(np.int32))
        columns.append(ArrowColumn("definition", Role.DEFINITION, definition, is_nullable=False))
    return tuple(columns)


def telemetry_columns(
    packet: Packet, values: Values, *, with_limits: bool, items: Sequence[str] | None = None
) -> tuple[ArrowColumn, ...]:
    """The columns of a batch of one packet's items: all of them, or those that are named, in that order.

    Item names are never changed. Another column's name that an item, or a column before it, has taken gets ``_``
    appended until it is free.
    """
    taken = set(packet.items_by_name)
    received = ArrowColumn(_free("received", taken), Role.RECEIVED, TIME, is_nullable=False)
    generated = ArrowColumn(_free("generated", taken), Role.GENERATED, TIME)
    columns = [received, generated]
    for name in packet.items_by_name if items is None else items:
        item = packet.item(name)
        columns += _value_columns(item, values, taken)
        if with_limits and item.limits:
            columns.append(_limits_column(item, taken))
    return tuple(columns)


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _value_columns(item: Item | DerivedItem, values: Values, taken: set[str]) -> Iterator[ArrowColumn]:
    if not isinstance(item, Item):
        if values is not Values.RAW:
            yield _column(item, item.name, Role.ENGINEERING, _engineering_type(item))
        return
    if not has_own_engineering(item):
        yield _column(item, item.name, Role.VALUE, _raw_type(item))
        return
    if values is not Values.RAW:
        yield _column(item, item.name, Role.ENGINEERING, _engineering_type(item))
    if values is not Values.ENGINEERING:
        name = item.name if values is Values.RAW else _free(f"{item.name}.raw", taken)
        yield _column(item, name, Role.RAW, _raw_type(item))


def _raw_type(item: Item) -> ArrowType:
    if item.encoding.is_bytes:
        return ArrowType(None)
    return _in_lists(raw_dtype(item), item)


def _engineering_type(item: Item | DerivedItem) -> ArrowType:
    element = engineering_dtype(item)
    if element is None:
        return ArrowType(None, is_text=True)
    return _in_lists(element, item)


def _in_lists(element: np.dtype[np.generic], item: Item | DerivedItem) -> ArrowType:
    """The type of an item's numbers, which may be what a function made of its bytes: one for each packet."""
    element = element.newbyteorder("<")
    if not isinstance(item, Item) or not item.is_array:
        return ArrowType(element)
    if isinstance(item.length, Fixed):
        return ArrowType(element, shape=item.length.shape)
    return ArrowType(element, is_list=True)


def _limits_column(item: Item | DerivedItem, taken: set[str]) -> ArrowColumn:
    name = _free(f"{item.name}.limits", taken)
    states = _in_lists(np.dtype(np.uint8), item)
    return ArrowColumn(name, Role.LIMITS, states, item.name, metadata=_texts({"item": item.name, "values": "limits"}))


def _column(item: Item | DerivedItem, name: str, role: Role, arrow_type: ArrowType) -> ArrowColumn:
    return ArrowColumn(name, role, arrow_type, item.name, metadata=_texts(_facts(item, role, arrow_type)))


def _facts(item: Item | DerivedItem, role: Role, arrow_type: ArrowType) -> dict[str, str]:
    """What a person, or a program that never saw the dictionary, needs to know of the column."""
    facts = {"item": item.name, "description": item.description}
    if role is Role.RAW:
        facts["values"] = "raw"
    else:
        facts |= {"values": "engineering", "units": item.units, "display": item.display}
    if arrow_type.shape:
        facts["shape"] = _json(arrow_type.shape)
    if isinstance(item, Item):
        facts |= {"encoding": item.encoding.value, "bit_length": str(item.bit_length)}
        if isinstance(item.conversion, States):
            facts["states"] = _json([_state(state) for state in item.conversion.states])
    return facts


def _state(state: State) -> dict[str, Any]:
    described = {"description": state.description} if state.description else {}
    return {"name": state.name, "low": state.low, "high": state.high, **described}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _texts(facts: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """What is not empty, in one order, so that equal definitions give equal bytes."""
    return tuple(sorted((key, value) for key, value in facts.items() if value))
