"""`c2kit streams ls`: what the bus says of each stream, and nothing else."""

import json
from pathlib import Path
from typing import cast

import pytest
from attrs import evolve

from c2kit.batches.kinds import Kind
from c2kit.bus import StreamInfo, open_bus
from c2kit.cli.looking import Look, looking
from c2kit.cli.stream_table import print_streams
from c2kit.pipeline.observing.times import utc_text
from tests.looking import bus_at, firefly
from tests.missions import flown, frames_of, publish
from tests.unit.cli.conftest import Run


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A bus on which three records wait that nobody has taken."""
    url = bus_at(tmp_path_factory.mktemp("bus") / "bus.db")
    with open_bus(url) as opened:
        publish(opened, firefly(), "fep", Kind.FRAMES, [frames_of(flown()[:number]) for number in (1, 2, 3)])
    return url


def test_programs_get_what_the_bus_says(run: Run, bus: str) -> None:
    shown = {
        each["stream"]: each for each in json.loads(run("streams", "ls", "--bus", bus, "--json", "--over", 0).stdout)
    }
    with open_bus(bus) as opened:
        infos = {each.spec.name.removeprefix("firefly."): each for each in opened.streams()}
    assert shown.keys() == infos.keys()
    frames, info = shown["frames.fep"], infos["frames.fep"]
    assert info.oldest_ns is not None
    assert info.newest_ns is not None
    assert frames == {
        "stream": "frames.fep",
        "partitions": 1,
        "records": 3,
        "retained": 3,
        "rate": None,
        "bytes": info.size_bytes,
        "lag": {"decom": 3},
        "at_most": [],
        "exact": True,
        "writer": "fep",
        "oldest": utc_text(info.oldest_ns, digits=3),
        "newest": utc_text(info.newest_ns, digits=3),
    }
    assert (shown["events.decom"]["newest"], shown["events.decom"]["records"]) == (None, 0)
    assert shown["schemas"]["retained"] is None  # compacted: how many lanes it has is not how many were published


def test_people_get_a_line_a_stream(run: Run, bus: str) -> None:
    result = run("streams", "ls", "--bus", bus, "--over", 0)
    lines = {line.split()[0]: line.split() for line in result.stdout.splitlines()}
    assert lines["stream"] == [
        "stream",
        "records",
        "retained",
        "records/s",
        "bytes",
        "lag",
        "writer",
        "oldest",
        "newest",
    ]
    name, records, retained, _, _, reader, lag, writer, oldest, newest = lines["frames.fep"]
    assert (name, records, retained, reader, lag, writer) == ("frames.fep", "3", "3", "decom", "3", "fep")
    assert oldest.endswith("Z")
    assert oldest <= newest
    assert lines["events.decom"][1:] == ["0", "0", "-", "0", "-", "decom", "-", "-"]
    assert result.exit_code == 0


def test_a_bus_that_is_not_there_is_told(run: Run, tmp_path: Path) -> None:
    assert run("streams", "ls", "--bus", f"sqlite:{tmp_path / 'bus.db'}").exit_code == 3


def test_how_fast_a_stream_grows_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two records come between its two looks, and nobody can tell how long that took."""
    url = bus_at(tmp_path / "bus.db")
    with looking(url, None) as look:
        looks = [look.streams()]
        with open_bus(url) as other:
            publish(other, firefly(), "fep", Kind.FRAMES, [frames_of(flown()[:1])] * 2)
        looks.append(look.streams())

        class Looks:
            shown = staticmethod(look.shown)

            def streams(self) -> list[StreamInfo]:
                return looks.pop(0)

        print_streams(cast("Look", Looks()), as_json=True, over_seconds=0.01)
    told = {each["stream"]: each["rate"] for each in json.loads(capsys.readouterr().out)}
    assert 0 < told["frames.fep"] <= 200
    assert told["events.fep"] == 0


