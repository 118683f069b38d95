"""Packets as they are written in a dictionary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

from c2kit.dictionaries.ccsdspy import load_csv
from c2kit.dictionaries.yaml.fields import checked_name, read_derived, text_of
from c2kit.dictionaries.yaml.headers import base_of
from c2kit.dictionaries.yaml.time import read_time
from c2kit.dictionaries.yaml.values import raw_value
from c2kit.errors import DefinitionError
from c2kit.kernel.conversions import check_derived
from c2kit.kernel.layout import Layout
from c2kit.kernel.time import check_time
from c2kit.model.fields import Fixed
from c2kit.model.packets import Item, Match, Packet, PacketLength

if TYPE_CHECKING:
    from c2kit.dictionaries.yaml.headers import At, Base
    from c2kit.dictionaries.yaml.nodes import Node, ScalarNode
    from c2kit.dictionaries.yaml.scope import Scope
    from c2kit.model.packets import DerivedItem

__all__ = ["read_packet"]

_KEYS = frozenset(
    {
        "byte_order",
        "csv",
        "derived",
        "description",
        "extends",
        "fallback",
        "identify",
        "items",
        "length",
        "offsets_from",
        "overlaps",
        "size_bytes",
        "time",
    }
)
_MOST_ELEMENTS = 2**20
"""Of all arrays of fixed size. A column has room for all of them in every packet, whether they came or not."""
_FARTHEST_IDENTIFICATION_BITS = 8 * 65_536
"""Nothing that is farther into a packet than the largest space packet identifies one."""


def read_packet(scope: Scope, name: ScalarNode, node: Node) -> Packet | None:
    """One packet; ``None`` where something is wrong with it, which was reported."""
    file = scope.file
    checked_name(file, name, "a packet")
    entries = file.entries(node, f"packet {name.value}", _KEYS)
    base = base_of(scope, entries, "items")
    base.read(scope, entries, "items")
    base.say(scope, node)
    imported = _import(scope, entries, base) if "csv" in entries else False
    base.finish("items")
    if not base.is_whole:
        return None
    if "offsets_from" in entries and not imported:
        raise file.wrong(entries["offsets_from"], "offsets_from belongs to csv", remedy="remove it")
    items = {item.name: item for item in base.fields}
    layout = Layout(tuple(base.fields))
    _check_size(scope, name, items)
    packet = Packet(
        name=name.value,
        items=tuple(base.fields),
        derived=_derived(scope, entries, items),
        identification=_identification(base, layout, items),
        fallback=file.boolean(entries["fallback"], "fallback") if "fallback" in entries else False,
        time=read_time(*base.said["time"]) if "time" in base.said else None,
        length=_length(base, items),
        size_bytes=_size(base),
        description=text_of(file, entries, "description"),
        overlaps=_overlaps(base) or imported,
        source=file.source(name),
    )
    for derived in packet.derived:
        check_derived(derived, packet)
    if packet.time is not None:
        _check_time(packet, base)
    if any(items[match.item].bit_offset is not None for match in packet.identification):
        _check_identity(packet)
    return packet


def _check_size(scope: Scope, name: ScalarNode, items: dict[str, Item]) -> None:
    fixed = (item.length.count for item in items.values() if type(item.length) is Fixed and not item.encoding.is_bytes)
    count = sum(fixed)
    if count > _MOST_ELEMENTS:
        remedy = "write bytes, or [...] for as many elements as there are"
        expected, found = f"at most {_MOST_ELEMENTS} elements", f"{count} elements"
        raise scope.file.wrong(name, "its arrays are too large", expected=expected, found=found, remedy=remedy)


def _check_identity(packet: Packet) -> None:
    """Items at places of their own may share bits, and then want different things of them."""
    from c2kit.kernel.identity import identity  # noqa: PLC0415 - it brings the reference kernel; this is rare

    identity(packet)


def _import(scope: Scope, entries: dict[str, Node], base: Base) -> bool:
    """Add the items of a CSV file."""
    file, node = scope.file, entries["csv"]
    path = scope.path_of(node, "csv")
    offsets_from = scope.offsets_from
    if "offsets_from" in entries:
        offsets_from = file.scalar(entries["offsets_from"], "offsets_from")
        if offsets_from not in ("packet", "data"):
            expected = "packet or data"
            raise file.wrong(entries["offsets_from"], "no such place", expected=expected, found=repr(offsets_from))
    definition = load_csv(path, offsets_from=cast("Literal['packet', 'data'] | None", offsets_from))
    for item in definition.items:
        first = base.earlier.get(item.name)
        if first is not None:
            what = f"{item.name} stands twice, here and in the file {path.name} ({item.source})"
            raise DefinitionError(what, source=first.source, remedy="rename one of the two")
        base.earlier[item.name] = item
        base.fields.append(item)
    scope.notes.extend(definition.notes)
    scope.warnings.extend(definition.warnings)
    return True


def _identification(base: Base, layout: Layout, items: dict[str, Item]) -> tuple[Match, ...]:
    """In the order of the items: that of the file means nothing, and must not change the hash."""
    matches = [_match(at, layout, items) for at in base.merged.get("identify", {}).values()]
    return tuple(sorted(matches, key=lambda match: layout.index[match.item]))


def _match(at: At, layout: Layout, items: dict[str, Item]) -> Match:
    scope, name, node = at
    item = items.get(name.value)
    if item is None:
        what = f"it is identified by {name.value}, which is no item of the packet"
        raise scope.file.wrong(name, what, remedy="name an item of the packet or of its header")
    if item.encoding.is_float:
        raise scope.file.wrong(name, "a float identifies nothing", remedy="use an integer, text or bytes")
    try:
        end = layout.start_of(name.value) + (item.fixed_bits or 0)
    except DefinitionError as error:
        what = f"{name.value} cannot identify a packet: {error.what.partition(': ')[2]}"
        raise scope.file.wrong(name, what, remedy="use an item that is always at one place") from None
    if end > _FARTHEST_IDENTIFICATION_BITS:
        expected = f"the first {_FARTHEST_IDENTIFICATION_BITS} bits"
        raise scope.file.wrong(name, f"{name.value} is too far into the packet to identify it", expected=expected)
    value = raw_value(scope.file, node, item)
    return Match(item.name, cast("int | bytes", value))


def _derived(scope: Scope, entries: dict[str, Node], items: dict[str, Item]) -> tuple[DerivedItem, ...]:
    if "derived" not in entries:
        return ()
    derived = []
    for name, node in scope.file.pairs(entries["derived"], "derived"):
        if name.value in items:
            what, found = f"{name.value} stands twice", f"the first at {items[name.value].source}"
            raise scope.file.wrong(name, what, found=found, remedy="rename one of the two")
        checked_name(scope.file, name, "a derived item")
        derived.append(read_derived(scope, name, node))
    return tuple(derived)


def _check_time(packet: Packet, base: Base) -> None:
    """Hold the time to the packet's items; a header may name items that only the packet has."""
    try:
        check_time(packet)
    except DefinitionError as error:
        scope, key, _ = base.said["time"]
        raise scope.file.wrong(
            key, error.what, expected=error.expected, found=error.found, remedy=error.remedy
        ) from None


def _length(base: Base, items: dict[str, Item]) -> PacketLength | None:
    if "length" not in base.said:
        return None
    scope, _, node = base.said["length"]
    file = scope.file
    entries = file.entries(node, "length", ("item", "add"))
    if "item" not in entries:
        raise file.wrong(node, "length names no item", expected="{item: LENGTH, add: 7}")
    item = items.get(file.name_of(entries["item"], "item"))
    if item is None or not item.encoding.is_integer or item.length is not None:
        what = "the length names no integer of this packet"
        raise file.wrong(entries["item"], what, remedy="name an item of the packet or of its header")
    add = file.integer(entries["add"], "add", least=-(2**31), most=2**31) if "add" in entries else 0
    return PacketLength(item.name, add)


def _size(base: Base) -> int | None:
    if "size_bytes" not in base.said:
        return None
    scope, _, node = base.said["size_bytes"]
    return scope.file.integer(node, "size_bytes", least=1, most=2**32)


def _overlaps(base: Base) -> bool:
    if "overlaps" not in base.said:
        return False
    scope, _, node = base.said["overlaps"]
    return scope.file.boolean(node, "overlaps")
