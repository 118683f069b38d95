"""How bytes and values look in lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from c2kit.cli.cells import to_json

if TYPE_CHECKING:
    from c2kit.model.packets import DerivedItem, Item

__all__ = ["hex_dump", "printable", "value_words"]

_HEX_COLUMNS = 16


def hex_dump(data: bytes) -> str:
    """Lines of 16 bytes below another line: where they begin, the bytes, and what of them is ASCII."""
    lines = []
    for first in range(0, len(data), _HEX_COLUMNS):
        part = data[first : first + _HEX_COLUMNS]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"\n    {first:06x}  {part.hex(' '):<{3 * _HEX_COLUMNS - 1}}  {letters}")
    return "".join(lines)


def printable(text: str) -> str:
    """Text on one line that does nothing to a terminal, whoever sent it: what is no letter is told by its code."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def value_words(item: Item | DerivedItem, value: Any) -> str:  # noqa: ANN401 - as an item has it
    """A value as JSON has it, for people: in the item's display format or with seven digits, and with its units."""
    shown = _shown(item, value)
    is_number = not (value is None or isinstance(value, str | bool))
    return f"{shown} {item.units}" if is_number and item.units else shown


def _shown(item: Item | DerivedItem, value: Any) -> str:  # noqa: ANN401 - as above
    """Seven digits are what a float32 has, and enough for a person."""
    match value:
        case str():
            return printable(value)
        case list():
            return f"[{', '.join(_shown(item, each) for each in value)}]"
        case float() | int() if not isinstance(value, bool) and (item.display or isinstance(value, float)):
            return format(value, item.display or ".7g")
        case _:
            return "none" if value is None else to_json(value)
