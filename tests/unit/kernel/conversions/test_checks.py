"""Definitions of conversions and limits that cannot be right."""

import math
from typing import Any

import pytest

from c2kit.errors import DefinitionError
from c2kit.kernel.conversions import check_derived, check_item
from c2kit.model.commands import Argument
from c2kit.model.conversions import Conversion, Function, PiecewiseLinear, Polynomial, State, States
from c2kit.model.fields import Encoding, Expand, Fixed
from c2kit.model.limits import Limits
from c2kit.model.packets import DerivedItem, Item, Packet
from c2kit.model.source import Source

HERE = Source("health.yaml", 12, 3)


def item(conversion: Conversion | None = None, encoding: Encoding = Encoding.UNSIGNED, **more: Any) -> Item:  # noqa: ANN401 - any attribute
    return Item(name="X", encoding=encoding, conversion=conversion, source=HERE, **more)


GOOD = [
    item(),
    item(Polynomial((1.0,))),
    item(PiecewiseLinear(((0.0, 1.0), (1.0, 1.0)))),
    item(States((State("A", 1, 1), State("A", 2, 5))), Encoding.BOOLEAN),
    item(Function("a.b_c:d2.e")),
    item(Function("a:b"), Encoding.BINARY, length=Expand(), limits=(Limits(red_low=1),)),
    item(Polynomial((1.0,)), Encoding.IEEE754, bit_length=32, limits=(Limits(), Limits(name="b", red_high=1.0))),
]


@pytest.mark.parametrize("good", GOOD)
def test_what_can_be_right_is_accepted(good: Item) -> None:
    check_item(good)


BAD = [
    (item(Polynomial(())), "its polynomial has no coefficients"),
    (item(Polynomial((1.0, math.nan))), "a coefficient is not a finite number, found nan"),
    (item(Polynomial((1.0, 10**400))), "a coefficient is not a finite number"),
    (item(PiecewiseLinear(((2**53, 0), (2**53 + 1, 1)))), "not in rising order"),  # the same in float64
    (item(limits=(Limits(red_high=-(10**400)),)), "a bound of limits 'default' is not a finite number"),
    (item(PiecewiseLinear(())), "at least two points"),
    (item(PiecewiseLinear(((0.0, 1.0),))), "at least two points, expected 2 or more, found 1"),
    (item(PiecewiseLinear(((0.0, 1.0), (0.0, 2.0)))), "not in rising order of raw value, found 0 after 0"),
    (item(PiecewiseLinear(((1.0, 1.0), (0.0, 2.0)))), "not in rising order"),
    (item(PiecewiseLinear(((0.0, 1.0), (math.inf, 2.0)))), "a point is not a finite number"),
    (item(States(())), "a list of states with none in it"),
    (item(States((State("A", 2, 1),))), "state A ends before it begins, found 2 to 1"),
    (item(States((State("", 1, 1),))), "a state has no name"),
    (item(States((State("A", 1, 1),)), Encoding.IEEE754, bit_length=32), "only integers have states, found ieee754"),
    (item(Polynomial((1.0,)), Encoding.STRING, length=Expand()), "Polynomial converts numbers, found string"),
    (item(Function("no_colon")), "expected package.module:name, found 'no_colon'"),
    (item(Function("a:b()")), "its function has no import path"),
    (item(Function("a.:b")), "its function has no import path"),
    (item(Function("__import__('os'):x")), "its function has no import path"),
    (item(limits=(Limits(name="hot", red_low=math.nan),)), "a bound of limits 'hot' is not a finite number"),
    (item(encoding=Encoding.STRING, length=Expand(), limits=(Limits(),)), "it has limits but no number"),
]


@pytest.mark.parametrize(("bad", "complaint"), BAD, ids=[complaint for _, complaint in BAD])
def test_what_cannot_be_right_is_refused_with_file_and_line(bad: Item, complaint: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        check_item(bad)
    assert str(caught.value).startswith("health.yaml:12:3: X: ")
    assert complaint in str(caught.value)


def test_an_argument_is_checked_like_an_item() -> None:
    with pytest.raises(DefinitionError, match="ARG: its polynomial has no coefficients"):
        check_item(Argument(name="ARG", conversion=Polynomial(())))


def derived(name: str, *inputs: str, path: str = "a:b", **more: Any) -> DerivedItem:  # noqa: ANN401 - any attribute
    return DerivedItem(name=name, function=Function(path), inputs=inputs, source=HERE, **more)


def packet(*made: DerivedItem) -> Packet:
    items = (
        Item(name="VOLTAGE"),
        Item(name="GRID", length=Fixed((2, 2))),
        Item(name="TAIL", length=Expand()),
        Item(name="NAME", encoding=Encoding.STRING, length=Fixed((4,))),
        Item(name="HASHED", encoding=Encoding.BINARY, length=Fixed((4,)), conversion=Function("a:b")),
    )
    return Packet(name="HEALTH", items=items, derived=made)


def test_inputs_are_numbers_of_the_packet_defined_before() -> None:
    first, second = derived("FIRST", "VOLTAGE", "GRID", "HASHED"), derived("SECOND", "FIRST", "VOLTAGE")
    for made in (first, second):
        check_derived(made, packet(first, second))


@pytest.mark.parametrize(
    ("made", "complaint"),
    [
        (derived("X"), "it is derived from nothing"),
        (derived("X", "VOLTGE"), "its input VOLTGE is no item before it; did you mean VOLTAGE"),
        (derived("X", "X"), "its input X is no item before it"),
        (derived("X", "LATER"), "its input LATER is no item before it"),
        (derived("X", "NAME"), "its input NAME is not a number, found string"),
        (derived("X", "TAIL"), "the length of its input TAIL varies"),
        (derived("X", "VOLTAGE", path="a.b"), "its function has no import path"),
        (derived("X", "VOLTAGE", limits=(Limits(red_low=math.inf),)), "not a finite number"),
    ],
)
def test_what_cannot_be_derived_is_refused(made: DerivedItem, complaint: str) -> None:
    with pytest.raises(DefinitionError, match=rf"health\.yaml:12:3: X: .*{complaint}"):
        check_derived(made, packet(made, derived("LATER", "VOLTAGE")))
