"""The blocks of an index are found behind whatever is none."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from c2kit.storage import scan
from c2kit.storage.files import ReadFile
from tests.logs import read_by_the_page, space_packets, write_blocks

if TYPE_CHECKING:
    from pathlib import Path

PACKETS = space_packets(1, 30)


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return write_blocks(tmp_path, [PACKETS[:10], PACKETS[10:20], PACKETS[20:]]) / f"{0:020}.idx"


def found_in(path: Path) -> list[tuple[str, int, int]]:
    with ReadFile(path) as file:
        return [(type(each).__name__, each.position, each.end) for each in scan.scan(file)]


def test_blocks_tile_the_index(index: Path) -> None:
    _, told = read_by_the_page(index)
    blocks = [("Entry", block.first_byte, block.end) for block in told]
    assert found_in(index) == [("Hole", 0, told[0].first_byte), *blocks]
    with ReadFile(index) as file:
        last = scan.last_entry(file)
        assert last is not None
        assert (last.position, last.end) == (told[-1].first_byte, told[-1].end)
        schema = scan.read_schema_of(file)
        assert schema is not None
        assert schema.end == told[0].first_byte


@pytest.mark.parametrize("window", [8, 9, 64, 2**20])
@pytest.mark.parametrize("size", [1, 3, 4, 8, 100, 5000])
@pytest.mark.parametrize("kind", ["random", "marks", "zeros", "beginnings"])
def test_what_was_put_between_blocks_is_passed_over(
    index: Path, monkeypatch: pytest.MonkeyPatch, window: int, size: int, kind: str
) -> None:
    monkeypatch.setattr(scan, "_WINDOW_BYTES", window)
    _, told = read_by_the_page(index)
    whole = index.read_bytes()
    begun = whole[told[0].first_byte :][:60]
    junk = {
        "random": random.Random(size).randbytes(size),
        "marks": b"\xff" * size,
        "zeros": bytes(size),
        "beginnings": (begun * (size // len(begun) + 1))[:size],
    }[kind]
    first, second, third = told
    index.write_bytes(whole[: first.end] + junk + whole[first.end : second.end] + junk + whole[second.end :] + junk)
    blocks = [each for each in found_in(index) if each[0] == "Entry"]
    assert blocks == [
        ("Entry", first.first_byte, first.end),
        ("Entry", second.first_byte + size, second.end + size),
        ("Entry", third.first_byte + 2 * size, third.end + 2 * size),
    ]


def test_an_index_that_is_empty_or_no_index_has_no_blocks(tmp_path: Path) -> None:
    path = tmp_path / "index"
    for content in (b"", b"\0", b"\xff" * 8, random.Random(1).randbytes(10_000), b"\xff\xff\xff\xff\0\0\0\0"):
        path.write_bytes(content)
        assert found_in(path) == ([("Hole", 0, len(content))] if content else [])
        with ReadFile(path) as file:
            assert scan.last_entry(file) is None
            assert scan.read_schema_of(file) is None


def test_a_message_that_claims_to_be_enormous_costs_nothing(index: Path) -> None:
    whole = index.read_bytes()
    for size in (2**24, 2**30, 2**31 - 8):
        index.write_bytes(whole + b"\xff\xff\xff\xff" + size.to_bytes(4, "little") + bytes(100))
        assert [each[0] for each in found_in(index)] == ["Hole", "Entry", "Entry", "Entry", "Hole"]
