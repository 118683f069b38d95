"""Environments for peers, made once each, with the versions that ``peers.toml`` pins."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

__all__ = ["ROOT", "EnvironmentFailed", "python_of"]

ROOT = Path(__file__).parents[1]
"""The repository: workers run here, so that they find this package."""
_TIMEOUT_SECONDS = 1800


class EnvironmentFailed(Exception):
    """A peer cannot be installed; the text says what pip said last."""


def python_of(environment: str | None, *, install: bool = True) -> Path:
    """The interpreter of a peer's environment; of this process's own where it is ``None``.

    Without ``install`` it is this process's own too, unless the peer's was made before: nothing is made, and what is
    missing here is found out when it is imported.

    Raises:
        EnvironmentFailed: it cannot be made.
    """
    here = Path(sys.executable)
    if environment is None:
        return here
    requirements: list[str] = tomllib.loads(Path(__file__).with_name("peers.toml").read_text("utf-8"))[environment]
    # Another Python or other requirements are another environment.
    digest = hashlib.sha256("\n".join([sys.version, *requirements]).encode()).hexdigest()[:12]
    folder = ROOT / "build" / "benchmarks" / "environments" / f"{environment}-{digest}"
    python, stamp = folder / "bin" / "python", folder / "complete"
    if stamp.exists():
        return python
    if not install:
        return here
    print(f"making an environment with {' '.join(requirements)}", file=sys.stderr)
    try:
        _run(sys.executable, "-m", "venv", "--clear", str(folder))
        _run(str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *requirements)
    except EnvironmentFailed:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    stamp.touch()
    return python


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentFailed(str(error)) from error
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines()
        raise EnvironmentFailed(said[-1] if said else f"{' '.join(command)} ended with {done.returncode}")
