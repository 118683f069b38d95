"""What does not fit together is refused before anything starts, with both sides and their lines named."""

from __future__ import annotations

from pathlib import Path

import pytest

from c2kit.batches.kinds import Kind
from c2kit.dictionaries import Dictionary
from c2kit.errors import UsageError
from c2kit.links import TcpClient
from c2kit.pipeline.composition.description import Scale
from c2kit.pipeline.composition.mission import Mission
from c2kit.pipeline.composition.parts import PacketLogger, RawLogger
from c2kit.processors import CommandEncoder, Decommutator, Identifier, LimitsMonitor
from c2kit.protocols import CcsdsPackets

DICTIONARY = Dictionary.load(Path(__file__).parents[4] / "examples" / "dictionary")
LINK = TcpClient("localhost", 7011)
LINE = r"\(test_checks\.py:\d+\)"
TARGET = """
target: {name}
packets:
  HEALTH:
    identify: {identify}
    fallback: {fallback}
    items: {{ID: u8, KIND: u8}}
"""


def mission(*interfaces: str, dictionary: Dictionary = DICTIONARY) -> Mission:
    made = Mission("m", dictionary=dictionary)
    for interface in interfaces or ("fep",):
        made.interface(interface, LINK, protocols=[CcsdsPackets()], targets=["FIREFLY"])
    return made


class TestScale:
    def test_no_more_replicas_than_lanes(self) -> None:
        enough = mission("north", "south")
        enough.stage("decom", Identifier(), Decommutator(), scale=Scale(max=2))
        assert enough.describe().stage("decom").scale == Scale(min=1, max=2)
        many = mission("north", "south")
        many.stage("decom", Identifier(), Decommutator(), scale=Scale(max=3))
        where = rf"stage decom {LINE}: the lanes of frames\.north, frames\.south .*at most 2, found max=3"
        with pytest.raises(UsageError, match=where):
            many.describe()

    def test_after_identification_each_way_to_a_target_is_a_lane(self) -> None:
        made = mission("north", "south")
        made.stage("identify", Identifier())
        made.stage("decom", Decommutator(), scale=Scale(max=2))
        assert made.describe().stage("decom").scale.max == 2

    def test_one_encoder_counts_the_commands_of_a_target(self) -> None:
        made = mission()
        made.stage("encode", CommandEncoder(), scale=Scale(max=2))
        with pytest.raises(UsageError, match=rf"stage encode {LINE}: CommandEncoder .*max=1, found max=2; .*targets="):
            made.describe()

    def test_replicas_of_a_sink_neither_come_nor_go(self) -> None:
        made = mission("north", "south")
        made.stage("decom", Identifier(), Decommutator())
        made.stage("log", PacketLogger("var/log"), scale=Scale(min=2, max=2))
        assert made.describe().stage("log").scale.min == 2
        other = mission("north", "south")
        other.stage("decom", Identifier(), Decommutator())
        other.stage("log", PacketLogger("var/log"), scale=Scale(min=1, max=2))
        with pytest.raises(UsageError, match=rf"stage log {LINE}: .*min and max the same, found min=1, max=2"):
            other.describe()


class TestSinks:
    def test_each_keeps_its_files_in_a_directory_of_its_own(self) -> None:
        made = mission()
        made.stage("decom", Identifier(), Decommutator())
        made.stage("one", PacketLogger("var/log"))
        made.stage("two", RawLogger("var/x/../log/"))
        with pytest.raises(UsageError, match=rf"stages one {LINE} and two {LINE} would both keep their files in"):
            made.describe()

    def test_that_holds_for_raw_logs_of_interfaces_too(self) -> None:
        made = Mission("m", dictionary=DICTIONARY)
        for name in ("north", "south"):
            made.interface(name, LINK, protocols=[CcsdsPackets()], targets=["FIREFLY"], raw_log="var/raw")
        with pytest.raises(UsageError, match=rf"north-raw-log {LINE} and south-raw-log {LINE} .* var/raw"):
            made.describe()

    def test_a_sink_is_alone_in_its_stage(self) -> None:
        made = mission()
        made.stage("log", Identifier(), PacketLogger("var/log"))
        with pytest.raises(UsageError, match=rf"stage log {LINE}: PacketLogger is a sink.*found Identifier"):
            made.describe()


