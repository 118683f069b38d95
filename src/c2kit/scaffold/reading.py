"""``python -m c2kit.scaffold.reading SCRIPT REPORT``: what a mission's script reads, found by letting it.

It runs in a process of its own: an audit hook cannot be taken away again, and which modules were imported can be told
only where none was before.
"""

from __future__ import annotations

import ast
import json
import os
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import TYPE_CHECKING

import c2kit
from c2kit.pipeline.composition.script import load_mission

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["report_of"]

_SYSTEM = ("/dev", "/etc", "/proc", "/sys", "/usr")
"""Where files are that belong to a machine, not to a mission."""


def report_of(script: Path) -> dict[str, list[str]]:
    """Run a script, and tell what it took to.

    ``files`` are those in or below the script's folder, relative to it: itself, what it opened, the modules that it
    imported, and the rest of their packages. ``distributions`` are the installed projects that these modules import,
    now or later. ``outside`` is whatever else was read, which is neither. All are sorted.

    Raises what :func:`~c2kit.pipeline.composition.script.load_mission` does.
    """
    script = script.resolve()
    folder = script.parent
    modules_before = set(sys.modules)
    opened: list[str] = []
    sys.addaudithook(_noting(opened))
    load_mission(script)
    data = {path for path in opened if not path.endswith((".py", ".pyc"))}
    imported = dict(_imported(sys.modules.keys() - modules_before))
    ours = [name for name, file in imported.items() if _is_below(file, folder)]
    read: set[str | Path] = {script, *data, *imported.values(), *_rest_of_packages(ours)}
    files = {path for path in map(Path, read) if path.is_file() and not _is_installed(path)}
    inside = {path for path in files if path.is_relative_to(folder)}
    sources = [path for path in inside if path.suffix == ".py"]
    return {
        "files": sorted(path.relative_to(folder).as_posix() for path in inside),
        "distributions": sorted(_distributions(sources)),
        "outside": sorted(str(path) for path in files - inside if not str(path).startswith(_SYSTEM)),
    }


def _noting(opened: list[str]) -> Callable[[str, tuple[object, ...]], None]:
    def note(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if isinstance(path, str | bytes | os.PathLike) and not _writes(flags):
                opened.append(os.path.abspath(os.fsdecode(path)))  # noqa: PTH100 - where links lie, not where they lead

    return note


def _writes(flags: object) -> bool:
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def _is_below(path: str, folder: Path) -> bool:
    return Path(path).is_relative_to(folder)


def _is_installed(path: Path) -> bool:
    """Whether it belongs to Python, to c2kit, or to something else that was installed."""
    roots = (Path(c2kit.__file__).parent, Path(sys.prefix), Path(sys.base_prefix))
    return "site-packages" in path.parts or any(path.is_relative_to(root) for root in roots)


def _imported(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The modules that have a file, and which."""
    for name in names:
        file = getattr(sys.modules[name], "__file__", None)
        if file is not None:
            yield name, file


def _rest_of_packages(modules: Iterable[str]) -> Iterator[Path]:
    """All modules of packages of which some were imported: others may be later."""
    for name in {module.partition(".")[0] for module in modules}:
        for folder in getattr(sys.modules[name], "__path__", ()):
            yield from Path(folder).rglob("*.py")


def _distributions(sources: Iterable[Path]) -> set[str]:
    """The installed projects whose modules are imported in these files, but for c2kit."""
    finder = _Imports()
    for source in sources:
        finder.visit(ast.parse(source.read_bytes(), str(source)))
    names = finder.names - sys.stdlib_module_names - {c2kit.__name__}
    known = packages_distributions() if names else {}
    return {distribution for name in names for distribution in known.get(name, [])}


class _Imports(ast.NodeVisitor):
    """Finds what is imported, also where that is done late; what only type checkers see is left out."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def visit_Import(self, node: ast.Import) -> None:
        self.names |= {alias.name.partition(".")[0] for alias in node.names}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.module is not None and node.level == 0:
            self.names.add(node.module.partition(".")[0])

    def visit_If(self, node: ast.If) -> None:
        if "TYPE_CHECKING" not in ast.unparse(node.test):
            self.generic_visit(node)


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(report_of(Path(sys.argv[1]))), encoding="utf-8")
