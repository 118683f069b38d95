"""Links are switched by whoever asks, one after the other, and the last one holds."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from c2kit.batches.kinds import Kind
from c2kit.bus import BusUnavailable, Received, StreamBus, open_bus
from c2kit.bus.records import Event, LinkControl, Severity, pack, unpack
from c2kit.errors import UnknownName
from c2kit.links import Interface, State, Surroundings, TcpClient, TcpServer
from c2kit.pipeline.interfaces import control as link_control
from c2kit.pipeline.interfaces.control import LinkControls, ask_for_link, last_changes
from c2kit.pipeline.interfaces.draft import InterfaceDraft, Kept
from c2kit.pipeline.observing.ledger import ByteRow
from c2kit.protocols import CcsdsPackets
from tests.interfaces import interface_mission, write
from tests.links import until
from tests.missions import prepared, published, surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator

MISSION = interface_mission(TcpClient("localhost", 1))


@pytest.fixture
def bus() -> Iterator[StreamBus]:
    with open_bus("memory:") as made:
        prepared(made, MISSION)
        yield made


def asked(bus: StreamBus) -> list[LinkControl]:
    return [unpack(LinkControl, each.value) for each in published(bus, MISSION, Kind.LINK_CONTROL, "fep")]


def record(offset: int, *, enabled: bool, reason: str = "") -> Received:
    value = pack(LinkControl(enabled=enabled, reason=reason, caller="me", time_ns=0))
    return Received(
        stream="firefly.link-control.fep", partition=0, offset=offset, lane="fep", value=value, published_ns=0
    )


def test_who_asks_and_why_is_on_the_bus(bus: StreamBus) -> None:
    ask_for_link(bus, MISSION.describe(), "fep", enabled=False, reason="storm", caller="me")
    ask_for_link(bus, MISSION.describe(), "fep", enabled=True)
    assert [(each.enabled, each.reason, each.caller) for each in asked(bus)] == [
        (False, "storm", "me"),
        (True, "", ""),
    ]


def test_an_interface_that_is_not_there_is_refused(bus: StreamBus) -> None:
    with pytest.raises(UnknownName, match="did you mean fep"):
        ask_for_link(bus, MISSION.describe(), "feb", enabled=False)


def test_while_others_command_it_waits(bus: StreamBus) -> None:
    with bus.worker("firefly.command-source", [], exclusive=True):
        asking = threading.Thread(target=ask_for_link, args=(bus, MISSION.describe(), "fep"), kwargs={"enabled": False})
        asking.start()
        asking.join(0.1)
        assert asking.is_alive()
        assert not asked(bus)
    asking.join(60)
    assert len(asked(bus)) == 1


def test_it_does_not_wait_for_ever(bus: StreamBus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_control, "_PATIENCE_SECONDS", 0.05)
    with bus.worker("firefly.command-source", [], exclusive=True), pytest.raises(BusUnavailable, match="try again"):
        ask_for_link(bus, MISSION.describe(), "fep", enabled=False)
    assert not asked(bus)


def test_the_last_one_holds_and_the_link_is_switched_only_after_the_commit(bus: StreamBus) -> None:
    with Interface("fep", TcpServer(0, host="127.0.0.1"), [CcsdsPackets()]) as interface:
        until(lambda: interface.state.state is State.CONNECTING)
        controls = LinkControls(interface)
        for offset, enabled in enumerate((False, True, False)):
            controls.add(record(offset, enabled=enabled, reason=f"reason {offset}"))
        draft = InterfaceDraft(surroundings(bus, MISSION, "fep"), Kept(account=ByteRow(interface="fep")))
        controls.add_to(draft)
        assert not draft.kept.is_enabled
        assert draft.passed == {("firefly.link-control.fep", 0): 3}
        assert interface.state.state is State.CONNECTING
        for act in draft.then:
            act()
        assert (interface.state.state, interface.state.reason) == (State.DISABLED, "reason 2 of me")


def test_what_is_so_already_changes_nothing(bus: StreamBus) -> None:
    interface = Interface("fep", TcpServer(0, host="127.0.0.1"), [CcsdsPackets()])
    interface.open(Surroundings(is_enabled=False))
    try:
        controls = LinkControls(interface)
        kept = Kept(account=ByteRow(interface="fep"), is_enabled=False)
        draft = InterfaceDraft(surroundings(bus, MISSION, "fep"), kept)
        controls.add(record(0, enabled=True))
        controls.add(record(1, enabled=False))
        controls.add_to(draft)
        assert not draft.kept.is_enabled
        assert draft.then == []
    finally:
        interface.close()


def test_the_last_change_of_each_link_is_found_among_other_events(bus: StreamBus) -> None:
    def event(kind: str, time_ns: int, **facts: str) -> bytes:
        return pack(Event(kind=kind, severity=Severity.INFO, stage="fep", message="", facts=facts, time_ns=time_ns))

    assert last_changes(bus, MISSION.describe()) == {"fep": None}
    write(
        bus,
        "fep",
        Kind.EVENTS,
        event("link", 1, peer="", state="connecting"),
        event("link", 2, peer="", state="connected"),
        event("link", 3, peer="1.2.3.4:5", state="connected"),
        event("discarded", 4),
    )
    last = last_changes(bus, MISSION.describe())["fep"]
    assert last is not None
    assert last.time_ns == 2
