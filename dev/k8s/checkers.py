"""Checkers of manifests that are written in Python, each set of them in an environment of its own, made once."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from dev.k8s.tools import NotBuildable

__all__ = ["checker"]

HERE = Path(__file__).parent


def checker(name: str, pins: str = "checkers.txt") -> Path:
    """Where the program is, installed now where it is missing. Raises NotBuildable."""
    wanted = HERE / pins
    key = hashlib.sha256(wanted.read_bytes() + sys.version.encode()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "c2kit" / "k8s"
    folder = cache / f"{wanted.stem}-{key}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{wanted.stem}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            _install(folder, wanted)
    return folder / "bin" / name


def _install(folder: Path, wanted: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    pip = [
        str(folder / "bin" / "python"),
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "-q",
        "-r",
        str(wanted),
    ]
    for command in ([sys.executable, "-m", "venv", str(folder)], pip):
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - Python and our pins
        if done.returncode != 0:
            raise NotBuildable(f"{wanted.name} could not be installed: {done.stderr[-2000:]}")
    (folder / "complete").touch()
