"""A mission on a bus that somebody else provisions: it runs there once its streams are there, and as they should be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from c2kit.bus.memory import MemoryBus
from c2kit.errors import UsageError
from c2kit.pipeline.composition.streams import StreamsNotApplied, check_applied, specs_of
from c2kit.pipeline.definitions import Definitions, DefinitionsMissing
from c2kit.pipeline.runner import Runner
from tests.looking import firefly

if TYPE_CHECKING:
    from collections.abc import Iterator


class Provisioned(MemoryBus):
    """A bus whose streams are made by somebody else."""

    is_embedded = False


@pytest.fixture
def bus() -> Iterator[Provisioned]:
    with Provisioned() as bus:
        yield bus


def test_a_stream_that_is_missing_is_named_with_the_command_that_makes_it(bus: Provisioned) -> None:
    wanted = r"stream firefly\.\S+ is not on bus memory:; run c2kit streams apply"
    with pytest.raises(StreamsNotApplied, match=wanted), Runner(firefly(), stage="decom", bus=bus):
        pass
    assert bus.streams() == []


def test_only_the_streams_of_the_stages_that_run_are_needed(bus: Provisioned) -> None:
    description = firefly().describe()
    decom = description.stage("decom")
    used = {*decom.reads, *decom.writes}
    bus.apply([spec for spec in specs_of(description) if spec.name in used])
    check_applied(bus, description, [decom])
    with pytest.raises(StreamsNotApplied):
        check_applied(bus, description, [description.stage("encode")])


def test_a_stream_that_is_there_otherwise_is_refused(bus: Provisioned) -> None:
    description = firefly().describe()
    (first, *rest) = specs_of(description)
    bus.apply([type(first)(name=first.name, writer="somebody"), *rest])
    with pytest.raises(StreamsNotApplied, match="exists with another writer"):
        check_applied(bus, description, description.stages)
    assert issubclass(StreamsNotApplied, UsageError)


def test_definitions_that_are_not_there_are_waited_for(bus: Provisioned) -> None:
    mission = firefly()
    bus.apply(specs_of(mission.describe()))
    definitions = Definitions(bus, mission.name, mission.dictionary)
    with pytest.raises(DefinitionsMissing, match="c2kit streams apply"):
        definitions.check_published()
    definitions.publish()
    definitions.check_published()
