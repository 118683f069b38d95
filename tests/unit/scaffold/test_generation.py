"""A whole deployment: the same input gives the same bytes, and whatever is wrong is told before anything is written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml

from c2kit.errors import DefinitionError
from c2kit.scaffold.documents import objects_in
from c2kit.scaffold.generation import Deployment, Inputs, generate
from c2kit.scaffold.images import ImageSources
from c2kit.scaffold.mission_files import MissionFiles
from c2kit.scaffold.rendering import Templates
from c2kit.scaffold.settings import Settings
from c2kit.scaffold.wheels import Wheels
from tests.scaffolding import everything, everything_settings, planned_example, with_stages

if TYPE_CHECKING:
    from pathlib import Path

    from c2kit.pipeline.composition.description import MissionDescription


def deployment(description: MissionDescription, told: Settings, digests: str = "", folder: str = "") -> Deployment:
    sources = ImageSources(
        settings=told, mission=MissionFiles(), wheels=Wheels(folder or "wheels", ()), templates=Templates()
    )
    return generate(
        Inputs(
            description=description,
            sources=sources,
            settings_text="mesh: sidecar\n",
            digests_file="# none\n",
            digests_text=digests,
        )
    )


def of_example() -> Deployment:
    return deployment(planned_example().description, Settings(namespace="firefly", registry="localhost/firefly"))


def test_the_same_input_gives_the_same_bytes() -> None:
    assert of_example().tree == of_example().tree


def test_partitions_are_those_of_the_topics_as_the_cluster_is_told() -> None:
    tree = of_example().tree
    objects = objects_in(tree.files["base/topics.yaml"].decode(), "topics")
    assert tree.partitions == {each["spec"]["topicName"]: each["spec"]["partitions"] for each in objects}


def test_a_deployment_has_all_that_people_and_clusters_need() -> None:
    tree = of_example().tree
    assert set(tree.once) == {
        "settings.yaml",
        "digests.txt",
        "overlays/local/kustomization.yaml",
        "overlays/production/kustomization.yaml",
    }
    for name in ("README.md", "permissions.md", "compose.yaml", "base/kustomization.yaml", "images/decom/Dockerfile"):
        assert name in tree.files
    assert yaml.safe_load(tree.files["monitoring/alerts.yaml"])["groups"]
    assert json.loads(tree.files["monitoring/dashboard.json"])["panels"]


def test_everything_that_a_mission_can_have_is_deployed() -> None:
    made = deployment(everything(), everything_settings())
    assert len(made.images) == len(made.plan.workloads)
    readme = made.tree.files["README.md"].decode()
    for workload in made.plan.workloads:
        assert workload.stage.name in readme
    assert "a device plugin that offers example.com/tty" in readme
    assert "the claim recordings" in readme
    assert "KEDA" in readme


def test_two_commands_build_and_push_every_image() -> None:
    made = of_example()
    readme = made.tree.files["README.md"].decode()
    assert "docker compose -f ./compose.yaml build\n" in readme
    assert "docker compose -f ./compose.yaml push\n" in readme
    services = yaml.safe_load(made.tree.files["compose.yaml"])["services"].values()
    assert {each["image"] for each in services if "build" in each} == {image.reference for image in made.images}


def test_no_image_is_built_from_something_else_than_its_manifest_says() -> None:
    made = of_example()
    references = {image.reference for image in made.images}
    texts = [data.decode() for path, data in made.tree.files.items() if path.startswith("base/stages/")]
    used = {
        container["image"]
        for text in texts
        for each in objects_in(text, "stage")
        if each["kind"] == "StatefulSet"
        for container in each["spec"]["template"]["spec"]["containers"]
    }
    assert used == references


def test_a_line_of_digests_that_cannot_be_is_told_with_its_file() -> None:
    with pytest.raises(DefinitionError, match=r"digests\.txt:1: no digest of an image"):
        deployment(planned_example().description, Settings(namespace="a", registry="r"), digests="nonsense\n")


def test_two_hundred_stages_are_a_deployment_too(tmp_path: Path) -> None:
    told = Settings(namespace="many", registry="localhost/many")
    made = deployment(with_stages(200).describe(), told, folder=str(tmp_path))
    stages = [path for path in made.tree.files if path.startswith("base/stages/")]
    assert len(stages) == 200
