"""Rounds of the kill test: a pipeline in as many processes as stages, its attackers, and what became of everything."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import Counter
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from attrs import define, field

from c2kit.bus import open_bus
from c2kit.pipeline.composition.script import load_mission
from c2kit.pipeline.observing.ledger import ledger_text
from c2kit.pipeline.provisioning import provisioning_of
from c2kit.pipeline.runner import Runner
from c2kit.pipeline.settings import Settings
from tests.kill.attack import Attack
from tests.kill.commander import Commander
from tests.kill.grounds import SqliteGround
from tests.kill.kafka_ground import KafkaGround
from tests.kill.processes import MISSION, Processes
from tests.kill.progress import Progress
from tests.kill.schedule import INTERFACE, RARE, STAGES, broker_kinds, drawn, kinds
from tests.kill.verdict import Taken, check_commands, check_packets, check_telemetry, taken_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from c2kit.bus import StreamBus
    from c2kit.pipeline.composition.mission import Mission
    from tests.kill.attack import Blow, End
    from tests.kill.broker_attack import BrokerBlow
    from tests.kill.commander import Issued
    from tests.kill.grounds import Ground
    from tests.kill.processes import SatelliteProcess
    from tests.kill.schedule import Kind

__all__ = ["GroundOf", "Round", "RoundResult", "campaign", "on_kafka", "on_sqlite"]

_SPEED = 40.0
"""Simulated seconds a second: about 300 packets."""
_DRAIN_SECONDS = 120.0
_STRIKES_A_ROUND = 50


Dealt = TypeVar("Dealt")
GroundOf: TypeAlias = "Callable[[Path, int, int], Ground]"
"""What makes the ground of a round: given its folder, its number from 0 on, and how many there are."""


@define
class RoundResult:
    """What a round came to. Everything in it was compared, or it would not be there."""

    blows: list[Blow] = field(factory=list)
    broker_blows: list[BrokerBlow] = field(factory=list)
    unasked: list[End] = field(factory=list)
    """Processes that ended without being struck, as they may, and were started again."""
    packets: int = 0
    values: int = 0
    """How many values of samples were compared."""
    losses: list[tuple[str, int]] = field(factory=list)
    """What the interface died of, and how many packets that were sent to it did not arrive."""
    commands: Counter[str] = field(factory=Counter)
    """By what they were and how they ended."""
    seconds: float = 0.0


class Round:
    """One pipeline, from its first start to its end. Raises AssertionError where a promise was not kept."""

    def __init__(
        self, folder: Path, seed: int, strikes: Sequence[Kind], ground: Ground, *, with_interface: bool
    ) -> None:
        self._seed = seed
        self._ground = ground
        self._strikes = drawn(seed, strikes, with_interface=with_interface)
        self._satellite, self._log, self._raw, logs = (
            folder / name for name in ("satellite", "log", "raw", "processes")
        )
        for path in (self._satellite, logs):
            path.mkdir(parents=True)
        self._processes = Processes(
            logs,
            {
                "C2KIT_DIR_LOG": str(self._log),
                "C2KIT_DIR_FEP_RAW_LOG": str(self._raw),
            },
        )
        self._interface_ends: list[str] = []
        """Of what each of its processes ended but the last one."""
        self._result = RoundResult()

    def run(self) -> RoundResult:
        """Attack, drain, run once more in one process, compare."""
        began = time.monotonic()
        with self._ground, self._processes as processes:
            processes.environment["C2KIT_BUS"] = self._ground.url
            satellite = processes.start_satellite(self._satellite, self._seed, _SPEED)
            processes.environment["C2KIT_LINK_FEP"] = f"127.0.0.1:{satellite.port}"
            settings = Settings.from_environment(processes.environment)
            mission = settings.applied_to(load_mission(MISSION))
            provisioning_of(mission).apply()
            with open_bus(mission.bus) as bus:
                issued = self._survived(bus, mission, satellite)
                runner = self._run_whole(Runner(load_mission(MISSION), settings=settings), satellite)
                taken = self._packets()
                self._check_ledger(runner, taken)
                self._result.values = check_telemetry(bus, mission, taken.packets)
                self._result.commands = check_commands(
                    bus,
                    mission,
                    issued,
                    self._satellite,
                    self._log / "firefly.uplink.fep",
                    is_linked=not self._interface_ends,
                )
        self._result.seconds = time.monotonic() - began
        return self._result

    def _survived(self, bus: StreamBus, mission: Mission, satellite: SatelliteProcess) -> Sequence[Issued]:
        try:
            return asyncio.run(self._attack(bus, mission, satellite))
        except BaseException:
            self._processes.ask_what_they_do()
            raise

    async def _attack(self, bus: StreamBus, mission: Mission, satellite: SatelliteProcess) -> Sequence[Issued]:
        """Let all stages be attacked at once, then let everything come to its end. Gives the commands of meanwhile."""
        attacks: list[Attack] = []

        def check() -> None:
            satellite.check_lives()
            for attack in attacks:
                attack.check()

        progress = Progress(self._ground.look(bus), check)
        watch = asyncio.create_task(progress.watch())
        attacks += [Attack(stage, self._ground, self._processes, progress) for stage in (*STAGES, INTERFACE)]
        await progress.growth(INTERFACE, seconds=_DRAIN_SECONDS)
        commander = Commander(bus, mission, self._seed)  # now that the link is up: whatever can be sent must be
        async with asyncio.TaskGroup() as group:
            for attack in attacks:
                group.create_task(attack.run(self._strikes.get(attack.stage, ())))
            for strike in self._ground.strikes(progress, attacks):
                group.create_task(strike)
        await asyncio.to_thread(commander.stop)
        await asyncio.to_thread(satellite.let_take)
        await progress.drained(_DRAIN_SECONDS)
        watch.cancel()
        self._result.broker_blows += self._ground.blows
        for attack in attacks:
            await attack.end()
            self._result.blows += attack.blows
            self._result.unasked += [end for end in attack.ends if end.last_words]
            if attack.stage == INTERFACE:
                self._interface_ends = [end.cause for end in attack.ends]
        return commander.issued

    @staticmethod
    def _run_whole(runner: Runner, satellite: SatelliteProcess) -> Runner:
        """Run all of the mission in one process, and let more come, so that it knows where everything ever was."""
        with runner:
            satellite.send()
            deadline = time.monotonic() + _DRAIN_SECONDS
            while not any("frames" in row.partition and row.taken for row in runner.rows()):
                assert time.monotonic() < deadline, "nothing gets through the whole mission in one process"
                assert not runner.wait(0.05), runner.error
            satellite.let_take()
            account = None
            while account != (account := (runner.byte_rows(), runner.edges())) or any(edge.lag for edge in account[1]):
                assert time.monotonic() < deadline, f"the whole mission does not come to an end: {account}"
                assert not runner.wait(0.5), runner.error
        return runner

    def _packets(self) -> Taken:
        """Only connections of interfaces that died may lack something, and that at their ends."""
        taken = taken_of(self._satellite, self._raw)
        deaths = self._interface_ends
        *broken, last_of_attack, last_of_all = range(len(taken.sent))
        assert len(broken) == len(deaths), f"{len(broken)} connections broke, the interface died {len(deaths)} times"
        for number in (last_of_attack, last_of_all):
            assert taken.sent[number] == taken.kept[number], "bytes of a connection that was never broken are missing"
        check_packets(self._log / "firefly.packets.FIREFLY", taken.packets)
        self._result.packets = len(taken.packets)
        self._result.losses = [(kind, taken.lost_packets[number]) for kind, number in zip(deaths, broken, strict=True)]
        return taken

    @staticmethod
    def _check_ledger(runner: Runner, taken: Taken) -> None:
        text = ledger_text(runner.rows(), runner.edges(), runner.byte_rows())
        assert text.endswith("unaccounted: 0"), text
        assert not any(edge.lag for edge in runner.edges()), text
        (received,) = [row.received for row in runner.byte_rows()]
        assert received == sum(map(len, taken.kept)), text
        (identified,) = [row.taken for row in runner.rows() if row.processor == "Identifier"]
        assert identified == len(taken.packets), text


def campaign(
    folder: Path, seed: int, count: int, ground_of: GroundOf, *, rounds: int | None = None
) -> Iterator[RoundResult]:
    """So many strikes, in rounds: the interface is left alone in every other one, beginning with the first of several.

    What a round leaves behind is removed once it was found right.
    """
    dealt = kinds(seed, count)
    rounds = rounds or max(2, -(-count // _STRIKES_A_ROUND))
    for number in range(rounds):
        place = folder / f"round-{number + 1}"
        place.mkdir(parents=True)
        ground = ground_of(place, number, rounds)
        share, with_interface = _share(dealt, number, rounds), number % 2 == 1 or rounds == 1
        yield Round(place, 1000 * seed + number, share, ground, with_interface=with_interface).run()
        shutil.rmtree(place)


def on_sqlite(folder: Path, number: int, rounds: int) -> Ground:  # noqa: ARG001 - all rounds are alike
    """The ground of a round on a file."""
    return SqliteGround(folder)


def on_kafka(seed: int, broker_kills: int, *, with_rare: bool) -> GroundOf:
    """What makes the ground of a round on brokers, of which so many are killed in all rounds together.

    ``with_rare``: what happens to a cluster now and then happens once in each round.
    """
    dealt = broker_kinds(seed, broker_kills)

    def ground_of(folder: Path, number: int, rounds: int) -> Ground:
        return KafkaGround(folder, 1000 * seed + number, [*_share(dealt, number, rounds), *(RARE if with_rare else ())])

    return ground_of


def _share(dealt: Sequence[Dealt], number: int, rounds: int) -> Sequence[Dealt]:
    """What of it belongs to a round."""
    return dealt[len(dealt) * number // rounds : len(dealt) * (number + 1) // rounds]
