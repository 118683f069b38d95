"""The benchmarks run, and compare only what is equal. How fast anything is, is not asserted."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.environment import ROOT, EnvironmentFailed, python_of
from benchmarks.load import write_dictionary
from benchmarks.peers import PEERS
from benchmarks.peers.c2kit_definitions import TARGET, dictionary_of
from benchmarks.rounds import Plan, ResultsDiffer, measure
from benchmarks.workload import NotHere, Workload
from benchmarks.workloads import WORKLOADS
from c2kit import Dictionary
from c2kit.kernel import reference
from c2kit.kernel.layout import Layout

OURS = [name for name, peer in PEERS.items() if peer.requirements is None]
SHORT = Plan(rounds=2, seconds=0.0, batches=(7, None))


@pytest.fixture(scope="module")
def housekeeping() -> Workload:
    return WORKLOADS["housekeeping"](60)


@pytest.fixture(scope="module")
def _peers_are_installed() -> None:
    try:
        for requirements in {peer.requirements for peer in PEERS.values()}:
            python_of(requirements)
    except EnvironmentFailed as error:
        pytest.skip(f"the peers cannot be installed here: {error}")


def run(output: Path, *arguments: str, **variables: str) -> dict[str, Any]:
    """Run the benchmarks as a person does, and give their report."""
    command = [sys.executable, "-m", "benchmarks", *arguments, "--output", str(output)]
    inherited = {name: value for name, value in os.environ.items() if name != "C2KIT_REAL_DATA"}
    done = subprocess.run(command, cwd=ROOT, env=inherited | variables, check=True, stdout=subprocess.PIPE, text=True)
    assert done.stdout.strip() == (output / "report.md").read_text(encoding="utf-8").strip()
    report: dict[str, Any] = json.loads((output / "report.json").read_text(encoding="utf-8"))
    return report


@pytest.mark.slow
@pytest.mark.usefixtures("_peers_are_installed")
def test_the_quick_form_measures_every_decoder_once_its_values_are_verified(tmp_path: Path) -> None:
    report = run(tmp_path, "--quick", "--packets", "1500", "--rounds", "1", "--items", "100")
    (workload,) = report["workloads"]
    assert (workload["workload"], workload["values_verified"]) == ("housekeeping", 1500 * 31)
    assert [batch["packets"] for batch in workload["batches"]] == [1000, None]
    for batch in workload["batches"]:
        assert batch["decoders"].keys() == PEERS.keys()
        assert all(decoder["cpu_us"] > 0 for decoder in batch["decoders"].values())
        assert all(ratios.keys() == PEERS.keys() for ratios in batch["ratios_to"].values())
    assert workload["versions"].keys() == PEERS.keys()
    assert report["loading"]["items"] == 100
    assert len(report["verdicts"]) == 9


@pytest.mark.slow
@pytest.mark.usefixtures("_peers_are_installed")
def test_a_recording_is_verified_by_the_values_that_are_kept_beside_it(tmp_path: Path, real_data: Path) -> None:
    arguments = ("decode", "--workloads", "jpss", "--quick", "--rounds", "1")
    report = run(tmp_path, *arguments, C2KIT_REAL_DATA=str(real_data))
    (workload,) = report["workloads"]
    assert (workload["packets"], workload["values_verified"]) == (7200, 7200 * 27)
    assert all(batch["decoders"].keys() == PEERS.keys() for batch in workload["batches"])
    assert report["skipped"] == []


def test_a_recording_that_is_not_there_is_skipped_aloud(tmp_path: Path) -> None:
    arguments = ("decode", "--workloads", "jpss", "--peers", ",".join(OURS))
    report = run(tmp_path, *arguments)
    assert report["workloads"] == []
    assert report["skipped"] == ["jpss: C2KIT_REAL_DATA is not set to the folder that has the recording"]
    assert "skipped: jpss" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_a_folder_without_the_recording_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("C2KIT_REAL_DATA", str(tmp_path))
    with pytest.raises(NotHere, match=rf"{tmp_path}, where .*DAT1 is missing"):
        WORKLOADS["jpss"](1)


def test_rounds_give_each_decoder_one_timing_a_round_and_size_of_batch(housekeeping: Workload, tmp_path: Path) -> None:
    measured = measure(housekeeping, tmp_path, OURS, SHORT)
    assert measured.values == 60 * 31
    assert {size: list(timings) for size, timings in measured.timings.items()} == {7: OURS, None: OURS}
    assert all(len(timing.cpu_us) == 2 for timings in measured.timings.values() for timing in timings.values())


def test_one_wrong_value_stops_everything(housekeeping: Workload, tmp_path: Path) -> None:
    columns = [list(column) for column in housekeeping.expected["HOUSEKEEPING"]]
    columns[15][41] += 1
    wrong = replace(housekeeping, expected={"HOUSEKEEPING": columns})
    with pytest.raises(ResultsDiffer, match=rf"c2kit.*GAIN: packet 41: {columns[15][41] - 1} instead of"):
        measure(wrong, tmp_path, OURS, SHORT)


def test_generated_packets_hold_the_values_that_were_drawn(housekeeping: Workload) -> None:
    (packet,) = housekeeping.packets
    assert (packet.size_bytes, len(packet.items), len(housekeeping.data)) == (70, 7 + 24, 60 * 70)
    items = dictionary_of(housekeeping).target(TARGET).packet(packet.name).items
    starts = np.arange(0, len(housekeeping.data), packet.size_bytes)
    decoded = reference.decode(Layout(items), housekeeping.data, starts, starts + packet.size_bytes)
    assert [column.to_list() for column in decoded] == housekeeping.expected[packet.name]


@pytest.mark.parametrize("size", [1, 7, 60, 1000, None])
def test_batches_are_whole_packets_in_order(housekeeping: Workload, size: int | None) -> None:
    batches = housekeeping.batches(size)
    assert b"".join(batches) == housekeeping.data
    assert [len(batch) // 70 for batch in batches[:-1]] == [size] * (len(batches) - 1)
    assert len(batches) == (1 if size is None else -(-60 // size))


def test_a_workload_is_read_as_it_was_saved(housekeeping: Workload, tmp_path: Path) -> None:
    housekeeping.save(tmp_path)
    assert Workload.load(tmp_path) == housekeeping


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


def test_the_dictionary_to_be_loaded_has_as_many_items_as_asked_for(tmp_path: Path) -> None:
    (tmp_path / "of-an-earlier-run.yaml").write_text("target: [", encoding="utf-8")
    write_dictionary(tmp_path, 1300)
    (target,) = Dictionary.load(tmp_path).targets
    assert sum(len(packet.items) - 7 for packet in target.packets) == 1300
    assert len(list(tmp_path.glob("*.yaml"))) == 2
