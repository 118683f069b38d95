"""The real tools of Kubernetes for tests: visible by their absence, or a failure where they must be there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from dev.k8s import NotBuildable, Tool
from dev.k8s.checkers import checker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["definitions", "require", "require_checker", "require_program"]


def require(*tools: Tool) -> list[Path]:
    """The programs. Skips the test, or fails it where C2KIT_REQUIRE_K8S=1."""
    return [_had(tool.path) for tool in tools]


def require_checker(name: str, pins: str = "checkers.txt") -> Path:
    """A checker of manifests; as :func:`require`."""
    return _had(lambda: checker(name, pins))


def require_program(name: str, package: str) -> Path:
    """A program that somebody else packs; as :func:`require`."""
    return _had(lambda: _on_the_path(name, package))


def _on_the_path(name: str, package: str) -> Path:
    found = shutil.which(name)
    if found is None:
        raise NotBuildable(f"there is no {name} on the path: install {package}")
    return Path(found)


def _had(get: Callable[[], Path]) -> Path:
    try:
        return get()
    except NotBuildable as error:
        if os.environ.get("C2KIT_REQUIRE_K8S") == "1":
            pytest.fail(f"C2KIT_REQUIRE_K8S=1 says that this test must run, but {error}")
        pytest.skip(f"this test needs tools of Kubernetes, and {error}")


def definitions() -> Iterable[dict[str, Any]]:
    """Those of Istio, Strimzi, KEDA and others, from C2KIT_CRDS. Skips or fails as :func:`require` does."""
    folder = os.environ.get("C2KIT_CRDS")
    if not folder:
        if os.environ.get("C2KIT_REQUIRE_K8S") == "1":
            pytest.fail("C2KIT_REQUIRE_K8S=1 says that this test must run, but C2KIT_CRDS is not set")
        pytest.skip("this test needs C2KIT_CRDS, a folder with the definitions of custom resources")
    for path in sorted(Path(folder).glob("*.yaml")):
        yield from (each for each in yaml.load_all(path.read_text(), yaml.CSafeLoader) if each)
