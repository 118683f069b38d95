"""Replicas of a sink on a real broker, each with a disk of its own: their number changes, and nothing is kept twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from c2kit.bus.kafka import KafkaBus
from c2kit.errors import UsageError
from tests.kafka_brokers import emptied, wait_for
from tests.missions import prepared
from tests.sinking import Replicas, finish

if TYPE_CHECKING:
    from pathlib import Path

    from c2kit.pipeline.sinks.log_stage import LogStage
    from dev.kafka import Cluster

pytestmark = pytest.mark.slow


def test_their_number_changes_after_a_good_end_only_and_each_packet_is_kept_once(
    one_broker: Cluster, tmp_path: Path
) -> None:
    with KafkaBus(emptied(one_broker).addresses) as bus:
        replicas = Replicas(bus, tmp_path)
        prepared(bus, replicas.mission)

        def all_is_kept(stages: list[LogStage]) -> None:
            def look() -> bool:
                for stage in stages:
                    stage.turn(0.05)
                return replicas.logged() == replicas.sent

            wait_for(look, bool)

        replicas.publish()
        first, second = replicas.start_all(2)
        all_is_kept([first, second])
        replicas.publish()
        finish(first)
        second.close()  # as if its process had died
        with pytest.raises(UsageError, match="replica 1 of 2, which has not"):
            replicas.start_all(1)
        finish(replicas.start(1, 2))
        stages = replicas.start_all(3)
        all_is_kept(stages)
        replicas.publish()
        finish(*stages)
        all_is_kept(replicas.start_all(1))
