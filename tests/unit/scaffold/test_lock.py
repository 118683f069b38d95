"""The lock of a folder: read as it was written, and refused where it is anything else."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from c2kit.errors import UsageError
from c2kit.scaffold.lock import LOCK, Lock, hash_of, read_lock

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE = Lock(c2kit="1.2", mission="firefly", description="ab", files={"base/x.yaml": "cd"}, once=("settings.yaml",))


def write(folder: Path, data: bytes) -> None:
    (folder / LOCK).parent.mkdir()
    (folder / LOCK).write_bytes(data)


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert read_lock(tmp_path) is None
    write(tmp_path, EXAMPLE.as_bytes())
    assert read_lock(tmp_path) == EXAMPLE


def test_hashes_are_those_that_other_tools_tell() -> None:
    assert hash_of(b"c2kit\n") == hashlib.sha256(b"c2kit\n").hexdigest()


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "cannot be read, found Expecting value"),
        (b"[]", "cannot be read, found it is something else"),
        (EXAMPLE.as_bytes().replace(b'"files"', b'"fils"'), "cannot be read, found files: it is missing"),
        (EXAMPLE.as_bytes().replace(b'"format": 1', b'"format": 2'), "expected at most 1, found 2; use the c2kit"),
    ],
)
def test_what_is_none_is_refused(tmp_path: Path, data: bytes, problem: str) -> None:
    write(tmp_path, data)
    with pytest.raises(UsageError, match=problem):
        read_lock(tmp_path)
