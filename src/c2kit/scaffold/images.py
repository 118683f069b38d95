"""The images of stages: a Dockerfile for each, and beside them what all are made of.

::

    .dockerignore  mission/  wheels/  locks/kafka.lock  decom/Dockerfile  encode/Dockerfile  ...

Stages that need the same extras of c2kit share a lock, and builders build what follows from it once. ``wheels/`` is the
user's to fill, once and wherever there is a network; from then on nothing is resolved any more, and the same folder
gives the same images.
"""

from __future__ import annotations

import hashlib
import shlex
from typing import TYPE_CHECKING

from attrs import field, frozen

import c2kit
from c2kit.scaffold.containers import BUS_FOLDER, FILES, arguments_of, extras_of
from c2kit.scaffold.names import label
from c2kit.scaffold.plan import HEALTH_PORT
from c2kit.scaffold.wheels import Interpreter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from c2kit.pipeline.composition.description import MissionDescription, StageDescription
    from c2kit.scaffold.mission_files import MissionFiles
    from c2kit.scaffold.rendering import Templates
    from c2kit.scaffold.settings import ImageSettings, Settings
    from c2kit.scaffold.wheels import Wheels

__all__ = ["PROBE", "USER", "Image", "ImageSources", "images_of", "wheel_command"]

USER = 10001
"""Who stages run as: a number, since who is told only a name cannot know that it is not root."""
PROBE = (
    "python3",
    "-c",
    f"from urllib.request import urlopen; urlopen('http://127.0.0.1:{HEALTH_PORT}/livez', timeout=4)",
)
"""Whether the process is alive, asked from within: there is no shell, and nothing else that could ask."""

_GLIBC = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014", "linux")
"""What wheels are called that do for the C libraries of images of these years."""
_NO_SCRIPT = "no-mission.py"
_WITHOUT_IMAGE = ("command-source", "provisioner", "replay")


@frozen(kw_only=True)
class Image:
    """What one image is built from."""

    stage: str
    name: str
    """With the registry."""
    tag: str
    """A hash of all that goes into it: another one means another image, and the same one the same.

    Without a script there is nothing to build, and no hash.
    """
    folder: str
    """Of its Dockerfile, in ``images/``."""
    files: Mapping[str, bytes] = field(repr=False)
    """By their paths in ``images/``: its own, and what it shares with others; without wheels."""

    @property
    def reference(self) -> str:
        """What a manifest calls it until there is a digest."""
        return f"{self.name}:{self.tag}"


@frozen(kw_only=True)
class ImageSources:
    """What images are made of."""

    settings: Settings
    mission: MissionFiles
    wheels: Wheels
    templates: Templates = field(repr=False)

    @property
    def shared(self) -> dict[str, bytes]:
        """The files that all images of the mission share, by their paths in ``images/``."""
        shared = {".dockerignore": self.templates.render("dockerignore.j2").encode()}
        return shared | {f"mission/{name}": content for name, content in self.mission.files.items()}

    @property
    def by_hand(self) -> dict[str, bytes]:
        """What else all images are made of, likewise."""
        return {f"mission/{name}": content for name, content in self.mission.by_hand.items()}

    def lock(self, extras: Sequence[str]) -> dict[str, bytes]:
        """What an image with these extras of c2kit installs, by its path; nothing while there are no wheels."""
        if not self.wheels:
            return {}
        images = self.settings.images
        python = Interpreter(version=".".join(images.python.split(".")[:2]), machine=images.machine)
        releases = self.wheels.locked(_wanted(extras, self.mission), python)
        text = self.templates.render("requirements.lock.j2", extras=", ".join(extras), releases=releases)
        return {_lock_of(extras): text.encode()}


def images_of(description: MissionDescription, sources: ImageSources) -> tuple[Image, ...]:
    """An image for each stage that runs, in the order of the description; without locks where there are no wheels.

    Raises UsageError for wheels that are not what the images need.
    """
    stages = [stage for stage in description.stages if stage.role not in _WITHOUT_IMAGE]
    shared = sources.shared
    with_lock = {extras: shared | sources.lock(extras) for extras in {extras_of(stage) for stage in stages}}
    return tuple(_image(description.name, stage, sources, with_lock[extras_of(stage)]) for stage in stages)


def wheel_command(description: MissionDescription, sources: ImageSources, folder: str) -> str:
    """The command line that fills a folder with the wheels of all images, for their Python and not for ours."""
    images = sources.settings.images
    extras = {extra for stage in description.stages for extra in extras_of(stage)}
    words = ["python3", "-m", "pip", "download", "--only-binary=:all:", "--implementation=cp"]
    words += [f"--python-version={images.python}", *(f"--platform={kind}_{images.machine}" for kind in _GLIBC)]
    words += ["--dest", folder, *_wanted(extras, sources.mission, f"=={c2kit.__version__}")]
    return shlex.join(words)


def _wanted(extras: Iterable[str], mission: MissionFiles, version: str = "") -> Sequence[str]:
    return [f"c2kit[{','.join(sorted(extras))}]{version}", *mission.distributions]


def _lock_of(extras: Iterable[str]) -> str:
    return f"locks/{'-'.join(extras)}.lock"


def _image(mission: str, stage: StageDescription, sources: ImageSources, shared: Mapping[str, bytes]) -> Image:
    folder = label(stage.name)
    name = f"{sources.settings.registry}/{label(mission)}-{folder}"
    files = {**shared, f"{folder}/Dockerfile": _dockerfile(mission, stage, sources, name).encode()}
    return Image(stage=stage.name, name=name, tag=_tag(sources, files), folder=folder, files=files)


def _dockerfile(mission: str, stage: StageDescription, sources: ImageSources, name: str) -> str:
    images = sources.settings.images
    return sources.templates.render(
        "Dockerfile.j2",
        mission=mission,
        stage=stage.name,
        folder=label(stage.name),
        lock=_lock_of(extras_of(stage)),
        name=name,
        build_image=images.build,
        runtime_image=images.runtime,
        volumes=(BUS_FOLDER, FILES),
        user=USER,
        port=HEALTH_PORT,
        probe=PROBE,
        arguments=arguments_of(stage),
        labels=_labels(mission, stage, images),
    )


def _labels(mission: str, stage: StageDescription, images: ImageSettings) -> Sequence[tuple[str, str]]:
    prefix = "org.opencontainers.image"
    base, _, digest = images.runtime.partition("@")
    labels = [
        (f"{prefix}.title", f"{mission} {stage.name}"),
        (f"{prefix}.description", f"{stage.role} {stage.name} of mission {mission}"),
        (f"{prefix}.version", c2kit.__version__),
        (f"{prefix}.base.name", base),
    ]
    return [*labels, (f"{prefix}.base.digest", digest)] if digest else labels


def _tag(sources: ImageSources, files: Mapping[str, bytes]) -> str:
    return _hash({**sources.by_hand, **files}) if sources.mission.is_complete else _NO_SCRIPT


def _hash(files: Mapping[str, bytes]) -> str:
    """Of names and contents, each told apart from the next by its length."""
    total = hashlib.sha256()
    for name in sorted(files):
        for part in (name.encode(), files[name]):
            total.update(len(part).to_bytes(8, "big") + part)
    return total.hexdigest()[:16]
