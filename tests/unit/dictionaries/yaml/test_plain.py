"""YAML as plain data, compared with PyYAML, and the place of each value."""

from __future__ import annotations

import pytest
import yaml

from c2kit.dictionaries.yaml.plain import plain_data
from c2kit.errors import DefinitionError

TEXT = """\
name: firefly
count: 3
share: 0.5
is_on: true
quoted: "3"
"null": 'null'
ranges:
  - 10.0.0.0/8
  - {low: -1, high: 2}
"""


def test_the_data_is_what_another_reader_makes_of_it() -> None:
    assert plain_data(TEXT, "settings.yaml")[0] == yaml.safe_load(TEXT)


def test_the_place_of_each_value_is_where_its_key_or_element_stands() -> None:
    _, places = plain_data(TEXT, "settings.yaml")
    assert str(places["count",]) == "settings.yaml:2:1"
    assert str(places["ranges", 0]) == "settings.yaml:8:5"
    assert str(places["ranges", 1, "high"]) == "settings.yaml:9:15"


def test_a_key_with_nothing_after_it_is_not_there() -> None:
    assert plain_data("a:\nb: ~\nc: {d: }\n", "x")[0] == {"c": {}}


def test_words_that_other_versions_of_yaml_take_for_truths_or_numbers_are_texts() -> None:
    data, _ = plain_data("[yes, off, 1_000, 12:30, 010]", "x")
    assert data == ["yes", "off", "1_000", "12:30", 10]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\na: 2\n", r"x:2:1: a stands twice"),
        ("a: &b 1\n", r"x:1:4: anchors and aliases"),
        ("# nothing\n", r"x:1:1: the file is empty"),
        ("a: [1\n", r"x:2:1: YAML syntax"),
    ],
)
def test_what_it_is_not_for_is_refused_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(DefinitionError, match=problem):
        plain_data(text, "x")
