"""Raw values as they are written for a field: what identifies a packet, what an argument always is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.dictionaries.yaml.conditions import spans_of
from c2kit.dictionaries.yaml.nodes import kind_of
from c2kit.model.conversions import States
from c2kit.model.fields import Encoding, Fixed

if TYPE_CHECKING:
    from c2kit.dictionaries.yaml.nodes import Node, YamlFile
    from c2kit.model.commands import Argument
    from c2kit.model.packets import Item

__all__ = ["raw_value"]


def raw_value(file: YamlFile, node: Node, field: Item | Argument) -> int | float | bytes:
    """The raw value that a scalar says: a number, a state's name, text or bytes; one that the field can hold."""
    what = f"the value of {field.name}"
    if field.is_array:
        raise file.wrong(node, f"{field.name} is an array and cannot have one value", remedy="use a single number")
    if field.encoding.is_bytes:
        return _bytes(file, node, field, what)
    if field.encoding.is_float:
        return file.number(node, what)
    value = _integer(file, node, field, what)
    low, high = field.raw_range or (value, value)
    if not low <= value <= high:
        remedy = "mend the value or the type"
        raise file.wrong(node, f"{field.name} cannot be this", expected=f"{low} to {high}", found=value, remedy=remedy)
    return value


def _integer(file: YamlFile, node: Node, field: Item | Argument, what: str) -> int:
    text = file.scalar(node, what, expected="an integer")
    spans = spans_of(field, text)
    if len(spans) > 1 or any(low != high for low, high in spans):
        raise file.wrong(node, f"state {text} is more than one value", expected="a single value")
    if spans:
        return spans[0][0]
    if field.encoding is Encoding.BOOLEAN and text.lower() in ("true", "false"):
        return int(file.boolean(node, what))
    if isinstance(field.conversion, States) and not text[:1].isdigit() and text[:1] not in ("-", "+"):
        names = ", ".join(dict.fromkeys(state.name for state in field.conversion.states))
        raise file.wrong(node, f"{field.name} has no state {text!r}", expected=f"an integer, or one of {names}")
    return file.integer(node, what)


def _bytes(file: YamlFile, node: Node, field: Item | Argument, what: str) -> bytes:
    """Bytes that fill a field of fixed length: text is padded as the spacecraft pads it."""
    value = file.octets(node, what, field.text.charset if field.text else "utf-8")
    if not isinstance(field.length, Fixed):
        return value
    size = field.length.count
    if field.text is not None and len(field.text.padding) == 1:
        value = value.ljust(size, field.text.padding)
    if len(value) != size:
        found = f"{len(value)} bytes in {kind_of(node)}"
        raise file.wrong(node, f"{field.name} cannot be this", expected=f"{size} bytes", found=found)
    return value
