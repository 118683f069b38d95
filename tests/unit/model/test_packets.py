"""Packets and commands find what is in them by name."""

import pytest

from c2kit.errors import UnknownName
from c2kit.model.commands import Argument, Command
from c2kit.model.conversions import Function
from c2kit.model.packets import DerivedItem, Item, Packet
from c2kit.model.source import Source

POWER = DerivedItem(name="POWER", function=Function("c2kit.functions:product"), inputs=("VOLTAGE", "CURRENT"))
HEALTH = Packet(name="HEALTH", items=(Item(name="VOLTAGE"), Item(name="CURRENT")), derived=(POWER,))
SET_MODE = Command(name="SET_MODE", arguments=(Argument(name="MODE"), Argument(name="DURATION")))


def test_items_are_found_by_name_derived_ones_last() -> None:
    assert list(HEALTH.items_by_name) == ["VOLTAGE", "CURRENT", "POWER"]
    assert HEALTH.item("CURRENT") is HEALTH.items[1]
    assert HEALTH.item("POWER") is POWER


def test_arguments_are_found_by_name() -> None:
    assert list(SET_MODE.arguments_by_name) == ["MODE", "DURATION"]
    assert SET_MODE.argument("MODE") is SET_MODE.arguments[0]


def test_what_is_not_there_is_told_with_what_is() -> None:
    with pytest.raises(UnknownName, match="no item 'VOLTGE' in packet HEALTH; did you mean VOLTAGE"):
        HEALTH.item("VOLTGE")
    with pytest.raises(UnknownName, match="no argument 'X' in command SET_MODE; known: MODE, DURATION"):
        SET_MODE.argument("X")


def test_where_it_was_written_makes_no_definition_another() -> None:
    here, there = (Packet(name="P", items=(), source=Source("p.yaml", line)) for line in (1, 2))
    assert here == there
