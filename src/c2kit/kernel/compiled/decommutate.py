"""Decode and convert in one call of the extension; what it does not convert is converted after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.kernel import columns
from c2kit.kernel.compiled.conversions import Conversions
from c2kit.kernel.compiled.decode import decoded
from c2kit.kernel.compiled.program import Compiled, compiled_with
from c2kit.kernel.tally import tallies

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from c2kit.kernel.contract import Buffer, Column
    from c2kit.kernel.decommutation import Decommutated, Decommutation
    from c2kit.kernel.tally import Tallies

__all__ = ["decommutate"]

_NOTHING = tallies({})


def decommutate(
    plan: Decommutation, buffer: Buffer, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> Decommutated:
    """Decode and convert; see :meth:`c2kit.kernel.contract.Kernel.decommutate`. Errors as :func:`decode`."""
    compiled, conversions = _planned(plan)
    if compiled is None:
        return plan.of_columns(columns.decode(plan.layout, buffer, starts, ends))
    found, counts = decoded(compiled, buffer, starts, ends)
    raw = {name: column for name, column in zip(plan.layout.index, found, strict=False) if column is not None}
    converted: dict[str, Column] = {}
    counted: dict[str, Tallies] = {}
    for name, tally, column, count in zip(
        conversions.names, conversions.tallies, found[len(raw) :], counts, strict=True
    ):
        counted[name] = tallies({tally: count}) if count else _NOTHING
        if column is not None:
            converted[name] = column
    return plan.completed(raw, converted, counted)


def _planned(plan: Decommutation) -> tuple[Compiled | None, Conversions]:
    """The program that decodes and converts; ``None`` where there is none for its layout."""
    try:
        planned: tuple[Compiled | None, Conversions] = plan.plans[__name__]
    except KeyError:
        conversions = Conversions.of(plan.packet.items)
        planned = plan.plans[__name__] = compiled_with(plan.layout, conversions), conversions
    return planned
