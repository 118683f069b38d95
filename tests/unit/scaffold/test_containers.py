from __future__ import annotations

from c2kit.scaffold.containers import arguments_of, extras_of
from tests.scaffolding import everything


def test_a_container_runs_one_stage() -> None:
    assert arguments_of(everything().stage("decom")) == ("run", "mission.py", "--stage", "decom")


def test_a_cluster_has_kafka_whatever_bus_the_script_has() -> None:
    mission = everything()
    assert mission.bus.startswith("sqlite:")
    assert extras_of(mission.stage("decom")) == ("kafka",)
    assert extras_of(mission.stage("serial")) == ("kafka", "serial")
