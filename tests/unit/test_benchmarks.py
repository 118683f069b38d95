"""The benchmarks run, and compare only what is equal. How fast anything is, is not asserted."""

import itertools
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import environment, rounds, worker
from benchmarks.environment import ROOT, EnvironmentFailed, python_of
from benchmarks.goals import verdicts
from benchmarks.load import write_dictionary
from benchmarks.peers import PEERS, Peer
from benchmarks.peers.c2kit_definitions import TARGET, commands_of, dictionary_of
from benchmarks.report import Report
from benchmarks.rounds import Measured, Plan, ResultsDiffer, Timing, Workers
from benchmarks.workload import NotHere, Workload, apid_of, packets_of
from benchmarks.workloads import WORKLOADS
from c2kit import Dictionary
from c2kit.kernel import reference
from c2kit.kernel.layout import Layout

OURS = [name for name, peer in PEERS.items() if peer.environment is None]
EXTRAS = ["ccsdspy", "bitstruct", "space_packet_parser"]
"""Peers that the tests' own environment has."""
GENERATED = [name for name in WORKLOADS if name != "jpss"]
SHORT = Plan(rounds=2, seconds=0.0, batches=(7, None), threads_batch=7)


@pytest.fixture(scope="module")
def housekeeping() -> Workload:
    return WORKLOADS["housekeeping"](60)


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers(["c2kit-kernel", "c2kit-numpy", "memcpy"], install=False) as workers:
        yield workers


def run(output: Path, *arguments: str, **variables: str) -> dict[str, Any]:
    """Run the benchmarks as a person does, and give their report."""
    command = [sys.executable, "-m", "benchmarks", *arguments, "--output", str(output)]
    inherited = {name: value for name, value in os.environ.items() if name != "C2KIT_REAL_DATA"}
    done = subprocess.run(command, cwd=ROOT, env=inherited | variables, check=True, stdout=subprocess.PIPE, text=True)
    assert done.stdout.strip() == (output / "report.md").read_text(encoding="utf-8").strip()
    report: dict[str, Any] = json.loads((output / "report.json").read_text(encoding="utf-8"))
    return report


@pytest.mark.slow
def test_the_quick_form_tells_of_every_peer_what_was_measured_or_why_it_was_not(tmp_path: Path) -> None:
    report = run(tmp_path, "--quick", "--packets", "200", "--items", "100")
    assert [workload["workload"] for workload in report["workloads"]] == GENERATED
    for workload in report["workloads"]:
        measured = workload["values"].keys()
        assert measured.isdisjoint(workload["not_measured"])
        assert measured | workload["not_measured"].keys() == PEERS.keys()
        assert [batch["packets"] for batch in workload["batches"]] == [1, 64, None]
        for batch in workload["batches"]:
            assert batch["peers"].keys() == batch["times_as_long"].keys() == measured
            assert all(peer["wall_us"] > 0 for peer in batch["peers"].values())
    raw = report["workloads"][0]
    assert raw["values"].keys() >= set(EXTRAS)
    assert raw["values"]["bitstruct"] == 3 * 200 * 31
    assert raw["versions"]["ccsdspy"].keys() == {"ccsdspy", "numpy"}
    assert raw["threads"]["2"].keys() <= {name for name, peer in PEERS.items() if peer.has_threads}
    assert report["loading"]["items"] == 100
    assert {"what", "wanted", "found", "where", "is_met", "whole"} == report["goals"][0].keys()


@pytest.mark.slow
def test_a_recording_is_verified_by_the_values_that_are_kept_beside_it(tmp_path: Path, real_data: Path) -> None:
    arguments = ("peers", "--workloads", "jpss", "--quick", "--batches", "all", "--peers", ",".join([*OURS, *EXTRAS]))
    report = run(tmp_path, *arguments, C2KIT_REAL_DATA=str(real_data))
    (workload,) = report["workloads"]
    assert workload["packets"] == 7200
    assert {workload["values"][peer] for peer in [*OURS, "ccsdspy", "bitstruct"]} == {7200 * 27}
    assert workload["values"]["space_packet_parser"] == 1024 * 27
    assert report["skipped"] == []


def test_a_recording_that_is_not_there_is_skipped_aloud(tmp_path: Path) -> None:
    report = run(tmp_path, "peers", "--quick", "--workloads", "jpss", "--peers", "memcpy")
    assert report["workloads"] == []
    assert report["skipped"] == ["jpss: C2KIT_REAL_DATA is not set to the folder that has the recording"]
    assert "skipped: jpss" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_a_folder_without_the_recording_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("C2KIT_REAL_DATA", str(tmp_path))
    with pytest.raises(NotHere, match=rf"{tmp_path}, where .*DAT1 is missing"):
        WORKLOADS["jpss"](1)


