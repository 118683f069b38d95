"""Arguments of commands as they are written in a dictionary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from c2kit.dictionaries.yaml_conditions import spans_of
from c2kit.dictionaries.yaml_fields import FIELD_KEYS, ITEM_KEYS, read_field
from c2kit.dictionaries.yaml_nodes import ScalarNode, did_you_mean
from c2kit.dictionaries.yaml_values import raw_value
from c2kit.kernel.conversions import check_item
from c2kit.model.commands import Argument, Checksum, LengthOf, SequenceCount
from c2kit.model.conversions import States
from c2kit.model.crc import CATALOGUE, CrcParameters
from c2kit.model.fields import Encoding

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from c2kit.dictionaries.yaml_conditions import Earlier
    from c2kit.dictionaries.yaml_nodes import Node, YamlFile
    from c2kit.dictionaries.yaml_scope import Scope
    from c2kit.model.commands import Computed

__all__ = ["read_argument", "read_computed"]

_KEYS = FIELD_KEYS | {"default", "required", "fixed", "computed", "minimum", "maximum", "hazardous"}
_GIVEN = ("default", "required", "minimum", "maximum", "hazardous")
_CRC_KEYS = ("name", "width", "polynomial", "initial", "reflect_in", "reflect_out", "xor_out", "check")


def read_argument(scope: Scope, name: ScalarNode, node: Node, byte_order: str, earlier: Earlier) -> Argument:
    """One argument: its type in a word, or a mapping with ``type`` and more.

    A header's items are read as arguments too; what only telemetry has (``limits``) then means nothing.
    """
    file = scope.file
    if type(node) is ScalarNode:
        spec = scope.types.read(file, node, byte_order)
        return Argument(
            name=name.value,
            encoding=spec.encoding,
            bit_length=spec.bit_length,
            byte_order=spec.byte_order,
            length=spec.length,
            text=spec.text,
            source=file.source(name),
        )
    entries = file.entries(node, f"argument {name.value}", _KEYS | ITEM_KEYS)
    argument = Argument(**read_field(scope, name, node, entries, byte_order, earlier))
    if argument.conversion is not None:
        check_item(argument)
    settings = _settings(file, entries, argument)
    return evolve(argument, **settings) if settings else argument


def _settings(file: YamlFile, entries: Mapping[str, Node], argument: Argument) -> dict[str, Any]:
    _check_settings(file, entries, argument)
    return {
        _ATTRIBUTES.get(key, key): read(file, entries[key], argument)
        for key, read in _SETTINGS.items()
        if key in entries
    }


def _check_settings(file: YamlFile, entries: Mapping[str, Node], argument: Argument) -> None:
    if "fixed" in entries and "computed" in entries:
        raise file.wrong(entries["computed"], f"{argument.name} is fixed and computed", remedy="keep one of them")
    if "fixed" in entries or "computed" in entries:
        for key in _GIVEN:
            if key in entries:
                what = f"nobody can give {argument.name}, so that {key} means nothing"
                raise file.wrong(entries[key], what, remedy=f"remove {key}, or fixed and computed")


def _bound(file: YamlFile, node: Node, argument: Argument) -> float:
    if argument.encoding.is_bytes:
        raise file.wrong(node, "only numbers have a range", remedy="remove it")
    return file.number(node, f"a bound of {argument.name}")


def _hazardous(file: YamlFile, node: Node, argument: Argument) -> tuple[str, ...]:
    states = []
    for element in file.sequence(node, "hazardous", expected="a list of states"):
        state = file.name_of(element, "a state")
        if not spans_of(argument, state):
            raise file.wrong(element, f"{argument.name} has no state {state!r}", remedy=_known_states(argument))
        states.append(state)
    return tuple(states)


def _known_states(argument: Argument) -> str:
    states = argument.conversion.states if isinstance(argument.conversion, States) else ()
    return f"known: {', '.join(state.name for state in states)}" if states else "give it states"


def _default(file: YamlFile, node: Node, argument: Argument) -> Any:  # noqa: ANN401 - as many kinds as there are types
    if not argument.is_array:
        return _default_element(file, node, argument)
    elements = file.sequence(node, f"the default of {argument.name}")
    return tuple(_default_element(file, element, argument) for element in elements)


def _default_element(file: YamlFile, node: Node, argument: Argument) -> int | float | str | bytes | bool:
    what = f"the default of {argument.name}"
    if argument.encoding is Encoding.STRING:
        return file.scalar(node, what)
    if argument.encoding is Encoding.BINARY:
        return file.octets(node, what)
    text = file.scalar(node, what, expected="a value")
    if isinstance(argument.conversion, States):
        if spans_of(argument, text):
            return text
        if not text[:1].isdigit() and text[:1] not in ("-", "+"):
            raise file.wrong(node, f"{argument.name} has no state {text!r}", remedy=_known_states(argument))
    if argument.encoding is Encoding.BOOLEAN and text.lower() in ("true", "false"):
        return file.boolean(node, what)
    return file.number(node, what)


def _required(file: YamlFile, node: Node, argument: Argument) -> bool:
    return file.boolean(node, f"required of {argument.name}")


def read_computed(file: YamlFile, node: Node, argument: Argument) -> Computed:
    """``sequence_count``, ``{length: {first_byte: 6, add: -1}}``, ``{crc: NAME}`` and so on."""
    if argument.encoding is not Encoding.UNSIGNED or argument.length is not None:
        what = f"{argument.name} cannot be computed"
        raise file.wrong(node, what, expected="an unsigned integer", remedy="mend its type")
    if isinstance(node, ScalarNode):
        return _computed_in_a_word(file, node)
    entries = file.entries(node, "computed", ("sequence_count", "length", "crc", "checksum", "first_byte", "end_byte"))
    kinds = [kind for kind in ("sequence_count", "length", "crc", "checksum") if kind in entries]
    if len(kinds) != 1:
        expected = "one of sequence_count, length, crc, checksum"
        raise file.wrong(node, "one thing is computed", expected=expected, found=", ".join(kinds) or "none")
    kind = kinds[0]
    if kind in ("crc", "checksum"):
        return _checksum(file, entries, argument)
    for key in ("first_byte", "end_byte"):
        if key in entries:
            raise file.wrong(entries[key], f"{key} belongs to crc and checksum", remedy="remove it")
    if kind == "sequence_count":
        per = file.entries(entries[kind], kind, ("per",))
        return SequenceCount(file.name_of(per["per"], "per") if "per" in per else None)
    settings = file.entries(entries[kind], kind, ("first_byte", "add"))
    first = file.integer(settings["first_byte"], "first_byte", least=0, most=2**32) if "first_byte" in settings else 0
    add = file.integer(settings["add"], "add", least=-(2**31), most=2**31) if "add" in settings else 0
    return LengthOf(first, add)


def _computed_in_a_word(file: YamlFile, node: ScalarNode) -> Computed:
    if node.value == "sequence_count":
        return SequenceCount()
    if node.value == "length":
        return LengthOf()
    expected = "sequence_count, length, {sequence_count: {per: APID}}, {length: {first_byte: 6}} or {crc: NAME}"
    raise file.wrong(node, "nothing is computed like this", expected=expected, found=repr(node.value))


def _checksum(file: YamlFile, entries: Mapping[str, Node], argument: Argument) -> Checksum:
    algorithm: CrcParameters | str
    if "crc" in entries:
        algorithm = _crc(file, entries["crc"])
        if algorithm.width != argument.bit_length:
            what = f"{algorithm.name} does not fit {argument.name}"
            expected, found = f"u{algorithm.width}", f"{argument.bit_length} bits"
            raise file.wrong(entries["crc"], what, expected=expected, found=found)
    else:
        algorithm = file.scalar(entries["checksum"], "checksum")
        if algorithm not in ("sum", "xor"):
            expected, remedy = "sum or xor", "for a CRC write crc: NAME"
            raise file.wrong(entries["checksum"], "no such checksum", expected=expected, found=algorithm, remedy=remedy)
    first, end = (
        file.integer(entries[key], key, least=0, most=2**32) if key in entries else None
        for key in ("first_byte", "end_byte")
    )
    if end is not None and end <= (first or 0):
        raise file.wrong(entries["end_byte"], "the range ends before it begins", expected=f"more than {first or 0}")
    return Checksum(algorithm, first or 0, end)


def _crc(file: YamlFile, node: Node) -> CrcParameters:
    if isinstance(node, ScalarNode):
        try:
            return CATALOGUE[node.value]
        except KeyError:
            remedy = did_you_mean(node.value, CATALOGUE)
            raise file.wrong(node, f"no CRC {node.value!r} is catalogued here", remedy=remedy) from None
    entries = file.entries(node, "crc", _CRC_KEYS)
    missing = [key for key in ("width", "polynomial", "check") if key not in entries]
    if missing:
        remedy = "take the parameters from a catalogue; check is the CRC of the digits 123456789"
        raise file.wrong(node, f"crc has no {', '.join(missing)}", remedy=remedy)
    width = file.integer(entries["width"], "width", least=1, most=64)
    settings: dict[str, Any] = {"name": _text_or(file, entries, "name", f"CRC-{width}"), "width": width}
    for key in ("polynomial", "initial", "xor_out", "check"):
        if key in entries:
            settings[key] = file.integer(entries[key], key, least=0, most=(1 << width) - 1)
    for key in ("reflect_in", "reflect_out"):
        if key in entries:
            settings[key] = file.boolean(entries[key], key)
    return CrcParameters(**settings)


def _text_or(file: YamlFile, entries: Mapping[str, Node], key: str, otherwise: str) -> str:
    """Text under a key, or else something."""
    return file.name_of(entries[key], key) if key in entries else otherwise


_SETTINGS: dict[str, Callable[[YamlFile, Node, Argument], Any]] = {
    "fixed": raw_value,
    "computed": read_computed,
    "default": _default,
    "required": _required,
    "minimum": _bound,
    "maximum": _bound,
    "hazardous": _hazardous,
}
"""What reads each key that only arguments have."""
_ATTRIBUTES = {"hazardous": "hazardous_states"}
"""The attributes of :class:`Argument` that are not called as their key."""
