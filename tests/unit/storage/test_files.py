"""What a log asks of the operating system is done wholly, in however many steps that takes it."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest

from c2kit.storage import LogUnavailable, files

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("most", [1, 3, 7, 10**6])
def test_all_pieces_are_written_whatever_the_system_takes_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    chosen = random.Random(1)
    pieces = [chosen.randbytes(chosen.choice([0, 1, 2, 30])) for _ in range(50)]
    real = os.pwrite
    monkeypatch.setattr(files, "_PIECES", 4)

    def pwritev(descriptor: int, some: list[memoryview], position: int) -> int:
        assert 0 < len(some) <= 4
        return real(descriptor, b"".join(some)[:most], position)

    monkeypatch.setattr(os, "pwritev", pwritev)
    path = tmp_path / "file"
    path.write_bytes(b"before")
    descriptor = files.open_to_write(path)
    files.write_at(descriptor, pieces, 6)
    files.write_at(descriptor, [], 6)
    os.close(descriptor)
    assert path.read_bytes() == b"before" + b"".join(pieces)


def test_reading_gives_what_there_is_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    real = os.pread
    monkeypatch.setattr(os, "pread", lambda descriptor, size, position: real(descriptor, min(size, 3), position))
    with files.ReadFile(path) as file:
        assert file.size == 10
        assert (file.read(2, 5), file.read(8, 5), file.read(12, 5)) == (b"23456", b"89", b"")
        assert (file.read(2, 0), file.read(2, -1)) == (b"", b"")


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.with_name("file.new").write_bytes(b"left by a process that died")
    for content in (b"first", b"second"):
        files.replace(path, content)
        assert path.read_bytes() == content
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_directories_are_made_as_deep_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c"
    files.make_directory(path)
    files.make_directory(path)
    assert path.is_dir()


def test_trouble_with_the_disk_is_told_with_what_was_being_done(tmp_path: Path) -> None:
    with (
        pytest.raises(LogUnavailable, match=r"reading .*nowhere failed: No such file"),
        files.disk("reading", tmp_path / "nowhere"),
    ):
        files.ReadFile(tmp_path / "nowhere")
