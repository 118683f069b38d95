"""Reading arguments: where none depends on another there is a shorter way, which must not make a difference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2kit.model.commands import Argument, Command, LengthOf, SequenceCount
from c2kit.model.conversions import Polynomial, State, States
from c2kit.model.fields import Condition, Encoding, FieldReference, Fixed, Text
from c2kit.processors.arguments import ArgumentReader

ARGUMENTS = (
    Argument(name="FUNCTION", fixed=7),
    Argument(name="LENGTH", bit_length=16, computed=LengthOf()),
    Argument(name="COUNT", computed=SequenceCount()),
    Argument(name="MODE", conversion=States((State("SAFE", 1, 1), State("TEST", 8, 9)))),
    Argument(
        name="ANGLE", bit_length=16, encoding=Encoding.TWOS_COMPLEMENT, conversion=Polynomial((0.0, 0.1)), minimum=-90
    ),
    Argument(name="RATE", bit_length=32, encoding=Encoding.IEEE754, default=1, maximum=1e9),
    Argument(name="LINE", minimum=1, maximum=4, default=2, required=True),
    Argument(name="TRIM", bit_length=4, encoding=Encoding.TWOS_COMPLEMENT, default=0, maximum=5.5),
    Argument(name="ARMED", encoding=Encoding.BOOLEAN, bit_length=8, default=False),
    Argument(name="NAME", encoding=Encoding.STRING, length=Fixed((6,)), text=Text(padding=b" "), default="fly"),
)
COMMAND = Command(name="DO", arguments=ARGUMENTS)
SOUND = {"MODE": "SAFE", "ANGLE": -3.5, "LINE": 3}
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-300, 300),
    st.integers(-10, 10),
    st.floats(),
    st.sampled_from(["SAFE", "TEST", "safe", "fly", "far too long", b"fly", 3.0, np.int16(3), np.float32(0.5)]),
    st.lists(st.integers(0, 3), max_size=2),
)


def said(reader: ArgumentReader, given_values: dict[str, Any]) -> str:
    """Values in their order, and faults; ``repr`` tells apart what only counts as equal."""
    raw, faults = reader.raw_values(given_values)
    return repr((list(raw.items()), [str(fault) for fault in faults]))


@given(st.dictionaries(st.sampled_from([*(each.name for each in ARGUMENTS), "NOBODY"]), VALUES))
def test_the_short_way_says_what_the_long_one_does(changes: dict[str, Any]) -> None:
    short, long = ArgumentReader(COMMAND), ArgumentReader(COMMAND)
    assert short.plain is not None
    long.plain = None
    for values in (changes, SOUND | changes, SOUND):
        assert said(short, values) == said(long, values)


def test_values_are_given_to_each_caller_anew() -> None:
    reader = ArgumentReader(COMMAND)
    first, _ = reader.raw_values(SOUND)
    first.clear()
    raw, faults = reader.raw_values(SOUND)
    assert not faults
    assert list(raw) == [argument.name for argument in ARGUMENTS]
    assert (raw["MODE"], raw["ANGLE"], raw["RATE"], raw["NAME"], raw["ARMED"]) == (1, -35, 1.0, b"fly   ", 0)


@pytest.mark.parametrize(
    "argument",
    [
        Argument(name="X", present_if=(Condition("FUNCTION", "==", 7),)),
        Argument(name="X", length=FieldReference("FUNCTION")),
        Argument(name="X", length=Fixed((2,)), default=(1, 2)),
        Argument(name="X", default=256),
    ],
)
def test_what_depends_on_others_or_is_wrong_from_the_start_goes_the_long_way(argument: Argument) -> None:
    reader = ArgumentReader(Command(name="DO", arguments=(ARGUMENTS[0], argument)))
    assert reader.plain is None
