"""`c2kit scaffold`: what it writes, what it refuses, and that it never takes anything away from the user."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from c2kit.links import TcpClient
from c2kit.pipeline.composition.script import load_mission
from c2kit.protocols import CcsdsPackets
from c2kit.scaffold.rendering import FOLDER

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run

SCRIPT = Path(__file__).parents[3] / "examples" / "04_mission.py"
DIGEST = f"sha256:{'ab' * 32}"


@pytest.fixture
def description(run: Run, tmp_path: Path) -> Path:
    """Return a file with the mission as `c2kit graph --format json` prints it."""
    path = tmp_path / "mission.json"
    path.write_text(run("graph", SCRIPT, "--format", "json").stdout, encoding="utf-8")
    return path


@pytest.fixture
def folder(run: Run, description: Path, tmp_path: Path) -> Path:
    """Return a folder that was generated."""
    result = run("scaffold", description, "-o", tmp_path / "deploy")
    assert result.exit_code == 0, result.stderr
    return tmp_path / "deploy"


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def state(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in (folder, *folder.rglob("*"))}


def test_a_script_gives_all_files_and_the_same_manifests_as_its_description(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    result = run("scaffold", SCRIPT, "-o", tmp_path / "of-script", "--registry", "localhost/firefly")
    assert result.exit_code == 0, result.stderr
    found = files(tmp_path / "of-script")
    for name in ("README.md", "permissions.md", "compose.yaml", "settings.yaml", ".c2kit/scaffold.lock"):
        assert name in found
    assert found["images/mission/mission.py"] == SCRIPT.read_bytes()
    assert {name for name in found if name.startswith("base/stages/")} == {
        f"base/stages/{stage}.yaml" for stage in ("antenna", "decom", "encode", "fep", "fep-raw-log", "log")
    }
    for name, content in files(folder).items():
        if name.startswith("base/") and b"image:" not in content:
            assert found[name] == content, name


def test_people_are_told_what_is_needed_and_what_comes_next(run: Run, description: Path, tmp_path: Path) -> None:
    told = run("scaffold", description, "-o", tmp_path / "deploy").stderr
    assert "The cluster must offer:" in told
    assert "Strimzi" in told
    assert "links.fep.address: where the device is; localhost:7011 is the pod itself" in told
    assert "kubectl apply -k" in told


def test_a_stage_that_is_gone_has_to_be_stopped_where_it_runs(run: Run, folder: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "mission.py"
    text = SCRIPT.read_text(encoding="utf-8")
    assert '"encode"' in text
    (tmp_path / "dictionary").symlink_to(SCRIPT.parent / "dictionary")
    renamed.write_text(text.replace('"encode"', '"encoder"'), encoding="utf-8")
    result = run("scaffold", renamed, "-o", folder)
    assert result.exit_code == 0, result.stderr
    assert not (folder / "base/stages/encode.yaml").exists()
    assert "kubectl --namespace firefly delete statefulset encode\n" in result.stderr


def test_a_component_that_is_gone_has_to_be_taken_out_of_overlays(run: Run, folder: Path, tmp_path: Path) -> None:
    assert "components/simulator" in (folder / "overlays/local/kustomization.yaml").read_text(encoding="utf-8")
    served = tmp_path / "mission.py"
    (tmp_path / "dictionary").symlink_to(SCRIPT.parent / "dictionary")
    text = SCRIPT.read_text(encoding="utf-8").replace("    TcpClient,", "    TcpServer,")
    served.write_text(text.replace('TcpClient("localhost", 7011)', "TcpServer(7011)"), encoding="utf-8")
    result = run("scaffold", served, "-o", folder)
    assert result.exit_code == 0, result.stderr
    assert "there is no components/simulator any more; take it out of overlays that name it" in result.stderr


def test_images_are_others_when_what_was_put_there_for_them_is(run: Run, folder: Path, description: Path) -> None:
    def image() -> str:
        (line,) = (line for line in (folder / "base/stages/decom.yaml").read_text().splitlines() if " image: " in line)
        return line

    mine = folder / "images/mission/mission.py"
    mine.parent.mkdir(exist_ok=True)
    images = [image()]
    for text in ("first", "second"):
        mine.write_text(text)
        result = run("scaffold", description, "-o", folder)
        assert result.exit_code == 0, result.stderr
        assert "Put the mission's script" not in result.stderr
        assert mine.read_text() == text
        images.append(image())
    assert len(set(images)) == 3
    assert run("scaffold", description, "-o", folder, "--check").exit_code == 0


def test_a_script_that_was_edited_where_it_was_generated_is_part_of_images_from_the_first_run_without_it(
    run: Run, description: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "deploy"
    assert run("scaffold", SCRIPT, "-o", folder).exit_code == 0
    (folder / "images/mission/mission.py").write_text("mine", encoding="utf-8")
    result = run("scaffold", description, "-o", folder)
    assert (result.exit_code, "images/mission/mission.py is not generated any more" in result.stderr) == (0, True)
    assert not (folder / "images/mission/dictionary").exists()
    assert run("scaffold", description, "-o", folder, "--check").exit_code == 0


def test_the_same_again_touches_nothing(run: Run, folder: Path, description: Path) -> None:
    before = state(folder)
    result = run("scaffold", description, "-o", folder)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "nothing was written" in result.stderr
    assert run("scaffold", description, "-o", folder, "--check").exit_code == 0
    assert state(folder) == before


def test_drift_is_told_and_shown_and_nothing_is_written(run: Run, folder: Path, description: Path) -> None:
    (folder / "settings.yaml").write_text(
        (folder / "settings.yaml").read_text(encoding="utf-8").replace("drain_seconds: 30", "drain_seconds: 77"),
        encoding="utf-8",
    )
    before = state(folder)
    result = run("scaffold", description, "-o", folder, "--check")
    assert result.exit_code == 1
    assert "changed  base/stages/decom.yaml" in result.stdout
    shown = run("scaffold", description, "-o", folder, "--check", "--diff")
    assert shown.exit_code == 1
    assert "+      terminationGracePeriodSeconds: 92" in shown.stdout.splitlines()
    assert state(folder) == before
    assert run("scaffold", description, "-o", folder).exit_code == 0
    assert run("scaffold", description, "-o", folder, "--check").exit_code == 0


def test_an_edit_is_refused_with_the_difference_until_it_is_forced(run: Run, folder: Path, description: Path) -> None:
    edited = folder / "base/stages/decom.yaml"
    edited.write_bytes(edited.read_bytes() + b"# mine\n")
    (folder / "settings.yaml").write_text("drain_seconds: 77\n", encoding="utf-8")
    before = state(folder)
    result = run("scaffold", description, "-o", folder)
    assert result.exit_code == 1
    assert "-# mine" in result.stdout.splitlines()
    assert "base/stages/decom.yaml: edited since c2kit wrote it, so that nothing was written" in result.stderr
    assert state(folder) == before
    assert run("scaffold", description, "-o", folder, "--force").exit_code == 0
    assert b"# mine" not in edited.read_bytes()


BROKERS = {"bootstrap": ["kafka.example.com:9093"], "cidrs": ["192.0.2.0/24"]}
KAFKAS = {
    "own": {"kind": "strimzi"},
    "external": {"kind": "external", "external": BROKERS},
    "external-strimzi": {"kind": "external", "external": {**BROKERS, "cluster": "theirs", "namespace": "kafka"}},
}


@pytest.mark.parametrize("kafka", KAFKAS)
def test_another_number_of_partitions_is_refused_even_if_forced(
    run: Run, description: Path, tmp_path: Path, kafka: str
) -> None:
    folder = tmp_path / "deploy"
    folder.mkdir()
    (folder / "settings.yaml").write_text(yaml.safe_dump({"kafka": KAFKAS[kafka]}), encoding="utf-8")
    assert run("scaffold", description, "-o", folder).exit_code == 0
    mission, changed = load_mission(SCRIPT), tmp_path / "changed.json"
    mission.interface("second", TcpClient("192.0.2.30", 7011), protocols=[CcsdsPackets()], targets=["FIREFLY"])
    changed.write_text(mission.describe().as_json(), encoding="utf-8")
    before = state(folder)
    for option in ("--force", "--check"):
        result = run("scaffold", changed, "-o", folder, option)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "expected firefly.packets.FIREFLY: 1" in result.stderr
        assert "found firefly.packets.FIREFLY: 2" in result.stderr
    assert state(folder) == before


def test_what_the_options_say_is_in_the_settings_from_the_beginning(
    run: Run, description: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "deploy"
    options = ("--namespace", "ops", "--registry", "r.example.com/x", "--mesh", "none")
    assert run("scaffold", description, "-o", folder, *options).exit_code == 0
    assert run("scaffold", description, "-o", folder, "--check").exit_code == 0
    settings = yaml.safe_load((folder / "settings.yaml").read_bytes())
    assert (settings["namespace"], settings["registry"], settings["mesh"]) == ("ops", "r.example.com/x", "none")
    assert "istio" not in (folder / "base/stages/decom.yaml").read_text(encoding="utf-8")


def test_options_take_precedence_over_settings_that_are_there_and_do_not_change_them(
    run: Run, folder: Path, description: Path
) -> None:
    before = (folder / "settings.yaml").read_bytes()
    result = run("scaffold", description, "-o", folder, "--namespace", "other")
    assert result.exit_code == 0
    assert "note: options say otherwise than" in result.stderr
    assert (folder / "settings.yaml").read_bytes() == before
    assert b'name: "other"' in (folder / "base/namespace.yaml").read_bytes()
    assert run("scaffold", description, "-o", folder, "--check").exit_code == 1
    assert run("scaffold", description, "-o", folder, "--check", "--namespace", "other").exit_code == 0


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ("meshes: none\n", "settings.yaml:1:1: meshes: there is no such key; did you mean mesh?"),
        ("links:\n  fepp: {}\n", "fepp"),
        ("kafka: {kind: external}\n", "kafka.external.bootstrap: no broker is named, expected host:port"),
        ("links: {fep: {address: 'fep.example.com:1'}}\n", "policies of a cluster do not know names"),
    ],
)
def test_settings_that_cannot_be_are_told_and_nothing_is_written(
    run: Run, description: Path, tmp_path: Path, settings: str, problem: str
) -> None:
    folder = tmp_path / "deploy"
    folder.mkdir()
    (folder / "settings.yaml").write_text(settings, encoding="utf-8")
    result = run("scaffold", description, "-o", folder)
    assert result.exit_code == 2
    assert problem in result.stderr
    assert files(folder) == {"settings.yaml": settings.encode()}


@pytest.mark.parametrize(
    ("settings", "places"),
    [
        ("links:\n  fepp: {}\nstorage:\n  size: big\n  stages:\n    logg: {}\n", ["2:3", "4:3", "6:5"]),
        (
            "links:\n  fepp: {}\n  fep: {address: fep.example.com:1}\nkafka: {kind: external}\n",
            ["2:3", "3:3", "4:1", "4:1"],
        ),
        ("links: fepp\nstorage: [logg]\n", ["1:1", "2:1"]),
    ],
    ids=["unknown-and-wrong", "unknown-and-missing", "of-another-kind"],
)
def test_all_that_is_wrong_with_settings_is_told_at_once(
    run: Run, description: Path, tmp_path: Path, settings: str, places: list[str]
) -> None:
    folder = tmp_path / "deploy"
    folder.mkdir()
    (folder / "settings.yaml").write_text(settings, encoding="utf-8")
    result = run("scaffold", description, "-o", folder)
    assert result.exit_code == 2
    assert re.findall(r"settings\.yaml:(\d+:\d+): ", result.stderr) == places


def test_settings_in_another_encoding_are_told(run: Run, folder: Path, description: Path) -> None:
    (folder / "settings.yaml").write_bytes("namespace: fl\xfcge\n".encode("latin-1"))
    result = run("scaffold", description, "-o", folder)
    assert result.exit_code == 2
    assert "settings.yaml, expected UTF-8" in result.stderr


def test_who_stands_in_the_folder_is_told_that_it_is_another_one(
    run: Run, folder: Path, description: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder / "base")
    assert "was replaced" not in run("scaffold", description, "-o", "..").stderr
    (folder / "settings.yaml").write_text("drain_seconds: 77\n", encoding="utf-8")
    assert 'was replaced; say: cd "$PWD"' in run("scaffold", description, "-o", "..").stderr
    assert (folder / "base/namespace.yaml").exists()


def test_a_folder_that_is_not_ours_or_anothers_is_left_alone(
    run: Run, folder: Path, description: Path, tmp_path: Path
) -> None:
    other = json.loads(description.read_bytes()) | {"name": "hornet"}
    (tmp_path / "hornet.json").write_text(json.dumps(other), encoding="utf-8")
    before = state(folder)
    result = run("scaffold", tmp_path / "hornet.json", "-o", folder)
    assert result.exit_code == 2
    assert "holds another mission, expected hornet, found firefly" in result.stderr
    assert state(folder) == before
    result = run("scaffold", description, "-o", tmp_path)
    assert result.exit_code == 2
    assert "is not one that c2kit made" in result.stderr


def test_a_description_of_another_version_is_refused(run: Run, description: Path, tmp_path: Path) -> None:
    other = json.loads(description.read_bytes()) | {"schema_version": 99}
    description.write_text(json.dumps(other), encoding="utf-8")
    result = run("scaffold", description, "-o", tmp_path / "deploy")
    assert result.exit_code == 2
    assert "expected schema version 1, found 99" in result.stderr
    assert not (tmp_path / "deploy").exists()


def test_a_template_of_the_user_is_used(run: Run, description: Path, tmp_path: Path) -> None:
    own = tmp_path / "templates"
    own.mkdir()
    text = (FOLDER / "serviceaccount.yaml.j2").read_text(encoding="utf-8")
    (own / "serviceaccount.yaml.j2").write_text(f"# ours\n{text}", encoding="utf-8")
    result = run("scaffold", description, "-o", tmp_path / "deploy", "--templates", own)
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / "deploy/base/stages/decom.yaml").read_text(encoding="utf-8").startswith("# ours\n")


def test_who_forgets_templates_is_told_why_files_would_differ(
    run: Run, folder: Path, description: Path, tmp_path: Path
) -> None:
    own = tmp_path / "templates"
    own.mkdir()
    (own / "notes.txt").touch()
    text = (FOLDER / "serviceaccount.yaml.j2").read_text(encoding="utf-8")
    (own / "serviceaccount.yaml.j2").write_text(f"# ours\n{text}", encoding="utf-8")

    def told(*options: str | Path) -> tuple[int, list[str]]:
        result = run("scaffold", description, "-o", folder, *options)
        return result.exit_code, [line for line in result.stderr.splitlines() if "note: " in line]

    forgotten = [
        f"note: {folder} was made with templates of your own, which this run has not: serviceaccount.yaml.j2",
        "note: give --templates each time, to --check as well",
    ]
    other = f"note: {folder} was made without these templates, or as they were before: serviceaccount.yaml.j2"
    assert told("--check") == (0, [])
    assert told("--check", "--templates", own) == (1, [other])
    assert told("--templates", own) == (0, [other])
    assert told("--check", "--templates", own) == (0, [])
    assert told("--check") == (1, forgotten)
    (own / "serviceaccount.yaml.j2").write_text(f"# mine\n{text}", encoding="utf-8")
    assert told("--check", "--templates", own) == (1, [other])
    assert told() == (0, forgotten)
    assert told("--check") == (0, [])


def test_a_template_of_the_user_that_leaves_something_dangling_is_refused(
    run: Run, description: Path, tmp_path: Path
) -> None:
    own = tmp_path / "templates"
    own.mkdir()
    text = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: mine}\nautomountServiceAccountToken: false\n"
    (own / "serviceaccount.yaml.j2").write_text(text, "utf-8")
    result = run("scaffold", description, "-o", tmp_path / "deploy", "--templates", own)
    assert result.exit_code == 2
    assert "the objects do not fit together" in result.stderr
    assert not (tmp_path / "deploy").exists()


def test_digests_pin_the_images_of_production(run: Run, folder: Path, description: Path, tmp_path: Path) -> None:
    production = folder / "components/production/kustomization.yaml"
    refusal = "name-the-digests-of-images-in-digests.txt"
    assert refusal in yaml.safe_load(production.read_bytes())["resources"]
    stages = [yaml.safe_load_all(path.read_bytes()) for path in (folder / "base/stages").iterdir()]
    sets = [each for objects in stages for each in objects if each["kind"] == "StatefulSet"]
    images = sorted(each["spec"]["template"]["spec"]["containers"][0]["image"] for each in sets)
    (tmp_path / "pushed.txt").write_text("".join(f"{image}@{DIGEST}\n" for image in images), encoding="utf-8")
    result = run("scaffold", description, "-o", folder, "--digests", tmp_path / "pushed.txt")
    assert result.exit_code == 0, result.stderr
    assert refusal not in yaml.safe_load(production.read_bytes()).get("resources", ())
    pinned = yaml.safe_load((folder / "components/digests/kustomization.yaml").read_bytes())["images"]
    assert [each["name"] for each in pinned] == sorted(image.rpartition(":")[0] for image in images)
    assert {each["digest"] for each in pinned} == {DIGEST}
