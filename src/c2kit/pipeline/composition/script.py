"""Mission scripts: Python files that compose one mission."""

from __future__ import annotations

import contextlib
import runpy
import sys
import traceback
from pathlib import Path

from c2kit.errors import C2kitError, UsageError
from c2kit.pipeline.composition.mission import Mission

__all__ = ["load_mission"]


def load_mission(script: str | Path) -> Mission:
    """Run a script and give the mission that it composes.

    The script runs as if it were imported: what it guards by ``if __name__ == "__main__"`` does not run. It runs in its
    own folder, so that the dictionary and the modules beside it are found from wherever it is started; what the mission
    opens later (its bus, its logs) is relative to where the program runs. What c2kit raises in it goes through.

    Raises:
        UsageError: it composes no mission, or several; it fails, or wants to exit.
    """
    path = Path(script).resolve()
    sys.path.insert(0, str(path.parent))
    try:
        with contextlib.chdir(path.parent):
            names = runpy.run_path(str(path), run_name=path.stem)
    except C2kitError:
        raise
    except (Exception, SystemExit) as error:
        raise UsageError(_failure(script, path, error), remedy="run it by hand to see more") from error
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


def _failure(script: str | Path, path: Path, error: BaseException) -> str:
    """What went wrong in the script, and in which of its lines."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    if isinstance(error, SyntaxError) and error.lineno is not None:
        lines.append(error.lineno)
    place = f"{script}:{lines[-1]}" if lines else str(script)
    if isinstance(error, SystemExit):
        return f"{place}: the script exits instead of composing a mission"
    return f"{place}: the script fails: {type(error).__name__}: {error}"
