"""Scripts become missions."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from c2kit.errors import UsageError
from c2kit.pipeline.composition.mission import Mission
from c2kit.pipeline.composition.script import load_mission

EXAMPLES = Path(__file__).parents[4] / "examples"
DESIGNED = """\
from c2kit import *

mission = Mission("firefly", dictionary=Dictionary.load("dictionary/"), bus="sqlite:var/bus.db")

mission.interface("fep", TcpClient("localhost", 7011), protocols=[CcsdsPackets()], targets=["FIREFLY"], raw_log="var/raw")
mission.interface("antenna", UdpListener(7020), protocols=[Fixed(64)], targets=["ANTENNA"])

mission.stage("decom", Identifier(), Decommutator(), LimitsMonitor())
mission.stage("log", PacketLogger("var/log"))
mission.stage("encode", CommandEncoder())
"""  # noqa: E501 - as it stands in the design
"""The whole of a small ground system, and no longer."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "dictionary").symlink_to(EXAMPLES / "dictionary")
    return tmp_path


def test_a_small_ground_system_is_ten_lines_long(folder: Path) -> None:
    (folder / "mission.py").write_text(DESIGNED)
    description = load_mission(folder / "mission.py").describe()
    assert (description.name, description.bus) == ("firefly", "sqlite:var/bus.db")
    places = {stage.name: stage.defined_at for stage in description.stages if stage.defined_at}
    lines = {name: f"mission.py:{line}" for name, line in (("antenna", 6), ("decom", 8), ("log", 9), ("encode", 10))}
    assert places == {"fep": "mission.py:5", "fep-raw-log": "mission.py:5", **lines}


def test_a_dictionary_is_found_beside_the_script_and_the_rest_stays_as_it_was(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (folder / "mission.py").write_text(DESIGNED)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)
    before = list(sys.path)
    assert isinstance(load_mission(folder / "mission.py"), Mission)
    monkeypatch.chdir(folder)
    assert isinstance(load_mission("mission.py"), Mission)
    monkeypatch.chdir(elsewhere)
    assert Path.cwd() == elsewhere
    assert sys.path == before


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("1 / 0", "mission.py:3: the script fails: ZeroDivisionError: division by zero"),
        ("import sys; sys.exit(0)", "mission.py:3: the script exits instead of composing a mission"),
        ("x ==", "mission.py:3: the script fails: SyntaxError"),
        ("import no_such_library", "mission.py:3: the script fails: ModuleNotFoundError"),
    ],
)
def test_a_script_that_fails_is_told_with_its_line(folder: Path, line: str, told: str) -> None:
    (folder / "mission.py").write_text(f"# a script\n\n{line}\n")
    with pytest.raises(UsageError) as caught:
        load_mission(folder / "mission.py")
    assert told in str(caught.value)


def test_what_c2kit_raises_in_a_script_goes_through(folder: Path) -> None:
    (folder / "mission.py").write_text("from c2kit import *\nMission('no name', dictionary=Dictionary())")
    before = (list(sys.path), Path.cwd())
    with pytest.raises(UsageError, match="the name of a mission"):
        load_mission(folder / "mission.py")
    assert (sys.path, Path.cwd()) == before


@pytest.mark.parametrize(
    ("more", "found"),
    [("del mission", "found none"), ("other = Mission('two', dictionary=mission.dictionary)", "firefly, two")],
)
def test_a_script_composes_one_mission(folder: Path, more: str, found: str) -> None:
    (folder / "mission.py").write_text(DESIGNED + more)
    with pytest.raises(UsageError, match=found):
        load_mission(folder / "mission.py")


def test_one_mission_may_have_several_names(folder: Path) -> None:
    (folder / "mission.py").write_text(DESIGNED + "same = mission")
    assert load_mission(folder / "mission.py").name == "firefly"
