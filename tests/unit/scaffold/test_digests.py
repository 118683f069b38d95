"""Digests of images: read from the user's lines, and only of what would run."""

from __future__ import annotations

import pytest

from c2kit.errors import DefinitionError
from c2kit.scaffold.digests import Pinned, pinned, read_digests
from c2kit.scaffold.rendering import Templates

IMAGES = ("r.example.com:5000/firefly/decom:new", "r.example.com:5000/firefly/fep:new")
DIGEST = f"sha256:{'ab' * 32}"


def test_a_line_pins_the_image_that_it_names() -> None:
    text = f"# mine\n\n{IMAGES[0]}@{DIGEST}  # built today\n"
    digests = read_digests(text, "digests.txt", IMAGES)
    assert digests == {IMAGES[0]: DIGEST}
    assert pinned(digests) == (Pinned(name="r.example.com:5000/firefly/decom", digest=DIGEST),)


def test_an_image_as_it_was_before_is_not_what_runs() -> None:
    assert read_digests(f"{IMAGES[0].replace('new', 'old')}@{DIGEST}\n", "digests.txt", IMAGES) == {}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (f"r.example.com:5000/firefly/decm:new@{DIGEST}", r"digests\.txt:2: .* did you mean .*decom\?"),
        (IMAGES[0], r"digests\.txt:2: no digest of an image, expected name:tag@sha256"),
        (f"{IMAGES[0]}@sha256:abc", r"digests\.txt:2: no digest of an image"),
    ],
)
def test_what_is_none_is_told_with_its_line(line: str, problem: str) -> None:
    with pytest.raises(DefinitionError, match=problem):
        read_digests(f"\n{line}\n", "digests.txt", IMAGES)


def test_the_file_that_is_made_once_pins_nothing() -> None:
    assert read_digests(Templates().render("digests.txt.j2"), "digests.txt", IMAGES) == {}
