"""Commands the other way round: what a spacecraft makes of the bytes that it receives, by the definitions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from c2kit.errors import UsageError
from c2kit.kernel.chosen import kernel
from c2kit.kernel.conversions import bind
from c2kit.kernel.identity import fixed_bits
from c2kit.kernel.layout import Layout
from c2kit.model.commands import Checksum
from c2kit.model.conversions import States
from c2kit.model.crc import CrcParameters
from c2kit.processors.arguments import elements_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from c2kit.kernel.identity import Identity
    from c2kit.model.commands import Argument, Command
    from c2kit.model.target import Target

__all__ = ["CommandDecoder", "Refused", "Understood"]

HEADER_BITS = 56
"""The primary header and the function code: what a command is known by. Fixed arguments after it are its keys."""


class Refused(Exception):
    """A command that is not carried out; ``result`` and ``reason`` are those of its COMMAND_ACK.

    It never leaves the satellite.
    """

    def __init__(self, result: str, reason: str) -> None:
        self.result = result
        self.reason = reason
        super().__init__(reason)


@frozen
class Understood:
    """A command that was understood: its name and the engineering values of the arguments that a sender gives."""

    name: str
    arguments: Mapping[str, Any]


@frozen(eq=False)
class _Form:
    """How one command looks."""

    command: Command
    layout: Layout
    identity: Identity

    @classmethod
    def of(cls, command: Command) -> _Form:
        layout = Layout(command.arguments)
        header = [(each, each.fixed) for each in command.arguments if each.fixed is not None]
        known = [(each, fixed) for each, fixed in header if (layout.starts[layout.index[each.name]] or 0) < HEADER_BITS]
        return cls(command, layout, fixed_bits(layout, known, what=f"command {command.name}"))


class CommandDecoder:
    """Decodes the commands of one target. The checksum comes first: what is damaged is not looked at any further."""

    def __init__(self, target: Target) -> None:
        self._forms = [_Form.of(command) for command in target.commands]
        self._crcs = {crc for command in target.commands if (crc := _crc_at_end(command)) is not None}

    def decode(self, data: bytes) -> Understood:
        """The command. Raises :class:`Refused` for what is damaged, unknown, or has arguments that cannot be."""
        if not all(_crc_is_right(crc, data) for crc in self._crcs):
            raise Refused("BAD_CHECKSUM", "checksum")
        form = next((form for form in self._forms if form.identity.matches(data)), None)
        if form is None:
            raise Refused("UNKNOWN", "no such function")
        return Understood(form.command.name, _arguments(form, data))


def _crc_at_end(command: Command) -> CrcParameters | None:
    computed = command.arguments[-1].computed if command.arguments else None
    is_crc = isinstance(computed, Checksum) and isinstance(computed.algorithm, CrcParameters)
    return computed.algorithm if is_crc else None  # type: ignore[union-attr,return-value]


def _crc_is_right(parameters: CrcParameters, data: bytes) -> bool:
    size = len(data) - parameters.width // 8
    if size < 0:
        return False
    return kernel.crc_of(data[:size], parameters) == int.from_bytes(data[size:])


def _arguments(form: _Form, data: bytes) -> dict[str, Any]:
    decoded = kernel.decode(form.layout, data, np.zeros(1, np.int64), np.array([len(data)], np.int64))
    raw = {name: column.to_list()[0] for name, column in zip(form.layout.index, decoded, strict=True)}
    present = {name: value for name, value in raw.items() if value is not None}
    try:
        is_whole = kernel.encode(form.layout, present) == data
    except UsageError:
        is_whole = False
    if not is_whole:
        raise Refused("BAD_ARGUMENT", "wrong length")
    arguments = {}
    for argument, column in zip(form.command.arguments, decoded, strict=True):
        value = raw[argument.name]
        if value is None or argument.computed is not None:
            continue
        if argument.fixed is not None:
            if value != argument.fixed:
                raise Refused("BAD_ARGUMENT", argument.name)
            continue
        convert = None if isinstance(argument.conversion, States) else bind(argument)
        engineering = value if convert is None else convert(column)[0].to_list()[0]
        arguments[argument.name] = _checked(argument, engineering)
    return arguments


def _checked(argument: Argument, value: Any) -> Any:  # noqa: ANN401 - whatever an argument holds
    """The value, or the name of its state."""
    if isinstance(argument.conversion, States):
        name = argument.conversion.name_of(value)
        if name is None:
            raise Refused("BAD_ARGUMENT", argument.name)
        return name
    for element in elements_of(value):
        low, high = argument.minimum, argument.maximum
        # A raw value stands for a range of engineering values, and rounding must refuse none that was sent.
        if (low is not None and element < low - 1e-9) or (high is not None and element > high + 1e-9):
            raise Refused("BAD_ARGUMENT", argument.name)
    return value
