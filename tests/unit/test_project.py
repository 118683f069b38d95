"""The project's own files agree with each other: make, CI, contracts and metadata."""

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml

import c2kit

ROOT = Path(__file__).parents[2]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))

# How a distribution's import name differs from its own, where it does.
IMPORT_NAMES = {"pyserial": "serial", "pyyaml": "yaml"}
IMPORTED_ANYWHERE = {"attrs", "numpy"}


def explained_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))


def contracts() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = PYPROJECT["tool"]["importlinter"]["contracts"]
    return found


def test_make_help_lists_every_explained_target() -> None:
    shown = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S607
    assert set(re.findall(r"^  make ([a-z-]+) +\S", shown, re.MULTILINE)) == explained_targets()


def test_every_target_that_is_not_a_file_is_explained() -> None:
    assert set(re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)) == explained_targets()


def test_ci_runs_the_two_commands_of_the_readme_and_nothing_else() -> None:
    commands = re.findall(r"^make .+$", (ROOT / ".ci/run").read_text(encoding="utf-8"), re.MULTILINE)
    assert commands == ["make test", "make demo"]
    assert set(re.findall(r"^    (make \S+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)) == set(
        commands
    )


def test_the_workflow_runs_what_anybody_can_run() -> None:
    steps = [step["run"] for job in WORKFLOW["jobs"].values() for step in job["steps"] if "run" in step]
    assert steps == ["bash .ci/run"]
    assert os.access(ROOT / ".ci/run", os.X_OK)


def test_the_workflow_tries_every_python_that_the_metadata_names() -> None:
    named = {
        classifier.rpartition(" ")[2]
        for classifier in PYPROJECT["project"]["classifiers"]
        if re.fullmatch(r"Programming Language :: Python :: 3\.\d+", classifier)
    }
    assert set(WORKFLOW["jobs"]["test"]["strategy"]["matrix"]["python"]) == named


def test_every_module_of_the_package_has_its_layer() -> None:
    layers = next(contract for contract in contracts() if contract["type"] == "layers")
    assert layers["exhaustive"], "a module without a layer must break the lint"
    named = set(re.findall(r"\w+", " ".join(layers["layers"])))
    modules = {
        path.stem for path in (ROOT / "src/c2kit").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert modules - {"__init__"} <= named


def test_every_dependency_has_a_contract_that_says_where_it_is_imported() -> None:
    extras = PYPROJECT["project"]["optional-dependencies"]
    declared = [*PYPROJECT["project"]["dependencies"]]
    for extra in extras.keys() - {"dev", "docs", "test"}:
        declared += extras[extra]
    distributions = {re.split(r"[^\w-]", requirement)[0] for requirement in declared}
    modules = {IMPORT_NAMES.get(name, name.replace("-", "_")) for name in distributions - IMPORTED_ANYWHERE}
    pinned = {module for contract in contracts() for module in contract.get("forbidden_modules", ())}
    assert modules <= pinned


def test_every_ignored_rule_says_why() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lint = re.search(r"^\[tool\.ruff\.lint\]$.*?^\[tool\.ruff\.format\]$", text, re.MULTILINE | re.DOTALL)
    assert lint is not None
    ignored = re.findall(r'^    "[A-Z]+\d*",.*$', lint.group(), re.MULTILINE)
    assert ignored
    assert [line for line in ignored if not re.search(r"# \w+", line)] == []


def test_every_changelog_fragment_is_of_a_type_that_the_changelog_shows() -> None:
    types = {kind["directory"] for kind in PYPROJECT["tool"]["towncrier"]["type"]}
    fragments = {path.name for path in (ROOT / "changelog.d").iterdir()} - {"README.md"}
    assert [name for name in fragments if not re.fullmatch(rf"(\d+|\+[\w-]+)\.({'|'.join(types)})\.md", name)] == []


def test_the_version_is_the_installed_one() -> None:
    assert c2kit.__version__ == metadata.version("c2kit") == PYPROJECT["project"]["version"]


def test_the_package_has_no_other_lazy_attribute() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = c2kit.no_such_name  # type: ignore[attr-defined]


def test_importing_the_package_loads_no_heavy_library() -> None:
    heavy = {"click", "nanoarrow", "numpy", "pyarrow", "rich", "yaml"}
    script = f"import sys, c2kit; print(*{heavy} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert run.stdout.split() == []


def test_the_package_carries_its_marker_of_types() -> None:
    spec = importlib.util.find_spec("c2kit")
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).with_name("py.typed").is_file()


@pytest.mark.skipif(
    os.environ.get("C2KIT_TEST_ENV") != ".venv-wheel", reason="only `make test` runs the tests on the installed wheel"
)
def test_what_is_tested_is_the_wheel_and_not_the_source_tree() -> None:
    assert Path(c2kit.__file__).is_relative_to(ROOT / ".venv-wheel")
