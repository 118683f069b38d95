"""Items and arguments as they are written in a dictionary."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

from c2kit.dictionaries.yaml.conditions import read_conditions
from c2kit.dictionaries.yaml.conversions import CONVERSION_KEYS, read_conversion, read_function, read_limits
from c2kit.dictionaries.yaml.nodes import ScalarNode, kind_of
from c2kit.kernel.conversions import check_item
from c2kit.model.conversions import States
from c2kit.model.fields import Encoding, FieldReference, Prefixed, Terminated, Text
from c2kit.model.packets import DerivedItem, Item

if TYPE_CHECKING:
    from collections.abc import Mapping

    from c2kit.dictionaries.yaml.conditions import Earlier
    from c2kit.dictionaries.yaml.nodes import Node, YamlFile
    from c2kit.dictionaries.yaml.scope import Scope
    from c2kit.dictionaries.yaml.types import TypeSpec
    from c2kit.model.conversions import Conversion

__all__ = ["FIELD_KEYS", "ITEM_KEYS", "checked_name", "read_derived", "read_field", "read_item", "text_of"]

FIELD_KEYS = CONVERSION_KEYS | {
    "type",
    "at_bit",
    "at_byte",
    "byte_order",
    "charset",
    "cut_at",
    "description",
    "display",
    "length",
    "max_bytes",
    "only_if",
    "padding",
    "prefix",
    "units",
    "until",
}
"""What items and arguments have in common."""
ITEM_KEYS = FIELD_KEYS | {"limits"}
_DERIVED_KEYS = frozenset({"function", "version", "of", "limits", "units", "description", "display"})

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:/-]{0,99}", re.ASCII)
_DISPLAY = re.compile(r"(?:.?[<>=^])?[ +-]?z?#?\d{0,3}[,_]?(?:\.\d{1,3})?[bcdeEfFgGnosxX%]?")


def checked_name(file: YamlFile, node: ScalarNode, what: str) -> str:
    """A name of a packet, command, item or argument."""
    name: str = node.value
    if _NAME.fullmatch(name) is None:
        expected = "a letter or _, then up to 99 letters, digits and _ . : / -"
        raise file.wrong(node, f"{what} cannot be named like this", expected=expected, found=repr(name))
    return name


def text_of(file: YamlFile, entries: Mapping[str, Node], key: str) -> str:
    """Text under a key; empty without it."""
    node = entries.get(key)
    return "" if node is None else file.scalar(node, key)


def read_item(scope: Scope, name: ScalarNode, node: Node, byte_order: str, earlier: Earlier) -> Item:
    """One item: a mapping with ``type`` and more."""
    file = scope.file
    entries = file.entries(node, f"item {name.value}", ITEM_KEYS)
    settings = read_field(scope, name, node, entries, byte_order, earlier)
    if "limits" in entries:
        settings["limits"] = read_limits(scope, entries["limits"])
    item = Item(**settings)
    if item.conversion is not None or item.limits:
        check_item(item)
    return item


def read_field(
    scope: Scope, name: ScalarNode, node: Node, entries: Mapping[str, Node], byte_order: str, earlier: Earlier
) -> dict[str, Any]:
    """The attributes of :class:`Field` that a mapping tells, and its ``conversion``."""
    file = scope.file
    spec = _spec(scope, node, entries, byte_order)
    settings: dict[str, Any] = {
        "name": name.value,
        "encoding": spec.encoding,
        "bit_length": spec.bit_length,
        "byte_order": spec.byte_order,
        "length": spec.length,
        "text": spec.text,
        "source": file.source(name),
    }
    for key in ("units", "description"):
        if key in entries:
            settings[key] = file.scalar(entries[key], key)
    if not CONVERSION_KEYS.isdisjoint(entries):
        settings["conversion"] = read_conversion(scope, entries)
    if not _PLACES.isdisjoint(entries):
        _place(file, entries, settings)
    if not _LENGTHS.isdisjoint(entries):
        _length(scope, entries, spec, settings)
    if not _TEXTS.isdisjoint(entries):
        settings["text"] = _text(file, entries, spec)
    if "only_if" in entries:
        settings["present_if"] = read_conditions(file, entries["only_if"], earlier)
    if "display" in entries:
        settings["display"] = _display(scope, entries["display"], spec, settings.get("conversion"))
    return settings


def _spec(scope: Scope, node: Node, entries: Mapping[str, Node], byte_order: str) -> TypeSpec:
    file = scope.file
    if "type" not in entries:
        raise file.wrong(node, "it has no type", remedy="add type: u16, or another type")
    if "byte_order" not in entries:
        return scope.types.read(file, entries["type"], byte_order)
    own_order = file.name_of(entries["byte_order"], "byte_order")
    spec = scope.types.read(file, entries["type"], own_order)
    if spec.byte_order != own_order:
        what = "text and bytes have no byte order" if spec.encoding.is_bytes else "its byte order is told twice"
        raise file.wrong(entries["byte_order"], what, found=repr(own_order), remedy="remove it")
    return spec


_PLACES = frozenset({"at_bit", "at_byte"})
_LENGTHS = frozenset({"length", "until", "max_bytes", "prefix"})
_TEXTS = frozenset({"charset", "padding", "cut_at"})


def _place(file: YamlFile, entries: Mapping[str, Node], settings: dict[str, Any]) -> None:
    byte = file.integer(entries["at_byte"], "at_byte", least=0, most=2**32) if "at_byte" in entries else 0
    bit = file.integer(entries["at_bit"], "at_bit", least=0, most=2**35) if "at_bit" in entries else 0
    settings["bit_offset"] = 8 * byte + bit


def _length(scope: Scope, entries: Mapping[str, Node], spec: TypeSpec, settings: dict[str, Any]) -> None:
    file = scope.file
    keys = [key for key in ("length", "until", "prefix") if key in entries]
    first = entries[keys[0]] if keys else entries["max_bytes"]
    if not keys or (keys != ["until"] and "max_bytes" in entries):
        raise file.wrong(entries["max_bytes"], "max_bytes belongs to until", remedy="remove it")
    if spec.length is not None or len(keys) > 1:
        what = "its length is told twice"
        raise file.wrong(first, what, expected="one of [...], length, until, prefix", remedy="keep one of them")
    match keys[0]:
        case "length":
            settings["length"] = _told_length(file, entries["length"])
        case "until":
            most = None
            if "max_bytes" in entries:
                most = file.integer(entries["max_bytes"], "max_bytes", least=0, most=2**32)
            settings["length"] = Terminated(file.octets(entries["until"], "until"), most)
        case _:
            prefix = scope.types.read(file, entries["prefix"], "big")
            if prefix.encoding is not Encoding.UNSIGNED or prefix.length is not None:
                found = kind_of(entries["prefix"])
                raise file.wrong(first, "a prefix is an unsigned integer", expected="u8, u16 or u16le", found=found)
            settings["length"] = Prefixed(prefix.bit_length, prefix.byte_order)


def _told_length(file: YamlFile, node: Node) -> FieldReference:
    entries = file.entries(node, "length", ("item", "multiply", "add"))
    if "item" not in entries:
        raise file.wrong(node, "length names no item", expected="{item: N, multiply: 1, add: 0}")
    factors = {
        key: file.integer(entries[key], key, least=-(2**31), most=2**31)
        for key in ("multiply", "add")
        if key in entries
    }
    return FieldReference(file.name_of(entries["item"], "item"), **factors)


def _text(file: YamlFile, entries: Mapping[str, Node], spec: TypeSpec) -> Text:
    if spec.text is None:
        key = next(key for key in entries if key in _TEXTS)
        raise file.wrong(entries[key], f"{key} belongs to text", remedy="remove it, or write type: text[...]")
    settings: dict[str, Any] = {
        name: file.octets(entries[key], key)
        for key, name in (("padding", "padding"), ("cut_at", "terminator"))
        if key in entries
    }
    if "charset" in entries:
        settings["charset"] = file.name_of(entries["charset"], "charset")
    return Text(**settings)


def _display(scope: Scope, node: Node, spec: TypeSpec, conversion: Conversion | None) -> str:
    """A format that the values take; how wide it may be is bounded, for it is memory."""
    text = scope.file.scalar(node, "display")
    example: object = 0 if spec.encoding.is_integer and conversion is None else 0.0
    if spec.encoding.is_bytes:
        example = ""
    elif isinstance(conversion, States):
        example = 0
    _try_display(scope, node, text, example)
    return text


def _try_display(scope: Scope, node: Node, text: str, example: object) -> None:
    if (text, type(example)) in scope.good_displays:
        return
    if _DISPLAY.fullmatch(text):
        with contextlib.suppress(ValueError):
            format(example, text)
            scope.good_displays.add((text, type(example)))
            return
    expected = "a Python format specification for its values, such as .2f or #06x"
    raise scope.file.wrong(node, "no such display format", expected=expected, found=repr(text))


def read_derived(scope: Scope, name: ScalarNode, node: Node) -> DerivedItem:
    """One derived item, not yet held to the packet."""
    file = scope.file
    entries = file.entries(node, f"derived item {name.value}", _DERIVED_KEYS)
    if "function" not in entries or "of" not in entries:
        missing = "function" if "function" not in entries else "of"
        remedy = 'write {function: "package.module:name", of: [ITEM, ...]}'
        raise file.wrong(node, f"derived item {name.value} has no {missing}", remedy=remedy)
    inputs = file.sequence(entries["of"], "of", expected="a list of items")
    display = text_of(file, entries, "display")
    if "display" in entries:
        _try_display(scope, entries["display"], display, 0.0)
    return DerivedItem(
        name=name.value,
        function=read_function(file, entries["function"], entries.get("version")),
        inputs=tuple(file.name_of(element, "an item") for element in inputs),
        limits=read_limits(scope, entries["limits"]) if "limits" in entries else (),
        units=text_of(file, entries, "units"),
        description=text_of(file, entries, "description"),
        display=display,
        source=file.source(name),
    )
