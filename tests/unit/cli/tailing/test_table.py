"""One table: it never joins packets of two definitions, and whatever happens an Arrow stream is a whole one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.ipc
import pytest

from c2kit import Decommutator, Identifier
from c2kit.batches.kinds import Kind
from c2kit.bus import open_bus
from c2kit.dictionaries import Dictionary
from c2kit.pipeline.stage import ProcessingStage
from tests.definitions import write
from tests.missions import frames_of, one_satellite, prepared, publish, run_until_idle, surroundings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.conftest import Run

DEFINED = """
target: FIREFLY
packets:
  P:
    items: {{HEADER: "bytes[6]", X: {{type: u8, scale: {scale}}}}}
"""
PACKET = bytes((1, 2, 192, 0, 0, 0, 8))


@pytest.fixture
def changed(tmp_path: Path) -> str:
    """A bus on which a packet is by an old definition first, and then by a new one."""
    url = f"sqlite:{tmp_path / 'bus.db'}"
    for scale in (0.5, 0.25):
        mission = one_satellite(Dictionary.load(write(tmp_path, DEFINED.format(scale=scale), f"{scale}.yaml")))
        mission.stage("decom", Identifier(), Decommutator())
        with open_bus(url) as bus:
            prepared(bus, mission)
            publish(bus, mission, "fep", Kind.FRAMES, [frames_of([PACKET])])
            stage = ProcessingStage(surroundings(bus, mission, "decom"))
            run_until_idle(stage)
            stage.close()
    return url


@pytest.mark.parametrize("form", ["arrow", "csv"])
def test_a_table_ends_where_its_definition_changes(run: Run, changed: str, form: str) -> None:
    command = ("tail", "telemetry.FIREFLY", "-p", "P", "-i", "X", "-f", form)
    result = run(*command, "--bus", changed, "--from-oldest", "--seconds", 0)
    assert result.exit_code == 1
    assert "have changed" in result.stderr
    if form == "arrow":
        assert pyarrow.ipc.open_stream(result.stdout_bytes).read_all()["X"].to_pylist() == [4.0]
    else:
        assert [line.rpartition(",")[2] for line in result.stdout.splitlines()] == ["X", "4.0"]


def test_lines_have_each_packet_by_its_own_definition(run: Run, changed: str) -> None:
    result = run("tail", "telemetry.FIREFLY", "-i", "X", "--bus", changed, "--from-oldest", "--seconds", 0)
    assert [line.rpartition("=")[2] for line in result.stdout.splitlines()] == ["4", "2"]
