"""The bytes of strings to UTF-8 text, a column at a time, and back, one value at a time.

A string's text is what stands before the first terminator (searched in steps of its own length), without the padding at
its end (whole repetitions of it are stripped), decoded strictly.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

import numpy as np

from c2kit.errors import UsageError
from c2kit.kernel.contract import Column
from c2kit.kernel.tally import Tally, tallies
from c2kit.model.fields import Fixed, Text

if TYPE_CHECKING:
    import numpy.typing as npt

    from c2kit.kernel.tally import Tallies
    from c2kit.model.fields import Field

    Bytes = npt.NDArray[np.uint8]
    Places = npt.NDArray[np.int64]

__all__ = ["decode_text", "encode_text"]

_LIKE_ASCII = re.compile(r"utf-8|ascii|iso8859-\d+|cp125\d|koi8-[rtu]")
"""Codecs in which a byte below 128 is the ASCII character, whatever stands beside it."""


def decode_text(text: Text, raw: Column) -> tuple[Column, Tallies]:
    """The text of each string, as UTF-8. What cannot be decoded has no value, and is counted."""
    assert raw.offsets is not None  # noqa: S101 - for the type checker: strings always have offsets
    data = raw.values.view(np.uint8)
    starts, ends = raw.offsets[:-1], raw.offsets[1:]
    slow = np.ones(len(raw), np.bool_) if raw.valid is None else raw.valid
    if _is_simple(text):
        # Nearly all strings are ASCII, whose UTF-8 is itself: only where a string begins and ends is to be found.
        ends = _before_padding(data, starts, _before_terminator(data, starts, ends, text.terminator), text.padding)
        slow = _holds(data >= 0x80, starts, ends)
    rows = np.flatnonzero(slow)
    if not len(rows):
        return _gathered(data, starts, ends - starts, raw.valid), tallies({})
    return _with_decoded(text, raw, (data, starts, ends), rows)


def _is_simple(text: Text) -> bool:
    is_short = len(text.terminator) <= 1 and len(text.padding) <= 1
    return is_short and _LIKE_ASCII.fullmatch(codecs.lookup(text.charset).name) is not None


def _before_terminator(data: Bytes, starts: Places, ends: Places, terminator: bytes) -> Places:
    """The ends of the strings, cut before the first terminator byte in each."""
    if not terminator:
        return ends
    places = np.append(np.flatnonzero(data == terminator[0]), len(data))
    cut: Places = np.minimum(ends, places[np.searchsorted(places, starts)])
    return cut


def _before_padding(data: Bytes, starts: Places, ends: Places, padding: bytes) -> Places:
    """The ends of the strings, after the last byte in each that is not padding."""
    if not padding:
        return ends
    places = np.concatenate([[-1], np.flatnonzero(data != padding[0])])
    cut: Places = np.maximum(starts, places[np.searchsorted(places, ends) - 1] + 1)
    return cut


def _holds(mask: npt.NDArray[np.bool_], starts: Places, ends: Places) -> npt.NDArray[np.bool_]:
    """Whether each string holds a byte of the mask."""
    if not mask.any():
        return np.zeros(len(starts), np.bool_)
    counts = np.concatenate([[0], np.cumsum(mask)])
    return counts[ends] > counts[starts]


def _gathered(data: Bytes, starts: Places, lengths: Places, valid: npt.NDArray[np.bool_] | None) -> Column:
    """A column of the pieces of ``data``, one after another."""
    offsets = np.zeros(len(starts) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    places = np.repeat(starts - offsets[:-1], lengths) + np.arange(offsets[-1])
    return Column(data[places], valid, offsets, is_bytes=True, is_text=True)


def _with_decoded(
    text: Text, raw: Column, pieces: tuple[Bytes, Places, Places], rows: npt.NDArray[np.intp]
) -> tuple[Column, Tallies]:
    """The pieces of these rows decoded one by one and put behind the data, so that all are gathered alike."""
    data, starts, ends = pieces
    decoded = [_utf8(text, data[starts[row] : ends[row]].tobytes()) for row in rows.tolist()]
    starts, lengths = starts.copy(), ends - starts
    lengths[rows] = [len(piece or b"") for piece in decoded]
    starts[rows] = len(data) + np.cumsum(lengths[rows]) - lengths[rows]
    data = np.concatenate([data, np.frombuffer(b"".join(piece or b"" for piece in decoded), np.uint8)])
    bad = rows[[piece is None for piece in decoded]]
    valid = raw.valid
    if len(bad):
        valid = np.ones(len(raw), np.bool_) if valid is None else valid.copy()
        valid[bad] = False
    return _gathered(data, starts, lengths, valid), tallies({Tally.UNDECODABLE_TEXT: len(bad)})


def _utf8(text: Text, data: bytes) -> bytes | None:
    data = data[: _find_terminator(data, text.terminator)]
    end = len(data)
    while text.padding and data.endswith(text.padding, 0, end):
        end -= len(text.padding)
    try:
        return data[:end].decode(text.charset).encode()
    except UnicodeError:
        return None


def _find_terminator(data: bytes, terminator: bytes) -> int:
    """Where the first terminator is that begins at a multiple of its own length; the end where there is none."""
    place = data.find(terminator) if terminator else -1
    while place > 0 and place % len(terminator):
        place = data.find(terminator, place + 1)
    return len(data) if place < 0 else place


def encode_text(field: Field, value: str) -> bytes:
    """The bytes of a string field: encoded and, where its size is fixed, terminated if there is room, and padded.

    Raises :class:`~c2kit.errors.UsageError` for text that the field cannot hold or would not give back.
    """
    text = field.text or Text()
    try:
        data = value.encode(text.charset)
    except UnicodeError as error:
        what = f"{field.name}: the text has characters that its character set lacks"
        raise UsageError(what, expected=text.charset, found=repr(value)) from error
    if _find_terminator(data, text.terminator) < len(data):
        what = f"{field.name}: the text holds the terminator that would cut it off"
        raise UsageError(what, expected=f"none of {text.terminator!r}", found=repr(value))
    return _filled(field, text, data) if isinstance(field.length, Fixed) else data


def _filled(field: Field, text: Text, data: bytes) -> bytes:
    assert isinstance(field.length, Fixed)  # noqa: S101 - for the type checker
    size = field.length.count
    if len(data) > size:
        raise UsageError(f"{field.name}: the text is too long", expected=f"at most {size} bytes", found=len(data))
    if len(data) + len(text.terminator) <= size:
        data += text.terminator
    missing = size - len(data)
    if missing and (not text.padding or missing % len(text.padding)):
        what = f"{field.name}: the text is too short, and no padding fills it up"
        raise UsageError(what, expected=f"{size} bytes", found=len(data), remedy="give the text in full length")
    return data + text.padding * (missing // len(text.padding) if missing else 0)
