"""The plain values in YAML nodes, and errors that know where they stand.

Definitions are read from the *node tree*, not from Python objects that a YAML loader makes of it: a node knows its line
and column, a duplicate key is still there to be seen, and composing costs a third of constructing. What a scalar means
is decided by whoever reads it: a state may be called ``ON``, ``NO`` or ``1``, and an integer is only ever an integer.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from attrs import define
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from c2kit.errors import DefinitionError
from c2kit.model.source import Source

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["MappingNode", "Node", "ScalarNode", "SequenceNode", "YamlFile", "did_you_mean", "is_plain", "kind_of"]

_LEAST_INTEGER, _GREATEST_INTEGER = -(2**63), 2**64 - 1
_GREATEST_NUMBER = 1e308
"""What is finite stays finite when it is converted to a float."""


def kind_of(node: Node) -> str:
    """What a node is, for people."""
    if isinstance(node, MappingNode):
        return "a mapping"
    if isinstance(node, SequenceNode):
        return "a list"
    if not node.value and is_plain(node):
        return "nothing"
    return repr(_short(node.value, 60))


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


def is_plain(node: Node) -> bool:
    """Whether it is a scalar without quotes."""
    return isinstance(node, ScalarNode) and not node.style


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A remedy for a name that does not exist."""
    known = sorted(known)
    near = difflib.get_close_matches(name[:100], known[:2000], n=3, cutoff=0.5)
    if near:
        return f"did you mean {' or '.join(near)}?"
    if not known:
        return "none is defined"
    return f"known: {', '.join(known[:24])}{', ...' if len(known) > 24 else ''}"


@define(slots=True, eq=False)
class YamlFile:
    """One file while it is read: its name, and all that was found wrong so far, in it and in the others.

    A header is read by whoever extends it, perhaps long after its own file, so that all files have one list.
    """

    name: str
    problems: list[DefinitionError]
    numbers: dict[str, int | float | None]
    """The plain scalars that were looked at, and the numbers that they are: most stand in many places."""

    def source(self, node: Node) -> Source:
        """Where a node begins."""
        mark = node.start_mark
        return Source(self.name, mark.line + 1, mark.column + 1)

    def wrong(
        self, node: Node, what: str, *, expected: object = None, found: object = None, remedy: str = ""
    ) -> DefinitionError:
        """The error to raise about a node; what was found may be of any length and is cut."""
        found = _short(found, 600) if isinstance(found, str) else found
        return DefinitionError(
            _short(what, 600), source=self.source(node), expected=expected, found=found, remedy=remedy
        )

    def mapping(self, node: Node, what: str) -> list[tuple[ScalarNode, Node]]:
        """The keys and values of a mapping, every key a scalar."""
        if not isinstance(node, MappingNode):
            raise self.wrong(node, f"{what} must be a mapping", expected="name: value pairs", found=kind_of(node))
        pairs: list[tuple[ScalarNode, Node]] = node.value
        for key, _ in pairs:
            if type(key) is not ScalarNode:
                raise self.wrong(key, f"a key of {what} must be a name", found=kind_of(key))
        return pairs

    def pairs(self, node: Node, what: str) -> list[tuple[ScalarNode, Node]]:
        """The keys and values of a mapping, every key a scalar that stands there once."""
        pairs = self.mapping(node, what)
        seen: dict[str, ScalarNode] = {}
        for key, _ in pairs:
            first = seen.setdefault(key.value, key)
            if first is not key:
                found = f"the first at {self.source(first)}"
                raise self.wrong(key, f"{key.value} stands twice in {what}", found=found, remedy="remove one")
        return pairs

    def entries(self, node: Node, what: str, known: Collection[str]) -> dict[str, Node]:
        """The values of a mapping by key, every key one of the ``known``."""
        entries: dict[str, Node] = {}
        pairs = node.value if type(node) is MappingNode else ()
        for key, value in pairs:
            if type(key) is not ScalarNode or key.value not in known:
                break
            entries[key.value] = value
        if entries and len(entries) == len(pairs):
            return entries
        # Something is wrong, or nothing stands there: what it is may take its time.
        for key, _ in self.pairs(node, what):
            if key.value not in known:
                raise self.wrong(key, f"{what} has no {key.value!r}", remedy=did_you_mean(key.value, known))
        return entries

    def sequence(self, node: Node, what: str, *, expected: str = "a list") -> list[Node]:
        """The elements of a list."""
        if not isinstance(node, SequenceNode):
            raise self.wrong(node, f"{what} must be a list", expected=expected, found=kind_of(node))
        elements: list[Node] = node.value
        return elements

    def scalar(self, node: Node, what: str, *, expected: str = "text") -> str:
        """A scalar as it is written; empty where nothing is."""
        if type(node) is not ScalarNode:
            raise self.wrong(node, f"{what} must be {expected}", expected=expected, found=kind_of(node))
        text: str = node.value
        return text

    def name_of(self, node: Node, what: str) -> str:
        """A scalar that is not empty."""
        text = self.scalar(node, what, expected="a name")
        if not text:
            raise self.wrong(node, f"{what} must be a name", expected="a name", found="nothing")
        return text

    def _plain_number(self, node: Node) -> int | float | None:
        """The number that a scalar without quotes is; ``None`` where it is none."""
        if type(node) is not ScalarNode or node.style:
            return None
        text = node.value
        if text not in self.numbers:
            self.numbers[text] = _read_number(text)
        return self.numbers[text]

    def integer(self, node: Node, what: str, *, least: int = _LEAST_INTEGER, most: int = _GREATEST_INTEGER) -> int:
        """An integer: decimal, ``0x``, ``0o`` or ``0b``; underscores may group digits."""
        value = self._plain_number(node)
        if not isinstance(value, int):
            expected = "an integer" if least < -1 else f"an integer of at least {least}"
            text = self.scalar(node, what, expected=expected)
            remedy = "write 0o in front of octal digits, nothing in front of decimal ones" if text[:1] == "0" else ""
            raise self.wrong(node, f"{what} must be {expected}", expected=expected, found=kind_of(node), remedy=remedy)
        if not least <= value <= most:
            raise self.wrong(node, f"{what} is out of range", expected=f"{least} to {most}", found=value)
        return value

    def number(self, node: Node, what: str) -> int | float:
        """A finite number; an integer stays one."""
        value = self._plain_number(node)
        if value is None or not -_GREATEST_NUMBER <= value <= _GREATEST_NUMBER:
            raise self.wrong(node, f"{what} must be a number", expected="a finite number", found=kind_of(node))
        return value

    def boolean(self, node: Node, what: str) -> bool:
        """``true`` or ``false``."""
        text = self.scalar(node, what, expected="true or false")
        if not is_plain(node) or text.lower() not in ("true", "false"):
            raise self.wrong(node, f"{what} must be true or false", expected="true or false", found=kind_of(node))
        return text.lower() == "true"

    def octets(self, node: Node, what: str, charset: str = "utf-8") -> bytes:
        """Bytes: ``0x`` and an even number of hexadecimal digits, or text (in quotes, if it begins with ``0x``)."""
        text = self.scalar(node, what, expected="bytes")
        try:
            if is_plain(node) and text[:2] == "0x":
                return bytes.fromhex(text[2:].replace("_", ""))
            return text.encode(charset)
        except (ValueError, LookupError):
            expected = f"0x and two digits a byte, or text in {charset}"
            raise self.wrong(node, f"{what} must be bytes", expected=expected, found=kind_of(node)) from None


def _read_number(text: str) -> int | float | None:
    if not text.isascii():
        return None
    try:
        return int(text, 0)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return None
