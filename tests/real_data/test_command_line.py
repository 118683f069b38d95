"""The command itself, as a process with files: several recordings, in the order given."""

import csv
import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from tests.real_data.definitions import cygnss_yaml
from tests.real_data.recordings import CYGNSS, CYGNSS_BY_APID, HS, reference_columns


def c2kit(*arguments: str | Path, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [str(Path(sys.executable).with_name("c2kit")), *map(str, arguments)]
    return subprocess.run(command, input=data, capture_output=True, check=False)


@pytest.mark.parametrize("apid", HS)
def test_a_recording_becomes_a_table_of_its_reference_values(real_data: Path, apid: int) -> None:
    definition = real_data / f"ccsdspy/hs/apid{apid:03}/defs.csv"

    done = c2kit("decode", "--dictionary", definition, real_data / HS[apid].path, "--format", "csv", "--raw")

    assert done.returncode == 0
    header, *rows = csv.reader(done.stdout.decode().splitlines())
    columns = dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))
    assert columns.pop("time") == [""] * HS[apid].packets
    # The reference writes bytes with 0x before them, and otherwise every value as we do.
    expected = reference_columns(real_data, f"ccsdspy/hs_apid{apid:03}.csv.gz")
    assert columns == {name: [cell.removeprefix("0x") for cell in cells] for name, cells in expected.items()}
    assert b"bit offsets are taken to count from the end of the primary header" in done.stderr


def test_several_recordings_are_decoded_in_the_order_given(real_data: Path, tmp_path: Path) -> None:
    definition = cygnss_yaml(real_data, tmp_path)
    files = [real_data / recording.path for recording in CYGNSS_BY_APID.values()]

    for order in itertools.islice(itertools.permutations(files), 0, 3000, 1500):
        done = c2kit("decode", "-d", definition, *order, "-f", "jsonl", "--raw", "--strict", "--items", "CCSDS_APID")
        assert done.returncode == 1, "sequence counts break in three of them"
        expected = [
            apid
            for file in order
            for apid, one in CYGNSS_BY_APID.items()
            for _ in range(one.packets)
            if file.samefile(real_data / one.path)
        ]
        assert [int(line.rpartition(b" ")[2].rstrip(b"}")) for line in done.stdout.splitlines()] == expected


def test_a_recording_on_stdin_is_the_same_as_in_a_file(real_data: Path, tmp_path: Path) -> None:
    definition = cygnss_yaml(real_data, tmp_path)

    piped = c2kit("decode", "-d", definition, "-", "-f", "jsonl", data=CYGNSS.data(real_data))
    read = c2kit("decode", "-d", definition, real_data / CYGNSS.path, "-f", "jsonl")

    assert piped.returncode == read.returncode == 0
    assert piped.stdout == read.stdout
    assert len(piped.stdout.splitlines()) == CYGNSS.packets
