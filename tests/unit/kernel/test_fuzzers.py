"""A short run of the fuzzers, and that they find what they are for. `make fuzz` runs them as long as anybody likes."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SECONDS = os.environ.get("C2KIT_FUZZ_SECONDS", "3")
CLANG = os.environ.get("CLANG", "clang")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which(CLANG) is None, reason="fuzzing needs clang, which is not installed"),
]


def fuzz(root: Path, folder: Path, name: str, seconds: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"C2KIT_FUZZERS": name, "C2KIT_FUZZ_BUILD": str(folder / "build")}
    command = [str(root / "dev/fuzz/run"), f"-max_total_time={seconds}", "-seed=1"]
    return subprocess.run(command, check=False, capture_output=True, text=True, errors="replace", env=environment)


@pytest.mark.parametrize("name", ["decode", "split", "encode", "headers"])
def test_the_fuzzer_finds_nothing(name: str, tmp_path: Path) -> None:
    run = fuzz(ROOT, tmp_path, name, SECONDS)
    assert run.returncode == 0, run.stderr[-5_000:]
    assert "stat::number_of_executed_units" in run.stderr


@pytest.mark.parametrize(
    ("name", "file", "sound", "broken"),
    [
        ("decode", "bits.h", "case 3: return big_endian_16(p) << 8 | p[2];", "case 3: return big_endian_32(p) >> 8;"),
        ("decode", "elements.c", "(word_8, uint8_t, p[0])", "(word_8, uint8_t, p[1])"),
        ("decode", "convert.c", "raw[i] - least <= span", "raw[i] - least < span"),
        ("headers", "headers.c", "< PRIMARY_HEADER_BYTES", "< PRIMARY_HEADER_BYTES - 3"),
        ("split", "split.c", "size - place < header", "size - place < header - 1"),
        ("split", "crc.c", "for (; size >= 8; size -= 8, p += 8)", "for (; size >= 7; size -= 8, p += 8)"),
        ("encode", "encode.h", "pattern << (64 + behind)", "pattern << (63 + behind)"),
        ("encode", "encode.c", "for (; count >= 8; bit += 64", "for (; count >= 7; bit += 64"),
    ],
)
def test_a_fault_that_is_put_in_is_found(name: str, file: str, sound: str, broken: str, tmp_path: Path) -> None:
    for folder in ("dev/fuzz", "src/c2kit/kernel/c"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    path = tmp_path / "src/c2kit/kernel/c" / file
    text = path.read_text(encoding="utf-8")
    assert sound in text
    path.write_text(text.replace(sound, broken, 1), encoding="utf-8")
    # Far longer than any of them takes.
    run = fuzz(tmp_path, tmp_path, name, "120")
    assert run.returncode != 0
    assert "ERROR: " in run.stderr
