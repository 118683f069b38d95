"""Environments for peers, made once each from a file of pinned requirements."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

__all__ = ["ROOT", "EnvironmentFailed", "python_of"]

ROOT = Path(__file__).parents[1]
"""The repository: workers run here, so that they find this package."""


class EnvironmentFailed(Exception):
    """The peers cannot be installed; the text says what pip said."""


def python_of(requirements: str | None) -> Path:
    """The interpreter of the environment with these requirements; of this process's own where there are none.

    Raises:
        EnvironmentFailed: they cannot be installed.
    """
    if requirements is None:
        return Path(sys.executable)
    file = Path(__file__).with_name(requirements)
    # Another Python or other requirements are another environment.
    digest = hashlib.sha256(sys.version.encode() + file.read_bytes()).hexdigest()[:12]
    folder = ROOT / "build" / "benchmarks" / f"peers-{digest}"
    python, stamp = folder / "bin" / "python", folder / "complete"
    if not stamp.exists():
        print(f"making an environment for the peers of benchmarks/{requirements}", file=sys.stderr)
        _run(sys.executable, "-m", "venv", "--clear", str(folder))
        _run(str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--requirement", str(file))
        stamp.touch()
    return python


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EnvironmentFailed(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
