"""Descriptions and settings come back from plain data as they were, or every fault is told with its path."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path

import pytest
from attrs import field, frozen

from c2kit.errors import UsageError
from c2kit.pipeline.composition.description import SCHEMA_VERSION, Scale
from c2kit.pipeline.composition.script import load_mission
from c2kit.pipeline.composition.structuring import Faulty, description_from_json, structured

EXAMPLE = Path(__file__).parents[4] / "examples/04_mission.py"


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@frozen(kw_only=True)
class Wheel:
    size: int
    colour: Colour = Colour.RED


@frozen(kw_only=True)
class Cart:
    name: str
    wheels: tuple[Wheel, ...] = ()
    spares: dict[str, Wheel] = field(factory=dict)
    weight: float | None = None
    is_new: bool = False


def faults_of(data: object) -> dict[str, str]:
    with pytest.raises(Faulty) as caught:
        structured(Cart, data)
    return {
        fault.place: f"{fault.what}, {fault.expected}, {fault.found}; {fault.remedy}" for fault in caught.value.faults
    }


def test_a_description_comes_back_from_its_json() -> None:
    description = load_mission(EXAMPLE).describe()
    assert description_from_json(description.as_json(), "mission.json") == description


def test_what_was_given_is_structured_to_the_innermost() -> None:
    data = {"name": "x", "wheels": [{"size": 3, "colour": "blue"}], "spares": {"a": {"size": 1}}, "weight": 2}
    assert structured(Cart, data) == Cart(
        name="x", wheels=(Wheel(size=3, colour=Colour.BLUE),), spares={"a": Wheel(size=1)}, weight=2
    )


def test_all_faults_are_told_each_with_its_path() -> None:
    data = {
        "wheels": [{"size": 1}, {"size": "2"}, {"size": 3, "colour": "green"}],
        "spares": {"left": {"sise": 4}},
        "is_new": 1,
    }
    assert faults_of(data) == {
        "name": "it is missing, None, None; add it",
        "wheels[1].size": "it is something else, a whole number, '2'; ",
        "wheels[2].colour": "there is no such choice, red or blue, 'green'; ",
        "spares.left.size": "it is missing, None, None; add it",
        "spares.left.sise": "there is no such key, None, None; did you mean size?",
        "is_new": "it is something else, true or false, 1; ",
    }


@pytest.mark.parametrize(
    ("data", "place", "found"),
    [
        ([], "", "a mapping, a list"),
        ({"name": "x", "wheels": "abc"}, "wheels", "a list, 'abc'"),
        ({"name": "x", "wheels": ["abc"]}, "wheels[0]", "a mapping, 'abc'"),
        ({"name": "x", "spares": []}, "spares", "a mapping, a list"),
        ({"name": "x", "weight": True}, "weight", "a number, True"),
        ({"name": None}, "name", "a text, nothing"),
    ],
)
def test_nothing_passes_that_only_looks_like_what_was_wanted(data: object, place: str, found: str) -> None:
    (only,) = faults_of(data).items()
    assert only == (place, f"it is something else, {found}; ")


def test_what_a_value_itself_refuses_is_a_fault_at_its_place() -> None:
    with pytest.raises(Faulty, match="max of a Scale, expected a whole number of at least 3, found 2"):
        structured(Scale, {"min": 3, "max": 2})


def test_another_schema_version_is_refused_before_anything_is_read() -> None:
    text = json.dumps({"schema_version": SCHEMA_VERSION + 1, "whatever": 1})
    expected = f"mission.json, expected schema version {SCHEMA_VERSION}, found {SCHEMA_VERSION + 1}; write it anew"
    with pytest.raises(UsageError, match=expected):
        description_from_json(text, "mission.json")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "mission.json is no JSON"),
        ("[]", "found none"),
        ('{"schema_version": 1}', "mission.json: name: it is missing"),
    ],
)
def test_what_is_no_description_is_refused_with_the_name_of_the_file(text: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        description_from_json(text, "mission.json")
