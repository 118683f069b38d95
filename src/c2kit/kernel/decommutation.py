"""How packets of one definition become telemetry: their layout, conversions and derived items, resolved once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

from c2kit.kernel.conversions import bind, bind_derived
from c2kit.kernel.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from c2kit.kernel.contract import Column
    from c2kit.kernel.conversions import Convert, Derive
    from c2kit.kernel.tally import Tallies
    from c2kit.model.packets import Packet

__all__ = ["Decommutated", "Decommutation"]


@frozen(eq=False)
class Decommutated:
    """The columns of a batch by item, in the order of the definition."""

    raw: Mapping[str, Column]
    engineering: Mapping[str, Column]
    """Only where the engineering value is not the raw one; derived items last."""
    tallies: Mapping[str, Tallies]
    """What was counted while items were converted, of those where something was."""
    message: bytes | None = None
    """All of it as the message that the caller gave the envelope of, where the kernel could write it."""
    sizes_bytes: tuple[int, int] | None = None
    """The size of the shortest packet and of the longest, where the kernel has looked."""


@define(eq=False)
class Decommutation:
    """A definition, ready for any kernel. Equality is identity."""

    packet: Packet
    layout: Layout
    converts: Mapping[str, Convert]
    """The conversions of items that have one."""
    derives: Sequence[tuple[str, tuple[str, ...], Derive]]
    """Of each derived item its name, its inputs, and what makes its column of theirs."""
    plans: dict[str, Any] = field(factory=dict)
    """What implementations worked out from it, each under its module's name; nothing but time depends on it."""

    @classmethod
    def of(cls, packet: Packet) -> Decommutation:
        """A definition, resolved. Raises :class:`~c2kit.errors.DefinitionError` for one that cannot be."""
        bound = {item.name: bind(item) for item in packet.items}
        return cls(
            packet=packet,
            layout=Layout(packet.items),
            converts={name: convert for name, convert in bound.items() if convert is not None},
            derives=[(item.name, item.inputs, bind_derived(item)) for item in packet.derived],
        )

    @property
    def is_numbers_only(self) -> bool:
        """Whether each item is a single number, and none is derived."""
        singles = all(item.length is None and not item.encoding.is_bytes for item in self.packet.items)
        return singles and not self.packet.derived

    def of_columns(self, decoded: Sequence[Column]) -> Decommutated:
        """Convert the columns of all fields."""
        return self.completed(dict(zip(self.layout.index, decoded, strict=True)), {}, {})

    def completed(
        self, raw: Mapping[str, Column], converted: Mapping[str, Column], counted: Mapping[str, Tallies]
    ) -> Decommutated:
        """The whole of what is partly done: items in ``counted`` were converted already, to ``converted`` if to any.

        Raises what a user's function raised.
        """
        engineering: dict[str, Column] = {}
        tallies: dict[str, Tallies] = {}
        for name, convert in self.converts.items():
            if name in counted:
                column, tally = converted.get(name, raw[name]), counted[name]
            else:
                column, tally = convert(raw[name])
            if column is not raw[name]:
                engineering[name] = column
            if tally:
                tallies[name] = tally
        for name, inputs, derive in self.derives:
            engineering[name] = derive([engineering[each] if each in engineering else raw[each] for each in inputs])
        return Decommutated(raw, engineering, tallies)
