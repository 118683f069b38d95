"""YAML text to a tree of nodes that know where they stand.

Not part of the format, and refused: anchors, aliases and merge keys (definitions have names of their own to share
by, and aliases can make a small file as large as they like), tags, and more than one document in a file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from c2kit.errors import DefinitionError
from c2kit.model.source import Source

if TYPE_CHECKING:
    from pathlib import Path

    from yaml.nodes import Node

if TYPE_CHECKING or yaml.__with_libyaml__:
    from yaml import CSafeLoader as _Loader
else:  # pragma: no cover - without the C library everything is the same and slower; the wheels of PyYAML have it
    from yaml import SafeLoader as _Loader

__all__ = ["compose", "compose_text"]

_ODD_MARKUP = re.compile(r"(?:^|[\s\[{,:-])[&*!][^\s,\]}]")
"""What may be an anchor, an alias or a tag; a description may hold it too, so that it only starts a closer look."""
_DEEPEST = 50
"""Levels of nesting; the format itself has 9."""
_NO_ALIASES = "share what stands twice by a name: headers, conversions, states, limits or include"


class _Composer(_Loader):
    """Text to nodes, without deciding what a plain scalar is: nobody asks, and it is a third of the time."""

    depth = 0

    def resolve(self, kind: type[Node], value: object, implicit: object) -> None:
        """No tag."""

    def descend_resolver(self, parent: Node | None, index: object) -> None:  # noqa: ARG002 - the composer's signature
        """Called before each node: the C composer calls itself for each level and could use up the stack."""
        self.depth += 1
        if self.depth > _DEEPEST:
            mark = parent.start_mark if parent is not None else None
            raise yaml.MarkedYAMLError(problem="nested too deep to be a definition", problem_mark=mark)

    def ascend_resolver(self) -> None:
        """Called after each node."""
        self.depth -= 1


def compose(path: Path, name: str) -> Node:
    """The root node of a file, which is called ``name`` in errors.

    Raises:
        DefinitionError: it cannot be read, is empty, not UTF-8, not YAML, or uses more of YAML than is allowed here.
    """
    return compose_text(_decode(path, name), name)


def compose_text(text: str, name: str) -> Node:
    """The root node of a text, which is called ``name`` in errors. Raises as :func:`compose`."""
    try:
        root: Node | None = _Composer(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, name) from None
    except yaml.reader.ReaderError as error:
        before = text.encode()[: int(error.position)].decode(errors="replace")
        what = f"YAML syntax: {error.reason}"
        raise DefinitionError(what, source=_end_of(before, name), remedy="remove the character") from None
    if root is None:
        raise DefinitionError("the file is empty", source=Source(name, 1, 1), expected="definitions")
    _refuse_odd_markup(text, name)
    return root


def _end_of(text: str, name: str) -> Source:
    """The place after a text."""
    return Source(name, text.count("\n") + 1, len(text) - text.rfind("\n"))


def _decode(path: Path, name: str) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise DefinitionError(f"cannot be read: {reason}", source=Source(name, 1, 1)) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = _end_of(error.object[: error.start].decode(errors="replace"), name)
        found = f"byte {error.object[error.start]:#04x}"
        remedy = "save the file as UTF-8"
        raise DefinitionError("not UTF-8", source=place, expected="UTF-8", found=found, remedy=remedy) from None


def _syntax_error(error: yaml.MarkedYAMLError, name: str) -> DefinitionError:
    mark = error.problem_mark or error.context_mark
    place = Source(name, mark.line + 1, mark.column + 1) if mark else Source(name, 1, 1)
    problem = error.problem or "it cannot be read"
    remedy = "mend the indentation, brackets or quotes here or just before"
    if "start any token" in problem:
        remedy = "indent with spaces, and put text that begins with a special character in quotes"
    elif "another document" in problem:
        remedy = "write one document a file"
    elif "alias" in problem:
        remedy = _NO_ALIASES
    context = f" ({error.context})" if error.context else ""
    return DefinitionError(f"YAML syntax: {problem}{context}", source=place, remedy=remedy)


def _refuse_odd_markup(text: str, name: str) -> None:
    """Refuse anchors, aliases and tags, which the tree does not show any more."""
    if not any(mark in text for mark in "&*!") or _ODD_MARKUP.search(text) is None:
        return
    events: Any = yaml.parse(text, Loader=_Loader)
    for event in events:
        place = Source(name, event.start_mark.line + 1, event.start_mark.column + 1)
        if getattr(event, "anchor", None) is not None:
            what = "anchors and aliases are not part of the format"
            raise DefinitionError(what, source=place, remedy=_NO_ALIASES)
        if getattr(event, "tag", None) is not None:
            what, remedy = "tags are not part of the format", "remove it, or put text that begins with ! in quotes"
            raise DefinitionError(what, source=place, found=event.tag, remedy=remedy)
