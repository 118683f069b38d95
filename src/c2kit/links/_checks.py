"""Checks of what links are told."""

from __future__ import annotations

from c2kit.errors import UsageError

__all__ = ["a_name", "a_port", "at_least", "one_of", "retry_seconds", "split_address"]


def a_name(what: str, value: object) -> None:
    """Raise UsageError unless the value is a text that is not empty."""
    if not isinstance(value, str) or not value:
        raise UsageError(what, expected="a text that is not empty", found=repr(value))


def a_port(what: str, value: object, *, lowest: int) -> None:
    """Raise UsageError unless the value is a port number. 0, where allowed, lets the system choose."""
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= 65_535:
        raise UsageError(what, expected=f"a port from {lowest} to 65535", found=repr(value))


def at_least(what: str, value: object, least: float, *, optional: bool = False) -> None:
    """Raise UsageError unless the value is a number of at least so much, or None where that is allowed."""
    if value is None and optional:
        return
    if not isinstance(value, int | float) or isinstance(value, bool) or not value >= least:
        raise UsageError(what, expected=f"a number of at least {least}", found=repr(value))


def retry_seconds(link: str, first: float, most: float) -> None:
    """Raise UsageError unless these are the first and the longest delay before another attempt."""
    at_least(f"reconnect_seconds of {link}", first, 0.001)
    at_least(f"reconnect_max_seconds of {link}", most, first)


def split_address(what: str, text: str, default_host: str | None = None) -> tuple[str, int]:
    """``host:port`` or ``[host]:port`` in two; with a default host, a port alone will do. Raises UsageError."""
    host, _, port = text.rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not (host or default_host) or not port.isascii() or not port.isdecimal():
        expected = "host:port" if default_host is None else "port or host:port"
        raise UsageError(f"the address of {what}", expected=expected, found=repr(text))
    return host or str(default_host), int(port)


def one_of(what: str, value: object, allowed: tuple[object, ...]) -> None:
    """Raise UsageError unless the value is one of these."""
    if value not in allowed:
        raise UsageError(what, expected=f"one of {', '.join(map(str, allowed))}", found=repr(value))
