"""The benchmark of Kafka runs, and compares what comes out. How fast anything is, is not asserted."""

from __future__ import annotations

import json
import socket
import struct
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from benchmarks.kafka import __main__ as benchmark
from benchmarks.kafka import passage
from benchmarks.kafka.bare import Bare
from benchmarks.kafka.choices import Choice, Chosen
from benchmarks.kafka.hop import bare_hop, hop, steps_of
from benchmarks.kafka.plan import STEP_PACKETS
from benchmarks.kafka.report import BARE, OURS, Report
from benchmarks.pipeline.latency import Delays
from benchmarks.pipeline.throughput import Passage
from benchmarks.rounds import ResultsDiffer
from benchmarks.workloads import WORKLOADS
from dev.kafka import NotInstallable
from tests.kafka_brokers import emptied, require_kafka

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dev.kafka import Cluster

SECOND_NS = 10**9


@pytest.mark.slow
def test_the_quick_form_tells_what_became_of_the_goals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    require_kafka()
    assert benchmark.main(["--quick", "--output", str(tmp_path)]) == 0
    assert capsys.readouterr().out.strip() == (tmp_path / "kafka.md").read_text(encoding="utf-8").strip()
    report = json.loads((tmp_path / "kafka.json").read_text(encoding="utf-8"))
    assert report["values_verified"] == 2_000 * 31
    found = [(each["who"], each["packets_a_record"], each["rounds"][0]["packets"]) for each in report["packing"]]
    steps = {1: 1, 1_000: 2}
    assert found == [(who, each, steps[each] * STEP_PACKETS) for each in steps for who in (OURS, BARE)]
    assert [(each["who"], each["rounds"][0]["packets"]) for each in report["hops"]] == [(OURS, 2_000), (BARE, 2_000)]
    latency = [(each["hops"], each["who"], len(each["rounds"][0]["ms"])) for each in report["latency"]]
    assert latency == [(hops, who, 20) for hops in (1, 3) for who in (OURS, BARE)]
    assert all(ms > 0 for each in report["latency"] for ms in each["rounds"][0]["ms"])
    choices = [(each["choice"]["commit_ms"], each["choice"]["compression"]) for each in report["choices"]]
    assert choices == [(10, "none"), (10, "lz4"), (None, "none")]
    assert all(each["rounds"][0]["bytes_a_second"] > 0 for each in report["choices"])
    assert len(report["verdicts"]) == 3


@pytest.mark.slow
def test_one_wrong_value_behind_three_hops_stops_everything(one_broker: Cluster, tmp_path: Path) -> None:
    workload = WORKLOADS["housekeeping"](200)
    columns = [list(column) for column in workload.expected["HOUSEKEEPING"]]
    columns[15][41] = int(columns[15][41]) + 1
    (tmp_path / "packets").write_bytes(workload.data)
    wrong = replace(workload, expected={"HOUSEKEEPING": columns})
    with pytest.raises(ResultsDiffer, match=r"three hops: HOUSEKEEPING.GAIN: packet 41"):
        passage.verify(emptied(one_broker).addresses, wrong, tmp_path / "packets")


@pytest.mark.slow
def test_other_bytes_behind_bare_clients_stop_everything(one_broker: Cluster, tmp_path: Path) -> None:
    workload = WORKLOADS["housekeeping"](200)
    (tmp_path / "packets").write_bytes(workload.data)
    wrong = replace(workload, data=workload.data[:-1] + bytes([workload.data[-1] ^ 1]))
    with pytest.raises(ResultsDiffer, match="other bytes than were sent"):
        passage.bare_passage(emptied(one_broker).addresses, wrong, tmp_path / "packets", 2)


@pytest.mark.slow
@pytest.mark.parametrize("measured", [hop, bare_hop])
@pytest.mark.parametrize("a_record", [1, 5])
def test_packets_go_through_one_hop_however_many_share_a_record(
    one_broker: Cluster, measured: Callable[[str, int, int, int], Passage], a_record: int
) -> None:
    found = measured(emptied(one_broker).addresses, 3, 20, a_record)
    assert found.packets == 60
    assert found.wall_ns > 0


