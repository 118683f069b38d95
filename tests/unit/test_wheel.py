"""Wheels with and without the compiled kernel, and what becomes of a compiler that fails."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = ["LICENSE", "MANIFEST.in", "README.md", "pyproject.toml", "setup.py"]

pytestmark = pytest.mark.slow

needs_compiler = pytest.mark.skipif(shutil.which(os.environ.get("CC", "cc")) is None, reason="there is no C compiler")


def build(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Build a wheel of a copy of the source in `folder / "dist"`."""
    source = folder / "source"
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("*.so", "*.egg-info", "__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", str(folder / "dist")]
    inherited = {name: value for name, value in os.environ.items() if name != "C2KIT_REQUIRE_KERNEL"}
    return subprocess.run(
        [*command, str(source)], check=False, capture_output=True, text=True, env=inherited | environment
    )


def the_wheel(folder: Path) -> Path:
    (wheel,) = (folder / "dist").iterdir()
    return wheel


def names_in(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@needs_compiler
def test_the_compiled_kernel_is_for_the_python_that_built_it_and_is_built_the_same_again(tmp_path: Path) -> None:
    wheels = []
    for folder in (tmp_path / "one", tmp_path / "another"):
        built = build(folder, SOURCE_DATE_EPOCH="1700000000", C2KIT_REQUIRE_KERNEL="1")
        assert built.returncode == 0, built.stderr
        wheels.append(the_wheel(folder))
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    assert f"-{python}-{python}-" in wheels[0].name
    assert wheels[0].read_bytes() == wheels[1].read_bytes()
    extensions = [name for name in names_in(wheels[0]) if "/_kernel." in name and not name.endswith(".pyi")]
    assert len(extensions) == 1
    assert not [name for name in names_in(wheels[0]) if name.endswith((".c", ".h"))]


def test_without_a_compiler_the_wheel_is_for_any_machine(tmp_path: Path) -> None:
    assert build(tmp_path, CC="false").returncode == 0
    assert the_wheel(tmp_path).name.endswith("-py3-none-any.whl")
    assert not [name for name in names_in(the_wheel(tmp_path)) if name.endswith((".so", ".pyd"))]


def test_the_wheel_holds_the_templates_of_manifests(tmp_path: Path) -> None:
    assert build(tmp_path, CC="false").returncode == 0
    templates = {path.name for path in (ROOT / "src/c2kit/scaffold/templates").iterdir()}
    folder = "c2kit/scaffold/templates/"
    held = {name.removeprefix(folder) for name in names_in(the_wheel(tmp_path)) if name.startswith(folder)}
    assert held == templates


def test_a_kernel_that_is_required_and_does_not_compile_breaks_the_build(tmp_path: Path) -> None:
    assert build(tmp_path, CC="false", C2KIT_REQUIRE_KERNEL="1").returncode != 0
    assert not (tmp_path / "dist").exists() or not list((tmp_path / "dist").iterdir())
