"""What framing should do, told as simply as possible: an oracle for each protocol, and damage to try it on.

An oracle decides on whole input, one step at a time, from the first byte to the last. It shares nothing with the
protocols but the words for why bytes are discarded.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from c2kit.protocols import Protocol, Reason

PIECE_BYTES = 65_536
"""Longer garbage comes in pieces of this size."""


class Event(NamedTuple):
    """A frame's bytes or why there is none, and the input bytes it was made of."""

    span: tuple[int, int]
    what: bytes | Reason


class Step(NamedTuple):
    """What an oracle says of a place: a frame or garbage that is so long, or nothing where the input ends too soon."""

    size: int
    what: bytes | Reason


Oracle = Callable[[bytes], Step | None]


def expected_events(data: bytes, oracle: Oracle) -> list[Event]:
    """All events by an oracle, which is asked again and again what the rest of the input begins with."""
    events: list[Event] = []
    garbage: Event | None = None
    position = 0
    while position < len(data):
        step = oracle(data[position:]) or Step(len(data) - position, Reason.TRUNCATED)
        span = (position, position + step.size)
        position = span[1]
        is_garbage = isinstance(step.what, Reason) and step.what is not Reason.TRUNCATED
        if is_garbage and garbage is not None:
            garbage = Event((garbage.span[0], span[1]), garbage.what)
        elif is_garbage:
            garbage = Event(span, step.what)
        else:
            events += _pieces(garbage)
            garbage = None
            events.append(Event(span, step.what))
    return events + _pieces(garbage)


def _pieces(garbage: Event | None) -> list[Event]:
    if garbage is None:
        return []
    low, high = garbage.span
    return [Event((at, min(at + PIECE_BYTES, high)), garbage.what) for at in range(low, high, PIECE_BYTES)]


def actual_events(protocol: Protocol, data: bytes, cuts: Sequence[int] = ()) -> list[Event]:
    """All events of a protocol that receives the input cut at these places; it is checked to be accounted for."""
    events: list[Event] = []
    bounds = [0, *sorted(cuts), len(data)]
    for low, high in itertools.pairwise(bounds):
        _collect(events, protocol, data, protocol.receive(data[low:high], received=high))
        assert sum(span[1] - span[0] for span, _ in events) + protocol.held_bytes == high
    _collect(events, protocol, data, protocol.end())
    assert protocol.held_bytes == 0
    return sorted(events, key=lambda event: event.span)


def _collect(events: list[Event], protocol: Protocol, data: bytes, batches: object) -> None:
    frames = max((span[1] for span, what in events if isinstance(what, bytes)), default=0)
    discards = max((span[1] for span, what in events if isinstance(what, Reason)), default=0)
    for batch in batches:  # type: ignore[attr-defined]
        assert len(batch) > 0
        assert batch.spans.shape == (len(batch), 2)
        assert np.all(np.diff(batch.spans.ravel(), prepend=frames) >= 0)
        events += [Event((low, high), frame) for (low, high), frame in zip(batch.spans.tolist(), batch, strict=True)]
    for aside in protocol.take_asides():
        assert aside.data == data[aside.span[0] : aside.span[1]]
        assert aside.size_bytes == len(aside.data) > 0
        assert aside.span[0] >= discards
        discards = aside.span[1]
        events.append(Event(aside.span, aside.reason))


def assert_tiled(events: Sequence[Event], size_bytes: int) -> None:
    """The spans of events cover that many bytes, each one once."""
    position = 0
    for low, high in sorted(event.span for event in events):
        assert low == position
        assert high > low
        position = high
    assert position == size_bytes


# The oracles.


def ccsds_oracle(
    versions: Sequence[int] = (0,),
    apids: Sequence[int] | None = None,
    skip_bytes: int = 0,
    maximum_bytes: int = 65_542,
) -> Oracle:
    def decide(data: bytes) -> Step | None:
        header = data[skip_bytes : skip_bytes + 6]
        if len(header) < 6:
            return None
        bits = f"{int.from_bytes(header, 'big'):048b}"
        if int(bits[:3], 2) not in versions or (apids is not None and int(bits[5:16], 2) not in apids):
            return Step(1, Reason.BAD_HEADER)
        size = 6 + int(bits[32:], 2) + 1
        if size > maximum_bytes:
            return Step(1, Reason.BAD_LENGTH)
        return Step(skip_bytes + size, data[skip_bytes:][:size]) if len(data) >= skip_bytes + size else None

    return decide


def fixed_oracle(size_bytes: int, discard: int = 0) -> Oracle:
    return lambda data: Step(size_bytes, data[discard:size_bytes]) if len(data) >= size_bytes else None


