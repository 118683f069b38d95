"""Arguments of commands in records: as JSON that loses nothing, and back as the encoder takes them."""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from c2kit.errors import ArgumentFault, UsageError
from c2kit.model.conversions import States
from c2kit.processors import parse_argument

if TYPE_CHECKING:
    from collections.abc import Mapping

    from c2kit.bus.records import Command
    from c2kit.model import commands
    from c2kit.model.commands import Argument

__all__ = ["arguments_from_record", "arguments_to_record", "fingerprint_of"]

_HEX = "hex"
_JSON_INTEGERS = range(-(2**63), 2**63)


def arguments_to_record(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Values as JSON has them: bytes as ``{"hex": "cafe"}``; numbers that JSON does not have as text.

    Raises UsageError for what is no value of an argument.
    """
    return {name: _to_json(name, value) for name, value in arguments.items()}


def _to_json(name: str, value: Any) -> Any:  # noqa: ANN401 - whatever an argument takes
    match value:
        case np.ndarray() | np.generic():
            return _to_json(name, value.tolist())
        case bytes() | bytearray() | memoryview():
            return {_HEX: value.hex()}
        case bool() | str():
            return value
        case int():
            return value if value in _JSON_INTEGERS else str(value)
        case float():
            return value if math.isfinite(value) else str(value)
        case list() | tuple():
            return [_to_json(name, element) for element in value]
    expected = "a number, a Boolean, text, bytes, or a list of such"
    raise UsageError(f"argument {name}", expected=expected, found=repr(value))


def arguments_from_record(command: commands.Command, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Values for the encoder: text is read as a person typed it, but where the argument is text or a state itself.

    What cannot be read stays as it is, so that the encoder refuses it together with all else that is wrong.
    """
    known = command.arguments_by_name
    return {name: _typed(known[name], value) if name in known else value for name, value in arguments.items()}


def _typed(argument: Argument, value: Any) -> Any:  # noqa: ANN401 - what stands in a record
    try:
        match value:
            case str():
                return parse_argument(argument, value)
            case {"hex": str(digits), **others} if not others:
                return bytes.fromhex(digits)
            case list():
                return [_element(argument, element) for element in value]
    except (ArgumentFault, ValueError):
        pass
    return value


def _element(argument: Argument, value: Any) -> Any:  # noqa: ANN401 - what stands in a record
    if isinstance(value, list):
        return [_element(argument, element) for element in value]
    if not isinstance(value, str) or not argument.is_array or isinstance(argument.conversion, States):
        return value
    (number,) = parse_argument(argument, value)
    return number


def fingerprint_of(command: Command) -> str:
    """By what two commands with one id are seen to be the same: all that decides about what is sent, and whether."""
    content = [command.target, command.name, command.arguments, command.interface, command.confirms_hazard]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]
