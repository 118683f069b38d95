"""The bits by which a packet is known: what its identification says, as a mask and a value.

Everything that asks whether bytes are a packet (the identifier) or whether two packets could be the same bytes (the
prover) asks it of these, so that both always agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import Factory, define, frozen

from c2kit.errors import DefinitionError, UsageError
from c2kit.kernel import reference
from c2kit.kernel.layout import Layout
from c2kit.kernel.placement import bit_ranges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c2kit.kernel.contract import RawValue
    from c2kit.model.fields import Field
    from c2kit.model.packets import Packet

__all__ = ["Identities", "Identity", "fixed_bits", "identity"]


@frozen
class Identity:
    """``mask`` has a 1 for each bit that is prescribed, ``value`` has what it must be; 0 elsewhere; equal lengths.

    Bytes are this packet's where they are at least as many and agree under the mask.
    """

    mask: bytes
    value: bytes

    def matches(self, data: bytes) -> bool:
        """Whether a packet that begins with these bytes has this identity."""
        head = data[: len(self.mask)]
        return len(head) == len(self.mask) and all(
            byte & mask == value for byte, mask, value in zip(head, self.mask, self.value, strict=True)
        )

    def witness(self, other: Identity) -> bytes | None:
        """The shortest bytes that have both identities (free bits 0); ``None`` where there are none."""
        size = max(len(self.mask), len(other.mask))
        both = [(one.mask.ljust(size, b"\0"), one.value.ljust(size, b"\0")) for one in (self, other)]
        (mask, value), (other_mask, other_value) = both
        if any((a ^ b) & m & n for a, b, m, n in zip(value, other_value, mask, other_mask, strict=True)):
            return None
        return bytes(a | b for a, b in zip(value, other_value, strict=True))

    def implies(self, other: Identity) -> bool:
        """Whether all bytes that have this identity have the other one too."""
        if len(other.mask) > len(self.mask):
            return False
        pairs = zip(self.mask, self.value, other.mask, other.value, strict=False)
        return all(m & n == n and (a ^ b) & n == 0 for m, a, n, b in pairs)


@define(eq=False)
class Identities:
    """Identities in the order in which they are tried. Equality is identity."""

    identities: tuple[Identity, ...]
    plans: dict[str, Any] = Factory(dict)
    """What implementations worked out from them, each under its module's name; nothing but time depends on it."""


def identity(packet: Packet) -> Identity:
    """The identity of a packet; empty where it matches any bytes.

    Raises:
        DefinitionError: a value that its item cannot hold, two values for one bit, or an item of varying place.
    """
    layout = Layout(packet.items)
    prescribed = [(layout.fields[layout.index[match.item]], match.value) for match in packet.identification]
    return fixed_bits(layout, prescribed, what=f"packet {packet.name}")


def fixed_bits(layout: Layout, prescribed: Sequence[tuple[Field, RawValue]], *, what: str) -> Identity:
    """The bits that are known when these fields have these raw values. Raises as :func:`identity` does."""
    mask = value = 0
    size = 0
    for field, raw in prescribed:
        alone = layout.select([field.name])
        try:
            encoded = reference.encode(alone, {field.name: raw})
        except UsageError as error:
            message = f"{what} can never be identified: {field.name} cannot be {raw!r}"
            raise DefinitionError(message, source=field.source, remedy=str(error)) from error
        shift = 8 * (len(encoded) - size)
        if shift > 0:
            mask, value, size = mask << shift, value << shift, len(encoded)
        padding = 8 * (size - len(encoded))
        own_value = int.from_bytes(encoded) << padding
        own_mask = sum(
            ((1 << (high - low)) - 1) << (8 * size - high)
            for low, high in bit_ranges(field, layout.start_of(field.name))
        )
        if (value ^ own_value) & mask & own_mask:
            message = f"{what} can never be identified: {field.name} wants bits that another item wants otherwise"
            raise DefinitionError(message, source=field.source)
        mask, value = mask | own_mask, value | own_value
    return Identity(mask.to_bytes(size), value.to_bytes(size))