def length_oracle(
    read: Callable[[bytes], int], header_bytes: int, adjustment: int, maximum_bytes: int, discard: int = 0
) -> Oracle:
    """For a length field that ``read`` reads."""

    def decide(data: bytes) -> Step | None:
        if len(data) < header_bytes:
            return None
        size = read(data) + adjustment
        if not max(header_bytes, discard) <= size <= maximum_bytes:
            return Step(1, Reason.BAD_LENGTH)
        return Step(size, data[discard:size]) if len(data) >= size else None

    return decide


def sync_oracle(pattern: bytes, then: Oracle, *, strip: bool = True) -> Oracle:
    def decide(data: bytes) -> Step | None:
        if not data.startswith(pattern):
            return None if pattern.startswith(data) else Step(1, Reason.NO_SYNC)
        step = then(data[len(pattern) :])
        if step is None or isinstance(step.what, Reason):
            return step
        return Step(len(pattern) + step.size, step.what if strip else pattern + step.what)

    return decide


def _cut(pattern: bytes, data: bytes) -> int:
    """How many bytes at the end are the beginning of a pattern."""
    return max(count for count in range(len(pattern)) if data.endswith(pattern[:count]))


def pattern_oracle(pattern: bytes, maximum_bytes: int, *, strip: bool = True) -> Oracle:
    """For frames up to the next pattern."""

    def decide(data: bytes) -> Step | None:
        if not data.startswith(pattern):
            return None if pattern.startswith(data) else Step(1, Reason.NO_SYNC)
        end = data.find(pattern, len(pattern))
        if end < 0:
            least = len(data) - _cut(pattern, data[len(pattern) :])
            return Step(least, Reason.TOO_LONG) if least > maximum_bytes else None
        if end > maximum_bytes:
            return Step(end, Reason.TOO_LONG)
        return Step(end, data[len(pattern) * strip : end])

    return decide


def terminated_oracle(terminator: bytes, maximum_bytes: int, *, strip: bool = True) -> Oracle:
    def decide(data: bytes) -> Step | None:
        place = data.find(terminator)
        if place < 0:
            done = len(data) - _cut(terminator, data)
            return Step(done, Reason.TOO_LONG) if done + len(terminator) > maximum_bytes else None
        size = place + len(terminator)
        return Step(size, Reason.TOO_LONG) if size > maximum_bytes else Step(size, data[: place if strip else size])

    return decide


def nested_oracle(outer: Oracle, inner: Oracle, header_bytes: int, data: bytes) -> list[Event]:
    """All events of one protocol within another one, which strips ``header_bytes`` off the beginning of each frame."""
    events = []
    for span, what in expected_events(data, outer):
        if isinstance(what, Reason):
            events.append(Event(span, what))
            continue
        inside = expected_events(what, inner) or [Event((0, 0), Reason.TRUNCATED)]
        bounds = [span[0], *(span[0] + header_bytes + event.span[1] for event in inside[:-1]), span[1]]
        events += [Event(place, event.what) for place, event in zip(itertools.pairwise(bounds), inside, strict=True)]
    return events


# What links do to bytes.


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """The same bytes with some inserted, removed, flipped or cut off, and garbage before and after."""
    damage = bytearray(data)
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(damage)))
        kind = draw(st.sampled_from(["insert", "remove", "flip", "nothing"]))
        if kind == "insert":
            damage[place:place] = draw(st.binary(min_size=1, max_size=8))
        elif kind == "remove":
            del damage[place : place + draw(st.integers(1, 8))]
        elif kind == "flip" and place < len(damage):
            damage[place] ^= 1 << draw(st.integers(0, 7))
    return draw(st.binary(max_size=4)) + bytes(damage) + draw(st.binary(max_size=4))


@st.composite
def cuts(draw: st.DrawFn, size_bytes: int) -> list[int]:
    """Where to cut the input: anywhere, everywhere or nowhere; chunks may be empty."""
    kind = draw(st.sampled_from(["some", "some", "every byte", "none"]))
    if kind == "every byte":
        return list(range(1, size_bytes))
    return draw(st.lists(st.integers(0, size_bytes), max_size=12)) if kind == "some" else []


def space_packet(data: bytes, apid: int = 1, version: int = 0, count: int = 0) -> bytes:
    """A space packet with that packet data field: CCSDS 133.0-B-2, 4.1.3."""
    return struct.pack(">HHH", version << 13 | apid, 0b11 << 14 | count, len(data) - 1) + data
