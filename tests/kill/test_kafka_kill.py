"""The kill test on three brokers of Apache Kafka, which are killed and paused as the stages are.

The long form is ``make kafka-kill-test``.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.kafka_brokers import require_kafka
from tests.kill.broker_attack import BrokerBlow
from tests.kill.campaign import RoundResult, campaign, on_kafka
from tests.kill.kafka_ground import longest_gap
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


@pytest.mark.parametrize(
    ("moments", "longest"),
    [([], 10.0), ([1, 12, 13, 30], 7.0), ([10, 14, 19.5, 20], 5.5), ([9, 16, 21], 6.0)],
)
def test_a_pause_is_the_longest_time_without_a_commit_since_the_strike(moments: list[float], longest: float) -> None:
    assert longest_gap(moments, 10, 20) == longest


def test_the_report_tells_the_longest_pauses_and_not_those_of_stages_that_were_struck() -> None:
    kind, at = BrokerKind.LEADER, datetime(2030, 1, 1, tzinfo=UTC)
    blows = [BrokerBlow(kind, "2 (controller)", at, seconds, "fep") for seconds in (1.0, 2.0, 9.0)]
    told = report([RoundResult(broker_blows=[*blows, BrokerBlow(kind, "3", at)])])
    assert "4; pause of commits, where a stage was left alone (3): median 2.0 s, longest 9.0 s" in told
    assert (
        told.index("no commit of fep for 9.0 s") < told.index("no commit of fep for 2.0 s") < told.index("struck, too")
    )
    assert "not seen" in report([RoundResult(broker_blows=[BrokerBlow(kind, "3", at)])])


def test_brokers_are_killed_in_all_their_roles_and_paused_now_and_then() -> None:
    dealt = broker_kinds(5, 60)
    assert dealt == broker_kinds(5, 60) != broker_kinds(6, 60)
    assert {kind: dealt.count(kind) for kind in BROKER_KILLS} == dict.fromkeys(BROKER_KILLS, 20)
    assert dealt.count(BrokerKind.PAUSE) == len(dealt) - 60 > 0
    assert broker_kinds(5, 1).count(BrokerKind.PAUSE) == 1
