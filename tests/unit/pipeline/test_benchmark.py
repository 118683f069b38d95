"""The benchmark of the pipeline runs, and compares what comes out. How fast anything is, is not asserted."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from benchmarks.environment import EnvironmentFailed
from benchmarks.pipeline import __main__ as benchmark
from benchmarks.pipeline import throughput
from benchmarks.pipeline.ground import apart, stamped
from benchmarks.pipeline.idle import Idle, idle
from benchmarks.pipeline.latency import Delays, Pace, bare, latency
from benchmarks.pipeline.plan import QUICK
from benchmarks.pipeline.report import Report
from benchmarks.pipeline.throughput import Passage
from benchmarks.rounds import ResultsDiffer
from benchmarks.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.workload import Workload


@pytest.fixture(scope="module")
def workload() -> Workload:
    return WORKLOADS["housekeeping"](200)


@pytest.fixture
def file(workload: Workload, tmp_path: Path) -> Path:
    path = tmp_path / "packets"
    path.write_bytes(workload.data)
    return path


@pytest.mark.parametrize("bus", ["memory", "sqlite"])
def test_every_value_and_byte_is_compared(bus: str, workload: Workload, file: Path, tmp_path: Path) -> None:
    assert throughput.verify(bus, workload, file, tmp_path) == 200 * 31


def test_one_wrong_value_stops_everything(workload: Workload, file: Path, tmp_path: Path) -> None:
    columns = [list(column) for column in workload.expected["HOUSEKEEPING"]]
    columns[15][41] = int(columns[15][41]) + 1
    wrong = replace(workload, expected={"HOUSEKEEPING": columns})
    with pytest.raises(ResultsDiffer, match=r"memory: HOUSEKEEPING.GAIN: packet 41"):
        throughput.verify("memory", wrong, file, tmp_path)


def test_other_bytes_in_the_log_stop_everything(workload: Workload, file: Path, tmp_path: Path) -> None:
    with pytest.raises(ResultsDiffer, match="the log has other bytes"):
        throughput.verify("memory", replace(workload, data=workload.data[:-1] + b"x"), file, tmp_path)


@pytest.mark.parametrize("measured", [throughput.pipeline, throughput.copy])
@pytest.mark.parametrize("bus", ["memory", "sqlite"])
def test_what_is_sent_goes_through(
    bus: str,
    measured: Callable[[str, Workload, Path, int, Path], Passage],
    workload: Workload,
    file: Path,
    tmp_path: Path,
) -> None:
    passage = measured(bus, workload, file, 3, tmp_path)
    assert passage.packets == 600
    assert passage.wall_ns > 0
    assert passage.cpu_ns > 0


@pytest.mark.parametrize("measured", [latency, bare])
def test_each_packet_that_is_sent_has_a_delay(measured: Callable[[str, Pace, Path], Delays], tmp_path: Path) -> None:
    delays = measured("memory", Pace(20, links=2, seconds=0.5), tmp_path)
    assert len(delays.ms) == 20
    assert min(delays.ms) > 0


def test_packets_are_stamped_in_their_last_item() -> None:
    (packet,) = stamped().packets
    assert (packet.size_bytes, len(packet.items)) == (70, 31)
    assert (packet.items[-1].name, packet.items[-1].bits) == ("SENT_NS", 64)


def test_99_in_100_are_not_longer_than_the_99th_percentile() -> None:
    delays = Delays([float(number) for number in range(200, 0, -1)])
    assert (delays.median, delays.p99, delays.most) == (100.5, 198, 200)
    assert Delays([7.0]).p99 == 7


def test_idle_interfaces_share_threads_and_still_work(tmp_path: Path) -> None:
    found = apart(idle, "memory", 12, 0.1, 2, tmp_path)
    assert (found.interfaces, len(found.delays.ms)) == (12, 2)
    assert found.threads < 16
    assert found.resident_bytes > 0


def test_the_quick_form_tells_what_became_of_the_goals(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_here(*_: object, **__: object) -> None:
        raise EnvironmentFailed("no index")

    monkeypatch.setattr(benchmark, "Worker", not_here)
    pace = Pace(20, links=1, seconds=0.2)
    plan = replace(QUICK, packets=200, times={"memory": 2}, peer_packets=1, paces=(pace,), interfaces=(2,), singles=1)
    arguments = ["--buses", "memory", "--directory", str(tmp_path), "--output", str(tmp_path / "out")]
    assert benchmark.main(arguments, plan) == 0
    printed = capsys.readouterr().out
    assert printed.strip() == (tmp_path / "out/pipeline.md").read_text(encoding="utf-8").strip()
    assert "- skipped: openc3 cannot be installed: no index" in printed
    report = json.loads((tmp_path / "out/pipeline.json").read_text(encoding="utf-8"))
    assert report["values_verified"] == 200 * 31
    assert [(each["what"], each["rounds"][0]["packets"]) for each in report["throughput"]] == [
        ("pipeline", 400),
        ("copy", 400),
    ]
    assert [each["bus"] for each in report["latency"]] == ["memory", "bare socket"]
    assert [len(each["rounds"][0]["ms"]) for each in report["latency"]] == [4, 4]
    assert report["idle"][0]["rounds"][0]["interfaces"] == 2
    assert len(report["verdicts"]) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_results_that_differ_end_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def differ(*_: object) -> None:
        raise ResultsDiffer("one is missing")

    monkeypatch.setattr(benchmark, "apart", differ)
    assert benchmark.main(["latency", "--directory", str(tmp_path), "--output", str(tmp_path)], QUICK) == 1
    assert "one is missing" in capsys.readouterr().err


def test_goals_are_judged_by_medians_and_ratios_hold_within_the_run() -> None:
    report = Report("here")
    report.passages = {
        ("memory", "pipeline"): [Passage(10**6, seconds * 10**9, 1) for seconds in (1, 2, 9)],
        ("memory", "copy"): [Passage(10**6, 10**9, 1)],
    }
    report.peer = [Passage(100, 10**9 // 50, 1)]
    report.delays = {("sqlite", Pace(100, 1, 1)): [Delays([each]) for each in (1.0, 20.5, 30.0)]}
    few = Delays([1.0])
    report.idle = {("memory", 100): [Idle(100, 150_000_000, 100, 0.0, 1.0, 1.0, few)]}
    assert list(report.verdicts()) == [
        "goal met: memory: 500 000 packets/s, at least 300 000",
        "GOAL MISSED: sqlite at 100 packets/s: 99 in 100 within 20.5 ms, at most 20",
        "GOAL MISSED: memory: 100 idle interfaces take 1.5 MB each, at most 2, and no thread each",
    ]
    (row,) = [line for line in report.markdown().splitlines() if "**c2kit" in line]
    assert row.endswith("| 50% | x100 |")
