"""People have a pod for each identity of theirs, which is that identity and nothing more, waits, and ends when told."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from attrs import evolve

from c2kit.scaffold.console import WAITING, console_files
from c2kit.scaffold.documents import objects_in
from c2kit.scaffold.manifests import base_of, component_files, overlay_files
from c2kit.scaffold.rendering import Templates
from c2kit.scaffold.settings import ExternalKafka, KafkaKind, KafkaSettings, Mesh
from c2kit.scaffold.validation import Catalogue, findings
from tests.scaffolding import everything, everything_settings, planned, planned_everything, planned_example

if TYPE_CHECKING:
    from c2kit.scaffold.plan import Plan

Object = dict[str, Any]
PEOPLE = ("observer", "command-source")


def consoles(plan: Plan) -> dict[str, Object]:
    """The pods of people, by the names of their sets."""
    files = console_files(plan, Templates())
    found = [each for name in files if "kustomization" not in name for each in objects_in(files[name], name)]
    sets = [each for each in found if each["kind"] == "StatefulSet"]
    return {each["metadata"]["name"]: each["spec"]["template"] for each in sets}


@pytest.mark.parametrize("mesh", list(Mesh))
def test_with_the_base_all_fits_together(mesh: Mesh) -> None:
    plan = planned_everything(mesh)
    files = console_files(plan, Templates())
    component = yaml.safe_load(files["kustomization.yaml"])
    assert set(component["resources"]) == files.keys() - {"kustomization.yaml"}
    ours = [each for name in component["resources"] for each in objects_in(files[name], name)]
    both = Catalogue((*base_of(plan, Templates()).objects.objects, *ours), elsewhere=("recordings",))
    assert findings(both) == []


def test_each_is_its_identity_and_mounts_no_other_certificate() -> None:
    found = consoles(planned_everything())
    assert found.keys() == set(PEOPLE)
    for name, pod in found.items():
        assert pod["spec"]["serviceAccountName"] == name
        assert pod["metadata"]["labels"]["app.kubernetes.io/name"] == name, "by it policies know it"
        (kafka,) = (volume["projected"] for volume in pod["spec"]["volumes"] if "projected" in volume)
        assert [source["secret"]["name"] for source in kafka["sources"]] == [name, "kafka-cluster-ca-cert"]


def test_it_knows_the_bus_as_stages_do() -> None:
    plan = planned_everything()
    stage = dict(plan.workloads[0].environment)
    for pod in consoles(plan).values():
        (container,) = pod["spec"]["containers"]
        told = {each["name"]: each["value"] for each in container["env"]}
        assert told == {name: stage[name] for name in ("C2KIT_BUS", "C2KIT_KAFKA_SECRETS")}
        assert container["image"] == plan.workloads[0].image
        assert container["command"] == list(WAITING)
        assert "args" not in container


def test_where_others_run_kafka_its_secret_is_theirs() -> None:
    brokers = ExternalKafka(bootstrap=("kafka.example.com:9093",), cidrs=("192.0.2.0/24",), secret="of-{stage}")  # noqa: S106 - the name of one
    kafka = KafkaSettings(kind=KafkaKind.EXTERNAL, external=brokers)
    found = consoles(planned(everything(), evolve(everything_settings(), kafka=kafka)))
    mounted = [volume["projected"] for volume in found["observer"]["spec"]["volumes"] if "projected" in volume]
    assert mounted[0]["sources"][0]["secret"]["name"] == "of-observer"


def test_the_overlay_to_try_it_has_it() -> None:
    components = component_files(planned_example(), {}, Templates())
    local = yaml.safe_load(overlay_files(components, Templates())["overlays/local/kustomization.yaml"])
    assert local["components"] == ["../../components/console", "../../components/simulator"]
    assert {f"components/console/{name}.yaml" for name in PEOPLE} <= components.keys()


def test_the_quota_of_the_namespace_has_room_for_it() -> None:
    objects = base_of(planned_example(), Templates()).objects
    (quota,) = objects.of_kind("ResourceQuota")
    pods = sum(each.parent["spec"].get("replicas", 1) for each in objects.pods)
    pods += sum(pool["spec"]["replicas"] for pool in objects.of_kind("KafkaNodePool")) + 1
    assert int(quota["spec"]["hard"]["pods"]) >= (pods + len(PEOPLE)) * 5 / 4


def test_it_ends_at_once_and_by_itself_when_it_is_told_to() -> None:
    """As the first process of a container would: killed by the default of a signal it would have another exit code."""
    python, option, script = WAITING
    assert (python, option) == ("python3", "-c")
    telling = (
        "import signal; block = signal.pthread_sigmask\n"
        "signal.pthread_sigmask = lambda *how: (block(*how), print('waits', flush=True))\n"
    )
    with subprocess.Popen([sys.executable, "-c", telling + script], stdout=subprocess.PIPE, text=True) as waiting:
        assert waiting.stdout is not None
        assert waiting.stdout.readline() == "waits\n"
        waiting.send_signal(signal.SIGTERM)
        assert waiting.wait(timeout=60) == 0
