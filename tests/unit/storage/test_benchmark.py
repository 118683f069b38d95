"""The benchmark of the log writes what it says, by the log and barely alike; how long it takes is not judged here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks import packet_log
from benchmarks.packet_log import BARE, PACKET_BYTES, Load

if TYPE_CHECKING:
    from pathlib import Path

LOAD = Load("small", packets=3, batches=2, commits=4, logs=2)


def test_bare_writes_write_the_bytes_of_the_log(tmp_path: Path) -> None:
    packet_log.write_log(LOAD, tmp_path / "log")
    commits = packet_log.commits_of(LOAD, tmp_path / "log")
    assert [len(commit) for commit in commits] == [2] * 4
    packets = b"".join(data for commit in commits for data, _ in commit)
    assert len(packets) == LOAD.packet_bytes == PACKET_BYTES * 3 * 2 * 4 * 2
    for name, write in BARE.items():
        assert write(commits, tmp_path / name) > 0
    index = [b"".join(commit[log][1] for commit in commits) for log in range(2)]
    for log in range(2):
        data = b"".join(commit[log][0] for commit in commits)
        logged = tmp_path / "log" / packet_log.STREAM / str(log) / f"{0:020}.pkts"
        assert logged.read_bytes() == data
        assert logged.with_suffix(".idx").read_bytes().endswith(index[log])
        assert (tmp_path / "same files" / f"{log}.0").read_bytes() == b"begun" + data
        assert (tmp_path / "same files" / f"{log}.1").read_bytes() == b"begun" + index[log]
    assert (tmp_path / "packets only" / "0.0").read_bytes() == b"begun" + packets
    assert len((tmp_path / "one file" / "0.0").read_bytes()) == 5 + len(packets) + sum(map(len, index))


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_it_is_told_as_a_table_or_as_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], form: list[str]
) -> None:
    monkeypatch.setattr(packet_log, "LOADS", (LOAD,))
    assert packet_log.main(["--rounds", "1", "--directory", str(tmp_path), *form]) == 0
    printed = capsys.readouterr().out
    assert "small" in printed
    assert all(name in printed for name in BARE)
    assert list(tmp_path.iterdir()) == []
