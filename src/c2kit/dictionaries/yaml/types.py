"""Types as they are spelled in a dictionary: ``u12``, ``i16le``, ``f32[4]``, ``text[N]``, ``bytes[...]``.

====================== ===================================================================
``u1`` to ``u64``      unsigned integer
``i1`` to ``i64``      two's complement
``ones2`` to ``ones64``       ones' complement
``signmag2`` to ``signmag64`` sign and magnitude
``f16 f32 f64``        IEEE 754
``m32 m48``            MIL-STD-1750A float
``bool``, ``bool8``    Boolean of 1 bit, of 8 bits
``text``, ``bytes``    characters, bytes
``le``, ``be``         after a number's width: little-endian, big-endian
``[4]``, ``[2, 3]``    always so many elements
``[N]``, ``[2 * N + 1]``  as many as item N tells
``[...]``              whatever is left of the packet
====================== ===================================================================
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from c2kit.dictionaries.yaml.nodes import did_you_mean
from c2kit.model.fields import Encoding, Expand, FieldReference, Fixed, Text

if TYPE_CHECKING:
    from c2kit.dictionaries.yaml.nodes import Node, YamlFile
    from c2kit.model.fields import Length

__all__ = ["TypeReader", "TypeSpec"]

_SPELLING = re.compile(r"([a-z]+?)([1-9]\d{0,2})?(le|be)?(?:\[([^\[\]]*)\])?", re.ASCII)
_EXTENTS = re.compile(r"\d{1,10}(?:\s*,\s*\d{1,10})*", re.ASCII)
_REFERENCE = re.compile(
    r"(?:(?P<before>\d{1,9})\s*\*\s*)?(?P<name>[A-Za-z_][\w.]*)(?:\s*\*\s*(?P<after>\d{1,9}))?"
    r"(?:\s*(?P<sign>[+-])\s*(?P<add>\d{1,9}))?",
    re.ASCII,
)
_NUMBERS = {
    "u": (Encoding.UNSIGNED, range(1, 65)),
    "i": (Encoding.TWOS_COMPLEMENT, range(1, 65)),
    "ones": (Encoding.ONES_COMPLEMENT, range(2, 65)),
    "signmag": (Encoding.SIGN_MAGNITUDE, range(2, 65)),
    "f": (Encoding.IEEE754, (16, 32, 64)),
    "m": (Encoding.MIL_STD_1750A, (32, 48)),
    "bool": (Encoding.BOOLEAN, range(1, 65)),
}
_SEQUENCES = {"text": Encoding.STRING, "bytes": Encoding.BINARY}
_FAMILIAR = (
    *(f"{kind}{width}" for kind in "ui" for width in (8, 16, 24, 32, 64)),
    *("f16", "f32", "f64", "m32", "m48", "bool", "text", "bytes"),
)
_SPELLED = "such as u12, i16le, f32[4], bool, text[16], bytes[N] or u8[...]"


@frozen
class TypeSpec:
    """What a type's spelling says."""

    encoding: Encoding
    bit_length: int
    byte_order: str
    length: Length | None
    text: Text | None


@define(slots=True, eq=False)
class TypeReader:
    """Reads spellings, each one once: ten thousand items have a few dozen types."""

    _known: dict[str, dict[str, TypeSpec]] = field(factory=dict)

    def known(self, byte_order: str) -> dict[str, TypeSpec]:
        """The types that were read, by their spelling, where ``byte_order`` is meant if the spelling says nothing."""
        return self._known.setdefault(byte_order, {})

    def read(self, file: YamlFile, node: Node, byte_order: str) -> TypeSpec:
        """The type that a scalar spells; ``byte_order`` is meant where the spelling says nothing."""
        text = file.scalar(node, "a type", expected=f"a type {_SPELLED}")
        known = self.known(byte_order)
        if text not in known:
            known[text] = _read_type(file, node, text.strip(), byte_order)
        return known[text]


def _read_type(file: YamlFile, node: Node, text: str, byte_order: str) -> TypeSpec:
    spelled = _SPELLING.fullmatch(text)
    if spelled is None:
        raise file.wrong(node, "no type is spelled like this", expected=f"a type {_SPELLED}", found=repr(text))
    kind, width, order, extent = spelled.groups()
    if kind in _SEQUENCES and not width:
        if order:
            raise file.wrong(node, f"{kind} has no byte order", found=order, remedy=f"write {kind}")
        return TypeSpec(_SEQUENCES[kind], 8, "big", _length(file, node, extent), Text() if kind == "text" else None)
    if kind not in _NUMBERS:
        remedy = did_you_mean(text.partition("[")[0], _FAMILIAR)
        raise file.wrong(node, "no such type", expected=f"a type {_SPELLED}", found=repr(text), remedy=remedy)
    encoding, widths = _NUMBERS[kind]
    bits = int(width) if width else 1 if kind == "bool" else 0
    if bits not in widths:
        few = " or ".join(map(str, widths)) if len(widths) < 4 else f"{widths[0]} to {widths[-1]}"
        raise file.wrong(node, f"{kind} has no width of {width or 'no'} bits", expected=f"{few} bits", found=repr(text))
    order = {"le": "little", "be": "big"}.get(order, byte_order)
    return TypeSpec(encoding, bits, order, _length(file, node, extent), None)


def _length(file: YamlFile, node: Node, extent: str | None) -> Length | None:
    if extent is None:
        return None
    extent = extent.strip()
    if extent == "...":
        return Expand()
    if _EXTENTS.fullmatch(extent):
        shape = tuple(int(number) for number in extent.split(","))
        if 0 in shape:
            raise file.wrong(node, "it has no elements", expected="extents of at least 1", found=repr(extent))
        return Fixed(shape)
    told = _REFERENCE.fullmatch(extent)
    if told is None or (told["before"] and told["after"]):
        expected = "numbers, an item such as N or 2 * N + 1, or ..."
        remedy = "for other names write length: {item: NAME, multiply: 1, add: 0}"
        raise file.wrong(node, "no length is spelled like this", expected=expected, found=repr(extent), remedy=remedy)
    add = int(told["add"] or 0)
    multiply = int(told["before"] or told["after"] or 1)
    return FieldReference(told["name"], multiply, -add if told["sign"] == "-" else add)
