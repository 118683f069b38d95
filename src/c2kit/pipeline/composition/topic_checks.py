"""What of a cluster differs from what a mission needs, and what each difference means for its promises.

Pure: what the cluster has is given. A difference *breaks* a promise where telemetry may be lost or worked on twice, or
a stage cannot run; of others it is told what they cost.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.bus.topic import LARGEST_RECORD_BYTES
from c2kit.pipeline.composition.names import REPLAY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from c2kit.bus.topic import Cluster, Topic

__all__ = ["Difference", "check_cluster"]

_OFFSETS, _TRANSACTIONS = "__consumer_offsets", "__transaction_state"
_WHAT_IS_KEPT = {
    _OFFSETS: "how far stages have read is lost with a broker, so that they work on the same once more",
    _TRANSACTIONS: "which steps were committed is lost with a broker, so that half of one may be seen",
}
_SAFE_BROKERS = 3
_LEAST_SHARE = 0.25
"""Less than that of the retention that is planned, and whoever is mended for some hours loses data."""
_TRANSACTION_TIMEOUT_MS = 900_000
"""The longest that stages ask for; Kafka's default."""
_UNKNOWN = "unknown"
_REQUEST_BYTES = LARGEST_RECORD_BYTES + 1_000_000


@frozen(kw_only=True)
class Difference:
    """Something that is not as it should be."""

    of: str
    """Such as ``topic firefly.frames.fep`` or ``broker 2``."""
    setting: str
    wanted: str
    found: str
    meaning: str
    breaks: bool


def check_cluster(mission: str, wanted: Iterable[Topic], cluster: Cluster) -> list[Difference]:
    """All differences: of the mission's topics, of those that Kafka keeps itself, and of brokers."""
    topics = {topic.name: topic for topic in wanted}
    found = [_few_brokers(len(cluster.brokers))] if len(cluster.brokers) < _SAFE_BROKERS else []
    for topic in topics.values():
        found += _of_topic(topic, cluster.topics.get(topic.name))
    found += _of_retention(topics.values(), cluster)
    found += _unused(mission, topics.keys(), cluster)
    for name in (_OFFSETS, _TRANSACTIONS):
        found += _of_internal(name, cluster)
    for number, settings in sorted(cluster.brokers.items()):
        found += _of_broker(f"broker {number}", settings)
    return found


def _few_brokers(count: int) -> Difference:
    return Difference(
        of="cluster",
        setting="brokers",
        wanted=f"at least {_SAFE_BROKERS}",
        found=str(count),
        meaning="what was acknowledged may be on one disk only, and is lost with it",
        breaks=False,
    )


# -- topics of the mission ----------------------------------------------------------------------


def _of_topic(wanted: Topic, found: Topic | None) -> Iterator[Difference]:
    of = f"topic {wanted.name}"
    if found is None:
        yield Difference(
            of=of,
            setting="topic",
            wanted="to be there",
            found="none",
            meaning="stages that need it do not start; c2kit streams apply creates it",
            breaks=True,
        )
        return
    if found.partitions != wanted.partitions:
        yield Difference(
            of=of,
            setting="partitions",
            wanted=str(wanted.partitions),
            found=str(found.partitions),
            meaning="a lane would go on in another partition than it began in, and lose its order",
            breaks=True,
        )
    if found.replication_factor != wanted.replication_factor:
        is_less = found.replication_factor < wanted.replication_factor
        yield Difference(
            of=of,
            setting="replication factor",
            wanted=str(wanted.replication_factor),
            found=str(found.replication_factor),
            meaning="what was acknowledged is lost with a broker" if is_less else "it takes more room",
            breaks=is_less,
        )
    for setting, value in wanted.settings.items():
        has = found.settings.get(setting, _UNKNOWN)
        if has != value:
            meaning, breaks = _meaning(setting, value, has, found)
            yield Difference(of=of, setting=setting, wanted=value, found=has, meaning=meaning, breaks=breaks)


def _meaning(setting: str, wanted: str, has: str, topic: Topic) -> tuple[str, bool]:
    if setting in _MEANINGS:
        return _MEANINGS[setting](wanted, has, topic)
    return "taking over from a stage that died takes longer or shorter", False


def _cleanup(wanted: str, has: str, _: Topic) -> tuple[str, bool]:
    if "compact" in has and wanted == "delete":
        return "of the records of a lane all but the newest are deleted", True
    if "delete" in has and wanted == "compact":
        return "what must be kept for ever is deleted after a while", True
    return "what it does is not known", True


def _in_sync(wanted: str, has: str, topic: Topic) -> tuple[str, bool]:
    if _number(has) < _number(wanted):
        return "a record is acknowledged while one broker alone has it, and is lost with that", True
    return f"nothing can be published once {topic.replication_factor - int(_number(has)) + 1} brokers are away", False


def _unclean(_: str, __: str, ___: Topic) -> tuple[str, bool]:
    return "a broker that missed records may become the leader, and they are gone although they were acknowledged", True


def _timestamps(_: str, __: str, ___: Topic) -> tuple[str, bool]:
    return "what is deleted when depends on the clocks of stages: where one is days behind, its records are gone", False


def _retention(wanted: str, has: str, _: Topic) -> tuple[str, bool]:
    planned, kept = _bound(wanted), _bound(has)
    if kept < planned:
        few = kept < planned * _LEAST_SHARE
        return "a stage that is down for longer than what is kept loses the rest", few
    return "it takes more room", False


def _largest(wanted: str, has: str, topic: Topic) -> tuple[str, bool]:
    if _number(has) >= _number(wanted):
        return "brokers need more memory for each record", False
    if topic.settings.get("cleanup.policy") == "compact":
        return "what a stage keeps, or the definitions of a target, may not fit, and it stands still then", True
    return "larger batches are split, which costs some speed", False


