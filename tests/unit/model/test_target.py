"""A target knows its packets and commands, and its hash is that of its meaning alone."""

import hashlib

import pytest
from attrs import evolve

from c2kit.errors import UnknownName
from c2kit.model.canonical import canonical_json
from c2kit.model.commands import Argument, Command
from c2kit.model.packets import Item, Packet
from c2kit.model.source import Source
from c2kit.model.target import Target

HEALTH = Packet(name="HEALTH", items=(Item(name="MODE"),))
ATTITUDE = Packet(name="ATTITUDE", items=(Item(name="Q1"),))
RESET = Command(name="RESET", arguments=(Argument(name="KEY"),))
FIREFLY = Target(name="FIREFLY", packets=(HEALTH, ATTITUDE), commands=(RESET,))


def test_packets_and_commands_are_sorted_and_found_by_name() -> None:
    assert FIREFLY.packets == (ATTITUDE, HEALTH)
    assert FIREFLY.packet("HEALTH") is HEALTH
    assert FIREFLY.command("RESET") is RESET
    assert list(FIREFLY.packets_by_name) == ["ATTITUDE", "HEALTH"]
    assert list(FIREFLY.commands_by_name) == ["RESET"]


def test_what_is_not_there_is_told_with_what_is() -> None:
    with pytest.raises(UnknownName, match="no packet 'HELTH' in target FIREFLY; did you mean HEALTH"):
        FIREFLY.packet("HELTH")
    with pytest.raises(UnknownName, match="no command 'X' in target FIREFLY; known: RESET"):
        FIREFLY.command("X")


def test_the_hash_is_that_of_the_canonical_form() -> None:
    assert FIREFLY.hash == hashlib.sha256(canonical_json(FIREFLY)).hexdigest()


def test_order_and_place_of_writing_do_not_change_the_hash() -> None:
    moved = evolve(HEALTH, source=Source("elsewhere.yaml", 99))
    assert Target(name="FIREFLY", packets=(ATTITUDE, moved), commands=(RESET,)).hash == FIREFLY.hash


@pytest.mark.parametrize(
    "changed",
    [
        evolve(FIREFLY, name="GLOWWORM"),
        evolve(FIREFLY, packets=(HEALTH,)),
        evolve(FIREFLY, packets=(ATTITUDE, evolve(HEALTH, items=(Item(name="MODE", bit_length=9),)))),
        evolve(FIREFLY, packets=(ATTITUDE, evolve(HEALTH, items=(Item(name="MODE", units="V"),)))),
        evolve(FIREFLY, commands=(evolve(RESET, hazardous=True),)),
    ],
)
def test_any_change_of_meaning_changes_the_hash(changed: Target) -> None:
    assert changed.hash != FIREFLY.hash
