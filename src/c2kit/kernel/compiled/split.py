"""Split by a length field."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from c2kit.kernel import _kernel, columns
from c2kit.kernel.contract import Split

if TYPE_CHECKING:
    from c2kit.kernel.contract import Buffer, LengthRule

__all__ = ["seek_length", "split"]

_FIELD_INCOMPLETE, _PACKET_INCOMPLETE, _BAD_LENGTH = range(3)


def split(buffer: Buffer, rule: LengthRule, start_byte: int = 0) -> Split:
    """Split whole packets off ``buffer[start_byte:]``; see :meth:`c2kit.kernel.contract.Kernel.split`."""
    compiled = _compiled(rule)
    if compiled is None:
        return columns.split(buffer, rule, start_byte)
    words, outcome, length = compiled.split(buffer, start_byte)
    bounds = np.frombuffer(words, np.int64)
    size = None if outcome == _FIELD_INCOMPLETE else length * rule.unit_bytes + rule.adjustment_bytes
    return Split(bounds[:-1], bounds[1:], int(bounds[-1]), size, outcome == _BAD_LENGTH)


def seek_length(buffer: Buffer, rule: LengthRule, start_byte: int) -> int:
    """The first place whose length field claims a size that is allowed; as that of :mod:`c2kit.kernel.columns`."""
    compiled = _compiled(rule)
    if compiled is None:
        return columns.seek_length(buffer, rule, start_byte)
    return compiled.seek(buffer, start_byte)


@functools.lru_cache(maxsize=256)
def _compiled(rule: LengthRule) -> _kernel.Rule | None:
    """The rule in terms of what the length field says; ``None`` where its numbers are too large for the extension."""
    unit, adjustment = rule.unit_bytes, rule.adjustment_bytes
    if unit < 1:
        return None
    least = max(-(-(max(rule.minimum_bytes, rule.header_bytes, 1) - adjustment) // unit), 0)
    most = min((rule.maximum_bytes - adjustment) // unit, 2**64 - 1)
    if least > most:  # no length is good
        least, most = 1, 0
    try:
        return _kernel.Rule(rule.length_bit_offset, rule.length_bits, rule.little_endian, least, most, unit, adjustment)
    except (OverflowError, ValueError):
        return None
