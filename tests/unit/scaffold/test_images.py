from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from c2kit.errors import UsageError
from c2kit.scaffold.containers import arguments_of
from c2kit.scaffold.images import PROBE, ImageSources, images_of, wheel_command
from c2kit.scaffold.mission_files import MissionFiles
from c2kit.scaffold.rendering import Templates
from c2kit.scaffold.settings import ImageSettings, Settings
from c2kit.scaffold.wheels import Wheels
from tests.scaffolding import everything
from tests.unit.scaffold.test_wheels import a_wheel

if TYPE_CHECKING:
    from c2kit.pipeline.composition.description import MissionDescription
    from c2kit.scaffold.images import Image

DIGEST = "sha256:" + "ab" * 32
STAGES = 'broker ; extra == "kafka"\npyserial ; extra == "serial"'


@pytest.fixture(scope="module")
def mission() -> MissionDescription:
    """One with a serial interface, and stages without one."""
    return everything()


@pytest.fixture
def sources(tmp_path: Path) -> ImageSources:
    """Wheels of a c2kit that needs little, and a script."""
    folder = tmp_path / "wheels"
    a_wheel(folder, "c2kit", requires=STAGES)
    for name in ("broker", "pyserial", "unrelated"):
        a_wheel(folder, name)
    return ImageSources(
        settings=Settings(namespace="flight", registry="registry.example.com/ops"),
        mission=MissionFiles(files={"mission.py": b"mission = ...\n", "defs/a.yaml": b"target: A\n"}),
        wheels=Wheels.read(folder),
        templates=Templates(),
    )


def image_of(stage: str, mission: MissionDescription, sources: ImageSources) -> Image:
    return next(image for image in images_of(mission, sources) if image.stage == stage)


def dockerfile(image: Image) -> dict[str, list[str]]:
    """The last stage's instructions, by their words; read by hand, so that what is written is what is meant."""
    text = image.files[f"{image.folder}/Dockerfile"].decode().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    last = max(number for number, line in enumerate(lines) if line.startswith("FROM"))
    found: dict[str, list[str]] = {}
    for line in lines[last:]:
        word, _, rest = line.partition(" ")
        found.setdefault(word, []).append(rest)
    return found


def test_each_stage_that_runs_has_an_image_of_its_own(mission: MissionDescription, sources: ImageSources) -> None:
    images = images_of(mission, sources)
    running = [stage.name for stage in mission.stages if stage.role in {"interface", "stage", "sink"}]
    assert [image.stage for image in images] == running
    assert len({image.reference for image in images}) == len({image.folder for image in images}) == len(running)
    assert {image.name for image in images} == {f"registry.example.com/ops/all-of-it-{name}" for name in running}


def test_an_image_installs_the_extras_of_its_stage_and_no_others(
    mission: MissionDescription, sources: ImageSources
) -> None:
    for stage, expected in (("decom", ["broker", "c2kit"]), ("serial", ["broker", "c2kit", "pyserial"])):
        image = image_of(stage, mission, sources)
        (lock,) = (content.decode() for name, content in image.files.items() if name.startswith("locks/"))
        assert re.findall(r"^([a-z0-9-]+)==1\.0 \\$", lock, re.MULTILINE) == expected
        assert len(re.findall(r"^    --hash=sha256:[0-9a-f]{64}$", lock, re.MULTILINE)) == len(expected)
        (name,) = (name for name in image.files if name.startswith("locks/"))
        assert f"COPY {name} requirements.lock\n" in image.files[f"{image.folder}/Dockerfile"].decode()


def test_what_the_mission_itself_imports_is_installed_too(mission: MissionDescription, sources: ImageSources) -> None:
    a_wheel(Path(sources.wheels.folder), "orbits")
    with_orbits = evolve(
        sources,
        mission=evolve(sources.mission, distributions=("orbits",)),
        wheels=Wheels.read(Path(sources.wheels.folder)),
    )
    assert b"orbits==1.0" in image_of("decom", mission, with_orbits).files["locks/kafka.lock"]
    assert shlex.split(wheel_command(mission, with_orbits, "wheels"))[-1] == "orbits"


def test_without_wheels_there_is_no_lock(mission: MissionDescription, sources: ImageSources, tmp_path: Path) -> None:
    without = evolve(sources, wheels=Wheels.read(tmp_path / "none"))
    for image in images_of(mission, without):
        assert set(image.files) == {
            ".dockerignore",
            "mission/defs/a.yaml",
            "mission/mission.py",
            f"{image.folder}/Dockerfile",
        }


def test_wheels_that_lack_something_are_refused(mission: MissionDescription, sources: ImageSources) -> None:
    (Path(sources.wheels.folder) / "broker-1.0-py3-none-any.whl").unlink()
    with pytest.raises(UsageError, match=r"broker, which c2kit 1\.0 requires"):
        images_of(mission, evolve(sources, wheels=Wheels.read(Path(sources.wheels.folder))))


