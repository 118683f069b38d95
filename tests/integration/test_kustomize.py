"""kustomize puts the overlays together; production fails, by name, as long as something is missing."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

from c2kit.scaffold.manifests import base_files, component_files, overlay_files
from c2kit.scaffold.rendering import Templates
from c2kit.scaffold.settings import LinkSettings, Mesh, Settings
from dev.k8s import Tool
from tests.kubernetes import require
from tests.scaffolding import planned, planned_everything, planned_example

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from c2kit.scaffold.plan import Plan


def written(folder: Path, plan: Plan, digests: Mapping[str, str]) -> Path:
    """The files of a plan that kustomize reads."""
    templates = Templates()
    components = component_files(plan, digests, templates)
    base = {f"base/{path}": text for path, text in base_files(plan, templates).items()}
    for path, text in {**base, **components, **overlay_files(components, templates)}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    (kustomize,) = require(Tool.KUSTOMIZE)
    return subprocess.run([kustomize, "build", folder], check=False, capture_output=True, text=True)


def built(folder: Path) -> list[dict[str, Any]]:
    done = build(folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "it warns of nothing"
    return list(yaml.load_all(done.stdout, yaml.CSafeLoader))


def environment(objects: list[dict[str, Any]], name: str) -> dict[str, str]:
    (only,) = (each for each in objects if each["kind"] == "StatefulSet" and each["metadata"]["name"] == name)
    (container,) = only["spec"]["template"]["spec"]["containers"]
    return {each["name"]: each.get("value", "") for each in container["env"]}


def hosts(objects: list[dict[str, Any]], name: str) -> list[str]:
    (only,) = (each for each in objects if each["kind"] == "Sidecar" and each["metadata"]["name"] == name)
    told: list[str] = only["spec"]["egress"][0]["hosts"]
    return told


@pytest.mark.slow
def test_the_local_overlay_leads_the_interface_to_its_satellite(tmp_path: Path) -> None:
    objects = built(written(tmp_path, planned_example(), {}) / "overlays/local")
    told = environment(objects, "fep")
    assert told["C2KIT_LINK_FEP"] == "fep-satellite.firefly.svc:7011"
    assert told["C2KIT_BUS"].startswith("kafka:"), "the rest is still there"
    assert "./fep-satellite.firefly.svc.cluster.local" in hosts(objects, "fep")
    assert len(hosts(objects, "fep")) > 1
    names = {(each["kind"], each["metadata"]["name"]) for each in objects}
    assert ("Deployment", "fep-satellite") in names
    assert len(names) == len(objects)


@pytest.mark.slow
@pytest.mark.parametrize("mesh", list(Mesh))
def test_a_mission_with_everything_is_put_together(tmp_path: Path, mesh: Mesh) -> None:
    plan = planned_everything(mesh)
    objects = built(written(tmp_path, plan, {}) / "overlays/local")
    sets = {each["metadata"]["name"] for each in objects if each["kind"] == "StatefulSet"}
    assert sets == {*(workload.label for workload in plan.workloads), "observer", "command-source"}


@pytest.mark.slow
def test_production_is_refused_by_the_name_of_what_is_missing_and_then_runs_what_was_pinned(tmp_path: Path) -> None:
    plan = planned_example()
    refused = build(written(tmp_path / "early", plan, {}) / "overlays/production")
    assert refused.returncode != 0
    assert "set-links.antenna.cidrs-in-settings.yaml" in refused.stderr
    links = {"fep": LinkSettings(address="192.0.2.7:7011"), "antenna": LinkSettings(cidrs=("192.0.2.0/24",))}
    settings = Settings(namespace="firefly", registry="registry.example.com:5000/firefly", links=links)
    plan = planned(plan.description, settings)
    digests = {each.image: f"sha256:{number:064x}" for number, each in enumerate(plan.workloads)}
    overlay = written(tmp_path / "late", plan, digests) / "overlays/production"
    wanted = overlay / "kustomization.yaml"
    wanted.write_text(wanted.read_text().replace("  # - ../../components/console", "  - ../../components/console"))
    objects = built(overlay)
    assert "observer" in {each["metadata"]["name"] for each in objects if each["kind"] == "StatefulSet"}
    used = {
        container["image"]
        for each in objects
        if each["kind"] in {"StatefulSet", "Job"}
        for container in each["spec"]["template"]["spec"]["containers"]
    }
    assert used == {f"{image.rpartition(':')[0]}@{digest}" for image, digest in digests.items()}
