"""`c2kit link`: links of a mission that runs elsewhere are seen and switched."""

from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from c2kit.bus import open_bus
from c2kit.links import State
from c2kit.pipeline.composition.script import load_mission
from c2kit.pipeline.interfaces.stage import InterfaceStage
from tests.interfaces import Device, is_open, turn_until, turn_until_up
from tests.missions import EXAMPLE, prepared, surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.unit.cli.conftest import Run

SCRIPT = """
from c2kit import CcsdsPackets, Dictionary, Identifier, Mission, TcpClient, UdpListener

mission = Mission("firefly", dictionary=Dictionary.load("{dictionary}"), bus="sqlite:{bus}")
link = TcpClient("127.0.0.1", {port}, reconnect_seconds=0.01)
mission.interface("fep", link, protocols=[CcsdsPackets()], targets=["FIREFLY"])
mission.interface("spare", UdpListener(0), protocols=[CcsdsPackets()], targets=["FIREFLY"])
mission.stage("identify", Identifier())
"""


@pytest.fixture
def device() -> Iterator[Device]:
    with Device() as made:
        yield made


@pytest.fixture
def script(tmp_path: Path, device: Device) -> Path:
    path = tmp_path / "mission.py"
    path.write_text(SCRIPT.format(dictionary=EXAMPLE, bus=tmp_path / "bus.db", port=device.port), encoding="utf-8")
    return path


def rows(text: str) -> list[list[str]]:
    return [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()[2:]]


def test_a_link_is_seen_disabled_and_enabled_from_another_process(run: Run, script: Path) -> None:
    mission = load_mission(script)
    with open_bus(mission.bus) as bus:
        prepared(bus, mission)
        with closing(InterfaceStage(surroundings(bus, mission, "fep"))) as stage:
            turn_until_up(stage)
            assert [row[:3] for row in rows(run("link", "ls", script).stdout)] == [
                ["fep", "TcpClient", "connected"],
                ["spare", "UdpListener", "never open"],
            ]
            result = run("link", "disable", script, "fep", "--reason", "storm")
            assert (result.exit_code, result.stdout) == (0, "")
            turn_until(stage, lambda: stage.interface.state.state is State.DISABLED)
            turn_until(stage, lambda: not stage.turn(0))
            first, _ = rows(run("link", "ls", script).stdout)
            assert first[2] == "disabled"
            assert first[-1].startswith("storm")
        with closing(InterfaceStage(surroundings(bus, mission, "fep"))) as stage:
            turn_until(stage, lambda: is_open(stage))
            assert run("link", "enable", script, "fep").exit_code == 0
            turn_until_up(stage)


def test_an_interface_that_is_not_there_is_refused(run: Run, script: Path) -> None:
    mission = load_mission(script)
    with open_bus(mission.bus) as bus:
        prepared(bus, mission)
    result = run("link", "disable", script, "feb")
    assert result.exit_code == 2
    assert "did you mean fep" in result.stderr


def test_where_the_mission_never_ran_nothing_is_made(run: Run, script: Path, tmp_path: Path) -> None:
    assert run("link", "enable", script, "fep").exit_code == 3
    assert not (tmp_path / "bus.db").exists()
