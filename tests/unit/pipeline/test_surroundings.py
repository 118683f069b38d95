"""What a stage is told by its surroundings, and tells through them."""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING

from c2kit.batches.kinds import Kind
from c2kit.bus import open_bus
from c2kit.bus.records import Severity
from c2kit.pipeline.observing.logs import LogFormat, configure_logging
from c2kit.processors import Identifier
from tests.missions import one_satellite, prepared, surroundings

if TYPE_CHECKING:
    import pytest


def test_many_events_of_one_kind_do_not_keep_another_out_of_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    logger = logging.getLogger("c2kit")
    for attribute in ("propagate", "level", "handlers"):  # as they were, when this is over
        monkeypatch.setattr(logger, attribute, getattr(logger, attribute))
    logger.handlers = []
    mission = one_satellite()
    mission.stage("decom", Identifier())
    log = io.StringIO()
    with open_bus("memory:") as bus:
        prepared(bus, mission)
        stage = surroundings(bus, mission, "decom")
        handler = configure_logging(LogFormat.TEXT, log)
        for kind in ["sequence"] * 100 + ["lost", "sequence"]:
            stage.own_record(Kind.EVENTS, stage.event(kind, Severity.WARNING, f"this is {kind}"))
        handler.close()
    assert log.getvalue().count("this is lost") == 1
    assert log.getvalue().count("  this is sequence") <= 10
