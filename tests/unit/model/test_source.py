"""Places in files, in the form that editors and terminals turn into links."""

import pytest

from c2kit.model.source import Source


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (Source("a/b.yaml"), "a/b.yaml"),
        (Source("a/b.yaml", 3), "a/b.yaml:3"),
        (Source("a/b.yaml", 3, 7), "a/b.yaml:3:7"),
    ],
)
def test_what_is_unknown_is_left_out(source: Source, text: str) -> None:
    assert str(source) == text
