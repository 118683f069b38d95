"""`c2kit dead-letter`: what stages set aside is found, shown with its values, and its bytes can be had."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from c2kit import CommandEncoder, Decommutator, Identifier
from c2kit.batches.kinds import Kind
from c2kit.bus import Record, Step, open_bus
from c2kit.bus.records import DeadLetter, pack
from c2kit.dictionaries import Dictionary
from c2kit.pipeline.composition.names import stage_identity, stream_name
from c2kit.pipeline.stage import ProcessingStage
from c2kit.processors import Processor
from tests.definitions import write
from tests.looking import bus_at
from tests.missions import (
    example_dictionary,
    flown,
    frames_of,
    one_satellite,
    publish,
    run_until_idle,
    surroundings,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from c2kit.batches import PacketBatch
    from c2kit.pipeline.composition.mission import Mission
    from c2kit.processors import Aside
    from tests.unit.cli.conftest import Run

UNLIKED = next(each for each in flown() if each[:2] == b"\x08\x64" and each[12] == 1)  # APID 100, kind 1: HEALTH


def dislike(is_disliked: bool) -> None:  # noqa: FBT001 - the one thing that it is told
    if is_disliked:
        raise ValueError("first line\nsecond\x1b[2J line")


class Fussy(Identifier):
    """Fails on one packet."""

    def bind(self, dictionary: Dictionary, targets: Sequence[str]) -> Fussy:
        return Fussy(dictionary, targets)

    def process(self, batch: PacketBatch) -> Iterator[PacketBatch]:
        dislike(UNLIKED in list(batch))
        yield from super().process(batch)


class FussyWithPackets(Processor[Any, Any]):
    takes = (Kind.PACKETS,)
    gives = Kind.PACKETS

    def bind(self, dictionary: Dictionary, targets: Sequence[str]) -> FussyWithPackets:  # noqa: ARG002 - it needs none
        return self

    def process(self, batch: PacketBatch) -> Iterator[PacketBatch]:
        dislike(UNLIKED in list(batch))
        yield batch

    def take_asides(self) -> list[Aside]:
        return []


class FussyWithTelemetry(FussyWithPackets):
    takes = (Kind.TELEMETRY,)
    gives = Kind.TELEMETRY

    def process(self, batch: Any) -> Iterator[Any]:  # noqa: ANN401 - other batches than its base takes
        dislike(batch.packet.name == "HEALTH" and 0 in batch["SEQUENCE_COUNT"].values)
        yield batch


CHAINS: dict[Kind, tuple[Processor[Any, Any], ...]] = {
    Kind.FRAMES: (Fussy(), Decommutator()),
    Kind.PACKETS: (Identifier(), FussyWithPackets(), Decommutator()),
    Kind.TELEMETRY: (Identifier(), Decommutator(), FussyWithTelemetry()),
}
PROCESSORS = {Kind.FRAMES: "Fussy", Kind.PACKETS: "FussyWithPackets", Kind.TELEMETRY: "FussyWithTelemetry"}


def mission(kind: Kind) -> Mission:
    made = one_satellite()
    made.stage("decom", *CHAINS[kind])
    made.stage("encode", CommandEncoder())
    return made


def fail(path: Path, kind: Kind) -> str:
    """A bus with one dead letter of that kind."""
    of = mission(kind)
    url = bus_at(path, of)
    with open_bus(url) as bus:
        publish(bus, of, "fep", Kind.FRAMES, [frames_of(flown(10))])
        stage = ProcessingStage(surroundings(bus, of, "decom"))
        run_until_idle(stage)
        stage.close()
    return url


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> dict[Kind, str]:
    kinds = (Kind.FRAMES, Kind.PACKETS, Kind.TELEMETRY)
    return {kind: fail(tmp_path_factory.mktemp("bus") / "bus.db", kind) for kind in kinds}


def read(run: Run, *arguments: object) -> Any:  # noqa: ANN401 - JSON
    return json.loads(run("dead-letter", *arguments, "--json").stdout)


class TestList:
    @pytest.mark.parametrize(
        ("kind", "packet"),
        [(Kind.FRAMES, None), (Kind.PACKETS, "FIREFLY HEALTH"), (Kind.TELEMETRY, "FIREFLY HEALTH")],
    )
    def test_each_is_known_by_its_number_stage_processor_and_packet(
        self, run: Run, failed: dict[Kind, str], kind: Kind, packet: str | None
    ) -> None:
        assert read(run, "ls", "--bus", failed[kind]) == [
            {
                "number": 0,
                "time": "1970-01-01T00:00:00.000005000Z",
                "stage": "decom",
                "processor": PROCESSORS[kind],
                "kind": str(kind),
                "packet": packet,
                "error": "ValueError: first line\nsecond\x1b[2J line",
            }
        ]

    def test_people_get_one_line_for_each(self, run: Run, failed: dict[Kind, str]) -> None:
        result = run("dead-letter", "ls", "--bus", failed[Kind.PACKETS])
        rows = [re.split("  +", line.strip()) for line in result.stdout.splitlines()]
        assert rows[0] == ["number", "time", "stage", "processor", "packet", "error"]
        assert rows[-1] == [
            *("0", "1970-01-01T00:00:00.000Z", "decom", "FussyWithPackets", "FIREFLY HEALTH", "ValueError: first line"),
        ]
        assert result.exit_code == 0

    def test_none_is_said_where_there_is_none(self, run: Run, tmp_path: Path) -> None:
        url = bus_at(tmp_path / "bus.db")
        result = run("dead-letter", "ls", "--bus", url)
        assert (result.exit_code, result.stdout, result.stderr) == (0, "", "no dead letters\n")
        assert read(run, "ls", "--bus", url) == []

    def test_a_stage_that_is_not_there_is_told_with_those_that_are(self, run: Run, failed: dict[Kind, str]) -> None:
        result = run("dead-letter", "ls", "--bus", failed[Kind.FRAMES], "--stage", "decon")
        assert (result.exit_code, "did you mean decom" in result.stderr) == (2, True)


class TestShow:
    @pytest.mark.parametrize("kind", [Kind.FRAMES, Kind.PACKETS, Kind.TELEMETRY])
    def test_values_are_those_of_the_packet(self, run: Run, failed: dict[Kind, str], kind: Kind) -> None:
        shown = read(run, "show", 0, "--bus", failed[kind])
        identifier = Identifier(example_dictionary(), ["FIREFLY"])
        (packets,) = identifier.process(frames_of([UNLIKED]))
        (telemetry,) = Decommutator(example_dictionary()).process(packets)
        assert shown["values"] == telemetry.row(0)
        assert shown["decoded"] == "FIREFLY HEALTH"
        assert (shown["stream"], shown["offset"], shown["lane"]) == ("firefly.frames.fep", 0, "fep")
        assert "Traceback (most recent call last)" in shown["traceback"]

    @pytest.mark.parametrize("kind", [Kind.FRAMES, Kind.PACKETS])
    def test_its_bytes_are_shown_and_written(
        self, run: Run, failed: dict[Kind, str], kind: Kind, tmp_path: Path
    ) -> None:
        file = tmp_path / "packet.tlm"
        result = run("dead-letter", "show", 0, "--bus", failed[kind], "-o", file)
        assert file.read_bytes() == UNLIKED
        dumped = [line[12:59] for line in result.stdout.splitlines() if re.match("    [0-9a-f]{6}  ", line)]
        assert bytes.fromhex("".join(dumped)) == UNLIKED
        assert "ValueError: first line" in result.stdout
        assert r"second\x1b[2J line" in result.stdout
        assert re.search(r"^  BATTERY_VOLTAGE +\d\.\d{3} V$", result.stdout, re.MULTILINE)
        assert result.stderr == f"wrote {file}: the packet\n"
        assert result.exit_code == 0

    def test_a_number_that_is_not_there_is_told(self, run: Run, failed: dict[Kind, str]) -> None:
        result = run("dead-letter", "show", 7, "--bus", failed[Kind.FRAMES])
        assert (result.exit_code, "no dead letter '7'" in result.stderr) == (2, True)


def leave(url: str, stage: str, **facts: object) -> None:
    """Put a dead letter on the bus by hand."""
    stream = stream_name("firefly", Kind.DEAD_LETTER, stage)
    told: dict[str, Any] = {"stage": stage, "processor": "", "error": "E: x", "traceback": "", "kind": "frames"}
    told |= {"stream": "s", "partition": 0, "offset": 0, "lane": "l", "value": b"\xff\x00", "time_ns": 0}
    with open_bus(url) as bus, bus.worker(stage_identity("firefly", stage), [], outputs=[stream]) as worker:
        worker.commit(Step(publish=[Record(stream, stage, pack(DeadLetter(**(told | facts))))]))


def test_several_stages_may_have_the_same_number(run: Run, tmp_path: Path) -> None:
    url = bus_at(tmp_path / "bus.db")
    leave(url, "encode", value=b"second", time_ns=1)
    leave(url, "decom", value=b"first")
    assert [each["stage"] for each in read(run, "ls", "--bus", url)] == ["decom", "encode"]
    result = run("dead-letter", "show", 0, "--bus", url)
    assert (result.exit_code, "found decom, encode; choose one with --stage" in result.stderr) == (2, True)
    assert read(run, "show", 0, "--stage", "encode", "--bus", url)["hex"] == b"second".hex()


def test_a_record_that_could_not_be_read_is_shown_as_it_was(run: Run, tmp_path: Path) -> None:
    url = bus_at(tmp_path / "bus.db")
    leave(url, "decom")
    file = tmp_path / "record"
    result = run("dead-letter", "show", 0, "--bus", url, "-o", file)
    assert file.read_bytes() == b"\xff\x00"
    assert "(not readable)" in result.stdout
    assert result.stderr == f"wrote {file}: the record as it was on the bus\n"


FAILING = """
target: FIREFLY
packets:
  P:
    items:
      HEADER: "bytes[6]"
      X: {type: u8, function: "tests.unit.cli.test_dead_letter:divide"}
      Y: {type: u8, scale: 0.5}
"""


def divide(raw: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A conversion that fails on what the test sends."""
    if 0 in raw:
        raise ZeroDivisionError("X")
    return 1.0 / raw


def test_where_a_conversion_failed_the_raw_value_stands(run: Run, tmp_path: Path) -> None:
    of = one_satellite(Dictionary.load(write(tmp_path, FAILING)))
    of.stage("decom", Identifier(), Decommutator())
    url = bus_at(tmp_path / "bus.db", of)
    good, bad = bytes((1, 2, 192, 0, 0, 1, 4, 3)), bytes((1, 2, 192, 1, 0, 1, 0, 3))
    with open_bus(url) as bus:
        publish(bus, of, "fep", Kind.FRAMES, [frames_of([good, bad])])
        stage = ProcessingStage(surroundings(bus, of, "decom"))
        run_until_idle(stage)
        stage.close()
    shown = read(run, "show", 0, "--bus", url)
    assert (shown["hex"], shown["packet"]) == (bad.hex(), "FIREFLY P")
    assert shown["values"] == {"HEADER": bad[:6].hex(), "X": 0, "Y": 1.5}
    assert "by functions: ZeroDivisionError: X" in run("dead-letter", "show", 0, "--bus", url).stderr
