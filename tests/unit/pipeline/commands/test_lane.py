"""What an encoder remembers of a target is given back, or refused with the name of what cannot be."""

from __future__ import annotations

import pytest

from c2kit.errors import UnknownName, UsageError
from c2kit.pipeline.chain import StateRefused
from c2kit.pipeline.commands.lane import CommandLane
from tests.commanding import DICTIONARY, command, firefly_bytes

FIREFLY = DICTIONARY.target("FIREFLY")


def test_counts_and_ids_are_given_back() -> None:
    lane, other = CommandLane(FIREFLY), CommandLane(FIREFLY)
    lane.encode(command("a"))
    lane.seen.add(command("a"), "x", 1)
    other.restore(lambda key: lane.snapshots[key])
    assert other.encode(command("b")).data == firefly_bytes(0x64, 1, 0)
    assert other.seen.find("a") is not None


def test_it_begins_anew_where_nothing_was_kept() -> None:
    lane = CommandLane(FIREFLY)
    lane.restore(lambda _: None)
    assert lane.encode(command("a")).data == firefly_bytes(0x64, 0, 0)


@pytest.mark.parametrize("key", ["CommandEncoder", "ids"])
def test_what_cannot_be_given_back_is_named(key: str) -> None:
    with pytest.raises(StateRefused, match=f"the state of {key} in lane FIREFLY"):
        CommandLane(FIREFLY).restore(lambda asked: b"nonsense" if asked == (key, "FIREFLY") else None)


def test_a_hazard_must_be_confirmed_and_takes_no_count_before() -> None:
    lane = CommandLane(FIREFLY)
    with pytest.raises(UsageError, match=r"^hazardous: The spacecraft is silent .*; confirm it$"):
        lane.encode(command("a", "RESET"))
    confirmed = lane.encode(command("a", "RESET", confirms_hazard=True))
    assert confirmed.data == firefly_bytes(0x64, 0, 4, bytes.fromhex("01b007c0de"))


def test_a_command_that_nobody_defined_is_refused() -> None:
    with pytest.raises(UnknownName, match="did you mean NOOP"):
        CommandLane(FIREFLY).encode(command("a", "NOP"))
