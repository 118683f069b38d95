"""Encode plain fields, each at a place of its own; anything else, and what is to be refused, is left to the columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.kernel import _kernel, columns
from c2kit.kernel.columns.encode import plain_size_bytes
from c2kit.kernel.compiled.description import described
from c2kit.model.fields import Encoding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from c2kit.kernel.contract import RawValue
    from c2kit.kernel.layout import Layout

__all__ = ["encode"]


def encode(layout: Layout, values: Mapping[str, RawValue | Sequence[RawValue]]) -> bytes:
    """Encode raw values; see :func:`c2kit.kernel.reference.encode`, which does the same."""
    try:
        encoder: _kernel.Encoder | None = layout.plans[__name__]
    except KeyError:
        encoder = layout.plans[__name__] = _compile(layout)
    packet = None if encoder is None else encoder.encode(values)
    return columns.encode(layout, values) if packet is None else packet


def _compile(layout: Layout) -> _kernel.Encoder | None:
    size_bytes = plain_size_bytes(layout)
    if size_bytes is None or any(field.encoding is Encoding.MIL_STD_1750A for field in layout.fields):
        return None
    fields = []
    for field in layout.fields:
        start = layout.start_of(field.name)
        fields.append((field.name, described(field, start), start, (field.fixed_bits or 0) // 8))
    return _kernel.Encoder(tuple(fields), size_bytes)
