"""Brokers under attack, each time while records are committed; and for how long no stage could commit then."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from attrs import define, field
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from c2kit.bus.naming import transactional_prefix
from tests.kill.progress import TooSlow
from tests.kill.schedule import INTERFACE, BrokerKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dev.kafka import Broker, Cluster
    from tests.kill.attack import Attack
    from tests.kill.progress import Progress

__all__ = ["BrokerAttack", "BrokerBlow"]

_BUSY = ("frames.fep", "raw.fep", "telemetry.FIREFLY", "packets.FIREFLY")
_COMMITTING = ("fep", "decom", "encode")
_FLOWING = ("fep", "decom", "log")
"""All that must get on before the next blow."""
_MEASURED = ("fep", "decom")
"""Those that commit all the time, if they can."""
_PAUSE_SECONDS = 20.0
_ALL_GONE_SECONDS = 60.0
_log = logging.getLogger(__name__)
_FULL_SECONDS = 60.0
"""After so long a broker whose disk is full is given room, whether it noted or not."""


@define
class BrokerBlow:
    """What was done to a broker while records were committed."""

    kind: BrokerKind
    victims: str
    """Which brokers, and what they were then."""
    at: datetime
    pause_seconds: float = 0.0
    """The longest time without a commit of a stage that itself was left alone, from then until all flowed again."""
    paused: str = ""
    """Which stage that was; none if all were struck themselves."""

    def __str__(self) -> str:
        pause = f"no commit of {self.paused} for {self.pause_seconds:.1f} s" if self.paused else "stages struck, too"
        return f"{self.at:%H:%M:%S} UTC: {self.kind}, {self.victims or 'a new one'}: {pause}"


@define(eq=False)
class BrokerAttack:
    """What happens to a cluster. ``silence_of`` tells how long a stage committed nothing between two moments."""

    cluster: Cluster
    progress: Progress
    silence_of: Callable[[str, float, float], float]
    attacks: Sequence[Attack]
    seed: int
    patience_seconds: float
    blows: list[BrokerBlow] = field(factory=list, init=False)
    _chance: random.Random = field(init=False)

    @_chance.default
    def _of_seed(self) -> random.Random:
        return random.Random(f"brokers {self.seed}")

    async def run(self, kinds: Sequence[BrokerKind]) -> None:
        """Strike so, one after the other, and see everything flow again after each."""
        await self._flow()
        for kind in kinds:
            await asyncio.sleep(self._chance.uniform(0, 1.0))
            numbers = await asyncio.to_thread(self._victims, kind)
            victims = await asyncio.to_thread(self._told, numbers)
            await self.progress.growth(INTERFACE, times=2, seconds=self.patience_seconds)
            blow, began = BrokerBlow(kind, victims, datetime.now(UTC)), time.monotonic()
            await self._strike(kind, [self.cluster.brokers[number] for number in numbers])
            await self._flow()
            self._measure(blow, began, time.monotonic())
            self.blows.append(blow)
            _log.info("%s", blow)

    async def _flow(self) -> None:
        await asyncio.gather(
            *(self.progress.growth(stage, times=2, seconds=self.patience_seconds) for stage in _FLOWING)
        )

    def _measure(self, blow: BrokerBlow, began: float, ended: float) -> None:
        struck = {attack.stage for attack in self.attacks if attack.was_away(began, ended)}
        pauses = {stage: self.silence_of(stage, began, ended) for stage in _MEASURED if stage not in struck}
        if pauses:
            blow.paused = max(pauses, key=lambda stage: pauses[stage])
            blow.pause_seconds = pauses[blow.paused]

    # -- who -------------------------------------------------------------------------------------

    def _victims(self, kind: BrokerKind) -> list[int]:
        """Whom it concerns now. Waits until there is one."""
        if kind in (BrokerKind.ALL_GONE, BrokerKind.JOIN):
            return list(self.cluster.brokers) if kind is BrokerKind.ALL_GONE else []
        deadline = time.monotonic() + self.patience_seconds
        while True:
            with suppress(KafkaException):
                if (number := self._victim(kind)) > 0:
                    return [number]
            assert time.monotonic() < deadline, f"nobody is there for: {kind}"
            time.sleep(0.1)

    def _victim(self, kind: BrokerKind) -> int:
        match kind:
            case BrokerKind.LEADER:
                return self.cluster.leader(f"firefly.{self._chance.choice(_BUSY)}", 0)
            case BrokerKind.CONTROLLER:
                return self.cluster.controller()
            case BrokerKind.COORDINATOR:
                return self.cluster.transaction_coordinator(_transactional_id(self._chance.choice(_COMMITTING)))
            case _:
                return self._chance.choice(list(self.cluster.brokers))

    def _told(self, numbers: Sequence[int]) -> str:
        """What these brokers do now, for people."""
        told = []
        for number in numbers:
            with suppress(KafkaException):
                roles = ["controller"] if self.cluster.controller() == number else []
                roles += [f"leads {name}" for name in _BUSY if self.cluster.leader(f"firefly.{name}", 0) == number]
                for stage in _COMMITTING:
                    if self.cluster.transaction_coordinator(_transactional_id(stage)) == number:
                        roles.append(f"coordinates {stage}")
                told.append(f"{number} ({', '.join(roles) or 'nothing'})")
        return "; ".join(told)

    # -- what ------------------------------------------------------------------------------------

    async def _strike(self, kind: BrokerKind, brokers: Sequence[Broker]) -> None:
        match kind:
            case BrokerKind.PAUSE:
                for broker in brokers:
                    broker.pause()
                await asyncio.sleep(_PAUSE_SECONDS)
                for broker in brokers:
                    broker.resume()
            case BrokerKind.DISK_FULL:
                for broker in brokers:
                    broker.fill_disk()
                with suppress(TooSlow):
                    await self.progress.until(
                        lambda: not any(broker.is_running for broker in brokers), "it ends of it", _FULL_SECONDS
                    )
                await self._kill(brokers, 0.0)
            case BrokerKind.JOIN:
                await asyncio.to_thread(self._join)
            case BrokerKind.ALL_GONE:
                await self._kill(brokers, _ALL_GONE_SECONDS)
            case _:
                await self._kill(brokers, self._chance.choice((0.0, self._chance.uniform(0, 5.0))))

    async def _kill(self, brokers: Sequence[Broker], away_seconds: float) -> None:
        for broker in brokers:
            await asyncio.to_thread(broker.kill)
        await asyncio.sleep(away_seconds)
        for broker in brokers:
            await asyncio.to_thread(broker.start)
        await asyncio.to_thread(self._await_service, brokers)

    def _await_service(self, brokers: Sequence[Broker]) -> None:
        """Wait until each of them answers itself: the others may not even know yet that it was away."""
        deadline = time.monotonic() + self.patience_seconds
        for broker in brokers:
            client = AdminClient({"bootstrap.servers": f"127.0.0.1:{broker.port}", "log_level": 0})
            while True:
                with suppress(KafkaException):
                    client.list_topics(timeout=1.0)
                    break
                assert broker.is_running, f"broker {broker.number} ended: {broker.log.read_text()[-3000:]}"
                assert time.monotonic() < deadline, f"broker {broker.number} does not come back"

    def _join(self) -> None:
        """Let one more broker take the place of another in every second partition, and wait until it has."""
        newcomer = self.cluster.add().number
        before = self.cluster.replicas()
        chosen = sorted(key for key in before if len(before[key]) > 1)[::2]
        places = {key: [newcomer, *before[key][1:]] for key in chosen}
        self.cluster.reassign(places)


def _transactional_id(stage: str) -> str:
    return f"{transactional_prefix(f'firefly.{stage}')}0"
