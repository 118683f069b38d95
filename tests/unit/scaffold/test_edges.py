"""Edges: who talks to whom is what the mission's graph needs, and nothing else."""

from __future__ import annotations

import pytest
from attrs import evolve

from c2kit.scaffold.plan import Edge, Encryption, Endpoint, Place
from c2kit.scaffold.settings import ExternalKafka, KafkaKind, KafkaSettings, Mesh
from tests.scaffolding import CONTROL_ROOM, DEVICE, everything, everything_settings, planned, planned_everything

WHOLE_CLUSTER = {Place.DNS, Place.MESH, Place.MONITORING, Place.KAFKA}


def own(edges: tuple[Edge, ...]) -> set[tuple[str, str, int, str]]:
    """The edges that not every identity has: from, to, port, protocol."""

    def name(end: Endpoint) -> str:
        return end.name if end.place is Place.IDENTITY else f"{end.place.value} {','.join(end.cidrs) or end.name}"

    return {
        (name(edge.source), name(edge.destination), edge.port, edge.protocol)
        for edge in edges
        if not {edge.source.place, edge.destination.place} & WHOLE_CLUSTER
    }


def test_links_ports_and_stores_are_all_that_differs_between_identities() -> None:
    assert own(planned_everything().edges) == {
        ("client", f"outside {DEVICE}", 7011, "TCP"),
        ("named", "outside 203.0.113.0/24", 7012, "TCP"),
        (f"outside {CONTROL_ROOM}", "server", 7013, "TCP"),
        (f"outside {CONTROL_ROOM}", "listener", 7014, "UDP"),
        ("both-ways", "outside 192.0.2.11/32", 7015, "UDP"),
        ("outside 192.0.2.11/32", "both-ways", 7016, "UDP"),
        ("encode", "decom", 8443, "TCP"),
        ("log", "decom", 8443, "TCP"),
        ("decom", "store databases", 5432, "TCP"),
    }


def test_each_identity_reaches_the_brokers_names_and_the_mesh_and_is_asked_for_metrics() -> None:
    plan = planned_everything()
    for identity in plan.identities:
        reached = sorted((edge.destination.place, edge.port) for edge in plan.edges_from(identity.label))
        if identity.role == "scaler":
            assert reached == []
            continue
        for needed in ((Place.KAFKA, 9093), (Place.DNS, 53), (Place.MESH, 15012)):
            assert needed in reached, identity
    asked = {edge.destination.name for edge in plan.edges if edge.source.place is Place.MONITORING}
    assert asked == {workload.label for workload in plan.workloads}


def test_what_scales_stages_comes_from_its_own_namespace() -> None:
    plan = planned_everything()
    scaling = [edge for edge in plan.edges if edge.source.place is Place.AUTOSCALER]
    assert [(edge.source.name, edge.destination.place, edge.port) for edge in scaling] == [("keda", Place.KAFKA, 9093)]


def test_without_a_mesh_nothing_of_it_is_needed_and_calls_are_told_to_be_in_the_clear() -> None:
    plan = planned_everything(Mesh.NONE)
    assert Place.MESH not in {edge.destination.place for edge in plan.edges}
    assert {edge.port for edge in plan.edges if edge.source.place is Place.MONITORING} == {8080}
    assert {edge.encryption for edge in plan.edges_to("decom")} == {Encryption.NONE}


@pytest.mark.parametrize(
    ("place", "end"),
    [
        ({"cidrs": ("203.0.113.0/28",)}, Endpoint(place=Place.KAFKA, cidrs=("203.0.113.0/28",))),
        ({"namespace": "kafka"}, Endpoint(place=Place.KAFKA, name="kafka")),
    ],
)
def test_brokers_of_somebody_else_are_reached_at_their_ports(place: dict[str, object], end: Endpoint) -> None:
    bootstrap = ("b1.example.com:9093", "b2.example.com:9094", "b3.example.com:9093")
    external = ExternalKafka(bootstrap=bootstrap, **place)  # type: ignore[arg-type]
    settings = everything_settings()
    kafka = KafkaSettings(kind=KafkaKind.EXTERNAL, external=external)
    plan = planned(everything(), evolve(settings, kafka=kafka))
    reached = [edge for edge in plan.edges_from("decom") if edge.destination.place is Place.KAFKA]
    assert [(edge.destination, edge.port) for edge in reached] == [(end, 9093), (end, 9094)]


def test_each_edge_of_the_graph_tells_the_line_of_the_script_that_asked_for_it() -> None:
    plan = planned_everything()
    for edge in plan.edges:
        if not {edge.source.place, edge.destination.place} & WHOLE_CLUSTER:
            assert "scaffolding.py:" in edge.defined_at, edge
