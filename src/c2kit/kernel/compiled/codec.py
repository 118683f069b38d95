"""One packet at a time: plain fields by the extension, each at one place; anything else as a batch of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.kernel import _kernel, columns
from c2kit.kernel.codec import GeneralCodec
from c2kit.kernel.columns.encode import plain_size_bytes
from c2kit.kernel.compiled.decode import decode
from c2kit.kernel.compiled.description import described

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from c2kit.kernel.contract import Codec, RawValue
    from c2kit.kernel.layout import Layout

__all__ = ["codec", "encode"]


def codec(layout: Layout) -> Codec:
    """The layout for one packet at a time; see :meth:`c2kit.kernel.contract.Kernel.codec`."""
    try:
        found: Codec = layout.plans[__name__]
    except KeyError:
        found = layout.plans[__name__] = _compile(layout)
    return found


def encode(layout: Layout, values: Mapping[str, RawValue | Sequence[RawValue]]) -> bytes:
    """Encode raw values; see :func:`c2kit.kernel.reference.encode`, which does the same."""
    found: Codec | None = layout.plans.get(__name__)
    return (codec(layout) if found is None else found).encode(values)


def _compile(layout: Layout) -> Codec:
    general = GeneralCodec(layout, columns.encode, decode)
    is_plain = all(field.fixed_bits and (field.length is None or field.encoding.is_bytes) for field in layout.fields)
    if not layout.is_fixed or not is_plain:
        return general
    fields = []
    for field in layout.fields:
        start = layout.start_of(field.name)
        fields.append((field.name, described(field, start), start, (field.fixed_bits or 0) // 8))
    size_bytes = -(-layout.fixed_bits // 8)
    return _kernel.Codec(tuple(fields), size_bytes, plain_size_bytes(layout) is not None, general)
