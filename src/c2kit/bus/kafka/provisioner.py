"""What only who provisions does on a cluster: look at all settings, make topics, say what streams there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from confluent_kafka import KafkaException
from confluent_kafka.admin import ConfigResource, ResourceType  # type: ignore[attr-defined]  # they are public

from c2kit.bus.base import check_compatible
from c2kit.bus.kafka.admin import Admin
from c2kit.bus.kafka.catalogue import Catalogues
from c2kit.bus.kafka.clients import Clients
from c2kit.bus.kafka.errors import bus_error
from c2kit.bus.topic import Cluster, Topic

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from c2kit.bus.base import StreamSpec
    from c2kit.bus.kafka.security import Secrets

__all__ = ["Provisioner"]

_ANSWER_SECONDS = 30.0
_AT_ONCE = 200
Item = TypeVar("Item")


class Provisioner:
    """A cluster, under the identity that provisions. Everything raises BusUnavailable while it does not answer.

    Args:
        brokers: ``host:port``, separated by commas.
        security: what clients need to be let in; without it nothing is encrypted.
    """

    def __init__(self, brokers: str, security: Secrets | None = None) -> None:
        clients = Clients(brokers, security)
        self._admin = Admin(clients)
        self._client = clients.admin()
        self._catalogues = Catalogues(clients, self._admin)

    def cluster(self, is_wanted: Callable[[str], bool]) -> Cluster:
        """All brokers, and of the topics that this identity may see those whose names are wanted."""
        try:
            found = self._client.list_topics(timeout=_ANSWER_SECONDS)
        except KafkaException as error:
            raise bus_error("the cluster cannot be asked for its topics", error) from error
        topics = {name: topic for name, topic in found.topics.items() if is_wanted(name) and topic.partitions}
        settings = self._settings(ResourceType.TOPIC, _in_pieces(sorted(topics)))
        brokers = self._settings(ResourceType.BROKER, [[str(number)] for number in found.brokers])  # each tells its own
        return Cluster(
            brokers={int(number): values for number, values in brokers.items()},
            topics={
                name: Topic(
                    name=name,
                    partitions=len(topic.partitions),
                    replication_factor=min(len(each.replicas) for each in topic.partitions.values()),
                    settings=settings[name],
                )
                for name, topic in topics.items()
            },
        )

    def _settings(self, kind: Any, pieces: Iterable[Sequence[str]]) -> dict[str, dict[str, str]]:  # noqa: ANN401 - theirs
        """By name, all settings with their values; what is secret has none."""
        asked = [[ConfigResource(kind, name) for name in names] for names in pieces]
        # All answers are kept until they are read: the library fails those whose futures nobody holds.
        answers = [self._client.describe_configs(some, request_timeout=_ANSWER_SECONDS) for some in asked]
        found: dict[str, dict[str, str]] = {}
        for resource, future in (entry for futures in answers for entry in futures.items()):
            try:
                entries = future.result(2 * _ANSWER_SECONDS)
            except KafkaException as error:
                what = f"the settings of {resource.restype.name.lower()} {resource.name} cannot be seen"
                raise bus_error(what, error) from error
            found[resource.name] = {name: entry.value or "" for name, entry in entries.items()}
        return found

    def create(self, topics: Sequence[Topic]) -> None:
        """Make topics, and wait until they can be used. One that is there already stays as it is."""
        for some in _in_pieces(topics):
            self._admin.create(some)

    def described(self, mission: str) -> dict[str, StreamSpec]:
        """What the cluster knows of a mission's streams beside their topics."""
        return self._catalogues.of_missions([mission])

    def describe(self, mission: str, specs: Collection[StreamSpec]) -> None:
        """Let the cluster know it; doing it twice is doing it once. The topics are there.

        Raises UsageError where a stream has another writer or other lanes: those are fixed at its creation.
        """
        existing = self.described(mission)
        for spec in specs:
            if spec.name in existing:
                check_compatible(existing[spec.name], spec)
        self._catalogues.write([spec for spec in specs if existing.get(spec.name) != spec])


def _in_pieces(some: Sequence[Item]) -> list[Sequence[Item]]:
    return [some[start : start + _AT_ONCE] for start in range(0, len(some), _AT_ONCE)]
