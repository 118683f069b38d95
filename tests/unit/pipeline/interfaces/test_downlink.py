"""What comes from a link by hand: nothing is left out of the account, and nothing floods the events."""

from __future__ import annotations

import base64
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from c2kit.bus import StreamBus, open_bus
from c2kit.bus.records import Event, Severity, unpack
from c2kit.links import Arrival, Ends, Interface, LinkState, State, Surroundings, TcpClient
from c2kit.pipeline.interfaces.downlink import Downlink, discard_held
from c2kit.pipeline.interfaces.draft import InterfaceDraft, Kept
from c2kit.pipeline.interfaces.records import LinkRecords
from c2kit.pipeline.observing.ledger import ByteRow
from c2kit.protocols import CcsdsPackets
from tests.interfaces import interface_mission, packet
from tests.missions import surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator

LINK = TcpClient("localhost", 1)
MISSION = interface_mission(LINK)
BEFORE = ByteRow(interface="fep", received=100, framed=60, discarded=40)


class Hand:
    """An interface whose link gives what a test puts into it."""

    def __init__(self, bus: StreamBus) -> None:
        self.surroundings = surroundings(bus, MISSION, "fep")
        self.interface = Interface("fep", LINK, [CcsdsPackets()])
        self.interface.open(Surroundings(is_enabled=False))
        self.interface.take_events()
        self.downlink = Downlink(self.surroundings, self.interface, LinkRecords(self.surroundings), BEFORE)

    def put(self, *arrivals: Arrival) -> None:
        for arrival in arrivals:
            self.interface.link._inbox.put(arrival)

    def take(self) -> tuple[list[Event], ByteRow, bool]:
        """The events of a step, the account, and whether the link came up."""
        draft = InterfaceDraft(self.surroundings, Kept(account=BEFORE))
        has_come_up = self.downlink.add_to(draft)
        told = [unpack(Event, each.value) for each in draft.publish if each.stream == "firefly.events.fep"]
        return told, draft.kept.account, has_come_up

    def close(self) -> None:
        self.interface.close()


@pytest.fixture
def hand() -> Iterator[Hand]:
    with open_bus("memory:") as bus, closing(Hand(bus)) as made:
        yield made


def test_the_account_goes_on_from_what_was_before(hand: Hand) -> None:
    one = packet(b"one")
    hand.put(Arrival(1, one + one[:4], 7), Arrival(2, b"\xff\xff", 8))
    assert hand.take()[1] == ByteRow(interface="fep", received=115, framed=69, discarded=40, held=6)
    hand.put(Arrival(1, one[4:], 9), Arrival(2, one[:3], 10), Arrival(2, b"", 11, Ends.CONNECTION))
    assert hand.take()[1] == ByteRow(interface="fep", received=123, framed=78, discarded=45, held=0)


def test_discards_are_added_up_by_their_reason_and_the_first_bytes_are_shown(hand: Hand) -> None:
    rubbish = [bytes([0xE0 | number]) * 40_000 for number in range(3)]
    hand.put(*(Arrival(1, each, 7, Ends.DATAGRAM) for each in rubbish), Arrival(1, b"\x18\x01", 8, Ends.DATAGRAM))
    told, account, _ = hand.take()
    found = {event.facts["reason"]: event for event in told}
    assert set(found) == {"bad header", "truncated"}
    many = found["bad header"]
    assert (many.facts["bytes"], many.facts["count"], many.severity) == (119_985, 3, Severity.WARNING)
    assert base64.b64decode(many.facts["data"]) == b"".join(each[:-5] for each in rubbish)[:65_536]
    assert found["truncated"].facts["count"] == 4
    few = b"".join(each[-5:] for each in rubbish) + b"\x18\x01"  # too short for a header to be seen
    assert base64.b64decode(found["truncated"].facts["data"]) == few
    assert account.unaccounted == 0
    assert hand.take()[0] == []


def test_a_frame_that_no_record_can_hold_is_told_and_counted_as_what_it_is() -> None:
    with open_bus("memory:") as bus:
        bus.largest_value_bytes = 5_000
        with closing(Hand(bus)) as hand:
            large = packet(b"x" * 20_000)
            hand.put(Arrival(1, packet(b"small") + large, 7))
            (event,), account, _ = hand.take()
            assert (event.kind, event.severity, event.facts["bytes"]) == ("too-large", Severity.CRITICAL, len(large))
            assert base64.b64decode(event.facts["data"]) == large
            assert account.unaccounted == 0
            assert hand.take()[0] == []


def test_a_change_of_the_link_has_its_own_time_and_one_of_a_connection_is_not_the_links(hand: Hand) -> None:
    put = hand.interface._events.put
    put(LinkState(State.CONNECTED, "a client", 11, "1.2.3.4:5", 1))
    told, _, has_come_up = hand.take()
    assert not has_come_up
    assert told[0].facts == {
        "interface": "fep",
        "state": "connected",
        "reason": "a client",
        "peer": "1.2.3.4:5",
        "connections": 1,
    }
    put(LinkState(State.CONNECTED, "to it", 12))
    put(LinkState(State.DOWN, "it is gone", 13))
    told, _, has_come_up = hand.take()
    assert has_come_up, "meanwhile it did"
    assert [(event.time_ns, event.severity) for event in told] == [(12, Severity.INFO), (13, Severity.WARNING)]
    assert told[1].message == "the link of fep is down: it is gone"


def test_events_that_were_given_up_are_told_by_their_number(hand: Hand) -> None:
    for number in range(20_000):
        hand.interface._events.put(LinkState(State.DOWN, "again", number))
    told, _, _ = hand.take()
    (forgotten,) = [event for event in told if event.kind == "forgotten"]
    assert forgotten.facts["count"] + len(told) - 1 == 20_000
    assert hand.take()[0] == []


def test_what_was_held_is_discarded_at_a_restart(hand: Hand) -> None:
    held = ByteRow(interface="fep", received=10, framed=5, held=5)
    draft = InterfaceDraft(hand.surroundings, Kept(account=held))
    discard_held(draft)
    discard_held(draft)
    assert draft.kept.account == ByteRow(interface="fep", received=10, framed=5, discarded=5)
    assert [unpack(Event, each.value).facts["bytes"] for each in draft.publish] == [5]
