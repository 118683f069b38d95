"""Generated text is read as a cluster reads it, and what a user's template spoiled is told."""

from __future__ import annotations

import pytest

from c2kit.errors import UsageError
from c2kit.scaffold.documents import objects_in

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"


def test_all_objects_of_a_file_are_there_in_order() -> None:
    found = list(objects_in(f"# first\n{POD}---\n{POD.replace('a}', 'b}')}", "x.yaml"))
    assert [each["metadata"]["name"] for each in found] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [", r"x\.yaml is no YAML"),
        ("- 1\n", r"a document in x\.yaml, expected an object"),
        ("kind: Pod\n", r"a document in x\.yaml, expected an object"),
        (f"{POD}---\n", r"a document in x\.yaml, expected an object"),
    ],
)
def test_what_is_no_object_is_refused(text: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        list(objects_in(text, "x.yaml"))
