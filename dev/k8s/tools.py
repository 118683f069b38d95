"""The tools, each built once from the versions that are pinned beside this file."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from enum import Enum, unique
from pathlib import Path

__all__ = ["NotBuildable", "Tool"]

_PINS = Path(__file__).parent / "modules"


class NotBuildable(Exception):
    """The tool is not there, and what it takes to build it is not here either."""


@unique
class Tool(Enum):
    """A tool: the folder of its pins, its name, and its package."""

    ETCD = ("etcd", "etcd", "go.etcd.io/etcd/server/v3")
    API_SERVER = ("k8s", "kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver")
    KUSTOMIZE = ("kustomize", "kustomize", "sigs.k8s.io/kustomize/kustomize/v5")
    KUBE_LINTER = ("kubelinter", "kube-linter", "golang.stackrox.io/kube-linter/cmd/kube-linter")
    ISTIOCTL = ("istio", "istioctl", "istio.io/istio/istioctl/cmd/istioctl")

    def path(self) -> Path:
        """Where the program is, built now where it is missing. Raises NotBuildable."""
        folder, name, package = self.value
        pins = _PINS / folder
        key = hashlib.sha256((pins / "go.mod").read_bytes() + (pins / "go.sum").read_bytes()).hexdigest()[:16]
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "c2kit" / "k8s"
        program = cache / f"{folder}-{key}" / name
        if not program.exists():
            program.parent.mkdir(parents=True, exist_ok=True)
            with (cache / "lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)  # building takes all cores: one after the other
                if not program.exists():
                    _build(pins, package, program)
        return program


def _build(pins: Path, package: str, program: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise NotBuildable(f"there is no go on the path, which builds {program.name}: install Go 1.26 or later")
    part = program.with_suffix(".part")
    command = [go, "build", "-C", str(pins), "-mod=readonly", "-trimpath", "-o", str(part), package]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - go, and our pins
    if done.returncode != 0:
        raise NotBuildable(f"{program.name} could not be built: {done.stderr[-2000:]}")
    part.rename(program)
