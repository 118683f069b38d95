"""`python -m c2kit` is the command line, as a container starts it."""

import subprocess
import sys
from importlib import metadata


def test_the_package_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "c2kit", "--version"]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    assert run.stdout.startswith(f"c2kit {metadata.version('c2kit')}\n")
