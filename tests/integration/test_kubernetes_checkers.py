"""What others check of manifests: each of their checkers is content, but for what is accepted with its reason."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from c2kit.scaffold.manifests import base_files, component_files, overlay_files
from c2kit.scaffold.rendering import Templates
from c2kit.scaffold.settings import Mesh
from dev.k8s import Tool
from tests.kubernetes import require, require_checker
from tests.scaffolding import planned_everything, planned_example

if TYPE_CHECKING:
    from c2kit.scaffold.plan import Plan

ACCEPTED: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "dev/k8s/accepted.yaml").read_text())
PLANS = {
    "everything": planned_everything,
    "without a mesh": lambda: planned_everything(Mesh.NONE),
    "example": planned_example,
}
pytestmark = pytest.mark.slow


def write(plan: Plan, folder: Path) -> Path:
    templates = Templates()
    components = component_files(plan, {}, templates)
    files = {f"base/{path}": text for path, text in base_files(plan, templates).items()}
    for path, text in {**files, **components, **overlay_files(components, templates)}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


@pytest.fixture(params=list(PLANS.values()), ids=list(PLANS))
def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder with all manifests of a plan."""
    return write(request.param(), tmp_path)


def run(*command: str | Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
    )


def built(deployment: Path, what: str) -> Path:
    """All manifests in one file, as ``kubectl apply -k`` takes them."""
    (kustomize,) = require(Tool.KUSTOMIZE)
    done = run(kustomize, "build", deployment / what)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    file = deployment / "built.yaml"
    file.write_text(done.stdout)
    return file


def test_kustomize_builds_the_base_and_the_local_overlay(deployment: Path) -> None:
    bases = yaml.safe_load_all(built(deployment, "base").read_text())
    written = [
        each
        for path in (deployment / "base").rglob("*.yaml")
        if path.name != "kustomization.yaml"
        for each in yaml.safe_load_all(path.read_text())
    ]
    assert len(list(bases)) == len(written), "each file is named, and each object comes out once"
    if (deployment / "overlays/local").is_dir():
        built(deployment, "overlays/local")


def test_kube_linter_is_content(deployment: Path) -> None:
    (linter,) = require(Tool.KUBE_LINTER)
    accepted = [word for name in ACCEPTED["kube-linter"] for word in ("--exclude", name)]
    done = run(linter, "lint", "--add-all-built-in", "--format=json", *accepted, built(deployment, "base"))
    reports = json.loads(done.stdout)["Reports"] or []
    assert [f"{each['Check']}: {each['Diagnostic']['Message']}" for each in reports] == []


def test_istioctl_is_content(deployment: Path) -> None:
    (istioctl,) = require(Tool.ISTIOCTL)
    file = built(deployment, "base")
    done = run(istioctl, "analyze", "-A", "--use-kube=false", file)
    assert (done.returncode, "No validation issues" in done.stderr + done.stdout) == (0, True), (
        done.stdout + done.stderr
    )


def test_istioctl_would_tell_what_is_wrong(tmp_path: Path) -> None:
    """The control."""
    (istioctl,) = require(Tool.ISTIOCTL)
    file = built(write(planned_everything(), tmp_path), "base")
    file.write_text(file.read_text().replace("- 192.0.2.10/32\n", "- 192.0.2.10/33\n", 1))
    assert run(istioctl, "analyze", "-A", "--use-kube=false", file).returncode != 0


def test_checkov_is_content(tmp_path: Path) -> None:
    checkov = require_checker("checkov")
    deployment = write(planned_everything(), tmp_path)  # it takes its time: the one plan that has everything
    done = run(
        checkov,
        *("-d", deployment / "base", "--framework", "kubernetes", "--skip-download", "-o", "json"),
        *("--skip-check", ",".join(ACCEPTED["checkov"])),
    )
    told = json.loads(done.stdout)
    assert told["summary"]["passed"] > 100
    assert [f"{each['check_id']}: {each['resource']}" for each in told["results"]["failed_checks"]] == []


def test_yamllint_is_content(deployment: Path) -> None:
    yamllint = require_checker("yamllint")
    done = run(yamllint, "--strict", "-d", yaml.safe_dump(ACCEPTED["yamllint"]), deployment)
    assert (done.returncode, done.stdout) == (0, "")
