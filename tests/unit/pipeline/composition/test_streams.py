"""A bus is given exactly the streams of the description."""

from __future__ import annotations

from pathlib import Path

from c2kit.bus.base import StreamSpec
from c2kit.bus.memory import MemoryBus
from c2kit.dictionaries import Dictionary
from c2kit.links import TcpClient
from c2kit.pipeline.composition.mission import Mission
from c2kit.pipeline.composition.parts import PacketLogger
from c2kit.pipeline.composition.streams import specs_of
from c2kit.processors import CommandEncoder, Decommutator, Identifier
from c2kit.protocols import CcsdsPackets

DICTIONARY = Dictionary.load(Path(__file__).parents[4] / "examples" / "dictionary")


def mission(name: str = "m") -> Mission:
    made = Mission(name, dictionary=DICTIONARY)
    for interface in ("north", "south"):
        made.interface(interface, TcpClient("localhost", 7011), protocols=[CcsdsPackets()], targets=["FIREFLY"])
    made.stage("decom", Identifier(), Decommutator())
    made.stage("log", PacketLogger("var/log"))
    made.stage("encode", CommandEncoder())
    return made


def test_stages_are_named_by_their_identities_and_all_readers_must_have_passed_a_record() -> None:
    specs = {spec.name: spec for spec in specs_of(mission().describe())}
    assert specs["m.packets.FIREFLY"] == StreamSpec(
        name="m.packets.FIREFLY",
        writer="m.decom",
        partitions=2,
        lanes=("north/FIREFLY", "south/FIREFLY"),
        consumers=("m.log",),
    )
    assert specs["m.commands.FIREFLY"] == StreamSpec(
        name="m.commands.FIREFLY",
        writer="m.command-source",
        lanes=("FIREFLY",),
        consumers=("m.encode",),
        is_telemetry=False,
    )


def test_of_definitions_the_newest_are_kept_and_nobody_need_have_read_them() -> None:
    specs = {spec.name: spec for spec in specs_of(mission().describe())}
    for name in ("m.dictionaries", "m.schemas"):
        assert specs[name] == StreamSpec(name=name, writer="m.provisioner", is_telemetry=False, compacted=True)


def test_a_bus_takes_them_live_and_of_a_replay_and_of_another_mission() -> None:
    with MemoryBus() as bus:
        for specs in (
            specs_of(mission().describe()),
            specs_of(mission().describe(replay="night")),
            specs_of(mission("other").describe()),
        ):
            bus.apply(specs)
            bus.apply(specs)
        names = [info.spec.name for info in bus.streams()]
    assert len(names) == len(set(names))
    assert {"m.frames.north", "m.replay.night.frames.north", "other.frames.north"} <= set(names)
    assert [name for name in names if name.endswith(".dictionaries")] == ["m.dictionaries", "other.dictionaries"]
