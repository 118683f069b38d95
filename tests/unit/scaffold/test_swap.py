"""A folder is replaced at one stroke: killed at whatever step, it is as it was or as it should be."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from c2kit.errors import UsageError
from c2kit.scaffold import swap
from c2kit.scaffold.swap import recover, replace_folder, workplace

ROOT = Path(__file__).parents[3]
OLD = {"a.txt": b"a", "base/b.txt": b"b", "base/c.txt": b"c", "gone/d.txt": b"d", "users/own.txt": b"own"}
WRITTEN = {"base/b.txt": b"B", "base/new/e.txt": b"e"}
REMOVED = {"gone/d.txt"}
NEW = {"a.txt": b"a", "base/b.txt": b"B", "base/c.txt": b"c", "base/new/e.txt": b"e", "users/own.txt": b"own"}


def fill(folder: Path) -> Path:
    for name, data in OLD.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_are_written_and_removed_and_all_others_stay_the_same_files(tmp_path: Path) -> None:
    folder = fill(tmp_path / "deploy")
    (folder / "users/link").symlink_to("own.txt")
    before = (folder / "users/own.txt").stat()
    replace_folder(folder, written=WRITTEN, removed=REMOVED)
    assert content(folder) == {**NEW, "users/link": b"own"}
    assert (folder / "users/link").is_symlink()
    after = (folder / "users/own.txt").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert not (folder / "gone").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["deploy"]


def test_a_folder_that_is_not_there_is_made_with_those_above_it(tmp_path: Path) -> None:
    replace_folder(tmp_path / "x/y/deploy", written=WRITTEN, removed=set())
    assert content(tmp_path / "x/y/deploy") == WRITTEN


def test_where_folders_cannot_be_exchanged_or_files_linked_the_result_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(*_: object) -> None:
        raise PermissionError(1, "no links here")

    monkeypatch.setattr(swap, "_exchange", lambda *_: False)
    monkeypatch.setattr(Path, "hardlink_to", cannot)
    folder = fill(tmp_path / "deploy")
    replace_folder(folder, written=WRITTEN, removed=REMOVED)
    assert content(folder) == NEW
    assert [path.name for path in tmp_path.iterdir()] == ["deploy"]


KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from c2kit.scaffold import swap
from tests.unit.scaffold.test_swap import NEW, OLD, REMOVED, WRITTEN, content, fill

WATCHED = ("open", "os.", "shutil.", "ctypes.")
if sys.argv[2] == "rename":
    swap._exchange = lambda *_: False
root = Path(sys.argv[1])
fates, at = [], 0
while True:
    at += 1
    folder = fill(root / f"{at}" / "deploy")
    child = os.fork()
    if child == 0:
        left = at
        def hook(event, _):
            global left
            if event.startswith(WATCHED):
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(hook)
        swap.replace_folder(folder, written=WRITTEN, removed=REMOVED)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        assert os.waitstatus_to_exitcode(status) == 0
        break
    if sys.argv[2] == "exchange":  # nothing needs to be mended
        assert content(folder) in (OLD, NEW), (at, content(folder))
    swap.recover(folder)
    fates.append(content(folder) == NEW)
    assert content(folder) in (OLD, NEW), (at, content(folder))
    assert [path.name for path in folder.parent.iterdir()] == ["deploy"], at
    swap.replace_folder(folder, written=WRITTEN, removed=REMOVED)
    assert content(folder) == NEW, (at, content(folder))
print(len(fates), fates == sorted(fates), fates[0], fates[-1])
"""


@pytest.mark.parametrize("way", ["exchange", "rename"])
def test_killed_at_any_step_the_folder_is_as_it_was_or_as_it_should_be_and_the_next_run_works(
    tmp_path: Path, way: str
) -> None:
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path), way]
    run = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    steps, *fates = run.stdout.split()
    assert int(steps) > 20, "of so many steps at least it is made"
    assert fates == ["True", "False", "True"], "first it is as it was, then as it should be, and never the other way"


def test_what_fails_leaves_everything_as_it_was(tmp_path: Path) -> None:
    folder = fill(tmp_path / "deploy")
    with pytest.raises(FileExistsError):
        replace_folder(folder, written={"a.txt/in-a-file": b""}, removed=set())
    assert content(folder) == OLD
    assert [path.name for path in tmp_path.iterdir()] == ["deploy"]


def test_somebody_else_who_writes_there_is_let_finish(tmp_path: Path) -> None:
    folder = fill(tmp_path / "deploy")
    workplace(folder).mkdir()
    descriptor = os.open(workplace(folder), os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with pytest.raises(UsageError, match="another process writes to the same folder"):
            replace_folder(folder, written=WRITTEN, removed=set())
        with pytest.raises(UsageError, match="another process writes to the same folder"):
            recover(folder)
    finally:
        os.close(descriptor)
    assert content(folder) == OLD


def test_what_is_mounted_within_is_not_taken_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fill(tmp_path / "deploy")
    monkeypatch.setattr(Path, "is_mount", lambda path: path.name == "users")
    with pytest.raises(UsageError, match="users is a mount point; put a link to it in its place"):
        replace_folder(folder, written=WRITTEN, removed=set())
    assert content(folder) == OLD


def test_what_is_neither_file_nor_folder_nor_link_is_told(tmp_path: Path) -> None:
    folder = fill(tmp_path / "deploy")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(folder / "socket"))
        with pytest.raises(UsageError, match="socket is no file, folder or link"):
            replace_folder(folder, written=WRITTEN, removed=set())
    assert content(folder) == OLD


def test_a_full_disk_is_told_with_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fill(tmp_path / "deploy")

    def full(_: Path, __: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left") as caught:
        replace_folder(folder, written=WRITTEN, removed=REMOVED)
    assert caught.value.filename == str(folder)
    assert content(folder) == OLD
