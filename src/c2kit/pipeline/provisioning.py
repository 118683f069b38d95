"""What a mission needs of a bus before it runs there: told, made, and compared with what there is.

Nothing that is there is ever changed or deleted. On Apache Kafka this is done by who provisions, once for each change
of a mission; an embedded bus does as much by itself when a mission starts.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.batches.kinds import Kind
from c2kit.bus import BusUnavailable, open_bus
from c2kit.errors import UsageError
from c2kit.links.backoff import Backoff
from c2kit.pipeline.composition.names import stream_name
from c2kit.pipeline.composition.streams import specs_of
from c2kit.pipeline.composition.topic_checks import Difference, check_cluster
from c2kit.pipeline.composition.topics import topics_of
from c2kit.pipeline.definitions import publish_definitions, read_compacted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import TypeVar

    from c2kit.bus import StreamBus, StreamSpec
    from c2kit.bus.kafka.provisioner import Provisioner
    from c2kit.bus.topic import Topic
    from c2kit.pipeline.composition.mission import Mission

    Value = TypeVar("Value")

__all__ = ["Applied", "Provisioning", "provisioning_of"]

_PATIENCE_SECONDS = 60.0
_INTERNAL = "__"


@frozen(kw_only=True)
class Applied:
    """What was done: the streams and topics that were made, and how many were there already."""

    created: tuple[str, ...]
    existing: int


class Provisioning(ABC):
    """A mission and the bus that it is to run on.

    What asks the bus raises BusUnavailable where it does not answer, BusError where it is none.
    """

    def __init__(self, mission: Mission, replay: str | None = None) -> None:
        self.mission = mission
        self.description = mission.describe(replay=replay)
        self.specs = specs_of(self.description)

    @abstractmethod
    def apply(self) -> Applied:
        """Make what is missing, and put the definitions there. Doing it twice is doing it once.

        Raises UsageError, before anything is made, for what is there otherwise and cannot be changed.
        """

    @abstractmethod
    def check(self) -> list[Difference]:
        """What there is otherwise than the mission needs it; nothing is made."""

    def _of_definitions(self, bus: StreamBus) -> Iterator[Difference]:
        """Targets whose definitions are not on the bus, so that nobody could read what names them."""
        stream = stream_name(self.mission.name, Kind.DICTIONARIES)
        there = read_compacted(bus, stream)
        for target, of_target in self.description.dictionary_hashes.items():
            if of_target not in there:
                yield Difference(
                    of=f"target {target}",
                    setting="definitions",
                    wanted=of_target,
                    found="other ones" if there else "none",
                    meaning="stages wait until c2kit streams apply has put them there",
                    breaks=True,
                )

    def _of_specs(self, there: Mapping[str, StreamSpec]) -> Iterator[Difference]:
        for spec in self.specs:
            found = there.get(spec.name)
            if found is None:
                yield Difference(
                    of=f"stream {spec.name}",
                    setting="stream",
                    wanted="to be there",
                    found="none",
                    meaning="the mission cannot run until it is made",
                    breaks=True,
                )
                continue
            for name, meaning in _FIXED.items():
                wanted, has = getattr(spec, name), getattr(found, name)
                if wanted != has:
                    yield Difference(
                        of=f"stream {spec.name}",
                        setting=name,
                        wanted=_told(wanted),
                        found=_told(has),
                        meaning=meaning,
                        breaks=True,
                    )


_FIXED = {
    "writer": "a stream has one writer, and the mission would have another one",
    "partitions": "a lane would go on in another partition than it began in, and lose its order",
    "lanes": "a lane would go on in another partition than it began in, and lose its order",
    "is_telemetry": "it would be kept otherwise",
    "compacted": "it would be kept otherwise",
}


def _told(value: object) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, tuple) else str(value)


class _Embedded(Provisioning):
    """On ``sqlite:``, which makes its streams itself."""

    def apply(self) -> Applied:
        with open_bus(self.mission.bus) as bus:
            before = {info.spec.name for info in bus.streams(f"{self.mission.name}.")}
            bus.apply(self.specs)
            publish_definitions(bus, self.mission.name, self.mission.dictionary)
        names = [spec.name for spec in self.specs]
        return Applied(
            created=tuple(name for name in names if name not in before),
            existing=sum(name in before for name in names),
        )

    def check(self) -> list[Difference]:
        _, _, path = self.mission.bus.partition(":")
        if not Path(path).is_file():
            return list(self._of_specs({}))
        with open_bus(self.mission.bus) as bus:
            there = {info.spec.name: info.spec for info in bus.streams(f"{self.mission.name}.")}
            found = list(self._of_specs(there))
            return (
                found
                if stream_name(self.mission.name, Kind.DICTIONARIES) not in there
                else [
                    *found,
                    *self._of_definitions(bus),
                ]
            )


class _Kafka(Provisioning):
    """On ``kafka:``."""

    def __init__(self, mission: Mission, provisioner: Provisioner, secrets: Path | None, replay: str | None) -> None:
        super().__init__(mission, replay)
        self._provisioner, self._secrets = provisioner, secrets

    def apply(self) -> Applied:
        cluster = _patiently(lambda: self._provisioner.cluster(self._is_ours))
        wanted = topics_of(self.description, brokers=len(cluster.brokers))
        for topic in wanted:
            if topic.name in cluster.topics:
                _refuse_other_partitions(topic, cluster.topics[topic.name])
        missing = [topic for topic in wanted if topic.name not in cluster.topics]
        self._provisioner.create(missing)
        _patiently(lambda: self._provisioner.describe(self.mission.name, self.specs))
        with open_bus(self.mission.bus, secrets=self._secrets) as bus:
            _patiently(lambda: publish_definitions(bus, self.mission.name, self.mission.dictionary))
        return Applied(created=tuple(topic.name for topic in missing), existing=len(wanted) - len(missing))

    def check(self) -> list[Difference]:
        cluster = self._provisioner.cluster(self._is_ours)
        wanted = topics_of(self.description, brokers=len(cluster.brokers))
        found = check_cluster(self.mission.name, wanted, cluster)
        if all(topic.name in cluster.topics for topic in wanted):
            found += self._of_specs(self._provisioner.described(self.mission.name))
            with open_bus(self.mission.bus, secrets=self._secrets) as bus:
                found += self._of_definitions(bus)
        return found

    def _is_ours(self, name: str) -> bool:
        return name.startswith((f"{self.mission.name}.", _INTERNAL))


def provisioning_of(mission: Mission, *, replay: str | None = None, secrets: Path | None = None) -> Provisioning:
    """What makes the mission's bus ready; ``secrets`` as :func:`~c2kit.bus.opening.open_bus` takes them.

    Raises UsageError for a bus that no other process can use, and for files of a secret that are missing or wrong.
    """
    kind, _, rest = mission.bus.partition(":")
    if kind == "kafka":
        from c2kit.bus.kafka.provisioner import Provisioner  # noqa: PLC0415 - only where it is used
        from c2kit.bus.kafka.security import Secrets  # noqa: PLC0415 - as above

        security = None if secrets is None else Secrets.load(secrets)
        return _Kafka(mission, Provisioner(rest, security), secrets, replay)
    if kind == "sqlite":
        return _Embedded(mission, replay)
    raise UsageError(
        f"bus {mission.bus} is within the process that runs the mission, and needs nothing before",
        remedy="give --bus kafka:HOST:PORT or sqlite:PATH",
    )


def _refuse_other_partitions(wanted: Topic, found: Topic) -> None:
    if wanted.partitions != found.partitions:
        raise UsageError(
            f"topic {wanted.name} has another number of partitions, which is fixed at its creation: lanes would go on "
            "in other partitions than they began in, and records overtake each other; nothing was changed",
            expected=wanted.partitions,
            found=found.partitions,
            remedy="compose the mission as it was, or give it another name for a new set of streams",
        )


def _patiently(call: Callable[[], Value]) -> Value:
    """What a call gives. Topics that were made a moment ago may not be known to all brokers yet."""
    backoff, deadline = Backoff(0.1, 2.0), time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return call()
        except BusUnavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(backoff.failed())
