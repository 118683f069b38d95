"""The page for reviewers tells every edge and permission, and breaks out of no table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from c2kit.scaffold.administration import roles
from c2kit.scaffold.documents import objects_in
from c2kit.scaffold.permissions_page import permissions_page
from c2kit.scaffold.plan import Endpoint, Place
from c2kit.scaffold.rendering import Templates
from c2kit.scaffold.settings import ExternalKafka, KafkaAuthentication, KafkaKind, KafkaSettings, Mesh
from tests.scaffolding import everything, everything_settings, planned, planned_everything, planned_example

if TYPE_CHECKING:
    from collections.abc import Callable

    from c2kit.scaffold.plan import Plan


def rows(page: str, heading: str) -> list[list[str]]:
    section = page.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"][
        2:
    ]


GRAPH = "Who may talk to whom"
PLACES = {
    Place.KAFKA: "the brokers",
    Place.DNS: "the cluster's DNS",
    Place.MESH: "the mesh's control plane",
    Place.MONITORING: "Prometheus",
    Place.AUTOSCALER: "KEDA",
    Place.STORE: "a database",
    Place.OUTSIDE: "outside",
}


def of_the_graph(page: str) -> list[list[str]]:
    return rows(page.split("\n### ", 1)[0], GRAPH)


def needed_by_all(page: str) -> list[list[str]]:
    return rows(page.replace("### What each needs", "## What each needs"), "What each needs, whatever it does")


def expanded(page: str) -> list[tuple[str, ...]]:
    """Each row as often as there are identities that it is about, as a reader takes it; without ranges."""
    (stages, others), *_ = re.findall(r"\*Each stage\* is (.*)\. \*Each identity\* is each stage, and (.*)\.", page)
    means = {"each stage": stages, "each identity": f"{stages}, {others}"}
    return [
        (source, destination, port, encryption, why)
        for row in (*of_the_graph(page), *needed_by_all(page))
        for source in means.get(row[0], row[0].partition(" (")[0]).split(", ")
        for destination in means.get(row[1], row[1].partition(" (")[0]).split(", ")
        for port, encryption, why in [row[2:5]]
    ]


def end(of: Endpoint) -> str:
    return f"`{of.name}`" if of.place is Place.IDENTITY else PLACES[of.place]


@pytest.mark.parametrize(
    "make",
    [planned_everything, lambda: planned_everything(Mesh.NONE), planned_example],
    ids=["mesh", "none", "example"],
)
def test_every_edge_is_told_and_no_other(make: Callable[[], Plan]) -> None:
    plan = make()
    edges = [
        (end(edge.source), end(edge.destination), f"{edge.protocol} {edge.port}", edge.encryption.value, edge.why)
        for edge in plan.edges
    ]
    assert sorted(expanded(permissions_page(plan, Templates()))) == sorted(edges)


def test_what_follows_from_the_graph_stands_by_itself() -> None:
    plan = planned_everything()
    page = permissions_page(plan, Templates())
    told = of_the_graph(page)
    assert ["`encode`", "`decom`", "TCP 8443", "mutual TLS by the mesh"] in [row[:4] for row in told]
    assert not [row for row in told if "the cluster's DNS" in row or "Prometheus" in row]
    assert len(needed_by_all(page)) == 5, "DNS twice, mesh, metrics, the bus"


def test_an_edge_that_not_everybody_has_is_told_of_those_who_have_it() -> None:
    plan = planned_everything()
    is_left_out = [edge.destination.place is Place.DNS and edge.source.name == "decom" for edge in plan.edges]
    fewer = evolve(plan, edges=tuple(edge for edge, out in zip(plan.edges, is_left_out, strict=True) if not out))
    names = [row[0] for row in needed_by_all(permissions_page(fewer, Templates())) if row[1].startswith("the cluster")]
    assert len(names) == 2
    for each in names:
        assert "`encode`" in each
        assert "`decom`" not in each


def test_who_may_change_it_is_told_as_roles_are_bound() -> None:
    plan = planned_everything()
    page = permissions_page(plan, Templates()).split("## Who may change it\n")[1]
    bound = [each for each in objects_in(roles(plan, Templates()), "rbac.yaml") if each["kind"] == "RoleBinding"]
    groups = {subject["name"] for each in bound for subject in each["subjects"]}
    assert groups == {"all-of-it-deployers", "all-of-it-observers"}
    assert all(f"`{group}`" in page for group in groups)


def test_what_nothing_encrypts_is_told_to_be_so() -> None:
    page = permissions_page(planned_everything(), Templates())
    udp = [row for row in of_the_graph(page) if row[2].startswith("UDP 70")]
    assert [row[3] for row in udp] == ["nothing"] * 3
    assert "the mesh does not see it" in page
    assert "There is no mesh" in permissions_page(planned_everything(Mesh.NONE), Templates())


def test_who_proves_by_a_password_who_it_is_is_not_told_to_have_a_certificate() -> None:
    brokers = ExternalKafka(
        bootstrap=("kafka.example.com:9093",), cidrs=("192.0.2.0/24",), authentication=KafkaAuthentication.SCRAM
    )
    kafka = KafkaSettings(kind=KafkaKind.EXTERNAL, external=brokers)
    page = permissions_page(planned(everything(), evolve(everything_settings(), kafka=kafka)), Templates())
    to_brokers = [row for row in (*of_the_graph(page), *needed_by_all(page)) if row[1].startswith("the brokers")]
    assert {row[3] for row in to_brokers} == {"TLS by Kafka itself, with a password of the client's (SCRAM)"}
    assert "Each has a password of its own" in page


def test_a_line_of_the_script_cannot_end_a_cell() -> None:
    described = everything()
    stages = [evolve(stage, defined_at="a|b\n`c`.py:1") for stage in described.stages]
    plan = planned(evolve(described, stages=tuple(stages)), everything_settings())
    told = of_the_graph(permissions_page(plan, Templates()).replace("\\|", "/"))
    assert {len(row) for row in told} == {6}
    assert len([row for row in told if row[5]]) > len(plan.workloads) / 2
