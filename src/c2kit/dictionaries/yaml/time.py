"""The time of a packet as it is written in a dictionary."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from c2kit.dictionaries.yaml.nodes import MappingNode, ScalarNode
from c2kit.model.time import EPOCHS, Cds, Cuc, Epoch, PacketTime, Scale

if TYPE_CHECKING:
    from c2kit.dictionaries.yaml.nodes import Node, YamlFile
    from c2kit.dictionaries.yaml.scope import Scope

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


def read_time(scope: Scope, _: Node, node: Node) -> PacketTime:
    """``{cuc: {coarse: ITEM, fine: ITEM}, epoch: gps}`` or ``{cds: {days: ..., milliseconds: ...}, epoch: ...}``.

    The items are not looked for: a header may name such as only its packets have.
    """
    file = scope.file
    entries = file.entries(node, "time", ("cuc", "cds", "epoch"))
    if "epoch" not in entries:
        remedy = f"add epoch: {' or '.join(EPOCHS)}, or one of your own"
        raise file.wrong(node, "time has no epoch", remedy=remedy)
    if ("cuc" in entries) == ("cds" in entries):
        raise file.wrong(node, "time has one code", expected="cuc or cds")
    epoch = _epoch(scope, entries["epoch"])
    code = _cuc(file, entries["cuc"]) if "cuc" in entries else _cds(file, entries["cds"])
    return PacketTime(code, epoch)


def _epoch(scope: Scope, node: Node) -> Epoch:
    if isinstance(node, MappingNode):
        return read_epoch(scope.file, node)
    name = scope.file.name_of(node, "an epoch")
    if name in EPOCHS and name not in scope.epochs.known:
        return EPOCHS[name]
    return scope.epochs.find(scope.file, node) or EPOCHS["unix"]


def _cuc(file: YamlFile, node: Node) -> Cuc:
    if isinstance(node, ScalarNode):
        return Cuc(file.name_of(node, "cuc"))
    entries = file.entries(node, "cuc", ("coarse", "fine"))
    if "coarse" not in entries:
        raise file.wrong(node, "cuc has no coarse", expected="{coarse: SECONDS, fine: SUBSECONDS}")
    return Cuc(**{key: file.name_of(value, key) for key, value in entries.items()})


def _cds(file: YamlFile, node: Node) -> Cds:
    entries = file.entries(node, "cds", ("days", "milliseconds", "submilliseconds"))
    if "days" not in entries or "milliseconds" not in entries:
        raise file.wrong(node, "cds is incomplete", expected="{days: DAYS, milliseconds: MS, submilliseconds: US}")
    return Cds(**{key: file.name_of(value, key) for key, value in entries.items()})
