"""The user's settings: what they mean, and that every fault in them is told with its line."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest
from attrs import fields

from c2kit.errors import DefinitionError, UsageError
from c2kit.pipeline.composition.script import load_mission
from c2kit.pipeline.composition.structuring import Fault, Faulty
from c2kit.scaffold.rendering import Templates
from c2kit.scaffold.settings import (
    ExternalKafka,
    ImageSettings,
    KafkaAuthentication,
    KafkaKind,
    KafkaSettings,
    LinkSettings,
    Mesh,
    MonitoringSettings,
    ServiceType,
    Settings,
    StorageSettings,
    StrimziKafka,
    VolumeSettings,
)
from c2kit.scaffold.settings_file import Flags, first_settings, overridden, read_settings

EXAMPLE = Path(__file__).parents[3] / "examples/04_mission.py"

LEAST = "namespace: firefly\nregistry: registry.example.com/firefly\n"


def problems(text: str) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        read_settings(text, "settings.yaml", "firefly")
    return str(caught.value).splitlines()


def test_little_must_be_said_and_the_rest_has_defaults() -> None:
    settings = read_settings(LEAST, "settings.yaml", "firefly").settings
    assert (settings.namespace, settings.registry) == ("firefly", "registry.example.com/firefly")
    assert (settings.mesh, settings.kafka.kind, settings.kafka.strimzi.brokers) == (Mesh.SIDECAR, KafkaKind.STRIMZI, 3)
    assert settings.link("fep").address == ""
    assert settings.storage.volume("log") == VolumeSettings(size="20Gi", storage_class="")


def test_everything_that_is_said_is_there() -> None:
    text = LEAST + textwrap.dedent(
        """\
        mesh: none
        drain_seconds: 90
        images: {python: "3.12", pull_secret: pull}
        kafka:
          kind: external
          external: {bootstrap: ["b1:9093", "[2001:db8::1]:9093"], cidrs: [192.0.2.0/24], authentication: scram-sha-512}
        links:
          fep: {address: "fep.example.com:7011", cidrs: [192.0.2.7/32]}
          Antenna: {service: NodePort}
        storage: {size: 1Ti, stages: {log: {storage_class: fast}}}
        """
    )
    settings = read_settings(text, "settings.yaml", "firefly").settings
    assert settings.mesh is Mesh.NONE
    assert settings.drain_seconds == 90
    assert settings.images.python == "3.12"
    assert settings.kafka.external.bootstrap == ("b1:9093", "[2001:db8::1]:9093")
    assert settings.kafka.external.authentication is KafkaAuthentication.SCRAM
    assert settings.link("fep").cidrs == ("192.0.2.7/32",)
    assert settings.link("Antenna").service is ServiceType.NODE_PORT
    assert settings.storage.volume("log") == VolumeSettings(size="1Ti", storage_class="fast")


def test_all_faults_are_told_each_with_its_line() -> None:
    text = LEAST + textwrap.dedent(
        """\
        meshes: sidecar
        kafka:
          strimzi:
            brokres: 5
            version: 4.3
        links:
          fep:
            cidrs: [10.0.0.0/8, 10.1.2.3/8]
        """
    )
    host_bits = "no range of addresses: 10.1.2.3/8 has host bits set, expected such as 192.0.2.0/24"
    assert problems(text) == [
        "settings.yaml:3:1: meshes: there is no such key; did you mean mesh?",
        "settings.yaml:6:5: kafka.strimzi.brokres: there is no such key; did you mean brokers?",
        "settings.yaml:7:5: kafka.strimzi.version: it is something else, expected a text, found 4.3; put it in quotes",
        f"settings.yaml:10:5: links.fep.cidrs: {host_bits}; a single host is 192.0.2.7/32",
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("namespace: Fire_Fly", "1:1: namespace: it cannot be this, expected lower-case letters"),
        (f"namespace: {'x' * 64}", "1:1: namespace: it cannot be this"),
        ("drain_seconds: 0", "3:1: drain_seconds: it is too small, expected at least 1, found 0"),
        ("drain_seconds: true", "3:1: drain_seconds: it is something else, expected a whole number, found True"),
        ("registry: https://registry", "2:1: registry: it cannot be this"),
        ("images: {build: 'python@sha256:abc'}", "3:10: images.build: it cannot be this"),
        ("storage: {size: 20 GB}", "3:11: storage.size: it cannot be this"),
        ("links: {fep: {cidrs: [10.0.0.1]}}", "3:15: links.fep.cidrs: a range of addresses"),
        ("kafka: {kind: plain}", "3:9: kafka.kind: there is no such choice, expected strimzi or external"),
        (
            "kafka: {external: {authentication: none}}",
            "3:20: kafka.external.authentication: there is no such choice, expected tls or scram-sha-512",
        ),
        ("monitoring: {labels: {'a b': c}}", "3:14: monitoring.labels: Kubernetes takes no such label"),
        ("monitoring: {labels: {app: 'c d'}}", "3:14: monitoring.labels: Kubernetes takes no such label"),
        ("kafka: {external: {bootstrap: [broker]}}", "3:20: kafka.external.bootstrap: the address of a server"),
    ],
)
def test_what_cannot_be_is_refused_where_it_stands(line: str, problem: str) -> None:
    key = line.partition(":")[0]
    lines = [*LEAST.splitlines(), line]
    replaced = [line if other.startswith(f"{key}:") else other for other in lines[:2]]
    (only,) = problems("\n".join(replaced if replaced != lines[:2] else lines))
    assert only.startswith(f"settings.yaml:{problem}")


def test_namespace_and_registry_follow_from_the_mission_where_nobody_says_them() -> None:
    settings = read_settings("mesh: none", "settings.yaml", "firefly").settings
    assert (settings.namespace, settings.registry) == ("firefly", "localhost/firefly")


def test_faults_that_others_find_get_the_lines_of_the_settings() -> None:
    file = read_settings(LEAST + "links:\n  fep: {address: 'localhost:7011'}\n", "settings.yaml", "firefly")
    there = Fault(path=("links", "fep", "address"), what="a pod's own address")
    missing = Fault(path=("links", "antenna", "cidrs"), what="nobody may send", remedy="name who may")
    with pytest.raises(DefinitionError) as caught, file.telling():
        raise Faulty([there, missing])
    assert str(caught.value).splitlines() == [
        "settings.yaml:3:1: links.antenna.cidrs: nobody may send; name who may",
        "settings.yaml:4:9: links.fep.address: a pod's own address",
    ]


def test_options_of_the_command_line_take_precedence() -> None:
    settings = read_settings(LEAST, "settings.yaml", "firefly").settings
    changed = overridden(settings, Flags(namespace="other", mesh=Mesh.NONE, kafka=KafkaKind.EXTERNAL))
    assert (changed.namespace, changed.registry) == ("other", settings.registry)
    assert (changed.mesh, changed.kafka.kind) == (Mesh.NONE, KafkaKind.EXTERNAL)
    assert overridden(settings, Flags()) == settings
    with pytest.raises(UsageError, match="namespace: it cannot be this"):
        overridden(settings, Flags(namespace="Not a label"))


def test_the_file_that_is_made_says_the_defaults_and_explains_every_key() -> None:
    description = load_mission(EXAMPLE).describe()
    text = first_settings(Templates(), description, "firefly", Flags())
    made = read_settings(text, "settings.yaml", "other").settings
    links = {"fep": LinkSettings(), "antenna": LinkSettings()}
    assert made == Settings(namespace="firefly", registry="localhost/firefly", links=links)
    keys = set(re.findall(r"^[ #]*([a-z_]+):", text, re.MULTILINE))
    told = [Settings, ImageSettings, KafkaSettings, StrimziKafka, ExternalKafka, StorageSettings, MonitoringSettings]
    assert {each.name for kind in told for each in fields(kind)} - {"stores"} <= keys
    assert all(re.search(rf"^#   {each.name} ", text, re.MULTILINE) for each in fields(LinkSettings))


def test_the_file_that_is_made_says_what_the_command_line_said() -> None:
    flags = Flags(namespace="ops", registry="r.example.com/x", mesh=Mesh.NONE, kafka=KafkaKind.EXTERNAL)
    text = first_settings(Templates(), load_mission(EXAMPLE).describe(), "firefly", flags)
    made = read_settings(text, "settings.yaml", "firefly").settings
    assert overridden(made, flags) == made


def test_in_the_file_that_is_made_the_size_for_all_is_that_of_each_until_one_is_told_its_own() -> None:
    text = first_settings(Templates(), load_mission(EXAMPLE).describe(), "firefly", Flags())
    changed = text.replace("  size: 20Gi\n", "  size: 1Ti\n")
    assert changed != text
    storage = read_settings(changed, "settings.yaml", "firefly").settings.storage
    assert {storage.volume(name).size for name in ("fep-raw-log", "log")} == {"1Ti"}
    commented = [line for line in changed.splitlines() if re.match(r"  #( |   )(stages|\"log\"):", line)]
    assert len(commented) == 2
    for line in commented:
        changed = changed.replace(line, line.replace("#", " ", 1).replace("    stages", "  stages"))
    storage = read_settings(changed, "settings.yaml", "firefly").settings.storage
    assert [storage.volume(name).size for name in ("fep-raw-log", "log")] == ["1Ti", "20Gi"]


@pytest.mark.parametrize("text", ["500m", "'2'", "'0.25'"])
def test_processors_are_told_as_kubernetes_writes_them(text: str) -> None:
    made = read_settings(f"kafka: {{strimzi: {{cpu: {text}}}}}", "settings.yaml", "firefly").settings
    assert made.kafka.strimzi.cpu == text.strip("'")
    with pytest.raises(DefinitionError, match=r"kafka\.strimzi\.cpu: it cannot be this"):
        read_settings("kafka: {strimzi: {cpu: 1Gi}}", "settings.yaml", "firefly")
