"""The time of a packet as it is written in a dictionary."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from c2kit.dictionaries.yaml_nodes import MappingNode, ScalarNode
from c2kit.model.fields import Encoding, Fixed
from c2kit.model.time import EPOCHS, Cds, Cuc, Epoch, PacketTime, Scale

if TYPE_CHECKING:
    from collections.abc import Mapping

    from c2kit.dictionaries.yaml_nodes import Node, YamlFile
    from c2kit.dictionaries.yaml_scope import Scope
    from c2kit.model.packets import Item

__all__ = ["read_epoch", "read_time"]

_SECOND = 1_000_000_000
_INSTANT = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?)?", re.ASCII)


def _reading(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()) * _SECOND


def read_epoch(file: YamlFile, node: Node, name: str = "") -> Epoch:
    """An epoch of one's own: ``{at: 2000-01-01T12:00:00, scale: utc}``, read on the clock of its scale."""
    entries = file.entries(node, "an epoch", ("at", "scale"))
    if "at" not in entries or "scale" not in entries:
        raise file.wrong(node, "an epoch is incomplete", expected="{at: 2000-01-01T12:00:00, scale: utc or tai}")
    at = file.scalar(entries["at"], "at")
    scales = [scale.value for scale in Scale]
    scale = file.scalar(entries["scale"], "scale")
    if scale not in scales:
        raise file.wrong(entries["scale"], "no such scale", expected=" or ".join(scales), found=repr(scale))
    instant = _INSTANT.fullmatch(at)
    try:
        parts = [int(part or 0) for part in instant.groups()[:6]] if instant else []
        nanoseconds = _reading(*parts) + int((instant[7] or "").ljust(9, "0")) if instant else 2**63
    except ValueError:
        nanoseconds = 2**63
    if not -(2**62) < nanoseconds < 2**62:
        expected = "2000-01-01 or 2000-01-01T12:00:00.000, from 1824 to 2116"
        raise file.wrong(entries["at"], "no such instant", expected=expected, found=repr(at))
    return Epoch(name or f"{at} {scale}", nanoseconds, Scale(scale))


def read_time(scope: Scope, node: Node, items: Mapping[str, Item]) -> PacketTime:
    """``{cuc: {coarse: ITEM, fine: ITEM}, epoch: gps}`` or ``{cds: {days: ..., milliseconds: ...}, epoch: ...}``."""
    file = scope.file
    entries = file.entries(node, "time", ("cuc", "cds", "epoch"))
    if "epoch" not in entries:
        remedy = f"add epoch: {' or '.join(EPOCHS)}, or one of your own"
        raise file.wrong(node, "time has no epoch", remedy=remedy)
    if ("cuc" in entries) == ("cds" in entries):
        raise file.wrong(node, "time has one code", expected="cuc or cds")
    epoch = _epoch(scope, entries["epoch"])
    if "cuc" in entries:
        return PacketTime(_cuc(file, entries["cuc"], items), epoch)
    return PacketTime(_cds(file, entries["cds"], items), epoch)


def _epoch(scope: Scope, node: Node) -> Epoch:
    if isinstance(node, MappingNode):
        return read_epoch(scope.file, node)
    name = scope.file.name_of(node, "an epoch")
    if name in EPOCHS and name not in scope.epochs.known:
        return EPOCHS[name]
    return scope.epochs.find(scope.file, node) or EPOCHS["unix"]


def _cuc(file: YamlFile, node: Node, items: Mapping[str, Item]) -> Cuc:
    if isinstance(node, ScalarNode):
        return Cuc(_part(file, node, items, range(1, 57)))
    entries = file.entries(node, "cuc", ("coarse", "fine"))
    if "coarse" not in entries:
        raise file.wrong(node, "cuc has no coarse", expected="{coarse: SECONDS, fine: SUBSECONDS}")
    coarse = _part(file, entries["coarse"], items, range(1, 57))
    return Cuc(coarse, _part(file, entries["fine"], items, range(1, 65), octets=10) if "fine" in entries else None)


def _cds(file: YamlFile, node: Node, items: Mapping[str, Item]) -> Cds:
    entries = file.entries(node, "cds", ("days", "milliseconds", "submilliseconds"))
    if "days" not in entries or "milliseconds" not in entries:
        raise file.wrong(node, "cds is incomplete", expected="{days: DAYS, milliseconds: MS, submilliseconds: US}")
    sub = entries.get("submilliseconds")
    return Cds(
        _part(file, entries["days"], items, (16, 24)),
        _part(file, entries["milliseconds"], items, (32,)),
        None if sub is None else _part(file, sub, items, (16, 32)),
    )


def _part(
    file: YamlFile, node: Node, items: Mapping[str, Item], widths: range | tuple[int, ...], octets: int = 0
) -> str:
    """The name of an item that can be this part of a time."""
    name = file.name_of(node, "a part of the time")
    item = items.get(name)
    if item is None:
        raise file.wrong(node, f"the time names {name}, which is no item of this packet", remedy="name one that is")
    if item.encoding is Encoding.UNSIGNED and item.length is None and item.bit_length in widths:
        return name
    if item.encoding is Encoding.BINARY and isinstance(item.length, Fixed) and 1 <= item.length.count <= octets:
        return name
    bits = f"{widths[0]} to {widths[-1]}" if isinstance(widths, range) else " or ".join(map(str, widths))
    expected = f"an unsigned integer of {bits} bits" + (f", or up to {octets} bytes" if octets else "")
    found = f"{item.encoding.value} of {item.bit_length} bits" + ("" if item.length is None else " each")
    raise file.wrong(node, f"{name} cannot be this part of the time", expected=expected, found=found)
