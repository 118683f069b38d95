"""What a stage can be composed of: c2kit's processors and sinks, and processors of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from c2kit.batches import TelemetryBatch
from c2kit.batches.kinds import Kind
from c2kit.dictionaries import Dictionary
from c2kit.errors import UsageError
from c2kit.links import TcpClient
from c2kit.pipeline.composition.mission import Mission
from c2kit.pipeline.composition.parts import PacketLogger, RawLogger
from c2kit.processors import Decommutator, Identifier, LimitsMonitor, Processor
from c2kit.protocols import CcsdsPackets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.processors import Aside

DICTIONARY = Dictionary.load(Path(__file__).parents[4] / "examples" / "dictionary")


class OwnProcessor(Processor[TelemetryBatch, TelemetryBatch]):
    """As somebody writes it who has read the how-to."""

    takes = (Kind.TELEMETRY,)
    gives = Kind.TELEMETRY

    def process(self, batch: TelemetryBatch) -> Iterator[TelemetryBatch]:
        yield batch

    def take_asides(self) -> list[Aside]:
        return []


def mission() -> Mission:
    made = Mission("m", dictionary=DICTIONARY)
    made.interface("fep", TcpClient("localhost", 7011), protocols=[CcsdsPackets()], targets=["FIREFLY"])
    return made


def test_a_processor_of_ones_own_is_composed_as_any_other() -> None:
    made = mission()
    made.stage("decom", Identifier(), Decommutator(), OwnProcessor(), LimitsMonitor())
    (own,) = [each for each in made.describe().stage("decom").processors if each.name == "OwnProcessor"]
    assert (own.takes, own.gives, own.settings) == ("telemetry", "telemetry", {})


@pytest.mark.parametrize("part", [Identifier, "Identifier", None, object(), CcsdsPackets()])
def test_what_is_no_processor_is_refused_at_once(part: Any) -> None:  # noqa: ANN401 - anything may be tried
    with pytest.raises(UsageError, match=r"stage decom is composed of processors, expected such as Identifier\(\)"):
        mission().stage("decom", part)


def test_a_class_is_told_from_a_processor() -> None:
    with pytest.raises(UsageError, match=r"found the class Identifier; write Identifier\(\)"):
        mission().stage("decom", Identifier)  # type: ignore[arg-type]


def test_a_processor_that_does_not_say_what_it_gives_is_refused() -> None:
    class Forgetful:
        takes = (Kind.TELEMETRY,)
        also_gives = ()

    with pytest.raises(UsageError, match="it does not say its gives or settings"):
        mission().stage("decom", Forgetful())  # type: ignore[arg-type]


def test_settings_are_plain_data() -> None:
    class Secretive(OwnProcessor):
        @property
        def settings(self) -> dict[str, Any]:
            return {"where": Path("var")}

    with pytest.raises(UsageError, match=r"settings of Secretive in stage own, expected plain data"):
        mission().stage("own", Secretive())


@pytest.mark.parametrize("takes", [(), ("telemetry",), (Kind.EVENTS,), (Kind.DICTIONARIES,)])
def test_only_what_belongs_to_interfaces_or_targets_can_be_taken(takes: Any) -> None:  # noqa: ANN401 - anything may be tried
    processor = OwnProcessor()
    processor.takes = takes  # type: ignore[misc]
    with pytest.raises(UsageError, match=r"takes of OwnProcessor in stage own"):
        mission().stage("own", processor)


@pytest.mark.parametrize("gives", [Kind.SCHEMAS, "telemetry"])
def test_definitions_are_written_by_c2kit_alone(gives: Any) -> None:  # noqa: ANN401 - anything may be tried
    processor = OwnProcessor()
    processor.gives = gives  # type: ignore[misc]
    with pytest.raises(UsageError, match=r"what OwnProcessor in stage own gives"):
        mission().stage("own", processor)


def test_sinks_tell_their_directory() -> None:
    assert PacketLogger("var/log").settings == {"directory": "var/log"}
    assert RawLogger("var/raw").settings == {"directory": "var/raw"}
