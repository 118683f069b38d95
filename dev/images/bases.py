"""Base images as those that are named in settings, made of Debian's packages: no registry is asked.

Files of packages are unpacked and nothing is configured, so that there is no shell, unless a package brings one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from dev.images.podman import NotInstallable, found

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PYTHON", "Bases"]

SUITE = "bookworm"
PYTHON = "3.11"
"""Of that suite."""
_RUNTIME = ("python3-minimal", "libpython3.11-stdlib", "ca-certificates", "libstdc++6", "libgomp1", "netbase", "tzdata")
"""As in distroless images of Python."""
PACKAGES = {"runtime": _RUNTIME, "build": ("python3-minimal", "python3-pip")}
_EPOCH = "1700000000"
"""Of all files: the same packages make the same image."""


@frozen
class Bases:
    """A folder with ``runtime.tar`` and ``build.tar``."""

    folder: Path

    @classmethod
    def get(cls) -> Bases:
        """Those that the pins ask for, made now where they are missing. Raises NotInstallable."""
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "c2kit" / "images"
        key = hashlib.sha256(repr((SUITE, sorted(PACKAGES.items()), _EPOCH)).encode()).hexdigest()[:16]
        bases = cls(cache / key)
        cache.mkdir(parents=True, exist_ok=True)
        with _alone(cache / "lock"):
            if not bases.folder.is_dir():
                _make(bases.folder)
        return bases


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(folder: Path) -> None:
    """Make them beside where they belong, and move them there when they are complete."""
    program = found("mmdebstrap")
    with tempfile.TemporaryDirectory(dir=folder.parent) as beside:
        new = Path(beside, "new")
        new.mkdir()
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda name: _unpack(program, new, name), PACKAGES))
        new.rename(folder)


def _unpack(program: str, folder: Path, name: str) -> None:
    packages = ",".join(PACKAGES[name])
    command = [program, "--quiet", "--variant=extract", f"--include={packages}", SUITE, str(folder / f"{name}.tar")]
    environment = os.environ | {"SOURCE_DATE_EPOCH": _EPOCH}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - found
    if done.returncode != 0:
        raise NotInstallable(f"mmdebstrap could not get Debian's packages: {done.stderr[-2000:]}")
