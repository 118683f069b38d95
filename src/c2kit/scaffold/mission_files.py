"""The files of a mission that go into its images: the script, its own modules, its dictionary, whatever it reads."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import field, frozen

from c2kit.errors import UsageError
from c2kit.scaffold.containers import SCRIPT
from c2kit.scaffold.lock import hash_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["MissionFiles", "put_by_hand"]


@frozen(kw_only=True)
class MissionFiles:
    """What a script needs where it runs, itself included.

    Where only the mission's description is known, they are the user's to put there.
    """

    files: Mapping[str, bytes] = field(factory=dict, repr=False)
    """By their paths, relative to the script's folder, sorted."""
    by_hand: Mapping[str, bytes] = field(factory=dict, repr=False)
    """Those that the user put there, likewise: images are made of them, and nothing writes them."""
    distributions: tuple[str, ...] = ()
    """Projects that it imports, which were installed here, and which images need, too."""
    outside: tuple[str, ...] = ()
    """What it reads that is neither in its folder nor installed: no image has it, and somebody should be told."""

    @classmethod
    def of(cls, script: Path, *, also: Iterable[str] = ()) -> MissionFiles:
        """Run a script in a process of its own, and see what it reads.

        What it reads later, once the mission runs, nobody sees: ``also`` names it, files or whole folders, relative to
        the script's folder.

        Raises:
            UsageError: the script fails; there is no such file in its folder; a file has the script's name in images.
        """
        script = script.resolve()
        named = {name for each in also for name in _named(script.parent, each)}
        report = _report(script)
        paths = {name: script.parent / name for name in {*report["files"], *named}}
        if SCRIPT in paths and script.name != SCRIPT:
            raise UsageError(
                f"the file {SCRIPT}, which {script.name} reads",
                expected="another name: this is what the script itself is called in images",
                remedy="rename it",
            )
        paths[SCRIPT] = paths.pop(script.name)
        return cls(
            files={name: paths[name].read_bytes() for name in sorted(paths)},
            distributions=tuple(report["distributions"]),
            outside=tuple(report["outside"]),
        )

    @property
    def is_complete(self) -> bool:
        """Whether there is a script."""
        return SCRIPT in self.files or SCRIPT in self.by_hand


def put_by_hand(folder: Path, generated: Mapping[str, str]) -> dict[str, bytes]:
    """What a user put into the folder of images, by path: all but what is as it was generated, by the hashes of that.

    What was generated is made anew or removed; builders copy all else. Raises UsageError for a link, which they copy
    as one, so that it leads nowhere in the image.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            raise UsageError(f"{path}, which images are made of", found="a link", remedy="put a copy there")
        if path.is_file():
            name, content = path.relative_to(folder).as_posix(), path.read_bytes()
            if generated.get(name) != hash_of(content):
                found[name] = content
    return found


def _report(script: Path) -> dict[str, list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        command = [sys.executable, "-m", f"{__package__}.reading", str(script), str(report)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - it is ourselves
        if done.returncode != 0:
            raise UsageError(
                f"the script {script}",
                expected="to compose the mission once more, in a process of its own",
                found=(done.stderr.strip().splitlines() or ["an end without a word"])[-1],
            )
        found: dict[str, list[str]] = json.loads(report.read_text(encoding="utf-8"))
        return found


def _named(folder: Path, name: str) -> Iterator[str]:
    """The files that a name stands for."""
    path = folder / name
    if Path(name).is_absolute() or ".." in Path(name).parts or not path.exists():
        raise UsageError(
            "a file of the mission",
            expected=f"a file or folder below {folder}, by its path from there",
            found=repr(name),
        )
    for file in path.rglob("*") if path.is_dir() else [path]:
        if file.is_file() and "__pycache__" not in file.parts:
            yield file.relative_to(folder).as_posix()