def test_rounds_give_each_peer_one_timing_a_round_and_size_of_batch(
    housekeeping: Workload, workers: Workers, tmp_path: Path
) -> None:
    measured = workers.measure(housekeeping, tmp_path, SHORT)
    peers = {"c2kit-kernel", "c2kit-numpy", "memcpy"}
    assert measured.values == dict.fromkeys(peers, 2 * 60 * 31)
    assert {size: timings.keys() for size, timings in measured.timings.items()} == {7: peers, None: peers}
    assert {threads: set(timings) for threads, timings in measured.threads.items()} == {
        1: {"c2kit-kernel", "memcpy"},
        2: {"c2kit-kernel", "memcpy"},
    }
    everything = [*measured.timings.values(), *measured.threads.values()]
    assert all(len(timing.cpu_us) == 2 for timings in everything for timing in timings.values())


def test_one_wrong_value_stops_everything(housekeeping: Workload, workers: Workers, tmp_path: Path) -> None:
    columns = [list(column) for column in housekeeping.expected["HOUSEKEEPING"]]
    found = columns[15][41]
    columns[15][41] = int(found) + 1
    wrong = replace(housekeeping, expected={"HOUSEKEEPING": columns})
    with pytest.raises(ResultsDiffer, match=rf"c2kit-kernel: HOUSEKEEPING.GAIN: packet 41: {found} instead of"):
        workers.measure(wrong, tmp_path, SHORT)


@pytest.mark.parametrize("place", [0, 21 + 22 * 2])
def test_one_wrong_byte_stops_everything(place: int, workers: Workers, tmp_path: Path) -> None:
    commands = WORKLOADS["commands"](60)
    data = bytearray(commands.data)
    data[place] ^= 0x10
    with pytest.raises(ResultsDiffer, match=rf"commands: c2kit-kernel: packet {place // 22}: "):
        workers.measure(replace(commands, data=bytes(data)), tmp_path, SHORT)


def test_copying_is_compared_too(housekeeping: Workload, tmp_path: Path) -> None:
    with Workers(["memcpy"]) as workers:
        assert workers.measure(housekeeping, tmp_path, SHORT).values == {"memcpy": 2 * 60 * 31}


