"""The reference of the scaffold tells of every file, every kind of object and every template, and of no other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from attrs import evolve

from c2kit.pipeline.composition.script import load_mission
from c2kit.scaffold.generation import Inputs, generate
from c2kit.scaffold.images import ImageSources
from c2kit.scaffold.mission_files import MissionFiles
from c2kit.scaffold.names import label
from c2kit.scaffold.rendering import FOLDER, Templates
from c2kit.scaffold.settings import ExternalKafka, KafkaKind, KafkaSettings, Settings
from c2kit.scaffold.wheels import Wheels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.pipeline.composition.description import MissionDescription

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/scaffold.md").read_text(encoding="utf-8")
SCRIPT = ROOT / "examples/04_mission.py"
OWNED = Settings(namespace="firefly", registry="localhost/firefly")
ELSEWHERE = ExternalKafka(bootstrap=("kafka.example.com:9093",), cidrs=("192.0.2.0/24",))
THEIRS = KafkaSettings(kind=KafkaKind.EXTERNAL, external=ELSEWHERE)
STRIMZIS = evolve(THEIRS, external=evolve(ELSEWHERE, cluster="theirs", namespace="kafka"))
ONLY_WITH_WHEELS = {"images/locks/", "images/wheels/"}
WRITTEN_LAST = ".c2kit/scaffold.lock"


def scaled(description: MissionDescription) -> MissionDescription:
    """The same with a stage whose number of replicas varies."""
    stages = tuple(
        evolve(stage, scale=evolve(stage.scale, max=2)) if stage.name == "decom" else stage
        for stage in description.stages
    )
    return evolve(description, stages=stages)


def generated(settings: Settings) -> dict[str, bytes]:
    """All files of the example mission, with one digest."""
    description = scaled(load_mission(SCRIPT).describe())
    sources = ImageSources(
        settings=settings,
        mission=MissionFiles.of(SCRIPT),
        wheels=Wheels("", ()),
        templates=Templates(),
    )
    inputs = Inputs(description=description, sources=sources, settings_text="", digests_file="", digests_text="")
    image = generate(inputs).images[0]
    tree = generate(evolve(inputs, digests_text=f"{image.reference}@sha256:{'0' * 64}")).tree
    return {**tree.files, **tree.once}


@pytest.fixture(scope="module")
def files() -> list[tuple[str, bytes]]:
    """Those of every kind of Kafka together."""
    kinds = (OWNED, evolve(OWNED, kafka=THEIRS), evolve(OWNED, kafka=STRIMZIS))
    return [file for settings in kinds for file in generated(settings).items()]


def first_column(heading: str) -> list[str]:
    section = re.split(rf"^## {heading}$", PAGE, flags=re.MULTILINE)[1].partition("\n## ")[0]
    return re.findall(r"^\| (.+?) \|", section, re.MULTILINE)


def described(heading: str) -> list[str]:
    return [cell.strip("`") for cell in first_column(heading) if cell.startswith("`")]


def pattern_of(file: str) -> str:
    names = "|".join(label(stage.name) for stage in load_mission(SCRIPT).describe().stages)
    pattern = re.escape(file).replace("STAGE", f"({names})").replace("INTERFACE", f"({names})")
    return pattern + ".+" if file.endswith("/") else pattern


def test_the_page_has_every_file_and_no_other(files: list[tuple[str, bytes]]) -> None:
    patterns = {file: re.compile(pattern_of(file)) for file in described("The folder")}
    untold = [name for name, _ in files if not any(pattern.fullmatch(name) for pattern in patterns.values())]
    assert untold == []
    unused = {file for file, pattern in patterns.items() if not any(pattern.fullmatch(name) for name, _ in files)}
    assert unused == {*ONLY_WITH_WHEELS, WRITTEN_LAST}


def kinds_in(files: list[tuple[str, bytes]], prefix: str) -> Iterator[str]:
    for name, content in files:
        if name.startswith(prefix) and not name.endswith("kustomization.yaml"):
            yield from (each["kind"] for each in yaml.safe_load_all(content))


def test_the_page_has_every_kind_of_object(files: list[tuple[str, bytes]]) -> None:
    told = {kind for cell in first_column("The objects") for kind in cell.split(", ")} - {"object", "---"}
    in_tables = {kind for kind in kinds_in(files, "base/") if kind not in ("Job", "TriggerAuthentication")}
    assert told == in_tables
    assert re.search(r"a Job .* a\s+TriggerAuthentication", PAGE, re.DOTALL)


def test_the_page_has_every_template_and_no_other() -> None:
    assert described("Templates") == sorted(path.name for path in FOLDER.iterdir())


def test_a_file_that_is_not_told_would_be_noticed() -> None:
    patterns = [pattern_of(file) for file in described("The folder")]
    assert not any(re.fullmatch(pattern, "base/stages/decom.yml") for pattern in patterns)
    assert any(re.fullmatch(pattern, "base/stages/decom.yaml") for pattern in patterns)
