"""Missions become pictures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from c2kit.cli.app import main
from c2kit.pipeline.composition.graph import as_mermaid, as_text
from c2kit.pipeline.composition.script import load_mission

EXAMPLES = Path(__file__).parents[4] / "examples"
SCRIPT = f"""
from c2kit.dictionaries import Dictionary
from c2kit.pipeline.composition.mission import Mission
from c2kit.pipeline.composition.parts import PacketLogger
from c2kit.processors import CommandEncoder, Decommutator, Identifier
from c2kit.protocols import CcsdsPackets
from ground_station import FEP

mission = Mission("firefly", dictionary=Dictionary.load({str(EXAMPLES / "dictionary")!r}), bus="sqlite:var/bus.db")
mission.interface("fep", FEP, protocols=[CcsdsPackets()], targets=["FIREFLY"])
mission.stage("decom", Identifier(), Decommutator())
mission.stage("log", PacketLogger("var/log"))
mission.stage("encode", CommandEncoder())
same = mission

if __name__ == "__main__":
    raise AssertionError("it was to be composed, not run")
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    # A module beside the script, as people write them.
    (tmp_path / "ground_station.py").write_text(
        "from c2kit.links import TcpClient\n\nFEP = TcpClient('localhost', 7011, idle_seconds=5)\n"
    )
    (tmp_path / "mission.py").write_text(SCRIPT)
    return tmp_path / "mission.py"


def test_text_tells_each_stage_in_the_order_of_the_flow(script: Path) -> None:
    text = as_text(load_mission(script).describe())
    assert text.startswith("firefly on sqlite:var/bus.db\n")
    assert (
        "fep  interface  (mission.py:10)\n    TcpClient(host=localhost, port=7011, idle_seconds=5) with CcsdsPackets\n"
        in text
    )
    assert "    Identifier > Decommutator\n    reads   frames.fep  from fep\n" in text
    assert "    writes  packets.FIREFLY  for log\n" in text
    places = [text.index(f"\n{name}  ") for name in ("fep", "decom", "log")]
    assert places == sorted(places)


def test_mermaid_has_a_box_for_each_stage_and_an_arrow_for_each_pair(script: Path) -> None:
    description = load_mission(script).describe()
    lines = as_mermaid(description).splitlines()
    assert lines[0] == "flowchart LR"
    assert len([line for line in lines if "-->" in line]) == len(
        {
            (writer, reader)
            for stream in description.streams
            if stream.kind not in {"dictionaries", "schemas"}
            for reader in stream.readers
            for writer in stream.writers
        }
    )
    shown = [stage.name for stage in description.stages if stage.role != "provisioner"]
    numbers = {name: f"s{number}" for number, name in enumerate(shown)}
    assert f'    {numbers["fep"]} -- "frames" --> {numbers["decom"]}' in lines
    assert f'    {numbers["log"]}[("<b>log</b><br/>PacketLogger")]' in lines


def test_definitions_which_all_read_hide_nothing(script: Path) -> None:
    description = load_mission(script).describe()
    for picture in (as_text(description), as_mermaid(description)):
        assert "provisioner" not in picture
        assert "dictionaries" not in picture
        assert "schemas" not in picture


@pytest.mark.parametrize("form", ["text", "mermaid", "json"])
def test_the_command_shows_a_replay(script: Path, form: str) -> None:
    result = CliRunner().invoke(main, ["graph", str(script), "--replay", "night", "--format", form])
    assert result.exit_code == 0
    description = load_mission(script).describe(replay="night")
    if form == "json":
        assert json.loads(result.output) == json.loads(description.as_json())
        return
    assert result.output == (as_text if form == "text" else as_mermaid)(description)
    assert "command-source" not in result.output
    assert "TcpClient" not in result.output


def test_text_of_a_replay_names_it_once(script: Path) -> None:
    text = as_text(load_mission(script).describe(replay="night"))
    assert text.startswith(
        "firefly on sqlite:var/bus.db, replay night\n\nreplay  replay\n    writes  frames.fep  for decom\n"
    )
    assert "    reads   frames.fep  from replay\n" in text


def test_an_id_that_is_none_is_a_message(script: Path) -> None:
    result = CliRunner().invoke(main, ["graph", str(script), "--replay", "last night"])
    assert result.exit_code == 2
    assert "the name of a replay" in result.output


def test_the_command_prints_the_description_as_json(script: Path) -> None:
    result = CliRunner().invoke(main, ["graph", str(script), "--format", "json"])
    assert result.exit_code == 0
    assert json.loads(result.output) == json.loads(load_mission(script).describe().as_json())


def test_a_composition_that_does_not_fit_is_a_message_and_exit_code_2(script: Path) -> None:
    script.write_text(SCRIPT.replace("Identifier(), Decommutator()", "Decommutator()"))
    result = CliRunner().invoke(main, ["graph", str(script)])
    assert result.exit_code == 2
    assert "reads packets.FIREFLY, which nobody writes" in result.output
    assert "Traceback" not in result.output