def test_a_tag_changes_with_whatever_goes_into_the_image_and_with_nothing_else(
    mission: MissionDescription, sources: ImageSources
) -> None:
    def tags(changed: ImageSources) -> dict[str, str]:
        return {image.stage: image.tag for image in images_of(mission, changed)}

    before = tags(sources)
    assert tags(sources) == before
    assert len(set(before.values())) == len(before)
    files = {**sources.mission.files, "defs/a.yaml": b"target: B\n"}
    images = evolve(sources.settings.images, runtime=f"python@{DIGEST}")
    others = [
        evolve(sources, mission=evolve(sources.mission, files=files)),
        evolve(sources, settings=evolve(sources.settings, images=images)),
    ]
    for other in others:
        assert not set(tags(other).values()) & set(before.values())
    assert tags(evolve(sources, settings=evolve(sources.settings, drain_seconds=7))) == before

    a_wheel(Path(sources.wheels.folder), "pyserial", tag="py2.py3-none-any")
    (Path(sources.wheels.folder) / "pyserial-1.0-py3-none-any.whl").unlink()
    after = tags(evolve(sources, wheels=Wheels.read(Path(sources.wheels.folder))))
    assert {stage for stage in after if after[stage] != before[stage]} == {"serial"}


def test_a_tag_follows_from_what_images_are_made_of_whoever_put_it_there(
    mission: MissionDescription, sources: ImageSources
) -> None:
    def tag(generated: dict[str, bytes], by_hand: dict[str, bytes]) -> str:
        files = MissionFiles(files=generated, by_hand=by_hand)
        images = images_of(mission, evolve(sources, mission=files))
        assert {f"mission/{name}" for name in by_hand}.isdisjoint(name for image in images for name in image.files)
        return images[0].tag

    script, table = {"mission.py": b"mission = ...\n"}, {"defs/a.yaml": b"target: A\n"}
    whole = tag({**script, **table}, {})
    assert tag({}, {**script, **table}) == tag(script, table) == whole
    others = [tag(script, {}), tag(script, {"defs/b.yaml": b"target: A\n"}), tag({}, {**script, "defs/a.yaml": b""})]
    assert len({whole, *others}) == 4
    assert tag({}, table) == tag({}, {}) == "no-mission.py", "a hash would say that there is an image"


def test_an_image_runs_one_process_as_a_numeric_user_and_asks_it_how_it_is(
    mission: MissionDescription, sources: ImageSources
) -> None:
    for stage in mission.stages:
        if stage.role not in {"interface", "stage", "sink"}:
            continue
        told = dockerfile(image_of(stage.name, mission, sources))
        assert told["USER"] == ["10001:10001"]
        assert [json.loads(words) for words in told["ENTRYPOINT"]] == [["python3", "-m", "c2kit"]]
        assert [json.loads(words) for words in told["CMD"]] == [["run", "mission.py", "--stage", stage.name]]
        assert tuple(json.loads(told["CMD"][0])) == arguments_of(stage)
        assert told["WORKDIR"] == ["/mission"]
        probe = told["HEALTHCHECK"][0].partition(" CMD ")[2]
        assert tuple(json.loads(probe)) == PROBE
        assert "RUN" not in told, "the base has no shell, and need have none"


def test_base_images_are_those_of_the_settings(mission: MissionDescription, sources: ImageSources) -> None:
    images = ImageSettings(build="registry.example.com/build:1", runtime=f"registry.example.com/run@{DIGEST}")
    changed = evolve(sources, settings=evolve(sources.settings, images=images))
    image = image_of("decom", mission, changed)
    text = image.files[f"{image.folder}/Dockerfile"].decode()
    assert 'ARG BUILD_IMAGE="registry.example.com/build:1"\n' in text
    assert f'ARG RUNTIME_IMAGE="registry.example.com/run@{DIGEST}"\n' in text
    labels = dict(line.split("=", 1) for line in dockerfile(image)["LABEL"])
    assert labels["org.opencontainers.image.base.name"] == '"registry.example.com/run"'
    assert labels["org.opencontainers.image.base.digest"] == f'"{DIGEST}"'
    assert labels["org.opencontainers.image.title"] == '"all-of-it decom"'


def test_wheels_are_fetched_for_the_images_python_and_all_stages(
    mission: MissionDescription, sources: ImageSources
) -> None:
    images = ImageSettings(python="3.12", machine="aarch64")
    changed = evolve(sources, settings=evolve(sources.settings, images=images))
    words = shlex.split(wheel_command(mission, changed, "a folder/wheels"))
    assert words[:4] == ["python3", "-m", "pip", "download"]
    assert "--python-version=3.12" in words
    assert words[words.index("--dest") + 1] == "a folder/wheels"
    assert {word for word in words if word.startswith("--platform=") and not word.endswith("_aarch64")} == set()
    assert re.fullmatch(r"c2kit\[kafka,serial\]==[\w.]+", words[-1])