def test_a_peer_that_cannot_be_installed_or_imported_says_why(
    housekeeping: Workload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def python_or_not(environment: str | None, *, install: bool) -> Path:
        assert install
        if environment == "openc3":
            raise EnvironmentFailed("there is no index")
        return Path(sys.executable)

    monkeypatch.setattr(rounds, "python_of", python_or_not)
    monkeypatch.setitem(PEERS, "ait-core", Peer("benchmarks.peers.nobody", "somebody"))
    with Workers(["memcpy", "openc3", "ait-core"]) as workers:
        measured = workers.measure(housekeeping, tmp_path, SHORT)
    assert measured.timings[7].keys() == {"memcpy"}
    assert measured.not_measured == {
        "openc3": "it cannot be installed: there is no index",
        "ait-core": "it cannot be imported: No module named 'benchmarks.peers.nobody'",
    }
    report = Report("here", [measured]).markdown()
    assert f"| {PEERS['openc3'].title} | not measured: it cannot be installed: there is no index | | |" in report
    assert "| somebody | not measured: it cannot be imported: No module" in report


def test_what_a_peer_cannot_do_is_said(workers: Workers, tmp_path: Path) -> None:
    measured = workers.measure(WORKLOADS["commands"](60), tmp_path, SHORT)
    assert measured.not_measured == {"memcpy": "it does not encode"}
    assert measured.threads == {}


def test_the_quick_form_says_how_what_is_missing_is_measured(
    housekeeping: Workload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PEERS, "openc3", Peer("benchmarks.peers.nobody", "somebody", environment="openc3"))
    monkeypatch.setattr(rounds, "python_of", lambda _, **__: Path(sys.executable))
    with Workers(["openc3"], install=False) as workers:
        measured = workers.measure(housekeeping, tmp_path, SHORT)
    assert measured.not_measured["openc3"].endswith("'benchmarks.peers.nobody'; without --quick it is installed")


@pytest.mark.parametrize("name", GENERATED)
def test_generated_packets_hold_the_values_that_were_drawn(name: str) -> None:
    workload = WORKLOADS[name](100)
    target = dictionary_of(workload).target(TARGET)
    data = list(packets_of(workload.data))
    for packet in workload.packets:
        mine = [each for each in data if apid_of(each) == packet.apid]
        ends = np.cumsum([len(each) for each in mine], dtype=np.int64)
        starts = ends - packet.size_bytes
        decoded = reference.decode(Layout(target.packet(packet.name).items), b"".join(mine), starts, ends)
        for item, column, expected in zip(packet.items, decoded, workload.expected[packet.name], strict=True):
            values = column.to_list()
            if item.states:
                values = [item.states[raw] for raw in values]
            if item.polynomial:
                terms = [[Fraction(c) * raw**n for n, c in enumerate(item.polynomial)] for raw in values]
                # Equal as fractions: nothing was rounded, in whatever order a peer computes.
                values = [sum(each) for each in terms]
            assert values == expected, item.name


def test_workloads_are_of_the_sizes_that_they_tell_of() -> None:
    made = {name: WORKLOADS[name](400) for name in GENERATED}
    assert {name: {len(packet.items) - 7 for packet in each.packets} for name, each in made.items()} == {
        "housekeeping": {24},
        "housekeeping-converted": {24},
        "wide": {250},
        "mixed": set(range(7, 71, 4)),
        "commands": {9},
    }
    sizes = {name: {packet.size_bytes for packet in each.packets} for name, each in made.items()}
    assert (sizes["housekeeping"], sizes["wide"], sizes["commands"]) == ({70}, {1024}, {22})
    assert made["housekeeping"].data == made["housekeeping-converted"].data
    assert len({apid_of(each) for each in packets_of(made["mixed"].data)}) == 16


@pytest.mark.parametrize("size", [1, 7, 60, 1000, None])
def test_batches_are_whole_packets_in_order(housekeeping: Workload, size: int | None) -> None:
    batches = housekeeping.batches(size)
    assert b"".join(batches) == housekeeping.data
    assert [len(batch) // 70 for batch in batches[:-1]] == [size] * (len(batches) - 1)
    assert len(batches) == (1 if size is None else -(-60 // size))


@pytest.mark.parametrize("name", GENERATED)
def test_a_workload_is_read_as_it_was_saved(name: str, tmp_path: Path) -> None:
    workload = WORKLOADS[name](60)
    workload.save(tmp_path)
    assert Workload.load(tmp_path) == workload


@pytest.mark.parametrize("count", [1, 5, 59, 60, 61])
def test_the_head_of_a_workload_has_the_values_of_its_packets(count: int) -> None:
    whole = WORKLOADS["mixed"](60)
    head = whole.head(count)
    assert whole.data.startswith(head.data)
    assert head.count == len(list(packets_of(head.data))) == min(count, 60)
    assert list(head.records()) == list(whole.records())[:count]


@pytest.mark.parametrize("size", [1, 7, 60, None])
def test_packets_are_counted_whichever_batch_was_the_last(housekeeping: Workload, size: int | None) -> None:
    sizes = [len(batch) // 70 for batch in housekeeping.batches(size)]
    for done in (1, 8, 9, 10, 60, 150):
        expected = sum(itertools.islice(itertools.cycle(sizes), done))
        assert worker._packets(60, size, len(sizes), done) == expected


@pytest.mark.parametrize(
    ("found", "difference"),
    [
        ({}, "packets [] instead of ['HOUSEKEEPING']"),
        ({"HOUSEKEEPING": [[0]]}, "HOUSEKEEPING: 1 items instead of 31"),
        ({"HOUSEKEEPING": [[0] * 59] * 31}, "HOUSEKEEPING.VERSION: 59 values instead of 60"),
        ({"HOUSEKEEPING": [[0] * 60] * 31}, "HOUSEKEEPING.SECONDARY: packet 0: 0 instead of 1"),
    ],
)
def test_what_differs_is_said(housekeeping: Workload, found: dict[str, list[list[int]]], difference: str) -> None:
    assert housekeeping.difference(found) == difference


def test_integers_are_not_compared_as_floats(housekeeping: Workload) -> None:
    large = replace(housekeeping, expected={"HOUSEKEEPING": [[2**63 + 1]] * 31})
    assert large.difference({"HOUSEKEEPING": [[2**63 + 1]] * 31}) is None
    assert large.difference({"HOUSEKEEPING": [[float(2**63)]] * 31}) is not None


def measured_as(workload: str, times: dict[int | None, dict[str, float]], **threads: dict[int, float]) -> Measured:
    """What was measured, of nothing but times in three rounds, one of which was disturbed."""
    found = Measured(workload, "", 1, is_encoded=False, versions={})
    found.timings = {size: {peer: _timing(us) for peer, us in row.items()} for size, row in times.items()}
    for peer, gains in threads.items():
        for number, us in gains.items():
            found.threads.setdefault(number, {})[peer.replace("_", "-")] = _timing(us)
    return found


def _timing(us: float) -> Timing:
    return Timing([us, us, 100 * us], [us, us, 100 * us])


def test_a_goal_is_judged_where_it_is_hardest_to_reach() -> None:
    measured = [
        measured_as("wide", {256: {"c2kit-kernel": 1.0, "c2kit": 2.0, "openc3": 500.0}, 8: {"c2kit-kernel": 9.0}}),
        measured_as("mixed", {None: {"c2kit-kernel": 1.0, "openc3": 199.0}, 64: {"c2kit-kernel": 9.0, "openc3": 1.0}}),
    ]
    (verdict,) = verdicts(measured)
    assert (verdict.found, verdict.where, verdict.is_met) == ("x199", "mixed, all at once", False)
    (verdict,) = verdicts(measured[:1])
    assert (verdict.found, verdict.where, verdict.is_met) == ("x500", "wide, 256 at once", True)
    assert verdict.whole == "x250"


@pytest.mark.parametrize(
    ("takes", "found", "is_met"),
    [
        ({"at_least": 5}, "x6", True),
        ({"at_least": 7}, "x6", False),
        ({"at_least": 1 / 5}, "0.167 times", True),
        ({"at_most_us": 2.0}, "2 µs", True),
        ({"at_most_us": 1.9}, "2 µs", False),
    ],
)
def test_an_operation_is_judged_by_how_long_it_takes_or_beside_another(
    takes: dict[str, float],
    found: str,
    is_met: bool,  # noqa: FBT001 - given by the cases
) -> None:
    kernel = pytest.importorskip("benchmarks.kernel", exc_type=ImportError)
    row = kernel.Row("what", int, "than", int, 1, **takes)
    verdict = kernel._operation(row, 2.0, 12.0).verdict
    assert (verdict.found, verdict.is_met) == (found, is_met)


def test_an_operation_may_take_as_many_times_as_long_as_another_as_is_said() -> None:
    kernel = pytest.importorskip("benchmarks.kernel", exc_type=ImportError)
    row = kernel.Row("what", int, "than", int, 1, at_least=1 / 5)
    assert kernel._operation(row, 4.9, 1.0).verdict.is_met
    assert not kernel._operation(row, 5.1, 1.0).verdict.is_met
    assert kernel._operation(kernel.Row("what", int, "than", int, 1), 1.0, 1.0).verdict is None


@pytest.mark.parametrize(("copying", "met"), [(1.2, True), (0.5, False)])
def test_a_second_thread_need_not_gain_more_than_where_bytes_are_copied(copying: float, met: bool) -> None:  # noqa: FBT001 - given by the cases
    threads = {"c2kit_into": {1: 4.0, 2: 3.0}, "memcpy": {1: copying, 2: 1.0 if copying > 1 else 0.25}}
    (verdict,) = verdicts([measured_as("housekeeping", {}, **threads)])
    assert (verdict.found, verdict.is_met) == ("x1.33", met)


def test_every_environment_has_pinned_versions() -> None:
    pinned = tomllib.loads((ROOT / "benchmarks" / "peers.toml").read_text(encoding="utf-8"))
    assert {peer.environment for peer in PEERS.values()} == {None, *pinned}
    assert all("==" in requirement for requirements in pinned.values() for requirement in requirements)


def test_an_environment_is_made_once_and_one_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[str, ...]] = []

    def run(*command: str) -> None:
        ran.append(command)
        if "venv" in command:
            Path(command[-1]).mkdir(parents=True)
        elif "bitstruct==8.24.0" not in command:
            raise EnvironmentFailed("no such version")

    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "_run", run)
    here = Path(sys.executable)
    assert python_of(None) == python_of("bitstruct", install=False) == here
    assert ran == []
    python = python_of("bitstruct")
    assert python.is_relative_to(tmp_path)
    assert python_of("bitstruct") == python_of("bitstruct", install=False) == python
    assert len(ran) == 2
    with pytest.raises(EnvironmentFailed, match="no such version"):
        python_of("openc3")
    assert [each.name.rpartition("-")[0] for each in python.parents[2].iterdir()] == ["bitstruct"]


def test_what_pip_said_last_is_why_an_environment_failed() -> None:
    with pytest.raises(EnvironmentFailed, match=r"^the end$"):
        environment._run(sys.executable, "-c", "print('a beginning'); print('the end'); raise SystemExit(3)")


def test_commands_are_made_of_arguments_that_everybody_can_encode() -> None:
    workload = WORKLOADS["commands"](60)
    (command,) = commands_of(workload).target(TARGET).commands
    assert sum(argument.bit_length or 0 for argument in command.arguments) == 8 * 22
    assert all(item.bits % 8 == 0 for item in workload.packets[0].items[7:])


def test_the_dictionary_to_be_loaded_has_as_many_items_as_asked_for(tmp_path: Path) -> None:
    (tmp_path / "of-an-earlier-run.yaml").write_text("target: [", encoding="utf-8")
    write_dictionary(tmp_path, 1300)
    (target,) = Dictionary.load(tmp_path).targets
    assert sum(len(packet.items) - 7 for packet in target.packets) == 1300
    assert len(list(tmp_path.glob("*.yaml"))) == 2
