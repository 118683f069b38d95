"""Telemetry packets and their items."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from c2kit.errors import UnknownName
from c2kit.model.fields import Field

if TYPE_CHECKING:
    from c2kit.model.conversions import Conversion, Function
    from c2kit.model.limits import Limits
    from c2kit.model.source import Source
    from c2kit.model.time import PacketTime

__all__ = ["DerivedItem", "Item", "Match", "Packet", "PacketLength"]


@frozen(kw_only=True)
class Item(Field):
    """A field of telemetry: raw value, and engineering value where it has a conversion."""

    conversion: Conversion | None = None
    limits: tuple[Limits, ...] = ()


@frozen(kw_only=True)
class DerivedItem:
    """An item that is computed from the engineering values of other items of the same packet."""

    name: str
    function: Function
    inputs: tuple[str, ...]
    limits: tuple[Limits, ...] = ()
    description: str = ""
    units: str = ""
    display: str = ""
    source: Source | None = field(default=None, eq=False, repr=False)


@frozen
class Match:
    """An item's raw value that a packet must have to be this packet; ``bytes`` for strings and binary."""

    item: str
    value: int | bytes


@frozen
class PacketLength:
    """Which item tells the packet's total length in bytes: its raw value plus ``add``.

    A space packet's data length field tells one less than the bytes after the 6-byte header, so ``add`` is 7
    (CCSDS 133.0-B-2, 4.1.3.5.3). Only the prover uses it: framing has rules of its own.
    """

    item: str
    add: int = 0


@define(frozen=True, kw_only=True, slots=True)
class Packet:
    """A telemetry packet: how to know it, when it was made, and what is in it.

    A packet with no ``identification`` matches any bytes. A ``fallback`` packet is taken only where no other matches.
    """

    name: str
    items: tuple[Item, ...]
    derived: tuple[DerivedItem, ...] = ()
    identification: tuple[Match, ...] = ()
    fallback: bool = False
    time: PacketTime | None = None
    length: PacketLength | None = None
    size_bytes: int | None = None
    """The size of every such packet, where one is declared; an item beyond it cannot be right."""
    description: str = ""
    overlaps: bool = False
    """Whether items may share bits; otherwise the prover complains of it."""
    source: Source | None = field(default=None, eq=False, repr=False)

    @cached_property
    def items_by_name(self) -> dict[str, Item | DerivedItem]:
        """All items, derived ones too, by name."""
        named: dict[str, Item | DerivedItem] = {item.name: item for item in self.items}
        return named | {item.name: item for item in self.derived}

    def item(self, name: str) -> Item | DerivedItem:
        """The item of that name. Raises :class:`~c2kit.errors.UnknownName`."""
        try:
            return self.items_by_name[name]
        except KeyError:
            raise UnknownName(kind="item", name=name, known=self.items_by_name, where=f"packet {self.name}") from None
