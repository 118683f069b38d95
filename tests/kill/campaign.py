"""Rounds of the kill test: a pipeline in as many processes as stages, its attackers, and what became of everything."""

from __future__ import annotations

import asyncio
import shutil
import signal
import time
from collections import Counter
from typing import TYPE_CHECKING

from attrs import define, field

from c2kit.bus import open_bus
from c2kit.pipeline.composition.script import load_mission
from c2kit.pipeline.composition.streams import specs_of
from c2kit.pipeline.definitions import publish_definitions
from c2kit.pipeline.observing.ledger import ledger_text
from c2kit.pipeline.runner import Runner
from c2kit.pipeline.settings import Settings
from tests.kill.attack import Attack, WrongEnd
from tests.kill.commander import Commander
from tests.kill.processes import MISSION, Processes
from tests.kill.progress import Progress
from tests.kill.schedule import INTERFACE, STAGES, drawn, kinds
from tests.kill.verdict import Taken, check_commands, check_packets, check_telemetry, taken_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from c2kit.bus import StreamBus
    from c2kit.pipeline.composition.mission import Mission
    from tests.kill.attack import Blow
    from tests.kill.commander import Issued
    from tests.kill.processes import SatelliteProcess
    from tests.kill.schedule import Kind

__all__ = ["Round", "RoundResult", "campaign"]

_SPEED = 40.0
"""Simulated seconds a second: about 300 packets."""
_DRAIN_SECONDS = 120.0
_STRIKES_A_ROUND = 50


@define
class RoundResult:
    """What a round came to. Everything in it was compared, or it would not be there."""

    blows: list[Blow] = field(factory=list)
    packets: int = 0
    values: int = 0
    """How many values of samples were compared."""
    losses: list[tuple[Kind, int]] = field(factory=list)
    """What the interface died of, and how many packets that were sent to it did not arrive."""
    commands: Counter[str] = field(factory=Counter)
    """By what they were and how they ended."""
    seconds: float = 0.0


class Round:
    """One pipeline, from its first start to its end. Raises AssertionError where a promise was not kept."""

    def __init__(self, folder: Path, seed: int, strikes: Sequence[Kind], *, with_interface: bool) -> None:
        self._seed = seed
        self._with_interface = with_interface
        self._strikes = drawn(seed, strikes, with_interface=with_interface)
        self._satellite, self._log, self._raw, logs = (
            folder / name for name in ("satellite", "log", "raw", "processes")
        )
        for path in (self._satellite, logs):
            path.mkdir(parents=True)
        self._processes = Processes(
            logs,
            {
                "C2KIT_BUS": f"sqlite:{folder / 'bus.db'}",
                "C2KIT_DIR_LOG": str(self._log),
                "C2KIT_DIR_FEP_RAW_LOG": str(self._raw),
            },
        )
        self._result = RoundResult()

    def run(self) -> RoundResult:
        """Attack, drain, run once more in one process, compare."""
        began = time.monotonic()
        with self._processes as processes:
            satellite = processes.start_satellite(self._satellite, self._seed, _SPEED)
            processes.environment["C2KIT_LINK_FEP"] = f"127.0.0.1:{satellite.port}"
            settings = Settings.from_environment(processes.environment)
            mission = settings.applied_to(load_mission(MISSION))
            with open_bus(mission.bus) as bus:
                bus.apply(specs_of(mission.describe()))
                publish_definitions(bus, mission.name, mission.dictionary)
                issued = asyncio.run(self._attack(bus, mission, satellite))
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
                    is_linked=not self._with_interface,
                )
        self._result.seconds = time.monotonic() - began
        return self._result

    async def _attack(self, bus: StreamBus, mission: Mission, satellite: SatelliteProcess) -> Sequence[Issued]:
        """Let all stages be attacked at once, then let everything come to its end. Gives the commands of meanwhile."""
        progress = Progress(bus, satellite.check_lives)
        watch = asyncio.create_task(progress.watch())
        attacks = [Attack(stage, self._processes, progress) for stage in (*STAGES, INTERFACE)]
        await progress.growth(INTERFACE, seconds=_DRAIN_SECONDS)
        commander = Commander(bus, mission, self._seed)  # now that the link is up: whatever can be sent must be
        async with asyncio.TaskGroup() as group:
            for attack in attacks:
                group.create_task(attack.run(self._strikes.get(attack.stage, ())))
        await asyncio.to_thread(commander.stop)
        await asyncio.to_thread(satellite.let_take)
        await self._drained(progress)
        watch.cancel()
        for attack in attacks:
            self._result.blows += attack.blows
            await self._ends_well(attack, progress)
        return commander.issued

    @staticmethod
    async def _drained(progress: Progress) -> None:
        """Wait until nothing waits, and nothing came for a while that could be on its way between two streams."""
        quiet_since, before = time.monotonic(), dict(progress.positions)
        deadline = time.monotonic() + _DRAIN_SECONDS
        while time.monotonic() < quiet_since + 1.0:
            assert time.monotonic() < deadline, f"{progress.lag} records still wait after {_DRAIN_SECONDS:g} s"
            if progress.lag or progress.positions != before:
                quiet_since, before = time.monotonic(), dict(progress.positions)
            await asyncio.sleep(0.05)

    @staticmethod
    async def _ends_well(attack: Attack, progress: Progress) -> None:
        attack.instance.signal(signal.SIGTERM)
        await progress.until(lambda: attack.instance.exit_code is not None, f"{attack.stage} ends when it is told to")
        if attack.instance.exit_code != 0:
            raise WrongEnd(attack.instance, "exit code 0")

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
        deaths = [blow.kind for blow in self._result.blows if blow.stage == INTERFACE and blow.is_replaced]
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


def campaign(folder: Path, seed: int, count: int) -> Iterator[RoundResult]:
    """So many strikes, in rounds: the interface is left alone in every other one, beginning with the first.

    What a round leaves behind is removed once it was found right.
    """
    dealt = kinds(seed, count)
    rounds = max(2, -(-count // _STRIKES_A_ROUND))
    for number in range(rounds):
        place = folder / f"round-{number + 1}"
        share = dealt[count * number // rounds : count * (number + 1) // rounds]
        yield Round(place, 1000 * seed + number, share, with_interface=number % 2 == 1).run()
        shutil.rmtree(place)
