"""`c2kit streams ls`: what the bus says of each stream, and nothing else."""

import json
from pathlib import Path

import pytest

from c2kit.batches.kinds import Kind
from c2kit.bus import open_bus
from c2kit.pipeline.times import utc_text
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
    shown = {each["stream"]: each for each in json.loads(run("streams", "ls", "--bus", bus, "--json").stdout)}
    with open_bus(bus) as opened:
        infos = {each.spec.name.removeprefix("firefly."): each for each in opened.streams()}
    assert shown.keys() == infos.keys()
    frames, info = shown["frames.fep"], infos["frames.fep"]
    assert info.newest_ns is not None
    assert frames == {
        "stream": "frames.fep",
        "partitions": 1,
        "records": 3,
        "retained": 3,
        "bytes": info.size_bytes,
        "lag": {"decom": 3},
        "writer": "fep",
        "newest": utc_text(info.newest_ns, digits=3),
    }
    assert (shown["events.decom"]["newest"], shown["events.decom"]["records"]) == (None, 0)
    assert shown["schemas"]["retained"] is None  # compacted: how many lanes it has is not how many were published


def test_people_get_a_line_a_stream(run: Run, bus: str) -> None:
    result = run("streams", "ls", "--bus", bus)
    lines = {line.split()[0]: line.split() for line in result.stdout.splitlines()}
    assert lines["stream"] == ["stream", "records", "retained", "bytes", "lag", "writer", "newest"]
    name, records, retained, _, reader, lag, writer, newest = lines["frames.fep"]
    assert (name, records, retained, reader, lag, writer) == ("frames.fep", "3", "3", "decom", "3", "fep")
    assert newest.endswith("Z")
    assert lines["events.decom"][1:] == ["0", "0", "0", "-", "decom", "-"]
    assert result.exit_code == 0


def test_a_bus_that_is_not_there_is_told(run: Run, tmp_path: Path) -> None:
    assert run("streams", "ls", "--bus", f"sqlite:{tmp_path / 'bus.db'}").exit_code == 3
