"""Reading a flatbuffer that may be damaged: tables, vectors and texts, none of them outside its bytes.

FlatBuffers ("Internals" of its documentation): a table begins with the distance back to its vtable, which tells where
in the table each field stands; whatever a table refers to stands after it, so that references cannot run in circles.
``nanoarrow`` reads damaged schemas beyond their end (a segmentation fault in 0.9), which is why there is a reader here.

All functions raise ``struct.error`` for what lies outside, which :func:`damaged_where` turns into a MessageError.
"""

from __future__ import annotations

import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from c2kit.errors import MessageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

__all__ = ["Table", "damaged_where", "follow", "key_values", "pairs", "tables", "text"]

_MAX_COLUMNS = 2**16
_MAX_FACTS = 1000
"""References to one long text many times over must not become work without end."""


@contextmanager
def damaged_where(what: str) -> Iterator[None]:
    """Raise MessageError, naming what was read, for whatever could not be."""
    try:
        yield
    except (struct.error, UnicodeDecodeError) as error:
        raise MessageError(f"{what} is damaged", found=error) from None


class Table:
    """A table: fields by their number, in the order of the schema that the flatbuffer was made by."""

    def __init__(self, view: memoryview, position: int) -> None:
        self._view = view
        self._position = position
        self._vtable = position - struct.unpack_from("<i", view, position)[0]
        if self._vtable < 0:
            message = "a table's vtable lies before the message"
            raise struct.error(message)
        self._vtable_bytes = struct.unpack_from("<H", view, self._vtable)[0]

    def _place(self, slot: int) -> int | None:
        entry = 4 + 2 * slot
        if entry + 2 > self._vtable_bytes:
            return None
        place = struct.unpack_from("<H", self._view, self._vtable + entry)[0]
        return self._position + place if place else None

    def number(self, slot: int, form: str) -> int:
        """A number, 0 where it was left out."""
        place = self._place(slot)
        return 0 if place is None else int(struct.unpack_from(form, self._view, place)[0])

    def follow(self, slot: int) -> int | None:
        """Where something begins that the table refers to; ``None`` where it does not."""
        place = self._place(slot)
        return None if place is None else follow(self._view, place)


def follow(view: memoryview, position: int) -> int:
    """Where that begins which the reference at ``position`` means."""
    return int(position + struct.unpack_from("<I", view, position)[0])


def _count(view: memoryview, position: int, element_bytes: int) -> int:
    """The number of elements of a vector that lies in the message wholly."""
    count = struct.unpack_from("<I", view, position)[0]
    if position + 4 + count * element_bytes > len(view):
        message = "a vector goes on after the end of the metadata"
        raise struct.error(message)
    return int(count)


def pairs(view: memoryview, position: int | None) -> npt.NDArray[np.int64]:
    """A vector of structures of two int64."""
    count = 0 if position is None else _count(view, position, 16)
    if position is None or not count:
        return np.zeros((0, 2), np.int64)
    return np.frombuffer(view, "<i8", 2 * count, position + 4).reshape(count, 2)


def tables(view: memoryview, position: int | None, most: int = _MAX_COLUMNS) -> list[Table]:
    """A vector of tables, ``most`` at most."""
    if position is None:
        return []
    count = _count(view, position, 4)
    if count > most:
        message = f"{count} tables, more than {most}"
        raise struct.error(message)
    places = range(position + 4, position + 4 + 4 * count, 4)
    return [Table(view, follow(view, place)) for place in places]


def text(view: memoryview, position: int | None) -> str:
    """A text, empty where there is none. Raises UnicodeDecodeError too."""
    if position is None:
        return ""
    count = _count(view, position, 1)
    return str(view[position + 4 : position + 4 + count], "utf-8")


def key_values(view: memoryview, position: int | None) -> dict[str, str]:
    """A vector of Arrow's ``KeyValue`` tables."""
    return {text(view, pair.follow(0)): text(view, pair.follow(1)) for pair in tables(view, position, _MAX_FACTS)}
