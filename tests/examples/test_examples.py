"""Every example runs, in a process of its own as a user runs it, and says what its readers are told that it says."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.ipc
import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"

RunScript = Callable[..., str]


@pytest.fixture
def run_script(tmp_path: Path) -> RunScript:
    """Return a function that runs a script from an empty directory, and gives what it printed."""

    def run(*command: object) -> str:
        done = subprocess.run(
            [sys.executable, *map(str, command)],
            check=False,
            cwd=tmp_path,
            env=os.environ | {"PYTHONWARNINGS": "error"},
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return run


def test_every_example_has_a_test() -> None:
    tested = Path(__file__).read_text(encoding="utf-8")
    scripts = {path.name for path in EXAMPLES.glob("*.py")} - {"simulated.py"}
    assert {name for name in scripts if f'"{name}"' not in tested} == set()


def test_a_file_is_decoded(run_script: RunScript) -> None:
    lines = run_script(EXAMPLES / "01_decode_a_file.py").splitlines()
    assert re.fullmatch(r"120 packets of HEALTH: the battery has 6\.9\d\d V to 7\.0\d\d V", lines[0])
    assert re.fullmatch(r"the first one: mode NOMINAL, [67]\.\d{3} V, -\d\.\d\d W", lines[1])
    assert "FIREFLY HEALTH: 120 packets, 4080 bytes" in lines
    assert "unknown: 1 packet, 10 bytes" in lines
    assert "discarded, bad header: 200 bytes" in lines
    assert any(line.startswith("APID 102: 2 missing in 1 gap") for line in lines)


def test_a_file_of_ones_own_is_decoded(run_script: RunScript, tmp_path: Path) -> None:
    script = (
        f"import pathlib, sys; sys.path.insert(0, {str(EXAMPLES)!r}); import simulated; "
        f"pathlib.Path('r.tlm').write_bytes(simulated.recording(seconds=20))"
    )
    run_script("-c", script)
    lines = run_script(EXAMPLES / "01_decode_a_file.py", tmp_path / "r.tlm").splitlines()
    assert "FIREFLY HEALTH: 20 packets, 680 bytes" in lines


def test_the_decommutator_is_embedded(run_script: RunScript) -> None:
    lines = run_script(EXAMPLES / "02_embed_the_decommutator.py").splitlines()
    assert re.fullmatch(r"the battery had 6\.9\d\d V at least", lines[-1])
    assert sum(line.startswith("discarded bytes ") for line in lines) == 1
    assert any(line.startswith("1 unknown packet; nearest to FIREFLY") for line in lines)
    assert any(line.startswith("APID 102: 2 missing") for line in lines)


def test_a_command_is_encoded(run_script: RunScript) -> None:
    lines = run_script(EXAMPLES / "03_encode_a_command.py").splitlines()
    sent = bytes.fromhex(lines[0])
    # CCSDS 133.0-B-2, 4.1.3: a telecommand with secondary header, APID 100, unsegmented, count 0, 6 bytes.
    assert sent[:6] == bytes.fromhex("1864 c000 0005")
    assert crc_of(sent) == 0
    assert lines[2:5] == ["1", "125", "hazardous: True: Changes the orbit; the gas does not come back"]
    assert [line.split(":")[0].strip() for line in lines[6:]] == ["FAN", "HEATER", "SETPOINT"]


def crc_of(data: bytes) -> int:
    """CRC-16/IBM-3740, bit by bit; 0 over data and its own CRC."""
    register = 0xFFFF
    for byte in data:
        register ^= byte << 8
        for _ in range(8):
            register = (register << 1 ^ (0x1021 if register & 0x8000 else 0)) & 0xFFFF
    return register


def test_the_tour_decodes_what_it_made(run_script: RunScript, tmp_path: Path) -> None:
    text = run_script(EXAMPLES / "tour.py", tmp_path / "tour")
    assert re.search(r"FIREFLY HEALTH +600 packets +20,400 bytes", text)
    assert re.search(r"together, which is all +238,515 bytes", text)
    assert "APID 102: 2 missing in 1 gap" in text
    assert "yellow low" in text
    assert "\x1b" not in text, "in a pipe it is plain text"
    with pyarrow.ipc.open_stream(tmp_path / "tour/HEALTH.arrow") as stream:
        table = stream.read_all()
    assert table.num_rows == 600
    volts = table["BATTERY_VOLTAGE"].to_pylist()
    assert 6.6 < min(volts) < 6.8  # below the yellow limit
    assert 7.6 < max(volts) < 7.8
    assert set(table["MODE"].to_pylist()) == {2, 3}


def test_the_tour_is_the_same_in_each_run(run_script: RunScript, tmp_path: Path) -> None:
    recording = tmp_path / "tour/firefly.tlm"
    first = (run_script(EXAMPLES / "tour.py", tmp_path / "tour"), recording.read_bytes())
    again = (run_script(EXAMPLES / "tour.py", tmp_path / "tour"), recording.read_bytes())
    timed = re.compile(r"in \d+\.\d\d s")
    assert (timed.sub("", again[0]), again[1]) == (timed.sub("", first[0]), first[1])


def test_the_commands_that_the_tour_names_work(run_script: RunScript, tmp_path: Path) -> None:
    lines = re.findall(r"^  \S*c2kit (.*)$", run_script(EXAMPLES / "tour.py", tmp_path / "tour"), re.MULTILINE)
    assert len(lines) == 4
    main = "import sys; from c2kit.cli import main; main()"
    for line in lines:
        command, _, _ = line.partition(" | ")
        done = subprocess.run(
            [sys.executable, "-c", main, *command.split()], check=False, cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout


def test_the_mission_is_composed(run_script: RunScript) -> None:
    main = "import sys; from c2kit.cli import main; main()"
    description = json.loads(run_script("-c", main, "graph", EXAMPLES / "04_mission.py", "--format", "json"))
    assert {stage["name"] for stage in description["stages"]} >= {"fep", "antenna", "decom", "log", "encode"}


def test_a_processor_of_ones_own_is_in_the_chain(run_script: RunScript) -> None:
    lines = run_script(EXAMPLES / "05_own_processor.py").splitlines()
    given, taken = map(int, re.fullmatch(r"(\d+) of (\d+) samples of ATTITUDE", lines[0]).groups())  # type: ignore[union-attr]
    assert given == -(-taken // 8) > 30
    assert lines[1] == f"{taken - given} refused: ATTITUDE is thinned out"


def test_c2kit_is_fed_by_another_event_loop(run_script: RunScript) -> None:
    lines = run_script(EXAMPLES / "06_embed_in_existing_ground_system.py").splitlines()
    assert "discarded 200 bytes: bad header" in lines
    assert re.fullmatch(
        r"7\d\d samples; \{'MODE': 'NOMINAL', 'BATTERY_VOLTAGE': 6\.9\d+, 'CPU_LOAD': 4\d\.\d\}", lines[-2]
    )
    assert crc_of(bytes.fromhex(lines[-1].removeprefix("to send: "))) == 0


def test_the_ground_system_of_the_readme_is_the_example(run_script: RunScript, tmp_path: Path) -> None:
    """It is composed of what examples/04_mission.py is, and can be drawn."""
    script, _ = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "mission.py").write_text(script, encoding="utf-8")
    shutil.copytree(EXAMPLES / "dictionary", tmp_path / "dictionary")
    main = "import sys; from c2kit.cli import main; main()"
    drawn = [
        re.sub(r"\([\w.]+:\d+\)", "", run_script("-c", main, "graph", each))
        for each in (tmp_path / "mission.py", EXAMPLES / "04_mission.py")
    ]
    assert drawn[0] == drawn[1]


def test_the_thirty_lines_of_the_readme_print_what_it_says(run_script: RunScript, tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    _, script = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    (printed,) = re.findall(r"```text\n(.*?)```", readme, re.DOTALL)
    assert 25 <= len(script.splitlines()) <= 35
    (tmp_path / "readme.py").write_text(script, encoding="utf-8")
    assert run_script("readme.py") == printed


def test_the_command_lines_of_the_readme_work(run_script: RunScript, tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    _, script = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    (tmp_path / "readme.py").write_text(script, encoding="utf-8")
    run_script("readme.py")
    (tmp_path / "recording.tlm").write_bytes(bytes.fromhex("002ac000 0002 01 1f40"))
    main = "import sys; from c2kit.cli import main; main()"
    printed = []
    (shell,) = re.findall(r"```shell\n(.*?)```", readme, re.DOTALL)
    for line in re.findall(r"^c2kit ([^#>\n]*)", shell, re.MULTILINE):
        done = subprocess.run(
            [sys.executable, "-c", main, *line.split()], check=False, cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        printed.append(done.stdout)
    decoded, described, checked, encoded = printed
    assert decoded.endswith(",NOMINAL,8.0\n")
    assert "BATTERY_VOLTAGE" in described
    assert "error" not in checked
    assert encoded == "0700\n"
