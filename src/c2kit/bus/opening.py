"""Opening a bus by its URL: the one place that knows which buses there are, and imports each when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.errors import UsageError

if TYPE_CHECKING:
    from c2kit.bus.base import StreamBus

__all__ = ["open_bus"]

_SETTINGS = {"memory": ("max_stream_bytes",), "sqlite": ("max_stream_bytes", "take_over_seconds")}
_EXPECTED = "memory:, or sqlite:PATH"


def open_bus(url: str, **settings: float) -> StreamBus:
    """The bus with this URL: ``memory:`` (a new one each time), or ``sqlite:PATH`` (made where it is missing).

    ``settings`` are keyword arguments of the bus: ``max_stream_bytes`` of both, ``take_over_seconds`` of ``sqlite:``.

    Raises:
        UsageError: a URL of no bus, a setting that this bus does not have, a path on a network file system.
        BusUnavailable: the file cannot be opened now.
        BusError: the file is no bus.
    """
    kind, colon, rest = url.partition(":")
    _check_url(url, kind if colon else "", rest)
    for name in settings:
        if name not in _SETTINGS[kind]:
            raise UsageError(f"bus {url} has no setting {name}", expected=" or ".join(_SETTINGS[kind]), found=name)
    if kind == "memory":
        from c2kit.bus.memory import MemoryBus  # noqa: PLC0415 - only the bus that is used is imported

        return MemoryBus(**settings)  # type: ignore[arg-type]  # checked above, by name
    from c2kit.bus.sqlite import SqliteBus  # noqa: PLC0415 - as above

    return SqliteBus(rest, **settings)  # type: ignore[arg-type]  # checked above, by name


def _check_url(url: str, kind: str, rest: str) -> None:
    if kind == "kafka":
        raise UsageError(
            f"bus {url} is of a kind that is not built yet",
            expected=_EXPECTED,
            found="kafka:",
            remedy="run the mission on sqlite:PATH until a later c2kit brings it",
        )
    if kind not in _SETTINGS or bool(rest) != (kind == "sqlite"):
        raise UsageError(f"{url!r} is not the URL of a bus", expected=_EXPECTED, found=url or "nothing")