def _segment(wanted: str, has: str, _: Topic) -> tuple[str, bool]:
    is_longer = _number(has) > _number(wanted)
    return "records stay longer than told" if is_longer else "brokers have more files open", False


_MEANINGS: Mapping[str, Callable[[str, str, Topic], tuple[str, bool]]] = {
    "cleanup.policy": _cleanup,
    "min.insync.replicas": _in_sync,
    "unclean.leader.election.enable": _unclean,
    "message.timestamp.type": _timestamps,
    "retention.ms": _retention,
    "retention.bytes": _retention,
    "max.message.bytes": _largest,
    "segment.ms": _segment,
    "segment.bytes": _segment,
}


def _of_retention(topics: Iterable[Topic], cluster: Cluster) -> Iterator[Difference]:
    """Records must be gone before brokers forget how far a stage has read that does not run."""
    forgotten = min(
        (_number(each.get("offsets.retention.minutes", "")) * 60_000 for each in cluster.brokers.values()),
        default=math.inf,
    )
    deleted = [topic.name for topic in topics if topic.settings["cleanup.policy"] == "delete"]
    for topic in (cluster.topics[name] for name in deleted if name in cluster.topics):
        kept = _bound(topic.settings.get("retention.ms", "-1")) + _number(topic.settings.get("segment.ms", "0"))
        if topic.settings.get("cleanup.policy") == "delete" and kept > forgotten:
            yield Difference(
                of=f"topic {topic.name}",
                setting="retention.ms + segment.ms",
                wanted=f"at most {forgotten:.0f}, the brokers' offsets.retention.minutes",
                found="for ever" if kept == math.inf else f"{kept:.0f}",
                meaning="a stage that does not run for so long begins anew with what is left, and works on it twice",
                breaks=True,
            )


def _unused(mission: str, names: Iterable[str], cluster: Cluster) -> Iterator[Difference]:
    used = set(names)
    for name in sorted(cluster.topics):
        if name.startswith(f"{mission}.") and name not in used and not name.startswith(f"{mission}.{REPLAY}."):
            yield Difference(
                of=f"topic {name}",
                setting="topic",
                wanted="none",
                found="it is there",
                meaning="nobody uses it any more; delete it once you need nothing of it",
                breaks=False,
            )


# -- what Kafka keeps itself, and brokers --------------------------------------------------------


def _of_internal(name: str, cluster: Cluster) -> Iterator[Difference]:
    """Of a topic that is there, how it is; of one that is made with its first use, how it will be."""
    safe = min(_SAFE_BROKERS, len(cluster.brokers))
    wanted = {
        "replication factor": str(safe),
        "min.insync.replicas": "2" if safe == _SAFE_BROKERS else "1",
        "unclean.leader.election.enable": "false",
        "cleanup.policy": "compact",
    }
    for found in _internal_settings(name, cluster):
        for setting, value in wanted.items():
            has = found.get(setting, _UNKNOWN)
            is_worse = _number(has) < _number(value) if value.isdigit() else has != value
            if is_worse:
                yield Difference(
                    of=f"topic {name}",
                    setting=setting,
                    wanted=value,
                    found=has,
                    meaning=_WHAT_IS_KEPT[name],
                    breaks=True,
                )


def _internal_settings(name: str, cluster: Cluster) -> list[dict[str, str]]:
    topic = cluster.topics.get(name)
    if topic is not None:
        return [{"replication factor": str(topic.replication_factor), **topic.settings}]
    prefix = "offsets.topic" if name == _OFFSETS else "transaction.state.log"
    in_sync = "min.insync.replicas" if name == _OFFSETS else "transaction.state.log.min.isr"
    all_brokers = [
        {
            "replication factor": settings.get(f"{prefix}.replication.factor", _UNKNOWN),
            "min.insync.replicas": settings.get(in_sync, _UNKNOWN),
            "unclean.leader.election.enable": settings.get("unclean.leader.election.enable", _UNKNOWN),
            "cleanup.policy": "compact",
        }
        for settings in cluster.brokers.values()
    ]
    return [each for number, each in enumerate(all_brokers) if each not in all_brokers[:number]]


def _of_broker(of: str, settings: Mapping[str, str]) -> Iterator[Difference]:
    for setting, least, meaning, breaks in _LEAST:
        found = settings.get(setting, _UNKNOWN)
        if _number(found) < least:
            yield Difference(
                of=of,
                setting=setting,
                wanted=f"at least {least}",
                found=found,
                meaning=meaning,
                breaks=breaks,
            )
    creates = settings.get("auto.create.topics.enable", _UNKNOWN)
    if creates != "false":
        yield Difference(
            of=of,
            setting="auto.create.topics.enable",
            wanted="false",
            found=creates,
            meaning="whoever asks for a topic that is not there makes one, with settings that were not chosen",
            breaks=False,
        )


_LEAST = (
    (
        "message.max.bytes",
        LARGEST_RECORD_BYTES,
        "nothing for topics with a bound of their own, as the mission's are; others take smaller records",
        False,
    ),
    ("socket.request.max.bytes", _REQUEST_BYTES, "a stage with one of the largest records stands still", True),
    ("transaction.max.timeout.ms", _TRANSACTION_TIMEOUT_MS, "stages cannot begin their transactions", True),
)


def _number(text: str) -> float:
    """What is not known is less than anything."""
    try:
        return float(text)
    except ValueError:
        return -math.inf


def _bound(text: str) -> float:
    """As :func:`_number`, of a setting where a negative one means none."""
    number = _number(text)
    return math.inf if -math.inf < number < 0 else number
