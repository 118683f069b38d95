"""Podman and buildah with settings and a store of their own, which are gone in the end."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

__all__ = ["NotInstallable", "Podman", "found", "quick_folder"]

_SETTINGS = """\
[containers]
log_driver = "k8s-file"
default_ulimits = []  # those that it would raise are not ours to raise in a container
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"  # there need be no systemd
events_logger = "none"
[network]
network_backend = "netavark"
network_config_dir = "{folder}/networks"
"""
_STORE = """\
[storage]
driver = "overlay"
graphroot = "{folder}/store"
runroot = "{folder}/run"
"""


_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made there
_STORE_BYTES = 4_000_000_000


class NotInstallable(Exception):
    """There are no containers on this machine, and what it takes to run them is not here either."""


def found(program: str) -> str:
    """Where a program is. Raises NotInstallable."""
    path = shutil.which(program)
    if path is None:
        raise NotInstallable(f"there is no {program} on the path: apt-get install {program}")
    return path


def quick_folder(otherwise: Path) -> Path:
    """A new folder in memory, if that has room for a store; else the other one. A disk takes twice as long."""
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _STORE_BYTES:
        return Path(tempfile.mkdtemp(prefix="c2kit-images-", dir=_MEMORY))
    return otherwise


@frozen
class Podman:
    """Containers and images, in a folder. Closing it removes all of them.

    Raises NotInstallable where a program is missing, or who runs this is not root.
    """

    folder: Path
    environment: Mapping[str, str] = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        """Write the settings."""
        for program in ("podman", "buildah", "runc"):
            found(program)
        if os.geteuid() != 0:
            raise NotInstallable("who runs this is not root")
        told = {"CONTAINERS_CONF": _SETTINGS, "CONTAINERS_STORAGE_CONF": _STORE}
        (self.folder / "networks").mkdir(parents=True, exist_ok=True)
        for variable, text in told.items():
            (self.folder / variable).write_text(text.format(folder=self.folder), encoding="utf-8")
        environment = os.environ | {variable: str(self.folder / variable) for variable in told}
        object.__setattr__(self, "environment", environment)

    def __call__(self, *words: object, program: str = "podman", check: bool = True) -> str:
        """What a command prints to stdout. Raises RuntimeError with what it printed to stderr, if it fails."""
        command = [program, *map(str, words)]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)  # noqa: S603
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr[-4000:]}{done.stdout[-4000:]}")
        return done.stdout.strip()

    def add(self, archive: Path, name: str) -> str:
        """An image of the files in an archive, the same each time. Gives its digest."""
        dockerfile = self.folder / "Dockerfile"
        dockerfile.write_text(f"FROM scratch\nADD {archive.name} /\n", encoding="utf-8")
        return self.build(dockerfile, archive.parent, name)

    def build(self, dockerfile: Path, context: Path, name: str) -> str:
        """Build an image with no network. Gives its digest."""
        options = ("--format=oci", "--network=none", "--timestamp=0", "--pull=never", "--layers", "--quiet")
        self("build", *options, "-f", dockerfile, "-t", name, context, program="buildah")
        return self("image", "inspect", "--format={{.Digest}}", name)

    def close(self) -> None:
        """Remove everything; a second time does nothing."""
        if (self.folder / "store").exists():
            self("rm", "--all", "--force", "--time=0", check=False)
            self("network", "prune", "--force", check=False)
        for mounted in reversed(self._mounted()):
            subprocess.run(["umount", "--lazy", mounted], check=False)  # noqa: S603, S607 - of util-linux
        shutil.rmtree(self.folder, ignore_errors=True)

    def _mounted(self) -> list[str]:
        """What of the folder is a file system of its own, the outermost first."""
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
        points = (line.split()[1] for line in mounts)
        return sorted(point for point in points if Path(point).is_relative_to(self.folder))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
