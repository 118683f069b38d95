"""Digests of images that were built and pushed: by them a cluster pulls exactly these, whatever a tag says later."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.errors import DefinitionError
from c2kit.model.source import Source
from c2kit.pipeline.composition.structuring import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

__all__ = ["DIGESTS", "Pinned", "pinned", "read_digests"]

DIGESTS = "digests.txt"
"""The user's file in the folder: made once, with what it is for, and read by every run."""

_LINE = re.compile(r"(?P<reference>\S+:[\w.-]+)@(?P<digest>sha256:[0-9a-f]{64})")


@frozen(kw_only=True)
class Pinned:
    """An image by its digest."""

    name: str
    """Without its tag."""
    digest: str


def read_digests(text: str, name: str, images: Collection[str]) -> dict[str, str]:
    """The digests of images, by their references, from lines such as ``registry/decom:0f1e@sha256:...``.

    A line of an image as it was built of something else before is left out: what it names is not what runs.

    Raises:
        DefinitionError: a line that is none, or of an image that the mission does not have; ``name`` is what the text
            is called.
    """
    names = {image.rpartition(":")[0] for image in images}
    found = dict(_lines(text, name, names))
    return {reference: digest for reference, digest in found.items() if reference in images}


def _lines(text: str, name: str, known: Collection[str]) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        content = line.partition("#")[0].strip()
        if not content:
            continue
        parts = _LINE.fullmatch(content)
        if parts is None:
            expected = "name:tag@sha256: and 64 hexadecimal digits"
            raise DefinitionError(
                "no digest of an image", source=Source(name, number), expected=expected, found=content
            )
        image = parts["reference"].rpartition(":")[0]
        if image not in known:
            what = f"the mission has no image {image}"
            raise DefinitionError(what, source=Source(name, number), remedy=nearest(image, known))
        yield parts["reference"], parts["digest"]


def pinned(digests: Mapping[str, str]) -> tuple[Pinned, ...]:
    """The images that have a digest, by name."""
    entries = ((reference.rpartition(":")[0], digest) for reference, digest in digests.items())
    return tuple(Pinned(name=name, digest=digest) for name, digest in sorted(entries))
