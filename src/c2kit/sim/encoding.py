"""Telemetry the other way round: packets from engineering values, by the definitions that will decode them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from c2kit.kernel.chosen import kernel
from c2kit.kernel.conversions import inverse_of
from c2kit.kernel.layout import Layout
from c2kit.model.conversions import Polynomial, States
from c2kit.model.fields import Encoding, Field, Fixed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from c2kit.model.packets import Item, Packet

__all__ = ["PacketEncoder", "Values"]

Values = dict[str, Any]
"""Engineering values by the names of items."""

WHOLE = 3
"""Sequence flags of a packet that is no part of a longer one (CCSDS 133.0-B-2, 4.1.3.4.2)."""


class PacketEncoder:
    """Makes space packets of one definition, whose header items have the names of the example dictionary.

    A value outside what its item can hold becomes the nearest that it can, as an instrument saturates.
    """

    def __init__(self, packet: Packet) -> None:
        self.packet = packet
        self._always = {match.item: match.value for match in packet.identification}
        self._always |= {"SEQUENCE_FLAGS": WHOLE, "LENGTH": 0}
        self._raw_of = {item.name: _converter(item) for item in packet.items}
        # Elements as fields of their own: the kernel encodes plain fields many times faster than arrays.
        self._elements = {item.name: _element_names(item) for item in packet.items if _is_plain_array(item)}
        self._layout = Layout(tuple(field for item in packet.items for field in _plain_fields(item)))

    @property
    def apid(self) -> int:
        """The application process identifier that all of them have."""
        return int(self._always["APID"])

    def encode(self, values: Values, *, count: int, time: Mapping[str, int | bytes]) -> bytes:
        """A packet with this sequence count; ``time`` has the raw values of the items that tell its time.

        Raises :class:`~c2kit.errors.UsageError` where a value is missing, or is of the wrong kind.
        """
        raw: dict[str, Any] = {**time, **self._always, "SEQUENCE_COUNT": count}
        for name, value in values.items():
            converted = self._raw_of[name](value)
            if name in self._elements:
                raw.update(zip(self._elements[name], converted, strict=True))
            else:
                raw[name] = converted
        encoded = bytearray(kernel.encode(self._layout, raw))
        encoded[4:6] = (len(encoded) - 7).to_bytes(2)  # CCSDS 133.0-B-2, 4.1.3.5.3
        return bytes(encoded)


def _is_plain_array(item: Item) -> bool:
    return item.is_array and isinstance(item.length, Fixed) and len(item.length.shape) == 1


def _element_names(item: Item) -> list[str]:
    count = item.length.count if isinstance(item.length, Fixed) else 0
    return [f"{item.name}[{number}]" for number in range(count)]


def _plain_fields(item: Item) -> Iterator[Field]:
    """The item, or a field for each of its elements, one after the other."""
    if not _is_plain_array(item):
        yield item
        return
    for number, name in enumerate(_element_names(item)):
        yield Field(
            name=name,
            encoding=item.encoding,
            bit_length=item.bit_length,
            bit_offset=None if number else item.bit_offset,
            byte_order=item.byte_order,
            present_if=item.present_if,
            source=item.source,
        )


def _converter(item: Item) -> Callable[[Any], Any]:
    """A function from the item's engineering value to its raw value: a quick one where that is simple."""
    quick = _quick_converter(item)
    if quick is None:
        return inverse_of(item.conversion, item)
    if item.is_array:
        return lambda values: [quick(value) for value in values]
    return quick


def _quick_converter(item: Item) -> Callable[[Any], Any] | None:
    if item.encoding is Encoding.IEEE754 and item.conversion is None:
        return float
    if item.raw_range is None:
        return None
    low, high = item.raw_range
    match item.conversion:
        case None:
            return lambda value: min(max(round(value), low), high)
        case Polynomial((offset, scale)):
            return lambda value: min(max(round((value - offset) / scale), low), high)
        case States(states):
            raw_of = {state.name: state.low for state in states}
            return raw_of.__getitem__
        case _:
            return None
