"""Decode many packets at once: what always has one place from rows of bytes, then what varies, field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.kernel.columns.fixed import FixedField, read_fixed
from c2kit.kernel.columns.packets import Packets
from c2kit.kernel.columns.varying import Walk
from c2kit.kernel.reference import decode as reference_decode

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from c2kit.kernel.contract import Buffer, Column
    from c2kit.kernel.layout import Layout
    from c2kit.model.fields import Field

__all__ = ["decode"]


@frozen
class _Plan:
    """A layout, sorted out once."""

    fixed: tuple[FixedField, ...]
    varying: tuple[tuple[Field, int | None], ...]
    """The other fields, in order, with the place where they begin unless that varies."""

    @classmethod
    def of(cls, layout: Layout) -> _Plan:
        fixed, varying = [], []
        for item, start in zip(layout.fields, layout.starts, strict=True):
            if start is None or item.fixed_bits is None or item.present_if:
                varying.append((item, start))
            else:
                fixed.append(FixedField.of(item, start))
        return cls(tuple(fixed), tuple(varying))


def decode(layout: Layout, buffer: Buffer, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> list[Column]:
    """Decode each field of the layout to a column; see :meth:`c2kit.kernel.contract.Kernel.decode`.

    Raises:
        UsageError: a packet does not lie in the buffer.
    """
    packets = Packets.of(buffer, starts, ends)
    if not len(packets):
        return reference_decode(layout, buffer, starts, ends)
    plan: _Plan | None = layout.plans.get(__name__)
    if plan is None:
        plan = layout.plans[__name__] = _Plan.of(layout)
    names = [fixed.field.name for fixed in plan.fixed]
    walk = Walk(layout, packets, dict(zip(names, read_fixed(plan.fixed, packets), strict=True)))
    for item, start in plan.varying:
        walk.decode(item, start)
    return [walk.columns[item.name] for item in layout.fields]
