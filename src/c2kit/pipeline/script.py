"""Mission scripts: Python files that compose one mission."""

from __future__ import annotations

import contextlib
import runpy
import sys
from pathlib import Path

from c2kit.errors import UsageError
from c2kit.pipeline.mission import Mission

__all__ = ["load_mission"]


def load_mission(script: str | Path) -> Mission:
    """Run a script and give the mission that it composes.

    The script runs as if it were imported: what it guards by ``if __name__ == "__main__"`` does not run. It runs in its
    own folder, so that the dictionary and the modules beside it are found from wherever it is started; what the mission
    opens later (its bus, its logs) is relative to where the program runs. What the script raises goes through.

    Raises:
        UsageError: it composes no mission, or several.
    """
    path = Path(script).resolve()
    sys.path.insert(0, str(path.parent))
    try:
        with contextlib.chdir(path.parent):
            names = runpy.run_path(str(path), run_name=path.stem)
    finally:
        sys.path.remove(str(path.parent))
    missions = {id(value): value for value in names.values() if isinstance(value, Mission)}
    if len(missions) != 1:
        raise UsageError(
            f"the script {script}",
            expected="one Mission among its names",
            found="none" if not missions else ", ".join(mission.name for mission in missions.values()),
            remedy='compose it at the top level, such as mission = Mission("firefly", ...)',
        )
    return next(iter(missions.values()))
