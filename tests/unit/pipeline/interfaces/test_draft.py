"""What an interface keeps survives its process; what a step tells has the names of whom it is of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from c2kit.batches.kinds import Kind
from c2kit.bus import Received, Step, StreamBus, open_bus
from c2kit.bus.records import CommandStatus, Event, Fate, LaneState, Severity, pack_state, unpack
from c2kit.errors import MessageError
from c2kit.links import TcpClient
from c2kit.pipeline.interfaces.draft import InterfaceDraft, Kept
from c2kit.pipeline.observing.ledger import ByteRow
from tests.interfaces import interface_mission, uplink_command
from tests.missions import prepared, surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator

MISSION = interface_mission(TcpClient("localhost", 1))
PARTITION = ("firefly.uplink.fep", 0)


@pytest.fixture
def bus() -> Iterator[StreamBus]:
    with open_bus("memory:") as made:
        prepared(made, MISSION)
        yield made


def draft_on(bus: StreamBus) -> InterfaceDraft:
    return InterfaceDraft(surroundings(bus, MISSION, "fep"), Kept(account=ByteRow(interface="fep")))


def received(offset: int) -> Received:
    return Received(stream=PARTITION[0], partition=0, offset=offset, lane="fep", value=b"?", published_ns=0)


def test_what_is_kept_is_read_by_whoever_comes_next(bus: StreamBus) -> None:
    draft = draft_on(bus)
    draft.kept.account = ByteRow(interface="fep", received=10, framed=5, discarded=3, held=2)
    draft.kept.is_enabled = False
    draft.kept.sending = draft.step_of(uplink_command("one"), Fate.SENDING)
    draft.kept.consumed[PARTITION] = 7
    with bus.worker("firefly.fep", [], exclusive=True) as worker:
        worker.commit(Step(snapshots=draft.step.snapshots))
    with bus.worker("firefly.fep", [], exclusive=True) as worker:
        kept = Kept.read(worker, "fep", [PARTITION, ("firefly.link-control.fep", 0)])
    assert kept.account == draft.kept.account
    assert not kept.is_enabled
    assert kept.sending == draft.kept.sending
    assert kept.consumed == {PARTITION: 7, ("firefly.link-control.fep", 0): 0}


def test_where_nothing_was_kept_all_begins(bus: StreamBus) -> None:
    with bus.worker("firefly.fep", [], exclusive=True) as worker:
        kept = Kept.read(worker, "fep", [PARTITION])
    assert (kept.account, kept.is_enabled, kept.sending) == (ByteRow(interface="fep"), True, None)


@pytest.mark.parametrize("value", [b"?", b"", pack_state(LaneState(version=2))])
def test_a_state_of_something_else_is_refused(bus: StreamBus, value: bytes) -> None:
    with bus.worker("firefly.fep", [], exclusive=True) as worker:
        worker.commit(Step(snapshots={("interface", "fep"): value}))
        with pytest.raises(MessageError):
            Kept.read(worker, "fep", [])


def test_records_are_passed_one_by_one_and_counted(bus: StreamBus) -> None:
    draft = draft_on(bus)
    for offset in (4, 5):
        draft.pass_by(received(offset))
    draft.refuse_record(received(6), ValueError("odd"))
    assert draft.step.passed == {PARTITION: 7}
    assert draft.kept.consumed == {PARTITION: 3}
    (record,) = draft.publish
    event = unpack(Event, record.value)
    assert (record.stream, event.kind, event.facts["offset"]) == ("firefly.events.fep", "refused", 6)
    assert "odd" in event.message


def test_a_step_of_a_command_names_it_and_the_interface(bus: StreamBus) -> None:
    draft = draft_on(bus)
    status = draft.step_of(uplink_command("one"), Fate.REFUSED, "so")
    draft.tell_of_command(status, Severity.WARNING, "was not sent", more=1)
    assert draft.fates == {Fate.REFUSED: 1}
    step, event = draft.publish
    assert unpack(CommandStatus, step.value) == status
    assert (step.stream, status.reason, status.interface) == ("firefly.command-status.fep", "so", "fep")
    told = unpack(Event, event.value)
    assert (told.kind, told.facts) == (
        "command",
        {"id": "one", "target": "FIREFLY", "name": "NOOP", "fate": "REFUSED", "more": 1},
    )
    assert told.message == "FIREFLY NOOP (one) was not sent"


def test_events_are_of_the_interface(bus: StreamBus) -> None:
    draft = draft_on(bus)
    draft.tell(draft.surroundings.event("link", Severity.INFO, "it is up"))
    assert draft.publish[0].stream == f"firefly.{Kind.EVENTS}.fep"
    assert not draft.passed
