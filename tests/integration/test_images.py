"""Images of the example mission: built with no network, the same twice, and run as they would be in a cluster."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from attrs import frozen

from c2kit.pipeline.composition.script import load_mission
from c2kit.scaffold.compose_file import compose_file
from c2kit.scaffold.images import USER, ImageSources, images_of, wheel_command
from c2kit.scaffold.mission_files import MissionFiles
from c2kit.scaffold.rendering import Templates
from c2kit.scaffold.settings import ImageSettings, LinkSettings, Settings
from c2kit.scaffold.wheels import Wheels
from dev.images import PYTHON, Bases, NotInstallable, Podman, quick_folder
from tests.kubernetes import require_checker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from c2kit.scaffold.images import Image

ROOT = Path(__file__).parents[2]
MISSION = ROOT / "examples/04_mission.py"
BUILD, RUNTIME = "localhost/build:test", "localhost/runtime:test"
PATIENCE_SECONDS = 120.0
MOST_ADDED_BYTES = 140_000_000
AS_IN_A_CLUSTER = ("--read-only", "--cap-drop=all", "--security-opt=no-new-privileges", f"--user={USER}:{USER}")
NOT_IN_AN_IMAGE = r"(^|/)(a?sh|bash|dash|busybox|pip\d*|pip3?\.\d+|gcc|cc|ld|apt|apt-get|c2kit)$|(^|/)pip/__main__\.py$"

pytestmark = pytest.mark.slow


@frozen
class Deployed:
    """What was generated, in a folder."""

    folder: Path
    images: tuple[Image, ...]

    def image(self, stage: str) -> str:
        return next(image.reference for image in self.images if image.stage == stage)

    def build(self, podman: Podman) -> dict[str, str]:
        """The digests of all images, by stage."""
        context = self.folder / "images"
        return {
            image.stage: podman.build(context / image.folder / "Dockerfile", context, image.reference)
            for image in self.images
        }


def wait_for(condition: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)


def with_bases(folder: Path) -> Podman:
    """A store with nothing in it but the bases. Skips, or fails where C2KIT_REQUIRE_IMAGES=1."""
    try:
        bases, podman = Bases.get(), Podman(quick_folder(folder))
    except NotInstallable as error:
        if os.environ.get("C2KIT_REQUIRE_IMAGES") == "1":
            pytest.fail(f"C2KIT_REQUIRE_IMAGES=1 says that this test must run, but {error}")
        pytest.skip(f"this test builds images, and {error}")
    podman.add(bases.folder / "build.tar", BUILD)
    podman.add(bases.folder / "runtime.tar", RUNTIME)
    return podman


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podman]:
    with with_bases(tmp_path_factory.mktemp("podman")) as podman:
        yield podman


@pytest.fixture(scope="module")
def deployed(podman: Podman, tmp_path_factory: pytest.TempPathFactory) -> Deployed:  # noqa: ARG001 - else nothing is done
    """The files of the example mission, with a folder of wheels that the printed command has filled."""
    folder = tmp_path_factory.mktemp("deploy")
    settings = Settings(
        namespace="firefly",
        registry="localhost",
        images=ImageSettings(python=PYTHON, build=BUILD, runtime=RUNTIME),
        links={"antenna": LinkSettings(address=f"0.0.0.0:{free_port()}")},
    )
    description, mission, templates = load_mission(MISSION).describe(), MissionFiles.of(MISSION), Templates()
    none = Wheels.read(folder / "images/wheels")
    before = ImageSources(settings=settings, mission=mission, wheels=none, templates=templates)
    command = wheel_command(description, before, str(folder / "images/wheels"))
    links = f"{os.environ.get('PIP_FIND_LINKS', '')} {own_wheel(tmp_path_factory.mktemp('own'))}"
    environment = os.environ | {
        "PIP_FIND_LINKS": links.strip(),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    done = subprocess.run(["/bin/sh", "-c", command], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

    wheels = Wheels.read(folder / "images/wheels")
    images = images_of(
        description, ImageSources(settings=settings, mission=mission, wheels=wheels, templates=templates)
    )
    for image in images:
        for name, content in image.files.items():
            path = folder / "images" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    (folder / "compose.yaml").write_text(compose_file(description, settings, images, templates))
    return Deployed(folder, images)


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def own_wheel(folder: Path) -> Path:
    """A folder with a wheel of c2kit: the one that is tested, or one of this source."""
    if os.environ.get("C2KIT_TEST_ENV") == ".venv-wheel":
        return ROOT / "dist"
    source = folder / "source"
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("*.so", "*.egg-info", "__pycache__"))
    for name in ("LICENSE", "MANIFEST.in", "README.md", "pyproject.toml", "setup.py"):
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w"]
    subprocess.run([*command, str(folder / "dist"), str(source)], check=True, capture_output=True)
    return folder / "dist"


@pytest.fixture(scope="module")
def digests(podman: Podman, deployed: Deployed) -> dict[str, str]:
    return deployed.build(podman)


def test_the_same_sources_give_the_same_images_anywhere(
    deployed: Deployed, digests: dict[str, str], tmp_path: Path
) -> None:
    assert set(digests) == {"antenna", "decom", "encode", "fep", "fep-raw-log", "log"}
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(deployed.folder, elsewhere, copy_function=shutil.copyfile)  # other times, other modes
    for path in elsewhere.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    with with_bases(tmp_path / "podman") as another:
        assert Deployed(elsewhere, deployed.images).build(another) == digests


@pytest.mark.usefixtures("digests")
def test_an_image_adds_what_its_stage_needs_and_no_tools(podman: Podman, deployed: Deployed) -> None:
    base = set(contents(podman, RUNTIME))
    base_bytes = size(podman, RUNTIME)
    for image in deployed.images:
        added = set(contents(podman, image.reference)) - base
        assert [name for name in added if re.search(NOT_IN_AN_IMAGE, name)] == []
        assert {name.partition("/")[0] for name in added} <= {"mission", "opt", "var"}
        assert 0 < size(podman, image.reference) - base_bytes < MOST_ADDED_BYTES


def contents(podman: Podman, image: str) -> list[str]:
    """The names of all files of an image."""
    folder = Path(podman("image", "mount", image))
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()]
    podman("image", "unmount", image)
    return names


def size(podman: Podman, image: str) -> int:
    return int(podman("image", "inspect", "--format={{.Size}}", image))


@pytest.fixture
def running(podman: Podman, deployed: Deployed, digests: dict[str, str]) -> Iterator[Callable[..., str]]:
    """Starts containers as a cluster would; they share the bus, and are removed in the end."""
    started: list[str] = []

    def run(stage: str, *arguments: str, name: str = "", options: tuple[str, ...] = ("--network=none",)) -> str:
        bus = ("--volume=the-bus:/var/lib/bus", "--env=C2KIT_BUS=sqlite:/var/lib/bus/bus.db")
        words = (*AS_IN_A_CLUSTER, *bus, *options, f"--name={name or stage}")
        podman("run", "--detach", *words, deployed.image(stage), *arguments)
        started.append(name or stage)
        return name or stage

    assert digests
    yield run
    for name in started:
        podman("rm", "--force", "--time=0", name, check=False)
    podman("volume", "rm", "--force", "the-bus", check=False)


def inside(podman: Podman, container: str, program: str) -> str:
    return podman("exec", container, "python3", "-c", program)


def is_ready(podman: Podman, container: str) -> bool:
    program = "from urllib.request import urlopen; print(urlopen('http://127.0.0.1:8080/readyz').status)"
    return podman("exec", container, "python3", "-c", program, check=False) == "200"


def published(podman: Podman, container: str, kind: str) -> int:
    """How many records there are on streams of a kind, asked in a container."""
    words = ("streams", "ls", "--bus", "sqlite:/var/lib/bus/bus.db", "--over", "0", "--json")
    told = podman("exec", container, "python3", "-m", "c2kit", *words, check=False)
    rows = json.loads(told) if told else []
    return sum(row["records"] for row in rows if row["stream"].startswith(f"{kind}."))


def test_stages_run_with_no_rights_become_ready_process_packets_and_end_when_told(
    podman: Podman, running: Callable[..., str]
) -> None:
    satellite = running("fep", "sim", "--tcp", "127.0.0.1:7011", "--speed", "20", name="satellite")
    interface = running("fep", options=(f"--network=container:{satellite}",))
    processor = running("decom")
    wait_for(lambda: is_ready(podman, interface) and is_ready(podman, processor))
    wait_for(lambda: published(podman, processor, "telemetry") > 20)

    for container in (interface, processor):
        text = inside(podman, container, "print(open('/proc/1/status').read())")
        status = dict(re.findall(r"^(\w+):\s+(.*)$", text, re.MULTILINE))
        assert status["Uid"].split() == [str(USER)] * 4
        assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
        assert status["NoNewPrivs"] == "1"
        assert "Read-only file system" in refused(podman, container, "open('/opt/c2kit/x', 'w')")
        assert "No such file" in refused(podman, container, "import os; os.execv('/bin/sh', ['sh'])")

    for container in (interface, processor):
        podman("stop", "--time=60", container)
        assert podman("inspect", "--format={{.State.ExitCode}}", container) == "0", podman("logs", container)
    assert "\nunaccounted: 0\n" in podman("logs", processor) + "\n"


def refused(podman: Podman, container: str, program: str) -> str:
    return inside(podman, container, f"try:\n    {program}\nexcept OSError as error:\n    print(error)")


def test_one_that_has_hardly_begun_can_be_stopped_too(podman: Podman, running: Callable[..., str]) -> None:
    """The first process of a container must catch the signal itself, and does so before anything else."""
    container = running("encode")
    status = Path("/proc", podman("inspect", "--format={{.State.Pid}}", container), "status")
    caught = re.compile(r"^SigCgt:\s+(\w+)$", re.MULTILINE)
    wait_for(lambda: int(caught.search(status.read_text())[1], 16) >> (signal.SIGTERM - 1) & 1)  # type: ignore[index]
    podman("stop", "--time=60", container)
    assert podman("inspect", "--format={{.State.ExitCode}}", container) in {"0", "143"}, "it was killed"


@pytest.mark.usefixtures("digests")
def test_the_compose_file_runs_the_whole_mission(podman: Podman, deployed: Deployed) -> None:
    program = [str(Path(sys.executable).with_name("podman-compose")), "-f", str(deployed.folder / "compose.yaml")]

    def compose(*words: str) -> str:
        done = subprocess.run([*program, *words], env=podman.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    try:
        compose("up", "--detach", "--no-build")
        wait_for(lambda: published(podman, "firefly_decom_1", "telemetry") > 3)
        logged = (
            "import pathlib; print(sum(path.stat().st_size for path in pathlib.Path('/var/lib/c2kit').rglob('*.pkts')))"
        )
        wait_for(lambda: int(inside(podman, "firefly_log_1", logged)) > 0)
        compose("stop", "--timeout", "60")
        codes = {
            image.stage: podman("inspect", "--format={{.State.ExitCode}}", f"firefly_{image.stage}_1")
            for image in deployed.images
        }
        assert set(codes.values()) == {"0"}, codes
    finally:
        compose("down", "--volumes", "--timeout", "1")


def test_checkers_of_dockerfiles_are_content(deployed: Deployed) -> None:
    files = [str(deployed.folder / "images" / image.folder / "Dockerfile") for image in deployed.images]
    accepted = yaml.safe_load((ROOT / "dev/k8s/accepted.yaml").read_text())
    ignored = [f"--ignore={rule}" for rule in accepted["hadolint"]]
    command = [str(Path(sys.executable).with_name("hadolint")), *ignored, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")

    skipped = ["--skip-check", ",".join(accepted["checkov"])]
    command = [str(require_checker("checkov")), "-d", str(deployed.folder / "images"), "--framework", "dockerfile"]
    command += ["--skip-download", "-o", "json", *skipped]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    assert told["summary"]["passed"] > len(files)
    assert [f"{each['check_id']}: {each['resource']}" for each in told["results"]["failed_checks"]] == []
