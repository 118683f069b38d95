"""`c2kit sim`: files, addresses, and what is refused."""

import socket
import struct
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run

EXAMPLE = Path(__file__).parents[3] / "examples/dictionary"


def test_a_file_is_written_the_same_each_time(run: Run, tmp_path: Path) -> None:
    results = [run("sim", "-d", EXAMPLE, "-o", tmp_path / name, "--seconds", 20) for name in ("a.tlm", "b.tlm")]
    assert [result.exit_code for result in results] == [0, 0]
    data = (tmp_path / "a.tlm").read_bytes()
    assert data == (tmp_path / "b.tlm").read_bytes()
    count = place = 0
    while place < len(data):
        place += 7 + struct.unpack_from(">H", data, place + 4)[0]
        count += 1
    assert place == len(data)
    assert results[0].stderr.endswith(f"FIREFLY: {count} packets down, 0 commands up\n")
    assert results[0].stdout == ""


def test_as_many_satellites_as_wanted_differ(run: Run, tmp_path: Path) -> None:
    run("sim", "-d", EXAMPLE, "-o", tmp_path / "f.tlm", "--seconds", 5, "--satellites", 3)
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["f-1.tlm", "f-2.tlm", "f-3.tlm"]
    assert len({file.read_bytes() for file in files}) == 3


def test_its_recording_is_decoded_without_a_rest(run: Run, tmp_path: Path) -> None:
    run("sim", "-d", EXAMPLE, "-o", tmp_path / "f.tlm", "--seconds", 60, "--start", "2030-02-03T04:05:06")
    decoded = run("decode", "-d", EXAMPLE, "-p", "HEALTH", "-i", "MODE", tmp_path / "f.tlm")
    lines = decoded.stdout.splitlines()
    assert len(lines) == 61
    assert lines[1].startswith("2030-02-03T04:05:06")
    assert "unknown" not in decoded.stderr


def test_faults_and_the_record_are_told(run: Run, tmp_path: Path) -> None:
    options = ["--bit-errors", 1e-4, "--lost-bytes", 0.01, "--record", tmp_path / "truth"]
    told = run("sim", "-d", EXAMPLE, "-o", tmp_path / "f.tlm", "--seconds", 30, *options).stderr
    assert "faults" in told
    assert (tmp_path / "truth/FIREFLY.sent.tlm").read_bytes() != (tmp_path / "f.tlm").read_bytes()


@pytest.mark.parametrize("way", ["--tcp", "--udp"])
def test_it_flies_on_the_network_and_ends(run: Run, way: str) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as ground:
        ground.bind(("127.0.0.1", 0))
        port = 0 if way == "--tcp" else ground.getsockname()[1]
        result = run("sim", "-d", EXAMPLE, way, port, "--seconds", 1, "--speed", 50)
    assert result.exit_code == 0
    assert result.stderr.startswith(f"FIREFLY: {way[2:]} 127.0.0.1:")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "give one of --tcp, --udp and -o"),
        (["--tcp", "1000", "--udp", "1000"], "give one of --tcp, --udp and -o"),
        (["-o", "f.tlm"], "give --seconds"),
        (["--tcp", "localhost:"], "is not [HOST:]PORT"),
        (["--tcp", "localhost:65536"], "is not [HOST:]PORT"),
        (["--tcp", "0", "--bit-errors", "2"], "--bit-errors"),
        (["--tcp", "0", "--target", "FIREFLI"], "FIREFLY?"),
        (["--tcp", "0", "--target", "ANTENNA"], "no packet 'ATTITUDE' in target ANTENNA"),
    ],
)
def test_what_cannot_be_meant_is_refused(run: Run, options: list[str], told: str) -> None:
    result = run("sim", "-d", EXAMPLE, *options)
    assert result.exit_code == 2
    assert told in result.stderr


def test_an_address_that_is_taken_is_told(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run("sim", "-d", EXAMPLE, "--tcp", taken.getsockname()[1])
    assert result.exit_code == 1
    assert "in use" in result.stderr
