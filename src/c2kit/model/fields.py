"""A field: bits at a place in a packet or command, and how to read them as a raw value.

The rules of layout, which :mod:`c2kit.kernel.reference` follows to the letter:

* Fields stand in the order of their definition. A field begins at its ``bit_offset`` (from the first bit of the
packet),
  or, where that is ``None``, at the bit after the field defined before it.
* ``byte_order="big"``: bit offsets count each byte from its most significant bit, and the first bit of a value is its
  most significant. ``"little"``: they count each byte from its *least* significant bit, and the first bit of a value is
  its least significant. Whole bytes on byte boundaries then are the usual little-endian word, and bit fields are
  where a
  little-endian compiler puts them. Digits such as ``"2143"`` tell which byte of the value (1 = most significant) stands
  at each place; the field's bits are taken in big-endian order first.
* A field whose ``present_if`` does not hold has no value and takes no bits: what follows begins where it would have. A
  condition on a field that is absent for this reason does not hold either.
* A field that does not fit between its start and the packet's end has no value, nor has any field whose place, size or
  presence depends on it. A negative number of elements fits nowhere.
* An :class:`Expand` field takes whole elements of what is left before the fields after it, which end with the packet.
  Bits that are left between the two belong to nobody. It does not fit where those fields would begin before it does.
"""

from __future__ import annotations

import math
from enum import Enum, unique
from typing import TYPE_CHECKING

from attrs import field, frozen

if TYPE_CHECKING:
    from c2kit.model.source import Source

__all__ = [
    "Condition",
    "Encoding",
    "Expand",
    "Field",
    "FieldReference",
    "Fixed",
    "Length",
    "Prefixed",
    "Terminated",
    "Text",
]


@unique
class Encoding(Enum):
    """How the bits of one element are to be read."""

    UNSIGNED = "unsigned"
    TWOS_COMPLEMENT = "twos_complement"
    ONES_COMPLEMENT = "ones_complement"
    SIGN_MAGNITUDE = "sign_magnitude"
    IEEE754 = "ieee754"
    """Binary16, binary32 or binary64 of IEEE 754."""
    MIL_STD_1750A = "mil_std_1750a"
    """The 32-bit or 48-bit float of MIL-STD-1750A, paragraph 4.1.4 and 4.1.5."""
    BOOLEAN = "boolean"
    """An unsigned integer, true where it is not 0."""
    STRING = "string"
    BINARY = "binary"

    @property
    def is_integer(self) -> bool:
        """Whether a raw value is an integer (a Boolean's is)."""
        return self in _INTEGERS

    @property
    def is_signed(self) -> bool:
        """Whether a raw value can be negative."""
        return self not in (Encoding.UNSIGNED, Encoding.BOOLEAN, Encoding.STRING, Encoding.BINARY)

    @property
    def is_float(self) -> bool:
        """Whether a raw value is a floating-point number."""
        return self in (Encoding.IEEE754, Encoding.MIL_STD_1750A)

    @property
    def is_bytes(self) -> bool:
        """Whether a raw value is a sequence of bytes."""
        return self in (Encoding.STRING, Encoding.BINARY)


_INTEGERS = frozenset(
    {
        Encoding.UNSIGNED,
        Encoding.TWOS_COMPLEMENT,
        Encoding.ONES_COMPLEMENT,
        Encoding.SIGN_MAGNITUDE,
        Encoding.BOOLEAN,
    }
)


@frozen
class Fixed:
    """Always the same number of elements; ``shape`` has one entry a dimension, the last varying fastest."""

    shape: tuple[int, ...]

    @property
    def count(self) -> int:
        """The number of elements in all dimensions together."""
        return math.prod(self.shape)


@frozen
class FieldReference:
    """As many elements as the raw value of an earlier integer field says: ``value * multiply + add``."""

    field: str
    multiply: int = 1
    add: int = 0


@frozen
class Expand:
    """Whole elements of what is left of the packet before the fields that follow."""


@frozen
class Terminated:
    """Bytes up to a terminator, which is consumed and not part of the value.

    The search goes in steps of the terminator's own length. Without a terminator in the first ``max_bytes``, those are
    the value; without one before the packet's end, there is no value.
    """

    terminator: bytes
    max_bytes: int | None = None


@frozen
class Prefixed:
    """Bytes whose number stands before them as an unsigned integer of ``bit_length`` bits in ``byte_order``."""

    bit_length: int
    byte_order: str = "big"


Length = Fixed | FieldReference | Expand | Terminated | Prefixed
"""How many elements a field has: numbers of an array, or bytes of a string or binary."""


@frozen
class Condition:
    """A comparison of an earlier number's raw value; ``operator`` is ``==``, ``!=``, ``<``, ``<=``, ``>`` or ``>=``."""

    field: str
    operator: str
    value: int | float


@frozen
class Text:
    """How the bytes of a string become text.

    ``charset`` is a Python codec name. What follows the first ``terminator`` is cut off, if one is given; then
    ``padding`` is stripped from the end.
    """

    charset: str = "utf-8"
    padding: bytes = b"\0"
    terminator: bytes = b""


@frozen(kw_only=True)
class Field:
    """A raw value in a packet or command. The module's docstring has the rules of its place and bits.

    ``bit_length`` is that of one element and always 8 for strings and binary; ``length`` is ``None`` for a single
    number.
    """

    name: str
    encoding: Encoding = Encoding.UNSIGNED
    bit_length: int = 8
    bit_offset: int | None = None
    byte_order: str = "big"
    length: Length | None = None
    present_if: tuple[Condition, ...] = ()
    text: Text | None = None
    description: str = ""
    units: str = ""
    display: str = ""
    """A Python format specification for people's eyes, such as ``.2f`` or ``#06x``."""
    source: Source | None = field(default=None, eq=False, repr=False)

    @property
    def fixed_bits(self) -> int | None:
        """Bits that the field takes when it is present; ``None`` where that varies from packet to packet."""
        if self.length is None:
            return self.bit_length
        if isinstance(self.length, Fixed):
            return self.bit_length * self.length.count
        return None

    @property
    def raw_range(self) -> tuple[int, int] | None:
        """The least and the greatest raw value of an integer field; ``None`` for what is not an integer."""
        bits = self.bit_length
        match self.encoding:
            case Encoding.UNSIGNED | Encoding.BOOLEAN:
                return 0, (1 << bits) - 1
            case Encoding.TWOS_COMPLEMENT:
                return -(1 << (bits - 1)), (1 << (bits - 1)) - 1
            case Encoding.ONES_COMPLEMENT | Encoding.SIGN_MAGNITUDE:
                return 1 - (1 << (bits - 1)), (1 << (bits - 1)) - 1
            case _:
                return None

    @property
    def is_array(self) -> bool:
        """Whether the raw value is a sequence of numbers."""
        return self.length is not None and not self.encoding.is_bytes
