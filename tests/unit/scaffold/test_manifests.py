"""All files of the base: what runs beside stages, that all fits together, and that it is the same each time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from attrs import evolve

from c2kit.scaffold.digests import DIGESTS
from c2kit.scaffold.documents import objects_in
from c2kit.scaffold.manifests import base_files, catalogue_of, component_files, overlay_files
from c2kit.scaffold.overlays import refusals_of
from c2kit.scaffold.rendering import Templates
from c2kit.scaffold.settings import LinkSettings, Mesh, Settings
from c2kit.scaffold.validation import Catalogue, findings
from tests.scaffolding import everything, everything_settings, planned, planned_everything, planned_example

if TYPE_CHECKING:
    from c2kit.scaffold.plan import Plan

Object = dict[str, Any]
KINDS = [planned_everything, planned_example, lambda: planned_everything(Mesh.NONE)]


def objects(files: dict[str, str], name: str) -> list[Object]:
    return list(objects_in(files[name], name))


def of_kind(found: list[Object], kind: str) -> Object:
    (only,) = (each for each in found if each["kind"] == kind)
    return only


@pytest.mark.parametrize("make", KINDS)
def test_all_objects_fit_together_and_all_files_are_listed(make: Any) -> None:  # noqa: ANN401
    files = base_files(make(), Templates())
    elsewhere = ("recordings",)
    assert findings(Catalogue(catalogue_of(files).objects, elsewhere=elsewhere)) == []
    listed = yaml.safe_load(files["kustomization.yaml"])["resources"]
    assert sorted(listed) == sorted(files.keys() - {"kustomization.yaml"})


def test_the_same_plan_gives_the_same_text() -> None:
    assert base_files(planned_everything(), Templates()) == base_files(planned_everything(), Templates())


def test_there_is_a_file_for_each_stage_and_for_whoever_is_none() -> None:
    plan = planned_everything()
    files = base_files(plan, Templates())
    for workload in plan.workloads:
        assert of_kind(objects(files, f"stages/{workload.label}.yaml"), "StatefulSet")
    others = {name for name in files if name.startswith("others/")}
    assert others == {f"others/{name}.yaml" for name in ("command-source", "observer", "provisioner", "scaler")}


def test_definitions_are_put_on_the_bus_by_a_job_of_its_own_identity() -> None:
    job = of_kind(objects(base_files(planned_everything(), Templates()), "others/provisioner.yaml"), "Job")
    pod = job["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == "provisioner"
    assert pod["restartPolicy"] == "Never"
    assert pod["containers"][0]["args"] == ["streams", "apply", "mission.py"]
    variables = {each["name"] for each in pod["containers"][0]["env"]}
    assert variables == {"C2KIT_BUS", "C2KIT_KAFKA_SECRETS"}
    assert "livenessProbe" not in pod["containers"][0]


def test_a_job_cannot_be_changed_so_that_one_that_would_be_is_another() -> None:
    def name(plan: Plan) -> str:
        job = of_kind(objects(base_files(plan, Templates()), "others/provisioner.yaml"), "Job")
        return str(job["metadata"]["name"])

    plan = planned_everything()
    changed = evolve(plan, workloads=tuple(evolve(each, image=f"{each.image}1") for each in plan.workloads))
    assert name(plan) == name(planned_everything())
    assert name(plan) != name(changed)


# -- the simulated satellite --------------------------------------------------------------------


def simulator(mesh: Mesh = Mesh.SIDECAR) -> dict[str, str]:
    settings = Settings(namespace="firefly", registry="localhost/firefly", mesh=mesh)
    plan = planned(planned_example().description, settings)
    return component_files(plan, {}, Templates())


def test_a_satellite_is_what_its_interface_connects_to_and_nobody_else_reaches_it() -> None:
    files = simulator()
    found = objects(files, "components/simulator/fep-satellite.yaml")
    pod = of_kind(found, "Deployment")["spec"]["template"]
    assert pod["spec"]["containers"][0]["args"] == ["sim", "--tcp", "0.0.0.0:7011"]
    policies = {each["metadata"]["name"]: each["spec"] for each in found if each["kind"] == "NetworkPolicy"}
    (let_in,) = policies["fep-satellite"]["ingress"]
    client = {"app.kubernetes.io/name": "fep", "app.kubernetes.io/part-of": "firefly"}
    assert let_in["from"] == [{"podSelector": {"matchLabels": client}}]
    assert [port["port"] for port in let_in["ports"]] == [7011]
    assert policies["fep-satellite-client"]["podSelector"]["matchLabels"] == client
    (source,) = of_kind(found, "AuthorizationPolicy")["spec"]["rules"]
    assert source["from"] == [{"source": {"principals": ["cluster.local/ns/firefly/sa/fep"]}}]


@pytest.mark.parametrize("mesh", list(Mesh))
def test_the_interface_is_told_where_its_satellite_is(mesh: Mesh) -> None:
    component = yaml.safe_load(simulator(mesh)["components/simulator/kustomization.yaml"])
    patches = {each["target"]["kind"]: yaml.safe_load(each["patch"]) for each in component["patches"]}
    container = patches["StatefulSet"]["spec"]["template"]["spec"]["containers"][0]
    assert container["env"] == [{"name": "C2KIT_LINK_FEP", "value": "fep-satellite.firefly.svc:7011"}]
    assert ("Sidecar" in patches) == (mesh is Mesh.SIDECAR)
    assert component["resources"] == ["fep-satellite.yaml"]


def test_where_nothing_can_be_simulated_there_is_no_satellite() -> None:
    plan = planned_example()
    hashes = dict.fromkeys(plan.description.dictionary_hashes, "another")
    other = evolve(plan, description=evolve(plan.description, dictionary_hashes=hashes))
    components = component_files(other, {}, Templates())
    assert not [name for name in components if "simulator" in name]
    local = yaml.safe_load(overlay_files(components, Templates())["overlays/local/kustomization.yaml"])
    assert local["resources"] == ["../../base"]
    assert local["components"] == ["../../components/console"]


# -- production ---------------------------------------------------------------------------------


def test_production_names_what_is_missing() -> None:
    refusals = refusals_of(planned_example(), {})
    assert [refusal.file for refusal in refusals] == [
        "set-links.antenna.cidrs-in-settings.yaml",
        "set-links.fep.address-in-settings.yaml",
        f"name-the-digests-of-images-in-{DIGESTS}",
    ]
    component = yaml.safe_load(
        component_files(planned_example(), {}, Templates())["components/production/kustomization.yaml"]
    )
    assert component["resources"] == [refusal.file for refusal in refusals]
    assert "components" not in component


def test_production_is_not_held_up_where_nothing_is_missing() -> None:
    links = {"fep": LinkSettings(address="192.0.2.7:7011"), "antenna": LinkSettings(cidrs=("192.0.2.0/24",))}
    settings = Settings(namespace="firefly", registry="registry.example.com/firefly", links=links)
    plan = planned(planned_example().description, settings)
    digests = {workload.image: f"sha256:{'ab' * 32}" for workload in plan.workloads}
    assert refusals_of(plan, digests) == ()
    component = yaml.safe_load(component_files(plan, digests, Templates())["components/production/kustomization.yaml"])
    assert component["components"] == ["../digests"]
    assert "resources" not in component


def test_one_image_without_a_digest_is_one_too_many() -> None:
    plan = planned(everything(), everything_settings())
    some, *others = sorted({workload.image for workload in plan.workloads})
    digests = dict.fromkeys(others, f"sha256:{'ab' * 32}")
    (refusal,) = refusals_of(plan, digests)
    assert some in refusal.why
