"""The page for reviewers tells every edge and permission, and breaks out of no table."""

from __future__ import annotations

from attrs import evolve

from c2kit.scaffold.permissions_page import permissions_page
from c2kit.scaffold.rendering import Templates
from c2kit.scaffold.settings import ExternalKafka, KafkaAuthentication, KafkaKind, KafkaSettings, Mesh
from tests.scaffolding import everything, everything_settings, planned, planned_everything


def rows(page: str, heading: str) -> list[list[str]]:
    section = page.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"][
        2:
    ]


def test_every_edge_has_a_row() -> None:
    plan = planned_everything()
    told = rows(permissions_page(plan, Templates()), "Who may talk to whom")
    assert ["`encode`", "`decom`", "TCP 8443", "mutual TLS by the mesh"] in [row[:4] for row in told]
    assert len(told) == len(plan.edges)


def test_what_nothing_encrypts_is_told_to_be_so() -> None:
    page = permissions_page(planned_everything(), Templates())
    udp = [row for row in rows(page, "Who may talk to whom") if row[2].startswith("UDP 70")]
    assert [row[3] for row in udp] == ["nothing"] * 3
    assert "the mesh does not see it" in page
    assert "There is no mesh" in permissions_page(planned_everything(Mesh.NONE), Templates())


def test_who_proves_by_a_password_who_it_is_is_not_told_to_have_a_certificate() -> None:
    brokers = ExternalKafka(
        bootstrap=("kafka.example.com:9093",), cidrs=("192.0.2.0/24",), authentication=KafkaAuthentication.SCRAM
    )
    kafka = KafkaSettings(kind=KafkaKind.EXTERNAL, external=brokers)
    page = permissions_page(planned(everything(), evolve(everything_settings(), kafka=kafka)), Templates())
    to_brokers = [row for row in rows(page, "Who may talk to whom") if row[1].startswith("the brokers")]
    assert {row[3] for row in to_brokers} == {"TLS by Kafka itself, with a password of the client's (SCRAM)"}
    assert "Each has a password of its own" in page


def test_a_line_of_the_script_cannot_end_a_cell() -> None:
    described = everything()
    stages = [evolve(stage, defined_at="a|b\n`c`.py:1") for stage in described.stages]
    plan = planned(evolve(described, stages=tuple(stages)), everything_settings())
    told = rows(permissions_page(plan, Templates()).replace("\\|", "/"), "Who may talk to whom")
    assert {len(row) for row in told} == {6}
    assert len(told) == len(plan.edges)