def test_a_lag_that_was_not_counted_is_told_to_be_a_bound(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with looking(bus_at(tmp_path / "bus.db"), None) as look:
        info = next(each for each in look.streams() if each.spec.name == "firefly.frames.fep")

        class Looks:
            shown = staticmethod(look.shown)

            def streams(self) -> list[StreamInfo]:
                lag = {"firefly.decom": 4_800, "firefly.log": 7}
                return [evolve(info, lag=lag, estimated=frozenset({"firefly.decom"}), counts_records=False)]

        print_streams(cast("Look", Looks()), as_json=True, over_seconds=0)
        (told,) = json.loads(capsys.readouterr().out)
        print_streams(cast("Look", Looks()), as_json=False, over_seconds=0)
    assert (told["lag"], told["at_most"]) == ({"decom": 4_800, "log": 7}, ["decom"])
    assert "decom <= 4,800, log 7" in " ".join(capsys.readouterr().out.split())


def test_a_script_says_which_mission_and_bus_is_meant(run: Run, bus: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("C2KIT_BUS", bus)
    told = json.loads(run("streams", "ls", SCRIPT, "--json", "--over", 0).stdout)
    assert {each["stream"]: each["records"] for each in told}["frames.fep"] == 3


SCRIPT = Path(__file__).parents[3] / "examples" / "04_mission.py"


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where there is no bus yet."""
    monkeypatch.delenv("C2KIT_BUS", raising=False)
    return f"sqlite:{tmp_path / 'bus.db'}"


def test_what_an_embedded_bus_needs_is_told_without_making_one(run: Run, empty: str, tmp_path: Path) -> None:
    lines = [line.split() for line in run("streams", "plan", SCRIPT, "--bus", empty).stdout.splitlines()]
    assert lines[0] == ["stream", "partitions", "writer", "readers"]
    assert ["firefly.uplink.fep", "1", "firefly.encode", "firefly.fep,", "firefly.log"] in lines
    assert list(tmp_path.iterdir()) == []


def test_what_a_cluster_needs_is_told_without_one(run: Run) -> None:
    kafka = ("--bus", "kafka:localhost:1")
    lines = [line.split() for line in run("streams", "plan", SCRIPT, *kafka).stdout.splitlines()]
    assert lines[0] == ["topic", "partitions", "copies", "kept"]
    assert ["firefly.frames.fep", "1", "3", "96", "h,", "64", "GiB", "a", "partition"] in lines
    assert ["firefly.state.decom", "1", "3", "the", "newest", "of", "each", "key"] in lines
    told = json.loads(run("streams", "plan", SCRIPT, *kafka, "--brokers", "1", "--json").stdout)
    frames = next(each for each in told if each["name"] == "firefly.frames.fep")
    assert (frames["replication_factor"], frames["settings"]["min.insync.replicas"]) == (1, "1")
    assert len(told) == len(lines) - 2  # the heading and the line below it


def test_the_environment_says_which_bus(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("C2KIT_BUS", "kafka:localhost:1")
    assert run("streams", "plan", SCRIPT).stdout.startswith("topic")


def test_what_is_missing_is_found_made_once_and_then_as_it_should_be(run: Run, empty: str) -> None:
    missing = run("streams", "check", SCRIPT, "--bus", empty)
    assert missing.exit_code == 1
    assert "BREAKS" in missing.stdout
    assert "31 differences, 31 of which break a promise" in missing.stderr
    made = run("streams", "apply", SCRIPT, "--bus", empty)
    assert "firefly.frames.fep" in made.stdout.splitlines()
    again = run("streams", "apply", SCRIPT, "--bus", empty, "--json")
    assert json.loads(again.stdout) == {"bus": empty, "created": [], "existing": 31}
    good = run("streams", "check", SCRIPT, "--bus", empty)
    assert (good.exit_code, good.stdout) == (0, "")
    assert good.stderr.endswith("as it should be\n")


def test_programs_get_each_difference(run: Run, empty: str) -> None:
    told = json.loads(run("streams", "check", SCRIPT, "--bus", empty, "--json").stdout)
    assert {each["of"] for each in told} >= {"stream firefly.frames.fep", "stream firefly.schemas"}
    assert all(each["breaks"] is True for each in told)


def test_a_replay_has_streams_of_its_own(run: Run, empty: str) -> None:
    made = run("streams", "apply", SCRIPT, "--bus", empty, "--replay", "night").stdout.splitlines()
    assert "firefly.replay.night.frames.fep" in made
    assert "firefly.frames.fep" not in made


def test_secrets_that_cannot_be_read_are_told_by_where_they_should_be(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("C2KIT_KAFKA_SECRETS", str(tmp_path))
    result = run("streams", "check", SCRIPT, "--bus", "kafka:localhost:1")
    assert result.exit_code == 2
    assert f"C2KIT_KAFKA_SECRETS names {tmp_path}" in result.stderr