@pytest.mark.slow
def test_what_ends_a_bare_client_is_raised_where_somebody_waits_for_it(one_broker: Cluster) -> None:
    addresses = emptied(one_broker).addresses
    with socket.create_server(("127.0.0.1", 0)) as listener, Bare(addresses, 1) as bare:
        bare.link(listener.getsockname()[1])
        connection, _ = listener.accept()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()  # which resets it
        with pytest.raises(ConnectionResetError):
            bare.reader.wait(lambda: False)


@pytest.mark.parametrize(("a_record", "records"), [(1, 20), (5, 4), (20, 1)])
def test_steps_have_the_same_packets_however_many_share_a_record(a_record: int, records: int) -> None:
    steps = steps_of(3, 20, a_record)
    assert [len(step) for step in steps] == [records] * 3
    assert len({value for step in steps for value in step}) == 3 * records
    data = WORKLOADS["housekeeping"](20).data
    size = a_record * 70
    # The last value tells the number of the record; what comes before stands in it as it was generated.
    for number, value in enumerate(steps[0]):
        assert data[number * size : (number + 1) * size - 8] in value


def test_without_kafka_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_here(_: int) -> None:
        raise NotInstallable("there is no java")

    monkeypatch.setattr(benchmark, "measured_cluster", not_here)
    assert benchmark.main(["--quick", "--output", str(tmp_path)]) == 3
    assert "there is no java" in capsys.readouterr().err
    assert [*tmp_path.iterdir()] == []


def test_results_that_differ_end_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def differ(*_: object) -> None:
        raise ResultsDiffer("one is missing")

    monkeypatch.setattr(benchmark, "_measure", differ)
    assert benchmark.main(["--output", str(tmp_path)]) == 1
    assert "one is missing" in capsys.readouterr().err


def test_goals_are_judged_by_medians_and_by_the_percentile_of_all_rounds() -> None:
    report = Report("here")
    report.hops = {
        (OURS, 1): [Passage(1_000, seconds * SECOND_NS, 1) for seconds in (1, 2, 9)],
        (BARE, 1): [Passage(1_000, SECOND_NS, 1)],
        (OURS, 100): [Passage(4_000, SECOND_NS, 1)],
        (BARE, 100): [Passage(4_000, SECOND_NS, 1)],
    }
    report.passages = {OURS: [Passage(199_999, SECOND_NS, 1)], BARE: [Passage(1, SECOND_NS, 1)]}
    slow, quick, slower = (Delays([1.0] * 98 + [most] * 2) for most in (30.0, 20.0, 31.0))
    report.delays = {
        (1, 1, OURS): [slow, slow],
        (1, 1, BARE): [quick, quick],
        (3, 1, OURS): [slower],
        (3, 1, BARE): [quick],
        (3, 3, OURS): [slow],
    }
    report.choices = {
        (1, Choice(7_000, 10, "lz4")): [Chosen(1e6, quick)],
        (1, Choice(7_000)): [Chosen(3e6, quick), Chosen(5e6, quick)],
    }
    assert list(report.verdicts()) == [
        "goal met: 100 packets a record: 8.0 times the packets of one a record, at least 8",
        "GOAL MISSED: three hops: 199 999 packets/s, at least 200 000",
        "goal met: one hop, brokers: 1: p99 30.0 ms, 1.50 times as long as by bare clients, at most 1.5",
        "GOAL MISSED: one hop, brokers: 3: p99 31.0 ms, 1.55 times as long as by bare clients, at most 1.5",
    ]
    lines = report.markdown().splitlines()
    assert lines[-1].startswith("- GOAL MISSED: one hop, brokers: 3")
    assert "| 1 | 500 | 111 to 1 000 | 1 000 | 1 000 to 1 000 | 50% |" in lines
    assert "| 1 | 7 | each 10 ms | lz4 | 1 | 1 to 1 | 1.0 | 20.0 |" in lines
    assert "| 1 | 7 | **c2kit: at once** | none | 4 | 3 to 5 | 1.0 | 20.0 |" in lines
