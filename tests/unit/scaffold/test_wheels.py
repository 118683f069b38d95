from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from c2kit.errors import UsageError
from c2kit.scaffold.wheels import Interpreter, Wheels

if TYPE_CHECKING:
    from pathlib import Path

PYTHON = Interpreter(version="3.13", machine="x86_64")


def a_wheel(folder: Path, name: str, version: str = "1.0", tag: str = "py3-none-any", requires: str = "") -> Path:
    """A wheel with nothing in it but what it says of itself; several requirements are separated by newlines."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{version}-{tag}.whl"
    lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires.splitlines()]
    lines += [f"Provides-Extra: {extra}" for extra in re.findall(r'extra == "(\w+)"', requires)]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}-{version}.dist-info/METADATA", "\n".join(lines) + "\n\nIt does something.\n")
        archive.writestr(f"{name}-{version}.dist-info/WHEEL", f"Wheel-Version: 1.0\nTag: {tag}\n")
        archive.writestr(f"{name}-{version}.dist-info/RECORD", "")
        archive.writestr(f"{name}/_vendor/other-2.dist-info/METADATA", "Name: other\n")
    return path


def locked(folder: Path, *wanted: str, python: Interpreter = PYTHON) -> dict[str, str]:
    return {release.name: release.version for release in Wheels.read(folder).locked(wanted, python)}


def test_a_lock_has_all_that_is_required_and_nothing_else(tmp_path: Path) -> None:
    a_wheel(tmp_path, "ground", requires="Some.Thing>=1\nother")
    a_wheel(tmp_path, "some_thing", "1.5", requires="deep ==2.*")
    a_wheel(tmp_path, "deep", "2.7")
    a_wheel(tmp_path, "other", "3")
    a_wheel(tmp_path, "unrelated")
    assert locked(tmp_path, "ground") == {"deep": "2.7", "ground": "1.0", "other": "3", "some-thing": "1.5"}


def test_what_only_an_extra_requires_is_there_with_the_extra(tmp_path: Path) -> None:
    a_wheel(tmp_path, "ground", requires='always\nbroker ; extra == "kafka"\nport ; extra == "serial"')
    for name in ("always", "broker", "port"):
        a_wheel(tmp_path, name)
    assert set(locked(tmp_path, "ground")) == {"always", "ground"}
    assert set(locked(tmp_path, "ground[kafka]")) == {"always", "broker", "ground"}
    assert set(locked(tmp_path, "ground[kafka,serial]")) == {"always", "broker", "ground", "port"}


def test_an_extra_that_is_asked_for_later_counts_too_and_a_circle_ends(tmp_path: Path) -> None:
    a_wheel(tmp_path, "ground", requires='asks\nbroker ; extra == "kafka"')
    a_wheel(tmp_path, "asks", requires="ground[kafka]")
    a_wheel(tmp_path, "broker", requires="ground")
    assert set(locked(tmp_path, "ground")) == {"asks", "broker", "ground"}


def test_markers_speak_of_the_images_python_and_not_of_ours(tmp_path: Path) -> None:
    old, new = 'old ; python_version < "3.12"', 'new ; python_version >= "3.12"'
    elsewhere = 'windows ; sys_platform == "win32"\narm ; platform_machine == "aarch64"'
    a_wheel(tmp_path, "ground", requires=f"{old}\n{new}\n{elsewhere}")
    for name in ("old", "new", "arm"):
        a_wheel(tmp_path, name)
    assert set(locked(tmp_path, "ground")) == {"ground", "new"}
    assert set(locked(tmp_path, "ground", python=Interpreter(version="3.11", machine="aarch64"))) == {
        "arm",
        "ground",
        "old",
    }


@pytest.mark.parametrize(
    "tag",
    [
        "cp313-cp313-manylinux_2_28_x86_64",
        "cp311-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64",
        "cp311-abi3-linux_x86_64",
        "py3-none-manylinux_2_28_x86_64",
        "py2.py3-none-any",
    ],
)
def test_a_wheel_for_the_images_python_is_taken(tmp_path: Path, tag: str) -> None:
    a_wheel(tmp_path, "ground", tag=tag)
    assert locked(tmp_path, "ground") == {"ground": "1.0"}


@pytest.mark.parametrize(
    "tag",
    [
        "cp312-cp312-manylinux_2_28_x86_64",
        "cp314-abi3-manylinux_2_28_x86_64",
        "cp313-cp313t-manylinux_2_28_x86_64",
        "cp313-cp313-manylinux_2_28_aarch64",
        "cp313-cp313-musllinux_1_2_x86_64",
        "cp313-cp313-win_amd64",
        "py2-none-any",
    ],
)
def test_a_wheel_for_another_python_is_refused_by_its_name(tmp_path: Path, tag: str) -> None:
    path = a_wheel(tmp_path, "ground", tag=tag)
    with pytest.raises(UsageError, match=rf"CPython 3\.13 on Linux, x86_64, found {path.name}"):
        locked(tmp_path, "ground")


def test_wheels_of_other_machines_beside_ours_are_no_matter(tmp_path: Path) -> None:
    ours = a_wheel(tmp_path, "ground", tag="cp313-cp313-manylinux_2_28_x86_64")
    a_wheel(tmp_path, "ground", tag="cp313-cp313-manylinux_2_28_aarch64")
    (release,) = Wheels.read(tmp_path).locked(["ground"], PYTHON)
    assert release.sha256 == (hashlib.sha256(ours.read_bytes()).hexdigest(),)


def test_what_is_missing_is_told_with_who_requires_it(tmp_path: Path) -> None:
    a_wheel(tmp_path, "ground", requires="gone>=2")
    with pytest.raises(UsageError, match=r"gone>=2, which ground 1\.0 requires.*found none"):
        locked(tmp_path, "ground")


def test_a_version_that_is_not_as_required_is_refused(tmp_path: Path) -> None:
    a_wheel(tmp_path, "ground", requires="part>=2\nother")
    a_wheel(tmp_path, "other", requires="part<3")
    a_wheel(tmp_path, "part", "3.1")
    with pytest.raises(UsageError, match=r"part<3, which other 1\.0 requires.*found part-3\.1"):
        locked(tmp_path, "ground")


def test_several_versions_are_refused_since_nobody_knows_which_is_meant(tmp_path: Path) -> None:
    a_wheel(tmp_path, "ground", "1.0")
    a_wheel(tmp_path, "ground", "1.1.dev0")
    with pytest.raises(UsageError, match=r"one version of ground, found 1\.0 and 1\.1\.dev0"):
        locked(tmp_path, "ground")


def test_a_version_before_a_release_is_taken_where_it_is_the_one_there_is(tmp_path: Path) -> None:
    a_wheel(tmp_path, "ground", "0.1.0.dev0")
    assert locked(tmp_path, "ground>=0.0") == {"ground": "0.1.0.dev0"}


def test_a_folder_that_is_not_there_has_no_wheels(tmp_path: Path) -> None:
    assert not Wheels.read(tmp_path / "none")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"no zip at all" * 100])
def test_a_file_that_is_no_wheel_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ground-1.0-py3-none-any.whl").write_bytes(content)
    with pytest.raises(UsageError, match=r"ground-1\.0-py3-none-any\.whl, expected a wheel, complete"):
        Wheels.read(tmp_path)


def test_a_file_without_metadata_or_with_a_name_of_no_wheel_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "ground-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("ground/__init__.py", "")
    with pytest.raises(UsageError, match="0 files METADATA"):
        Wheels.read(tmp_path)
    (tmp_path / "ground-1.0-py3-none-any.whl").rename(tmp_path / "ground.whl")
    with pytest.raises(UsageError, match="a wheel, complete"):
        Wheels.read(tmp_path)


@pytest.mark.parametrize("text", ["two words", "ground[", "", "ground >"])
def test_what_is_no_requirement_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="a requirement, expected such as"):
        locked(tmp_path, text)


def test_pip_installs_what_a_lock_has_and_would_install_nothing_more(tmp_path: Path) -> None:
    """The lock is installed without dependencies; pip, which resolves by itself, chooses the same."""
    folder = tmp_path / "wheels"
    a_wheel(folder, "ground", requires='some-thing>=1\nbroker[fast] ; extra == "kafka"')
    a_wheel(folder, "some_thing", "1.5", requires='old ; python_version < "3.0"')
    a_wheel(folder, "broker", "2", requires='codec ; extra == "fast"\nslow ; extra == "slow"')
    a_wheel(folder, "codec", "0.3.dev1")
    a_wheel(folder, "unrelated")
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--no-index", "--pre", "--target"]
    command += [str(tmp_path / "site"), "--find-links", str(folder), "--report", str(report), "ground[kafka]"]
    subprocess.run(command, check=True, capture_output=True)
    installed = [entry["metadata"] for entry in json.loads(report.read_text())["install"]]
    assert locked(folder, "ground[kafka]") == {found["name"].replace("_", "-"): found["version"] for found in installed}
