"""Where the links of interfaces go: as the script says, or, where the cluster differs, as the settings do.

A policy selects addresses, and never names: what is reached by its name must be told with the range that it is in.
"""

from __future__ import annotations

import ipaddress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.errors import UsageError
from c2kit.links._checks import split_address
from c2kit.pipeline.composition.structuring import Fault, Faulty
from c2kit.scaffold.containers import LINK_FILES
from c2kit.scaffold.setting_checks import check_place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.pipeline.composition.description import LinkDescription, StageDescription
    from c2kit.scaffold.settings import LinkSettings, Settings

__all__ = ["LinkPlace", "address_in_pod", "places_of", "unset_of"]

_LISTENERS = {"TcpServer": "TCP", "UdpListener": "UDP"}
_CALLERS = {"TcpClient": "TCP", "Udp": "UDP"}
_ANY = "0.0.0.0"  # noqa: S104 - a pod has one address
_EVERYWHERE = (_ANY, "::")
_LOOPBACK_NAMES = ("localhost", "localhost.localdomain", "ip6-localhost")


@frozen(kw_only=True)
class LinkPlace:
    """One port that a link needs."""

    listens: bool
    """Whether it is a port of the interface's own, which what is outside reaches."""
    host: str
    port: int
    protocol: str
    cidrs: tuple[str, ...]
    """Where the other side is; empty where that is not known yet."""


def places_of(stage: StageDescription, settings: Settings) -> Iterator[LinkPlace]:
    """What an interface's link needs of the network; nothing for a stage, a serial port or a file.

    Raises Faulty for an address that no policy can express.
    """
    link = stage.link
    if link is None:
        return
    told = settings.link(stage.name)
    if link.name in _LISTENERS:
        _, port = _address(stage, link, told)
        yield LinkPlace(listens=True, host="", port=port, protocol=_LISTENERS[link.name], cidrs=told.cidrs)
    elif link.name in _CALLERS:
        host, port = _address(stage, link, told)
        cidrs = _cidrs(stage, host, told)
        yield LinkPlace(listens=False, host=host, port=port, protocol=_CALLERS[link.name], cidrs=cidrs)
        if link.settings.get("local_port"):
            yield LinkPlace(listens=True, host="", port=link.settings["local_port"], protocol="UDP", cidrs=cidrs)


def unset_of(stage: StageDescription, settings: Settings) -> str:
    """What the settings must say before an interface can work outside of a laptop; empty where nothing is missing."""
    link, told = stage.link, settings.link(stage.name)
    if link is None:
        return ""
    key = f"links.{stage.name}"
    if link.name == "Serial" and not told.device:
        return f"{key}.device: the resource of a device plugin that gives the serial port {link.settings['device']}"
    if link.name == "File" and not told.claim:
        return f"{key}.claim: the claim of the volume that holds {link.settings['path']}"
    for place in places_of(stage, settings):
        if not place.cidrs and place.listens:
            return f"{key}.cidrs: who may reach port {place.port} of {stage.name}"
        if not place.cidrs:
            return f"{key}.address: where the device is; {place.host}:{place.port} is the pod itself"
    return ""


def address_in_pod(stage: StageDescription, settings: Settings) -> str:
    """Where the link of an interface goes in its pod; empty where it is as the script says, or where there is none.

    Raises Faulty for what no pod can have.
    """
    link, told = stage.link, settings.link(stage.name)
    if link is None:
        return ""
    if link.name == "File" and told.claim:
        return _file_in_claim(stage, str(link.settings["path"]), told)
    if link.name in _LISTENERS:
        host, port = _address(stage, link, told)
        return told.address if host in _EVERYWHERE else f"{_ANY}:{port}"  # no other address of this machine is there
    return told.address


def _file_in_claim(stage: StageDescription, path: str, told: LinkSettings) -> str:
    inside = PurePosixPath(LINK_FILES, told.address or PurePosixPath(path).name)
    if not inside.is_relative_to(LINK_FILES) or ".." in inside.parts:
        what = f"the file of interface {stage.name} ({stage.defined_at}) is not in its volume"
        expected = f"its path in the claim, which is mounted at {LINK_FILES}"
        raise Faulty([Fault(path=("links", stage.name, "address"), what=what, expected=expected, found=told.address)])
    return str(inside)


def _address(stage: StageDescription, link: LinkDescription, told: LinkSettings) -> tuple[str, int]:
    host, port = str(link.settings.get("host", "")), int(link.settings["port"])
    try:
        if told.address:
            default = None if link.name in _CALLERS else _ANY
            host, port = split_address("the link", told.address, default)
        check_place(host, port)
    except UsageError as error:
        what = f"{error.what} of interface {stage.name} ({stage.defined_at})"
        path = ("links", stage.name, "address")
        raise Faulty([Fault(path=path, what=what, expected=error.expected, found=error.found)]) from None
    return host, port


def _cidrs(stage: StageDescription, host: str, told: LinkSettings) -> tuple[str, ...]:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if host.lower() in _LOOPBACK_NAMES:
            return ()
        if not told.cidrs:
            what = f"the device of interface {stage.name} ({stage.defined_at}) is told by its name, {host}"
            expected = "the range that it is in, such as [192.0.2.7/32]: policies of a cluster do not know names"
            raise Faulty([Fault(path=("links", stage.name, "cidrs"), what=what, expected=expected)]) from None
        return told.cidrs
    if address.is_loopback or address.is_unspecified:
        return ()
    return told.cidrs or (f"{address}/{address.max_prefixlen}",)