class TestPublish:
    def test_only_what_the_stage_makes_can_be_published(self) -> None:
        made = mission()
        made.stage("decom", Identifier(), Decommutator(), publish=["packets", "pakets"])
        where = rf"stage decom {LINE}: publish= names pakets, .*expected packets or telemetry or unknown"
        with pytest.raises(UsageError, match=where):
            made.describe()

    def test_a_kind_may_be_named_by_itself(self) -> None:
        made = mission()
        made.stage("decom", Identifier(), Decommutator(), LimitsMonitor(), publish=[str(Kind.PACKETS)])
        assert "m.packets.FIREFLY" in made.describe().stage("decom").writes


class TestIdentification:
    def dictionary(self, tmp_path: Path, fallback: str = "false") -> Dictionary:
        """Two targets whose packets can be the same bytes."""
        targets = (("ONE", "{ID: 7, KIND: 1}", "false"), ("TWO", "{ID: 7}", fallback))
        for name, identify, told in targets:
            (tmp_path / f"{name}.yaml").write_text(TARGET.format(name=name, identify=identify, fallback=told))
        return Dictionary.load(tmp_path)

    def shared(self, dictionary: Dictionary) -> Mission:
        made = Mission("m", dictionary=dictionary)
        made.interface("fep", LINK, protocols=[CcsdsPackets()], targets=["ONE", "TWO"])
        return made

    def test_targets_behind_one_interface_must_be_told_apart(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=rf"interface fep {LINE}: the packets .* ONE HEALTH.*TWO HEALTH"):
            self.shared(self.dictionary(tmp_path)).describe()

    def test_one_of_them_may_be_a_fallback(self, tmp_path: Path) -> None:
        assert self.shared(self.dictionary(tmp_path, fallback="true")).describe().stage("fep").targets == ("ONE", "TWO")

    def test_what_can_never_be_identified_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "one.yaml").write_text(
            TARGET.format(name="ONE", identify="{ID: 7}", fallback="false")
            + "  REST:\n    identify: {ID: 7, KIND: 1}\n    fallback: true\n    items: {ID: u8, KIND: u8}\n"
        )
        made = Mission("m", dictionary=Dictionary.load(tmp_path))
        made.interface("fep", LINK, protocols=[CcsdsPackets()], targets=["ONE"])
        with pytest.raises(UsageError, match=r"ONE REST: it is a fallback, and what matches it also matches"):
            made.describe()

    def test_targets_behind_different_ones_need_not(self, tmp_path: Path) -> None:
        made = Mission("m", dictionary=self.dictionary(tmp_path))
        made.interface("one", LINK, protocols=[CcsdsPackets()], targets=["ONE"])
        made.interface("two", LINK, protocols=[CcsdsPackets()], targets=["TWO"])
        made.describe()


class TestInterfaces:
    def test_its_own_commands_need_somebody_who_encodes_them(self) -> None:
        made = Mission("m", dictionary=DICTIONARY)
        made.interface("fep", LINK, protocols=[CcsdsPackets()], targets=["FIREFLY"], on_connect=["FIREFLY NOOP"])
        with pytest.raises(UsageError, match=rf"interface fep {LINE} has commands of its own, which no stage encodes"):
            made.describe()
        made.stage("encode", CommandEncoder())
        made.describe()

    def test_its_own_commands_are_read_when_it_is_described(self) -> None:
        made = Mission("m", dictionary=DICTIONARY)
        made.interface("fep", LINK, protocols=[CcsdsPackets()], targets=["FIREFLY"], periodic=[("FIREFLY NOOP", 0)])
        made.stage("encode", CommandEncoder())
        with pytest.raises(UsageError, match=rf"interface fep {LINE}: periodic 'FIREFLY NOOP'"):
            made.describe()
