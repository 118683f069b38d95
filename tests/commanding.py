"""A mission with commands on a bus, run by hand: what happens between two turns is a test's to choose."""

from __future__ import annotations

import binascii
import struct
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from c2kit.bus import Fenced, Record, Step
from c2kit.bus.records import Command, CommandStatus, Event, Fate, UplinkCommand, pack, unpack
from c2kit.dictionaries import Dictionary
from c2kit.links import TcpClient
from c2kit.pipeline.composition.mission import Mission
from c2kit.pipeline.composition.streams import specs_of
from c2kit.pipeline.surroundings import StageSurroundings
from c2kit.processors import CommandEncoder, Identifier
from c2kit.protocols import CcsdsPackets, Fixed

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, Self

    from c2kit.bus import StreamBus
    from c2kit.pipeline.stage import Stage

DICTIONARY = Dictionary.load(Path(__file__).parents[1] / "examples" / "dictionary")
SECOND = 10**9


def commanded_mission(dictionary: Dictionary = DICTIONARY, bus: str = "memory:") -> Mission:
    """FIREFLY behind two interfaces, ANTENNA behind one; the stage ``encode`` serves both."""
    mission = Mission("firefly", dictionary=dictionary, bus=bus)
    link = TcpClient("localhost", 7011)
    mission.interface("fep", link, protocols=[CcsdsPackets()], targets=["FIREFLY"], periodic=[("FIREFLY NOOP", 60.0)])
    mission.interface("spare", link, protocols=[CcsdsPackets()], targets=["FIREFLY"])
    mission.interface("dish", link, protocols=[Fixed(64)], targets=["ANTENNA"])
    mission.stage("identify", Identifier())
    mission.stage("encode", CommandEncoder())
    return mission


def surroundings_of(
    mission: Mission, bus: StreamBus, now: Callable[[], int], stage: str = "encode"
) -> StageSurroundings:
    """The stage's place; the streams are made where they are missing."""
    description = mission.describe()
    bus.apply(specs_of(description))
    return StageSurroundings(mission=mission, description=description, stage=description.stage(stage), bus=bus, now=now)


def command(command_id: str, name: str = "NOOP", /, **changes: Any) -> Command:  # noqa: ANN401 - members of a record
    """A command to FIREFLY that was issued at 0 and expires after 30 seconds."""
    members: dict[str, Any] = {"target": "FIREFLY", "issued_ns": 0, "expires_ns": 30 * SECOND}
    return Command(id=command_id, name=name, **(members | changes))


def publish(bus: StreamBus, stage: str, *records: tuple[str, str, bytes]) -> None:
    """Write records of (stream, lane, value) as that stage would, in one step."""
    full = [Record(f"firefly.{stream}", lane, value) for stream, lane, value in records]
    with bus.worker(f"firefly.{stage}", [], outputs={each.stream for each in full}, exclusive=True) as worker:
        worker.commit(Step(publish=full))


def issue(bus: StreamBus, *commands: Command) -> None:
    """Put commands on the streams of their targets, as the command source would."""
    publish(bus, "command-source", *((f"commands.{each.target}", each.target, pack(each)) for each in commands))


def read_all(bus: StreamBus, stream: str) -> list[bytes]:
    """All that a stream still has."""
    with bus.view([f"firefly.{stream}"], from_oldest=True) as view:
        return [record.value for record in view.receive(0.0)]


def statuses(bus: StreamBus, stage: str = "encode") -> list[CommandStatus]:
    """What a stage told of commands."""
    return [unpack(CommandStatus, value) for value in read_all(bus, f"command-status.{stage}")]


def fates(bus: StreamBus, stage: str = "encode") -> list[tuple[str, Fate]]:
    """The same in short: ids and fates."""
    return [(status.id, status.fate) for status in statuses(bus, stage)]


def uplinked(bus: StreamBus, interface: str = "fep") -> list[UplinkCommand]:
    """What was given to an interface, and that has not taken it."""
    return [unpack(UplinkCommand, value) for value in read_all(bus, f"uplink.{interface}")]


def events(bus: StreamBus, stage: str = "encode") -> list[Event]:
    """What a stage told of itself."""
    return [unpack(Event, value) for value in read_all(bus, f"events.{stage}")]


def firefly_bytes(apid: int, count: int, function: int, arguments: bytes = b"") -> bytes:
    """A command of FIREFLY by CCSDS 133.0-B-2, 4.1.3, with the standard library's CRC-16/IBM-3740."""
    header = struct.pack(">HHHB", 0x1800 | apid, 0xC000 | count, len(arguments) + 2, function)
    return header + arguments + struct.pack(">H", binascii.crc_hqx(header + arguments, 0xFFFF))


class Pipeline:
    """An encoder, and an uplink that ends each command as it is told to, in a thread; closed by ``with``.

    ``fate_of`` says how a command ends; ``None`` is not at all.
    """

    def __init__(
        self, encoder: Stage, bus: StreamBus, fate_of: Callable[[UplinkCommand], Fate | None] = lambda _: Fate.SENT
    ) -> None:
        self._encoder, self._fate_of = encoder, fate_of
        self._uplink = bus.worker(
            "firefly.fep",
            ["firefly.uplink.fep"],
            outputs=["firefly.command-status.fep"],
            exclusive=True,
        )
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.error: BaseException | None = None

    def _run(self) -> None:
        try:
            while not self._is_over.is_set():
                self._encoder.turn(0.01)
                self._send()
        except Fenced:
            return
        except BaseException as error:
            self.error = error
            raise

    def _send(self) -> None:
        for record in self._uplink.receive(0.0).records:
            uplink = unpack(UplinkCommand, record.value)
            end = self._fate_of(uplink)
            told = [Fate.SENDING] if end in (Fate.SENT, Fate.UNKNOWN) else []
            steps = [*told, *([] if end is None else [end])]
            records = [
                Record("firefly.command-status.fep", "fep", pack(self._status(uplink, fate, place)))
                for place, fate in enumerate(steps)
            ]
            passed = {(record.stream, record.partition): record.offset + 1}
            self._uplink.commit(Step(publish=records, passed=passed))

    @staticmethod
    def _status(uplink: UplinkCommand, fate: Fate, place: int) -> CommandStatus:
        return CommandStatus(
            id=uplink.id,
            target=uplink.target,
            name=uplink.name,
            fate=fate,
            stage="fep",
            interface="fep",
            time_ns=uplink.encoded_ns + place + 1,
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()
        self._uplink.close()
        self._encoder.close()
