"""Mission scripts: Python files that compose one mission."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from c2kit.errors import UsageError
from c2kit.pipeline.mission import Mission

__all__ = ["load_mission"]


def load_mission(script: str | Path) -> Mission:
    """Run a script and give the mission that it composes.

    The script runs as if it were imported: what it guards by ``if __name__ == "__main__"`` does not run. Modules beside
    it can be imported, as when it is run by hand. What it raises goes through.

    Raises:
        UsageError: it composes no mission, or several.
    """
    path = Path(script)
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        names = runpy.run_path(str(path), run_name=path.stem)
    finally:
        sys.path.pop(0)
    missions = {id(value): value for value in names.values() if isinstance(value, Mission)}
    if len(missions) != 1:
        raise UsageError(
            f"the script {path}",
            expected="one Mission among its names",
            found="none" if not missions else ", ".join(mission.name for mission in missions.values()),
            remedy='compose it at the top level, such as mission = Mission("firefly", ...)',
        )
    return next(iter(missions.values()))
