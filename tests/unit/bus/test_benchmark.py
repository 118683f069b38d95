"""The benchmark of the buses runs, and compares what arrives. How fast anything is, is not asserted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from benchmarks import bus as benchmark
from c2kit.bus import Record, open_bus
from c2kit.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def test_the_quick_form_measures_both_buses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert benchmark.main(["--quick", "--json", "--directory", str(tmp_path)]) == 0
    measured = json.loads(capsys.readouterr().out)
    assert [each["bus"] for each in measured] == ["memory"] * len(benchmark.LOADS) + ["sqlite"] * len(benchmark.LOADS)
    assert all(each["seconds"][0] > 0 and each["beside"][0] > 0 for each in measured)
    assert all(each["share"] == pytest.approx(each["beside"][0] / each["seconds"][0]) for each in measured)
    assert not list(tmp_path.iterdir())


def test_people_get_a_table(tmp_path: Path) -> None:
    load = benchmark.Load(300, records=3, steps=4)
    lines = benchmark.table([benchmark.measure("memory", load, tmp_path, rounds=2)]).splitlines()
    assert lines[2].startswith("| `memory:` | 300 bytes, 3 a step |")
    assert lines[2].endswith("of queues |")
    assert "Medians of 2 rounds" in lines[-1]


def test_values_all_differ_and_have_the_size() -> None:
    values = [value for step in benchmark.Load(20, records=5, steps=7).values() for value in step]
    assert len(set(values)) == 35
    assert {len(value) for value in values} == {20}


def test_what_arrives_changed_stops_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    def changed(stream: str, lane: str, value: bytes) -> Record:
        return Record(stream, lane, value + b"x" * (stream == benchmark.OUT))

    monkeypatch.setattr(benchmark, "Record", changed)
    with open_bus("memory:") as bus, pytest.raises(AssertionError):
        benchmark.through_bus(bus, [[b"1"], [b"2"]])


def test_a_stage_that_fails_stops_everything() -> None:
    def fail() -> None:
        raise UsageError("a stage that cannot work")

    with pytest.raises(UsageError, match="cannot work"):
        benchmark.in_threads(lambda: None, fail)
