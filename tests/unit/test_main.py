"""`python -m c2kit` is the command line, as a container starts it."""

import subprocess
import sys
from importlib import metadata
from pathlib import Path

AS_FIRST = "import os, runpy; os.getpid = lambda: 1; runpy.run_module('c2kit', run_name='__main__', alter_sys=True)"


def test_the_package_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "c2kit", "--version"]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    assert run.stdout.startswith(f"c2kit {metadata.version('c2kit')}\n")


def test_the_first_process_of_a_container_can_be_stopped_before_its_mission_runs(tmp_path: Path) -> None:
    """The system ignores for it what would end others, so that a handler must be there from the beginning."""
    script = tmp_path / "mission.py"
    script.write_text("import os, signal\nsignal.raise_signal(signal.SIGTERM)\n")
    run = subprocess.run([sys.executable, "-c", AS_FIRST, "run", str(script)], check=False, capture_output=True)
    assert run.returncode == 128 + 15
