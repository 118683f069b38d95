"""`c2kit check`: what is wrong with a dictionary, where, and with which exit code."""

import json
from pathlib import Path

import pytest

from tests.definitions import write
from tests.unit.cli.conftest import Run

AMBIGUOUS = """
    target: SAT
    packets:
      A:
        identify: {ID: 1}
        items: {ID: u8}
      B:
        identify: {KIND: 2}
        items: {SPARE: u8, KIND: u8}
"""
GAP = "target: SAT\npackets:\n  A:\n    items: {ID: {type: u8, at_bit: 3}}\n"


def test_a_sound_dictionary_passes(run: Run, mission: Path) -> None:
    result = run("check", mission)
    assert result.exit_code == 0
    assert "error" not in result.stdout
    assert result.stdout.splitlines()[-1].endswith("1 target, 2 packets, 2 commands")


def test_an_error_fails_with_its_place_a_witness_and_a_remedy(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path, AMBIGUOUS)
    result = run("check", file)
    assert result.exit_code == 1
    assert result.stdout.startswith(f"{file}:")
    assert "error: SAT A" in result.stdout
    assert "01 02" in result.stdout
    assert "[ambiguous-identification]" in result.stdout
    assert "1 error" in result.stdout.splitlines()[-1]


def test_what_does_not_load_is_a_finding_a_line(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path, "target: SAT\npackets:\n  A:\n    items: {X: q8, Y: u99}\n")
    result = run("check", file)
    lines = result.stdout.splitlines()
    assert result.exit_code == 1
    assert lines[0].startswith(f"{file}:4:")
    assert lines[1].startswith(f"{file}:4:")
    assert all("[does-not-load]" in line for line in lines[:2])
    assert lines[2:] == ["2 errors"]


@pytest.mark.parametrize("path", ["nowhere", "nowhere.yaml", "README.md"])
def test_what_is_no_dictionary_at_all_is_a_finding_too(run: Run, path: str) -> None:
    result = run("check", path)
    assert result.exit_code == 1
    assert result.stdout.startswith(f"{path}: error: ")


def test_json_has_every_finding_and_the_counts(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path, AMBIGUOUS)
    result = run("check", file, "--json")
    told = json.loads(result.stdout)
    (error,) = (finding for finding in told["findings"] if finding["severity"] == "error")
    assert (error["file"], error["witness"], error["rule"]) == (str(file), "0102", "ambiguous-identification")
    assert told["counts"]["error"] == 1
    assert result.exit_code == 1


def test_json_of_a_sound_dictionary_is_json_too(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path, "target: SAT\npackets:\n  A:\n    items: {ID: u8}\n")
    result = run("check", file, "--json")
    assert json.loads(result.stdout) == {"findings": [], "counts": {}}


def test_only_targets_that_share_an_interface_must_be_told_apart(run: Run, tmp_path: Path) -> None:
    for name in ("ONE", "TWO"):
        write(
            tmp_path,
            f"target: {name}\npackets:\n  A:\n    identify: {{ID: 1}}\n    items: {{ID: u8}}\n",
            f"{name}.yaml",
        )
    assert run("check", tmp_path).exit_code == 1
    assert run("check", tmp_path, "--interface", "ONE,TWO").exit_code == 1
    assert run("check", tmp_path, "--interface", "ONE", "--interface", "TWO").exit_code == 0
    assert run("check", tmp_path, "--interface", "ONE").exit_code == 0


def test_an_interface_of_a_target_that_nobody_defined_is_refused(run: Run, mission: Path) -> None:
    result = run("check", mission, "--interface", "SAT,SAD")
    assert result.exit_code == 2
    assert "did you mean SAT?" in result.stderr


def test_warnings_fail_only_a_strict_check(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "defs.csv"
    file.write_text("name,data_type,bit_offset,bit_length\nA,uint,0,16\nB,uint,8,16\n", encoding="utf-8")
    result = run("check", file)
    assert result.exit_code == 0
    assert f"{file}:3:1: warning: " in result.stdout
    assert "note: " in result.stdout
    assert run("check", file, "--strict").exit_code == 1


def test_a_note_does_not_fail_even_a_strict_check(run: Run, tmp_path: Path) -> None:
    result = run("check", write(tmp_path, GAP), "--strict")
    assert "note: " in result.stdout
    assert result.exit_code == 0


def test_a_function_that_cannot_be_imported_is_found(run: Run, tmp_path: Path) -> None:
    text = 'target: SAT\npackets:\n  A:\n    items: {ID: {type: u8, function: "no_such_package.of_mine:f"}}\n'
    file = write(tmp_path, text)
    result = run("check", file)
    assert result.exit_code == 1
    assert result.stdout.startswith(f"{file}:4:")
    assert "SAT A ID: " in result.stdout
    assert "[function-missing]" in result.stdout


def test_a_dictionary_that_is_not_named_is_asked_for(run: Run) -> None:
    result = run("check")
    assert result.exit_code == 2
    assert "DICTIONARY" in result.stderr
