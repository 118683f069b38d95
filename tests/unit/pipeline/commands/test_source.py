"""Commands are issued once, by whoever issues them, and are followed to their end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from c2kit.bus import BusUnavailable, Fenced, Step
from c2kit.bus.memory import MemoryBus
from c2kit.bus.records import Command, CommandStatus, Fate, unpack
from c2kit.bus.sqlite import SqliteBus
from c2kit.errors import UnknownName, UsageError
from c2kit.pipeline.commands import source as commanding
from c2kit.pipeline.commands.encoder import EncodingStage
from c2kit.pipeline.commands.source import CommandSource, StreamsMissing
from c2kit.pipeline.composition.streams import specs_of
from tests.commanding import (
    SECOND,
    Pipeline,
    commanded_mission,
    fates,
    firefly_bytes,
    read_all,
    statuses,
    surroundings_of,
    uplinked,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from c2kit.bus import StreamBus, Worker
    from c2kit.bus.records import UplinkCommand

PATIENCE = 60.0


@pytest.fixture(params=["memory", "sqlite"])
def bus(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StreamBus]:
    """Return a bus of each kind, with the streams of the mission."""
    opened: StreamBus = MemoryBus() if request.param == "memory" else SqliteBus(tmp_path / "bus.db")
    with opened:
        opened.apply(specs_of(commanded_mission().describe()))
        yield opened


def encoder(bus: StreamBus, now_ns: int = SECOND) -> EncodingStage:
    return EncodingStage(surroundings_of(commanded_mission(), bus, lambda: now_ns))


def source(bus: StreamBus, caller: str = "") -> CommandSource:
    return CommandSource(bus, commanded_mission(), now=lambda: SECOND, caller=caller)


def issued(bus: StreamBus) -> list[Command]:
    return [unpack(Command, value) for value in read_all(bus, "commands.FIREFLY")]


class TestSending:
    def test_a_command_is_on_the_bus_with_the_status_issued(self, bus: StreamBus) -> None:
        with source(bus, caller="ann") as sender:
            command_id = sender.send("FIREFLY", "SET_MODE", {"MODE": "SAFE"}, expires_seconds=0.5, interface="spare")
        (command,) = issued(bus)
        assert (command.id, command.target, command.name) == (command_id, "FIREFLY", "SET_MODE")
        assert (command.arguments, command.caller, command.interface) == ({"MODE": "SAFE"}, "ann", "spare")
        assert (command.issued_ns, command.expires_ns, command.confirms_hazard) == (SECOND, SECOND * 3 // 2, False)
        (status,) = statuses(bus, "command-source")
        assert (status.id, status.fate, status.stage) == (command_id, Fate.ISSUED, "command-source")
        assert (status.caller, status.interface, status.time_ns) == ("ann", "spare", SECOND)

    def test_each_has_an_id_of_its_own(self, bus: StreamBus) -> None:
        with source(bus) as sender:
            ids = {sender.send("FIREFLY", "NOOP") for _ in range(3)}
        assert {command.id for command in issued(bus)} == ids
        assert len(ids) == 3

    def test_the_description_is_as_good_as_the_mission(self, bus: StreamBus) -> None:
        with CommandSource(bus, commanded_mission().describe()) as sender:
            assert sender.send("FIREFLY", "NOOP", command_id="x") == "x"

    @pytest.mark.parametrize(
        ("wrong", "told"),
        [
            ({"target": "FIREFLI"}, "did you mean FIREFLY?"),
            ({"arguments": {"X": None}}, "argument X, expected a number"),
            ({"expires_seconds": 0}, "seconds, more than 0"),
            ({"expires_seconds": float("nan")}, "seconds, more than 0"),
            ({"expires_seconds": float("inf")}, "at most 31,536,000"),
            ({"expires_seconds": 1e300}, "at most 31,536,000"),
            ({"command_id": ""}, "text that is not empty"),
        ],
    )
    def test_what_cannot_be_issued_raises_and_is_not(self, bus: StreamBus, wrong: dict[str, Any], told: str) -> None:
        with source(bus) as sender, pytest.raises(UsageError, match=told) as caught:
            sender.send(**({"target": "FIREFLY", "name": "NOOP"} | wrong))
        assert isinstance(caught.value, UnknownName) == ("target" in wrong)
        assert (issued(bus), statuses(bus, "command-source")) == ([], [])

    def test_a_bus_without_the_mission_is_told(self) -> None:
        with MemoryBus() as empty, pytest.raises(StreamsMissing, match="mission firefly has no streams on bus memory:"):
            CommandSource(empty, commanded_mission())

    def test_many_may_send_at_once(self, bus: StreamBus) -> None:
        def send() -> None:
            with source(bus) as sender:
                for _ in range(3):
                    sender.send("FIREFLY", "NOOP")

        threads = [threading.Thread(target=send) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ids = [command.id for command in issued(bus)]
        assert len(set(ids)) == len(ids) == 12
        assert [key for key, _ in fates(bus, "command-source")] == ids

    def test_it_gives_up_where_another_never_lets_go(self, bus: StreamBus, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(commanding, "_PATIENCE_SECONDS", 0.0)
        with bus.worker("firefly.command-source", [], exclusive=True) as other:
            with source(bus) as sender, pytest.raises(BusUnavailable, match="FIREFLY NOOP was not issued: try again"):
                sender.send("FIREFLY", "NOOP")
            other.commit(Step())
        assert issued(bus) == []

    def test_it_is_issued_once_though_it_was_fenced_on_the_way(
        self, bus: StreamBus, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        open_worker, fences = bus.worker, iter([True, True, False])

        def worker(stage: str, inputs: list[str], *, outputs: list[str], exclusive: bool) -> Worker:
            if next(fences):
                raise Fenced("by another")
            return open_worker(stage, inputs, outputs=outputs, exclusive=exclusive)

        with source(bus) as sender:
            monkeypatch.setattr(bus, "worker", worker)
            command_id = sender.send("FIREFLY", "NOOP")
        assert [command.id for command in issued(bus)] == [command_id]


class TestSameId:
    def test_the_same_id_again_is_not_issued_again(self, bus: StreamBus) -> None:
        for _ in range(2):
            with source(bus) as sender:
                assert sender.send("FIREFLY", "SET_MODE", {"MODE": "SAFE"}, command_id="x") == "x"
                assert sender.send("FIREFLY", "SET_MODE", {"MODE": "SAFE"}, command_id="x") == "x"
        assert [command.id for command in issued(bus)] == ["x"]
        assert fates(bus, "command-source") == [("x", Fate.ISSUED)]

    def test_it_finds_the_fate_of_the_first(self, bus: StreamBus) -> None:
        with Pipeline(encoder(bus), bus):
            with source(bus) as sender:
                sender.send("FIREFLY", "NOOP", command_id="x")
                first = sender.wait("x", PATIENCE)
            with source(bus) as sender:
                sender.send("FIREFLY", "NOOP", command_id="x")
                assert sender.wait("x", PATIENCE) == first
                told = [status.fate for status in sender.follow("x", 0.0)]
        assert first.fate is Fate.SENT
        assert told == [Fate.ISSUED, Fate.ENCODED, Fate.SENDING, Fate.SENT]

    @pytest.mark.parametrize(
        "change", [{"name": "RESET"}, {"arguments": {"X": 1}}, {"confirms_hazard": True}, {"interface": "spare"}]
    )
    def test_the_id_of_another_command_is_refused(self, bus: StreamBus, change: dict[str, Any]) -> None:
        first: dict[str, Any] = {"target": "FIREFLY", "name": "NOOP", "command_id": "x"}
        with source(bus) as sender:
            sender.send(**first)
            with pytest.raises(UsageError, match="command id x is that of another command: FIREFLY NOOP"):
                sender.send(**(first | change))
        assert len(issued(bus)) == 1


class TestWaiting:
    @pytest.mark.parametrize("end", [Fate.SENT, Fate.UNKNOWN, Fate.EXPIRED, Fate.REFUSED])
    def test_it_waits_for_the_end_whatever_it_is(self, bus: StreamBus, end: Fate) -> None:
        with Pipeline(encoder(bus), bus, lambda _: end), source(bus) as sender:
            command_id = sender.send("FIREFLY", "NOOP")
            status = sender.wait(command_id, PATIENCE)
        assert (status.id, status.fate, status.stage) == (command_id, end, "fep")

    def test_it_tells_why_a_command_was_refused(self, bus: StreamBus) -> None:
        with Pipeline(encoder(bus), bus), source(bus) as sender:
            status = sender.wait(sender.send("FIREFLY", "SET_MODE", {"MODE": "SAVE"}), PATIENCE)
        assert (status.fate, status.stage) == (Fate.REFUSED, "encode")
        assert "no state 'SAVE'" in status.reason

    def test_the_last_that_is_known_is_told_when_the_time_is_over(self, bus: StreamBus) -> None:
        with source(bus) as sender:
            command_id = sender.send("FIREFLY", "NOOP")
            assert sender.wait(command_id, 0.0).fate is Fate.ISSUED
            with_encoder = encoder(bus)
            assert with_encoder.turn(0.0)
            assert sender.wait(command_id, 0.0).fate is Fate.ENCODED
            with_encoder.close()

    def test_several_may_be_waited_for_in_any_order(self, bus: StreamBus) -> None:
        with Pipeline(encoder(bus), bus), source(bus) as sender:
            ids = [sender.send("FIREFLY", "NOOP") for _ in range(5)]
            ended = [sender.wait(each, PATIENCE) for each in reversed(ids)]
        assert [(status.id, status.fate) for status in ended] == [(each, Fate.SENT) for each in reversed(ids)]

    def test_what_was_not_sent_from_here_is_not_waited_for(self, bus: StreamBus) -> None:
        with source(bus) as sender, pytest.raises(UsageError, match="command x was not sent from here"):
            sender.wait("x", 0.0)

    def test_steps_are_told_in_their_order(self, bus: StreamBus) -> None:
        with Pipeline(encoder(bus), bus), source(bus) as sender:
            steps: list[CommandStatus] = list(sender.follow(sender.send("FIREFLY", "NOOP"), PATIENCE))
        assert [step.fate for step in steps] == [Fate.ISSUED, Fate.ENCODED, Fate.SENDING, Fate.SENT]
        assert [step.stage for step in steps] == ["command-source", "encode", "fep", "fep"]


def test_values_reach_the_link_as_they_were_given(bus: StreamBus) -> None:
    taken: list[UplinkCommand] = []

    def keep(uplink: UplinkCommand) -> Fate:
        taken.append(uplink)
        return Fate.SENT

    with Pipeline(encoder(bus), bus, keep), source(bus) as sender:
        memory = {"ADDRESS": 0xDEADBEEF, "DATA": b"\x00\xff"}
        sender.wait(sender.send("FIREFLY", "LOAD_MEMORY", memory, confirms_hazard=True), PATIENCE)
    assert [uplink.data for uplink in taken] == [firefly_bytes(0x69, 0, 1, bytes.fromhex("deadbeef000200ff"))]
    assert uplinked(bus) == taken or uplinked(bus) == []
