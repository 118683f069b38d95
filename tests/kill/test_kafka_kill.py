"""The kill test on three brokers of Apache Kafka, which are killed and paused as the stages are.

The long form is ``make kafka-kill-test``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.kafka_brokers import require_kafka
from tests.kill.campaign import campaign, on_kafka
from tests.kill.report import report
from tests.kill.schedule import BROKER_KILLS, BrokerKind, Kind, broker_kinds

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SEED = 7
STRIKES = 16
BROKER_STRIKES = 6


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a socket's other side has taken")
def test_a_pipeline_on_brokers_that_die_as_its_processes_do_loses_and_repeats_nothing(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    require_kafka()
    results = list(campaign(tmp_path, SEED, STRIKES, on_kafka(SEED, BROKER_STRIKES, with_rare=False), rounds=1))
    record_property("report", report(results))
    (result,) = results
    assert sum(blow.kind in {Kind.KILL, Kind.KILL_PAUSED} for blow in result.blows) >= 10
    assert sum(blow.kind in BROKER_KILLS for blow in result.broker_blows) == BROKER_STRIKES
    assert sum(blow.kind is BrokerKind.PAUSE for blow in result.broker_blows) == 1
    assert result.packets
    assert result.commands


def test_brokers_are_killed_in_all_their_roles_and_paused_now_and_then() -> None:
    dealt = broker_kinds(5, 60)
    assert dealt == broker_kinds(5, 60) != broker_kinds(6, 60)
    assert {kind: dealt.count(kind) for kind in BROKER_KILLS} == dict.fromkeys(BROKER_KILLS, 20)
    assert dealt.count(BrokerKind.PAUSE) == len(dealt) - 60 > 0
    assert broker_kinds(5, 1).count(BrokerKind.PAUSE) == 1
