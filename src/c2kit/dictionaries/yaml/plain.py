"""YAML that holds settings: its plain data, and where each of it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from c2kit.dictionaries.yaml.nodes import MappingNode, SequenceNode, YamlFile, is_plain
from c2kit.dictionaries.yaml.text import compose_text

if TYPE_CHECKING:
    from c2kit.dictionaries.yaml.nodes import Node
    from c2kit.model.source import Source

    Places = dict[tuple[str | int, ...], Source]

__all__ = ["plain_data"]

_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}


def plain_data(text: str, name: str) -> tuple[Any, Places]:
    """What a text says, as mappings, lists and scalars, and the place of each by its path of keys and indices.

    Scalars without quotes are what the core schema of YAML 1.2 takes them for. A key with nothing after it is as good
    as one that is not there. What uses more of YAML than definitions may (anchors, tags) is refused.

    Raises:
        DefinitionError: it is no YAML, is empty, or has a key twice; ``name`` is what the text is called.
    """
    places: Places = {}
    root = compose_text(text, name)
    return _value(YamlFile(name, [], {}), root, (), places), places


def _value(file: YamlFile, node: Node, path: tuple[str | int, ...], places: Places) -> Any:  # noqa: ANN401 - plain data
    places[path] = file.source(node)
    if isinstance(node, MappingNode):
        pairs = [(key, _value(file, value, (*path, key.value), places)) for key, value in file.pairs(node, "this")]
        places.update(((*path, key.value), file.source(key)) for key, _ in pairs)
        return {key.value: value for key, value in pairs if value is not None}
    if isinstance(node, SequenceNode):
        return [_value(file, element, (*path, index), places) for index, element in enumerate(node.value)]
    if not is_plain(node):
        return node.value
    return _WORDS[node.value.lower()] if node.value.lower() in _WORDS else _number_or_text(node.value)


def _number_or_text(text: str) -> int | float | str:
    for convert in (int, float):
        try:
            return convert(text) if "_" not in text else text
        except ValueError:
            continue
    return text
