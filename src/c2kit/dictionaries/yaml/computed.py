"""What the encoder works out, as it is written in a dictionary: counts, lengths and checksums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from c2kit.dictionaries.yaml.nodes import ScalarNode, did_you_mean
from c2kit.model.commands import Checksum, LengthOf, SequenceCount
from c2kit.model.crc import CATALOGUE, CrcParameters
from c2kit.model.fields import Encoding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from c2kit.dictionaries.yaml.nodes import Node, YamlFile
    from c2kit.model.commands import Argument, Computed

__all__ = ["read_computed"]

_CRC_KEYS = ("name", "width", "polynomial", "initial", "reflect_in", "reflect_out", "xor_out", "check")


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
    parameters = CrcParameters(**settings)
    check = _check_value(parameters)
    if check != parameters.check:
        what = "these parameters give another check than they say"
        expected, remedy = f"{check:#x}", "compare all of them with the catalogue"
        raise file.wrong(entries["check"], what, expected=expected, found=f"{parameters.check:#x}", remedy=remedy)
    return parameters


def _text_or(file: YamlFile, entries: Mapping[str, Node], key: str, otherwise: str) -> str:
    """Text under a key, or else something."""
    return file.name_of(entries[key], key) if key in entries else otherwise


def _check_value(parameters: CrcParameters) -> int:
    from c2kit.kernel.reference import crc  # noqa: PLC0415 - it is heavy, and own parameters are rare

    digits = b"123456789"
    (value,) = crc(digits, np.array([0]), np.array([len(digits)]), parameters).tolist()
    return int(value)
