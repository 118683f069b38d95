"""Opening a bus by its URL: the one place that knows which buses there are, and imports each when it is asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from c2kit.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from c2kit.bus.base import StreamBus

__all__ = ["open_bus"]

_SETTINGS = {"memory": ("max_stream_bytes",), "sqlite": ("max_stream_bytes", "take_over_seconds"), "kafka": ()}
_EXPECTED = "memory:, sqlite:PATH, or kafka:HOST:PORT,HOST:PORT"
_BROKERS = re.compile(r"[^\s,:/@]+:\d+(,[^\s,:/@]+:\d+)*")


def open_bus(url: str, *, secrets: Path | None = None, **settings: float) -> StreamBus:
    """The bus with this URL: ``memory:``, ``sqlite:PATH`` or ``kafka:HOST:PORT,...``.

    The first is a new one each time, the second is made where it is missing. Of the brokers of a cluster some are
    enough; who is not there is told when the bus is used.

    ``secrets`` is the directory with the files by which a cluster knows who this is, and is nothing to other buses;
    without it nothing is encrypted.

    ``settings`` are keyword arguments of the bus: ``max_stream_bytes`` of both, ``take_over_seconds`` of ``sqlite:``.

    Raises:
        UsageError: a URL of no bus, a setting that this bus does not have, a path on a network file system, a bus
            whose library is not installed, files of a secret that are missing or wrong.
        BusUnavailable: the file cannot be opened now.
        BusError: the file is no bus.
    """
    kind, colon, rest = url.partition(":")
    _check_url(url, kind if colon else "", rest)
    for name in settings:
        if name not in _SETTINGS[kind]:
            expected = " or ".join(_SETTINGS[kind]) or "none"
            raise UsageError(f"bus {url} has no setting {name}", expected=expected, found=name)
    if kind == "kafka":
        return _kafka(rest, secrets)
    if kind == "memory":
        from c2kit.bus.memory import MemoryBus  # noqa: PLC0415 - only the bus that is used is imported

        return MemoryBus(**settings)  # type: ignore[arg-type]  # checked above, by name
    from c2kit.bus.sqlite import SqliteBus  # noqa: PLC0415 - as above

    return SqliteBus(rest, **settings)  # type: ignore[arg-type]  # checked above, by name


def _kafka(brokers: str, secrets: Path | None) -> StreamBus:
    try:
        from c2kit.bus.kafka import KafkaBus  # noqa: PLC0415 - as above
        from c2kit.bus.kafka.security import Secrets  # noqa: PLC0415 - as above
    except ModuleNotFoundError as error:
        if error.name != "confluent_kafka":
            raise
        raise UsageError(
            f"bus kafka:{brokers} needs the library of Apache Kafka",
            found="no confluent-kafka",
            remedy="pip install 'c2kit[kafka]'",
        ) from error
    return KafkaBus(brokers, None if secrets is None else Secrets.load(secrets))


def _check_url(url: str, kind: str, rest: str) -> None:
    if kind == "kafka" and not _BROKERS.fullmatch(rest):
        raise UsageError(
            f"{url!r} is not the URL of a Kafka cluster",
            expected="kafka:HOST:PORT, or several of them separated by commas",
            found=rest or "no broker",
            remedy="credentials are not part of it: they are given as files",
        )
    if kind not in _SETTINGS or bool(rest) != (kind != "memory"):
        raise UsageError(f"{url!r} is not the URL of a bus", expected=_EXPECTED, found=url or "nothing")
