"""Validators of settings: each fault is told with the key that it belongs to."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from c2kit.errors import UsageError
from c2kit.links._checks import a_port, split_address
from c2kit.pipeline.composition.structuring import Fault, Faulty

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from attrs import Attribute

    Check = Callable[[str], None]

__all__ = [
    "a_cpu",
    "a_label",
    "a_name",
    "a_quantity",
    "a_range",
    "a_registry",
    "a_resource",
    "a_version",
    "an_address",
    "an_image",
    "at_least",
    "check_place",
    "labels_of_pods",
    "matching",
]


def _each(check: Check) -> Any:  # noqa: ANN401 - attrs' type of validators is as long as it says little
    """A validator of one text, of each of several, or of the keys of a mapping; an empty text is a default."""

    def validate(_: object, attribute: Attribute[object], value: str | tuple[str, ...]) -> None:
        for text in (value,) if isinstance(value, str) else value:
            try:
                if text:
                    check(text)
            except UsageError as error:
                fault = Fault(
                    path=(attribute.name,),
                    what=error.what,
                    expected=error.expected,
                    found=error.found,
                    remedy=error.remedy,
                )
                raise Faulty([fault]) from None

    return validate


def matching(pattern: str, expected: str) -> Any:  # noqa: ANN401 - as above
    """A validator of texts that match as a whole."""
    compiled = re.compile(pattern)

    def check(text: str) -> None:
        if not compiled.fullmatch(text):
            raise UsageError("it cannot be this", expected=expected, found=repr(text))

    return _each(check)


def check_place(host: str, port: int) -> None:
    """Raise UsageError for a host or a port that there cannot be in a cluster; a zone of this machine is of no use."""
    a_port("its port", port, lowest=1)
    if not re.fullmatch(r"[A-Za-z0-9:.-]+", host):
        raise UsageError("the host of an address", expected="a name or an address", found=repr(host))


def _check_address(text: str) -> None:
    check_place(*split_address("a server", text))


def _check_range(text: str) -> None:
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        remedy = "a single host is 192.0.2.7/32"
        raise UsageError(f"no range of addresses: {error}", expected="such as 192.0.2.0/24", remedy=remedy) from None
    if "/" not in text:
        raise UsageError(
            "a range of addresses", expected="with its length", found=repr(text), remedy=f"write {text}/32"
        )


def at_least(least: int) -> Any:  # noqa: ANN401 - as above
    """A validator of numbers."""

    def validate(_: object, attribute: Attribute[object], value: int) -> None:
        if value < least:
            fault = Fault(path=(attribute.name,), what="it is too small", expected=f"at least {least}", found=value)
            raise Faulty([fault])

    return validate


def labels_of_pods(_: object, attribute: Attribute[dict[str, str]], value: dict[str, str]) -> None:
    """A validator of what Kubernetes takes for labels."""
    faults = [
        Fault(path=(attribute.name,), what="Kubernetes takes no such label", expected=expected, found=repr(text))
        for pair in value.items()
        for text, pattern, expected in zip(pair, _LABEL, _LABEL_RULES, strict=True)
        if not re.fullmatch(pattern, text)
    ]
    if faults:
        raise Faulty(faults)


_DNS_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_DNS_NAME = rf"{_DNS_LABEL}(\.{_DNS_LABEL})*"
_WORD = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_LABEL = (rf"({_DNS_NAME}/)?{_WORD}", rf"({_WORD})?")
_LABEL_RULES = ("a key such as app.kubernetes.io/name", "at most 63 letters, digits, hyphens, dots and underscores")
a_label = matching(_DNS_LABEL, "lower-case letters, digits and hyphens, at most 63")
a_name = matching(_DNS_NAME, "the name of an object: lower-case letters, digits, hyphens and dots")
an_address = _each(_check_address)
a_range = _each(_check_range)
a_quantity = matching(
    r"[1-9][0-9]*(\.[0-9]+)?(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?", "a size as Kubernetes writes it, such as 20Gi"
)
a_cpu = matching(
    r"[1-9][0-9]*m|[1-9][0-9]*(\.[0-9]{1,3})?|0\.[0-9]{0,2}[1-9]",
    "processors as Kubernetes writes them, such as 500m or '2'",
)
an_image = matching(
    r"[a-z0-9][a-z0-9._:/-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?",
    "an image, such as docker.io/library/python:3.13-slim-trixie@sha256:...",
)
a_registry = matching(r"[a-z0-9][a-z0-9._-]*(:[0-9]+)?(/[a-z0-9][a-z0-9._-]*)*", "such as registry.example.com/firefly")
a_version = matching(r"[0-9]+(\.[0-9]+){1,2}", "a version in quotes, such as '3.13'")
a_resource = matching(
    rf"{_DNS_NAME}/[A-Za-z0-9][A-Za-z0-9_.-]*", "a resource of a device plugin, such as example.com/tty"
)
