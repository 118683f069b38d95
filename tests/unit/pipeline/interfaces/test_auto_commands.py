"""An interface's own commands: on each connection, and periodically without drift and without piling up."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from c2kit.batches.kinds import Kind
from c2kit.bus import StreamBus, open_bus
from c2kit.bus.records import Command, Fate, unpack
from c2kit.links import TcpClient
from c2kit.pipeline.commands.encoder import EncodingStage
from c2kit.pipeline.composition.own_commands import own_commands
from c2kit.pipeline.interfaces.auto_commands import AutoCommands
from c2kit.pipeline.interfaces.draft import InterfaceDraft, Kept
from c2kit.pipeline.interfaces.stage import InterfaceStage
from c2kit.pipeline.observing.ledger import ByteRow
from tests.commanding import firefly_bytes
from tests.interfaces import Device, interface_mission, statuses, steps_of, turn_until, turn_until_up
from tests.links import until
from tests.missions import prepared, published, surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def bus() -> Iterator[StreamBus]:
    with open_bus("memory:") as made:
        yield made


class Clocked:
    """The commands of an interface under a clock that stands still until it is moved."""

    def __init__(self, bus: StreamBus, on_connect: list[str], periodic: list[tuple[str, float]]) -> None:
        link = TcpClient("localhost", 1)
        self.mission = interface_mission(link, on_connect=on_connect, periodic=periodic)
        self.now = 100.0
        self.surroundings = surroundings(bus, self.mission, "fep")
        commands = own_commands(self.mission.interfaces["fep"], self.mission.dictionary)
        self.auto = AutoCommands(self.surroundings, commands, lambda: self.now)
        self.issued: list[Command] = []

    def look(self, at: float, *, has_come_up: bool = False, is_up: bool = True) -> list[str]:
        """The names of what is issued at that time."""
        self.now = at
        draft = InterfaceDraft(self.surroundings, Kept(account=ByteRow(interface="fep")))
        self.auto.add_to(draft, has_come_up=has_come_up, is_up=is_up)
        assert [record.stream for record in draft.publish] == [
            "firefly.auto-commands.fep",
            "firefly.command-status.fep",
        ] * (len(draft.publish) // 2)
        commands = [unpack(Command, record.value) for record in draft.publish[::2]]
        assert draft.fates == Counter({Fate.ISSUED: len(commands)} if commands else {})
        self.issued += commands
        return [command.name for command in commands]


def test_commands_on_connect_are_issued_once_for_each_time_that_the_link_comes_up(bus: StreamBus) -> None:
    clocked = Clocked(bus, ["FIREFLY NOOP", "FIREFLY SET_MODE MODE=SAFE"], [])
    assert clocked.look(100, is_up=False) == []
    assert clocked.look(101, has_come_up=True) == ["NOOP", "SET_MODE"]
    assert clocked.look(102) == []
    assert clocked.look(103, is_up=False) == []
    assert clocked.look(104, has_come_up=True, is_up=False) == [], "it came up and went down again meanwhile"
    assert clocked.look(105, has_come_up=True) == ["NOOP", "SET_MODE"]
    assert clocked.auto.due_seconds() is None
    assert len({command.id for command in clocked.issued}) == 4
    assert clocked.issued[1].arguments == {"MODE": "SAFE"}
    assert {(command.caller, command.interface, command.target) for command in clocked.issued} == {
        ("fep", "fep", "FIREFLY")
    }


def test_periodic_commands_keep_their_rhythm_and_do_not_pile_up(bus: StreamBus) -> None:
    clocked = Clocked(bus, [], [("FIREFLY NOOP", 10.0)])
    assert clocked.look(100) == [], "it is up, but nobody knows since when"
    assert clocked.look(100, has_come_up=True) == []
    assert clocked.auto.due_seconds() == 10
    assert clocked.look(109.9) == []
    assert clocked.look(110) == ["NOOP"]
    assert clocked.look(123) == ["NOOP"]
    assert clocked.auto.due_seconds() == 7, "at 130: no drift"
    assert clocked.look(175) == ["NOOP"], "one, not five"
    assert clocked.auto.due_seconds() == 5
    assert clocked.look(180) == ["NOOP"], "when a turn comes just in time"
    assert clocked.auto.due_seconds() == 10


def test_periodic_commands_pause_while_the_link_is_down(bus: StreamBus) -> None:
    clocked = Clocked(bus, [], [("FIREFLY NOOP", 10.0), ("FIREFLY SET_MODE MODE=SAFE", 4.0)])
    clocked.look(100, has_come_up=True)
    assert clocked.auto.due_seconds() == 4
    assert clocked.look(104) == ["SET_MODE"]
    assert clocked.look(106, is_up=False) == []
    assert clocked.auto.due_seconds() is None
    assert clocked.look(150, is_up=False) == []
    assert clocked.look(151, has_come_up=True) == []
    assert clocked.look(155) == ["SET_MODE"]
    assert clocked.look(161) == ["NOOP", "SET_MODE"]


@pytest.mark.parametrize(("period", "lives_seconds"), [(0.01, 1), (10.0, 10), (60.0, 30)])
def test_a_periodic_command_expires_when_the_next_is_due(bus: StreamBus, period: float, lives_seconds: float) -> None:
    clocked = Clocked(bus, [], [("FIREFLY NOOP", period)])
    clocked.look(0, has_come_up=True)
    clocked.look(period)
    (command,) = clocked.issued
    assert command.expires_ns - command.issued_ns == lives_seconds * 1e9


def test_two_starts_never_use_an_id_twice(bus: StreamBus) -> None:
    ids = []
    for start in (1, 2):
        clocked = Clocked(bus, ["FIREFLY NOOP"], [])
        clocked.auto._started_ns = start
        clocked.look(0, has_come_up=True)
        ids += [command.id for command in clocked.issued]
    assert ids == ["fep-1-1", "fep-2-1"]


def test_they_take_the_way_of_all_commands(bus: StreamBus) -> None:
    with Device() as device:
        mission = interface_mission(device.link, on_connect=["FIREFLY NOOP"], periodic=[("FIREFLY NOOP", 3600.0)])
        prepared(bus, mission)
        with (
            closing(InterfaceStage(surroundings(bus, mission, "fep"))) as stage,
            closing(EncodingStage(surroundings(bus, mission, "encode"))) as encoder,
        ):
            turn_until_up(stage)
            due = stage.due_seconds()
            assert due is not None
            assert 0 < due <= 3600
            (command,) = [unpack(Command, each.value) for each in published(bus, mission, Kind.AUTO_COMMANDS, "fep")]
            turn_until(stage, lambda: encoder.turn(0))
            turn_until(stage, lambda: statuses(bus, mission)[-1].fate is Fate.SENT)
            assert steps_of(bus, mission, command.id) == ["ISSUED", "SENDING", "SENT"]
            until(lambda: device.received)
            assert device.received == firefly_bytes(100, 0, 0)
            device.hang_up()
            turn_until(stage, lambda: stage.fates()[Fate.ISSUED] == 2)
