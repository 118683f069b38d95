"""Commands and their arguments."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from c2kit.errors import UnknownName
from c2kit.model.fields import Field

if TYPE_CHECKING:
    from c2kit.model.conversions import Conversion
    from c2kit.model.crc import CrcParameters
    from c2kit.model.source import Source

__all__ = ["Argument", "Checksum", "Command", "Computed", "LengthOf", "SequenceCount"]


@frozen
class LengthOf:
    """Computed: the command's length in bytes from ``first_byte`` to its end, plus ``add``.

    A space packet's data length field is ``LengthOf(first_byte=6, add=-1)`` (CCSDS 133.0-B-2, 4.1.3.5.3).
    """

    first_byte: int = 0
    add: int = 0


@frozen
class SequenceCount:
    """Computed: how many commands with the same value of argument ``per`` were encoded before, modulo the width."""

    per: str | None = None


@frozen
class Checksum:
    """Computed over bytes ``first_byte`` up to, not including, ``last_byte`` (``None``: up to the checksum itself).

    ``algorithm`` is a CRC, ``"sum"`` (bytes added modulo the width) or ``"xor"`` (bytes exclusive-ored). Bits of the
    checksum itself that lie in the range count as zero.
    """

    algorithm: CrcParameters | str
    first_byte: int = 0
    last_byte: int | None = None


Computed = LengthOf | SequenceCount | Checksum


@frozen(kw_only=True)
class Argument(Field):
    """A field of a command.

    What the caller gives is an engineering value: a number, a state's name, text, or bytes. A ``fixed`` argument has
    that raw value always and a ``computed`` one is worked out by the encoder; a caller can give neither. ``minimum``
    and
    ``maximum`` are engineering values. An argument without ``default`` must be given, and so must one that is
    ``required`` though a default stands there for people to see.
    """

    conversion: Conversion | None = None
    default: int | float | str | bytes | bool | tuple[int | float, ...] | None = None
    required: bool = False
    fixed: int | float | bytes | None = None
    computed: Computed | None = None
    minimum: float | None = None
    maximum: float | None = None
    hazardous_states: tuple[str, ...] = ()
    """States that make the command hazardous when chosen."""


@define(frozen=True, kw_only=True, slots=True)
class Command:
    """A command: what its bytes are made of, and whether it can do harm."""

    name: str
    arguments: tuple[Argument, ...]
    hazardous: bool = False
    hazard: str = ""
    """What it can do, for the person who is about to confirm it."""
    description: str = ""
    overlaps: bool = False
    """Whether arguments may share bits; otherwise the prover complains of it."""
    source: Source | None = field(default=None, eq=False, repr=False)

    @cached_property
    def arguments_by_name(self) -> dict[str, Argument]:
        """All arguments, by name."""
        return {argument.name: argument for argument in self.arguments}

    def argument(self, name: str) -> Argument:
        """The argument of that name. Raises :class:`~c2kit.errors.UnknownName`."""
        try:
            return self.arguments_by_name[name]
        except KeyError:
            where = f"command {self.name}"
            raise UnknownName(kind="argument", name=name, known=self.arguments_by_name, where=where) from None
