"""Ids are known for a day, and not without bound."""

from __future__ import annotations

import pytest

from c2kit.errors import MessageError
from c2kit.pipeline.commands.seen import KEPT_NS, MOST_KEPT, SeenCommand, SeenCommands
from c2kit.processors.base import pack_snapshot
from tests.commanding import command


def test_what_was_seen_is_found() -> None:
    seen = SeenCommands()
    seen.add(command("a", "NOOP"), "x", 5)
    assert seen.find("a") == SeenCommand("NOOP", "x", 5)
    assert seen.find("b") is None


def test_it_is_forgotten_after_a_day() -> None:
    seen = SeenCommands()
    seen.add(command("a"), "x", 0)
    seen.add(command("b"), "x", KEPT_NS)
    assert seen.find("a") is not None
    seen.add(command("c"), "x", KEPT_NS + 1)
    assert [seen.find(key) is not None for key in "abc"] == [False, True, True]


def test_the_oldest_are_forgotten_where_there_are_too_many() -> None:
    seen = SeenCommands()
    for number in range(MOST_KEPT + 2):
        seen.add(command(str(number)), "x", number)
    assert [seen.find(str(number)) is None for number in (0, 1, 2, MOST_KEPT + 1)] == [True, True, False, False]


def test_a_snapshot_gives_all_of_it_back_in_order() -> None:
    seen, other = SeenCommands(), SeenCommands()
    for number, key in enumerate("abc"):
        seen.add(command(key, f"N{key}"), key * 2, number)
    other.restore(seen.snapshot())
    assert [other.find(key) for key in "abc"] == [SeenCommand(f"N{k}", k * 2, n) for n, k in enumerate("abc")]
    other.add(command("d"), "x", KEPT_NS + 1)
    assert [other.find(key) is not None for key in "abcd"] == [False, True, True, True]


@pytest.mark.parametrize(
    "snapshot",
    [
        b"",
        b"no",
        pack_snapshot("CommandEncoder", 1, (), {"seen": []}),
        pack_snapshot("SeenCommands", 2, (), {"seen": []}),
        pack_snapshot("SeenCommands", 1, (), {}),
        pack_snapshot("SeenCommands", 1, (), {"seen": [["a", "b", "c", "d"]]}),
    ],
)
def test_what_is_no_snapshot_is_refused_and_changes_nothing(snapshot: bytes) -> None:
    seen = SeenCommands()
    seen.add(command("a"), "x", 0)
    with pytest.raises(MessageError):
        seen.restore(snapshot)
    assert seen.find("a") is not None
