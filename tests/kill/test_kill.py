"""kill -9 of a pipeline, one process for each stage: nothing is lost or comes twice, and no command is sent twice.

The long form is ``make kill-test``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.kill.campaign import campaign, on_sqlite
from tests.kill.report import report
from tests.kill.schedule import INTERFACE, STAGES, Kind

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SEED = 7
STRIKES = 20


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a socket's other side has taken")
def test_a_pipeline_whose_processes_die_at_any_moment_loses_and_repeats_nothing(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    results = list(campaign(tmp_path, SEED, STRIKES, on_sqlite))
    record_property("report", report(results))
    blows = [blow for result in results for blow in result.blows]
    assert len(blows) == STRIKES
    assert {blow.kind for blow in blows} == set(Kind)
    assert {blow.stage for blow in blows} == {*STAGES, INTERFACE}
    assert all(result.packets and result.commands for result in results)
