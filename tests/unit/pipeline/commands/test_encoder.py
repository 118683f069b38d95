"""The encoding stage gives each command its bytes once, or ends it with a reason, whatever dies in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from c2kit.bus import BusUnavailable, Fenced, Step, Worker
from c2kit.bus.memory import MemoryBus
from c2kit.bus.records import DeadLetter, Fate, Severity, pack, unpack
from c2kit.bus.sqlite import SqliteBus
from c2kit.dictionaries import Dictionary
from c2kit.pipeline.chain import StateRefused
from c2kit.pipeline.commands.encoder import EncodingStage
from c2kit.processors import CommandEncoder
from tests.commanding import (
    SECOND,
    command,
    commanded_mission,
    events,
    fates,
    firefly_bytes,
    issue,
    publish,
    read_all,
    statuses,
    surroundings_of,
    uplinked,
)
from tests.definitions import write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from c2kit.bus import StreamBus
    from c2kit.pipeline.composition.mission import Mission


@pytest.fixture(params=["memory", "sqlite"])
def bus(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StreamBus]:
    """Return an empty bus of each kind."""
    opened: StreamBus = MemoryBus() if request.param == "memory" else SqliteBus(tmp_path / "bus.db")
    with opened:
        yield opened


def stage(bus: StreamBus, mission: Mission | None = None, now_ns: int = SECOND) -> EncodingStage:
    """Return the stage ``encode`` at one second, or another time."""
    return EncodingStage(surroundings_of(mission or commanded_mission(), bus, lambda: now_ns))


def run(encoder: EncodingStage) -> None:
    """Let it do all that waits."""
    while encoder.turn(0.0):
        pass


def take(bus: StreamBus, *commands: object, encoder: EncodingStage | None = None) -> EncodingStage:
    """Issue commands, and let a stage decide about them."""
    encoder = encoder or stage(bus)
    issue(bus, *commands)  # type: ignore[arg-type]
    run(encoder)
    return encoder


class TestEncoding:
    def test_a_command_gets_its_bytes_and_the_status_says_so(self, bus: StreamBus) -> None:
        take(bus, command("a", "SET_MODE", arguments={"MODE": "SAFE", "DURATION": 5}, caller="ann"))
        (sent,) = uplinked(bus)
        assert sent.data == firefly_bytes(0x64, 0, 3, b"\x01\x00\x05")
        assert (sent.id, sent.target, sent.name, sent.interface, sent.caller) == (
            "a",
            "FIREFLY",
            "SET_MODE",
            "fep",
            "ann",
        )
        assert (sent.encoded_ns, sent.expires_ns) == (SECOND, 30 * SECOND)
        assert sent.dictionary_hash == commanded_mission().dictionary.target("FIREFLY").hash
        (status,) = statuses(bus)
        assert (status.id, status.fate, status.stage, status.interface) == ("a", Fate.ENCODED, "encode", "fep")
        assert (status.caller, status.reason, status.time_ns) == ("ann", "", SECOND)
        assert events(bus) == []

    def test_arguments_may_be_text_as_a_person_types_it(self, bus: StreamBus) -> None:
        take(bus, command("a", "SET_MODE", arguments={"MODE": "0x1", "DURATION": "5"}))
        assert uplinked(bus)[0].data == firefly_bytes(0x64, 0, 3, b"\x01\x00\x05")

    def test_counts_rise_by_apid_over_all_ways_that_commands_come(self, bus: StreamBus) -> None:
        encoder = stage(bus)
        issue(bus, command("a"), command("b", "EXPOSE", arguments={"EXPOSURE_TIME": 1}), command("c"))
        run(encoder)
        publish(bus, "fep", ("auto-commands.fep", "fep", pack(command("own"))))
        run(encoder)
        assert [(sent.id, sent.data[3]) for sent in uplinked(bus)] == [("a", 0), ("b", 0), ("c", 1), ("own", 2)]

    def test_a_stage_that_starts_again_goes_on_counting(self, bus: StreamBus) -> None:
        take(bus, command("a"), command("b")).close()
        take(bus, command("c"))
        assert [sent.data for sent in uplinked(bus)] == [firefly_bytes(0x64, count, 0) for count in range(3)]

    def test_each_target_is_counted_by_itself(self, bus: StreamBus) -> None:
        encoder = take(bus, command("a"))
        assert [(row.partition, row.taken, row.given, row.refused) for row in encoder.ledger()] == [
            ("firefly.auto-commands.fep[0]", 0, 0, 0),
            ("firefly.commands.ANTENNA[0]", 0, 0, 0),
            ("firefly.commands.FIREFLY[0]", 1, 1, 0),
        ]


class TestWays:
    def test_a_command_goes_the_way_that_it_asks_for(self, bus: StreamBus) -> None:
        take(bus, command("a", interface="spare"))
        assert [sent.id for sent in uplinked(bus, "spare")] == ["a"]
        assert uplinked(bus) == []

    def test_an_interfaces_own_command_goes_back_there(self, bus: StreamBus) -> None:
        encoder = stage(bus)
        publish(bus, "fep", ("auto-commands.fep", "fep", pack(command("own"))))
        run(encoder)
        assert [sent.interface for sent in uplinked(bus)] == ["fep"]

    @pytest.mark.parametrize("interface", ["dish", "fap"])
    def test_a_way_that_does_not_lead_there_is_refused(self, bus: StreamBus, interface: str) -> None:
        take(bus, command("a", interface=interface))
        (status,) = statuses(bus)
        assert status.fate is Fate.REFUSED
        assert f"no interface {interface!r} in what leads to FIREFLY" in status.reason


class TestRefusals:
    @pytest.mark.parametrize(
        ("refused", "told"),
        [
            (command("a", "NOPE"), ["no command 'NOPE'", "did you mean NOOP?"]),
            (
                command("a", "SET_MODE", arguments={"MODE": "SAVE", "DURATION": 3601, "X": 1}),
                ["MODE: no state 'SAVE'", "DURATION: out of range", "X: no such argument"],
            ),
            (command("a", "SET_MODE", arguments={"MODE": None}), ["MODE: the value is not a number"]),
            (command("a", "SET_MODE", arguments={"MODE": {"x": 1}}), ["MODE"]),
            (command("a", "FIRE_THRUSTER", arguments={"THRUST": 1, "DURATION": 1}), ["hazardous", "confirm it"]),
            (command("a", "SET_MODE", arguments={"MODE": "TEST"}), ["hazardous: MODE=TEST: TEST switches off"]),
        ],
    )
    def test_what_is_wrong_is_refused_with_all_of_the_reason(
        self, bus: StreamBus, refused: object, told: list[str]
    ) -> None:
        encoder = take(bus, refused)
        (status,) = statuses(bus)
        assert status.fate is Fate.REFUSED
        for words in told:
            assert words in status.reason
        assert uplinked(bus) == []
        (row,) = [row for row in encoder.ledger() if row.taken]
        assert (row.taken, row.given, row.refused, row.unaccounted) == (1, 0, 1, 0)

    def test_a_refused_command_takes_no_count(self, bus: StreamBus) -> None:
        reset = {"arguments": {"IMAGE": "GOLDEN"}}
        take(bus, command("a", "RESET", **reset), command("b", "SET_MODE"), command("c"))
        assert [sent.data for sent in uplinked(bus)] == [firefly_bytes(0x64, 0, 0)]

    def test_a_hazardous_command_that_is_confirmed_is_encoded(self, bus: StreamBus) -> None:
        take(bus, command("a", "RESET", arguments={"IMAGE": "GOLDEN"}, confirms_hazard=True))
        assert uplinked(bus)[0].data == firefly_bytes(0x64, 0, 4, bytes.fromhex("00b007c0de"))

    def test_an_expired_command_is_not_encoded(self, bus: StreamBus) -> None:
        take(bus, command("a", expires_ns=SECOND), command("b", expires_ns=SECOND + 1))
        assert fates(bus) == [("a", Fate.EXPIRED), ("b", Fate.ENCODED)]

    def test_a_command_on_the_stream_of_another_target_is_refused(self, bus: StreamBus) -> None:
        encoder = stage(bus)
        publish(bus, "command-source", ("commands.ANTENNA", "ANTENNA", pack(command("a"))))
        run(encoder)
        (status,) = statuses(bus)
        assert (status.fate, "stream of ANTENNA" in status.reason) == (Fate.REFUSED, True)

    def test_a_target_that_the_stage_does_not_serve_is_refused(self, bus: StreamBus) -> None:
        encoder = stage(bus)
        publish(bus, "fep", ("auto-commands.fep", "fep", pack(command("a", target="FIRELY"))))
        run(encoder)
        (status,) = statuses(bus)
        assert (status.fate, "did you mean FIREFLY?" in status.reason) == (Fate.REFUSED, True)

    def test_a_failure_of_the_encoder_refuses_that_command_only(
        self, bus: StreamBus, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        encode = CommandEncoder.encode

        def fails(self: CommandEncoder, target: str, name: str, arguments: dict[str, object]) -> object:
            if name == "SET_MODE":
                raise ZeroDivisionError("by a user's function")
            return encode(self, target, name, arguments)

        monkeypatch.setattr(CommandEncoder, "encode", fails)
        take(bus, command("a", "SET_MODE"), command("b"))
        assert fates(bus) == [("a", Fate.REFUSED), ("b", Fate.ENCODED)]
        assert "ZeroDivisionError: by a user's function" in statuses(bus)[0].reason
        (event,) = events(bus)
        assert (event.kind, event.severity, event.facts["id"]) == ("command", Severity.ERROR, "a")
        assert "in fails" in event.facts["traceback"]


class TestSameId:
    def test_the_same_id_again_is_the_same_command(self, bus: StreamBus) -> None:
        encoder = take(bus, command("a"), command("a"))
        assert [sent.id for sent in uplinked(bus)] == ["a"]
        assert fates(bus) == [("a", Fate.ENCODED)]
        (event,) = events(bus)
        assert (event.kind, event.severity, event.facts["id"]) == ("command", Severity.INFO, "a")
        (row,) = [row for row in encoder.ledger() if row.taken]
        assert (row.taken, row.given, row.refused) == (2, 1, 1)

    def test_it_is_known_after_a_new_start_and_in_later_steps(self, bus: StreamBus) -> None:
        encoder = take(bus, command("a"))
        take(bus, command("a"), encoder=encoder).close()
        take(bus, command("a"), command("b"))
        assert [sent.id for sent in uplinked(bus)] == ["a", "b"]
        assert len(events(bus)) == 2

    @pytest.mark.parametrize("change", [{"arguments": {"X": 1}}, {"interface": "spare"}, {"confirms_hazard": True}])
    def test_another_command_with_a_known_id_is_an_error(self, bus: StreamBus, change: dict[str, object]) -> None:
        take(bus, command("a"), command("a", **change))
        assert [sent.id for sent in uplinked(bus)] == ["a"]
        assert fates(bus) == [("a", Fate.ENCODED)]
        (event,) = events(bus)
        assert event.severity is Severity.ERROR
        assert "another command, FIREFLY NOOP" in event.message

    def test_an_id_is_known_among_all_targets(self, bus: StreamBus) -> None:
        encoder = take(bus, command("a"))
        take(bus, command("a", "STOW", target="ANTENNA"), encoder=encoder)
        assert uplinked(bus, "dish") == []
        assert [event.severity for event in events(bus)] == [Severity.ERROR]

    @pytest.mark.parametrize("first", [{"expires_ns": 0}, {"arguments": {"X": 1}}])
    def test_what_ended_here_stays_ended(self, bus: StreamBus, first: dict[str, object]) -> None:
        take(bus, command("a", **first), command("a"))
        assert [status.fate.is_end for status in statuses(bus)] == [True]
        assert uplinked(bus) == []


class TestSteps:
    def test_a_step_that_could_not_be_committed_is_committed_later(
        self, bus: StreamBus, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        encoder = stage(bus)
        issue(bus, command("a"), command("bad", "NOPE"))
        worker: Worker = encoder._worker
        commit, attempts = worker.commit, iter([True, True, False])

        def fails_twice(step: Step) -> None:
            if next(attempts):
                raise BusUnavailable("away")
            commit(step)

        monkeypatch.setattr(worker, "commit", fails_twice)
        for _ in range(2):
            with pytest.raises(BusUnavailable):
                encoder.turn(0.0)
            assert (uplinked(bus), fates(bus)) == ([], [])
            assert not [row for row in encoder.ledger() if row.taken]
        assert encoder.turn(0.0)
        assert fates(bus) == [("a", Fate.ENCODED), ("bad", Fate.REFUSED)]
        assert [sent.data for sent in uplinked(bus)] == [firefly_bytes(0x64, 0, 0)]

    def test_what_was_not_committed_never_happened(self, bus: StreamBus, monkeypatch: pytest.MonkeyPatch) -> None:
        first = stage(bus)
        issue(bus, command("a"))

        def dies(_: Step) -> None:
            raise BusUnavailable("away")

        with monkeypatch.context() as patch:
            patch.setattr(first._worker, "commit", dies)
            with pytest.raises(BusUnavailable):
                first.turn(0.0)
            first.close()
        run(stage(bus))
        assert [sent.data for sent in uplinked(bus)] == [firefly_bytes(0x64, 0, 0)]
        assert fates(bus) == [("a", Fate.ENCODED)]

    def test_there_is_one_at_a_time(self, bus: StreamBus) -> None:
        first = stage(bus)
        with pytest.raises(Fenced):
            stage(bus)
        take(bus, command("a"), encoder=first)
        assert fates(bus) == [("a", Fate.ENCODED)]

    def test_a_record_that_is_no_command_is_set_aside(self, bus: StreamBus) -> None:
        encoder = stage(bus)
        publish(bus, "command-source", ("commands.FIREFLY", "FIREFLY", b'{"id": 1}'))
        take(bus, command("a"), encoder=encoder)
        (letter,) = [unpack(DeadLetter, value) for value in read_all(bus, "dead-letter.encode")]
        assert (letter.kind, letter.stream, letter.offset) == ("commands", "firefly.commands.FIREFLY", 0)
        assert letter.value == b'{"id": 1}'
        assert [event.kind for event in events(bus)] == ["dead-letter"]
        assert fates(bus) == [("a", Fate.ENCODED)]
        (row,) = [row for row in encoder.ledger() if row.taken]
        assert (row.taken, row.given, row.refused, row.unaccounted) == (2, 1, 1, 0)

    def test_the_ledger_goes_on_after_a_new_start(self, bus: StreamBus) -> None:
        take(bus, command("a"), command("b", "NOPE")).close()
        encoder = take(bus, command("c"))
        (row,) = [row for row in encoder.ledger() if row.taken]
        assert (row.taken, row.given, row.refused) == (3, 2, 1)
        assert encoder.consumed()["firefly.commands.FIREFLY", 0] == 3

    @pytest.mark.parametrize("key", ["CommandEncoder", "ids"])
    def test_a_state_that_cannot_be_restored_stops_the_stage(self, bus: StreamBus, key: str) -> None:
        surroundings = surroundings_of(commanded_mission(), bus, lambda: SECOND)
        with bus.worker("firefly.encode", [], exclusive=True) as worker:
            worker.commit(Step(snapshots={(key, "FIREFLY"): b"nonsense"}))
        for _ in range(2):  # it lets go of its place
            with pytest.raises(StateRefused, match=f"the state of {key} in lane FIREFLY"):
                EncodingStage(surroundings)


def test_counts_outlive_a_new_dictionary(bus: StreamBus, tmp_path: Path) -> None:
    def mission(default: int) -> Mission:
        text = """
            target: {name}
            commands:
              NOOP:
                arguments:
                  COUNT: {{type: u8, computed: sequence_count}}
                  X: {{type: u8, default: {default}}}
            packets:
              P: {{items: {{A: u8}}}}
        """
        for name in ("FIREFLY", "ANTENNA"):
            write(tmp_path / str(default), text.format(default=default, name=name), f"{name}.yaml")
        return commanded_mission(Dictionary.load(tmp_path / str(default)))

    take(bus, command("a"), encoder=stage(bus, mission(1))).close()
    take(bus, command("b"), encoder=stage(bus, mission(2)))
    assert [sent.data for sent in uplinked(bus)] == [b"\x00\x01", b"\x01\x02"]
