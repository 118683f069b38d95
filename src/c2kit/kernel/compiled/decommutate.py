"""Decode and convert in one call of the extension; what it does not convert is converted after it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.kernel import columns
from c2kit.kernel.compiled.conversions import Conversions
from c2kit.kernel.compiled.decode import decoded
from c2kit.kernel.compiled.offsets import on_packets
from c2kit.kernel.compiled.program import Compiled, compiled_with
from c2kit.kernel.compiled.views import Views
from c2kit.kernel.decommutation import Decommutated
from c2kit.kernel.tally import tallies

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    import numpy.typing as npt

    from c2kit.kernel.contract import Buffer
    from c2kit.kernel.decommutation import Decommutation
    from c2kit.kernel.envelope import Envelope
    from c2kit.kernel.tally import Tallies

__all__ = ["decommutate"]

_NOTHING = tallies({})


@frozen(eq=False)
class _Plan:
    """A program that decodes and converts."""

    compiled: Compiled
    conversions: Conversions
    raw: dict[str, int]
    """The number of each item's column."""
    engineering: dict[str, int]
    """The same of each item that is converted to a column."""
    is_whole: bool
    """Whether the extension does all that is to be done, and there are numbers only: then it can write messages."""


def decommutate(
    plan: Decommutation,
    buffer: Buffer,
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    envelope: Envelope | None = None,
) -> Decommutated:
    """Decode and convert; see :meth:`c2kit.kernel.contract.Kernel.decommutate`. Errors as :func:`decode`."""
    ours = _planned(plan)
    if ours is None:
        return plan.of_columns(columns.decode(plan.layout, buffer, starts, ends))
    if envelope is not None and ours.is_whole and len(starts):
        return _written(ours, buffer, starts, ends, envelope)
    found, counts = decoded(ours.compiled, buffer, starts, ends)
    raw = {name: column for name, column in zip(plan.layout.index, found, strict=False) if column is not None}
    names = ours.conversions.names
    converted = {name: column for name, column in zip(names, found[len(raw) :], strict=True) if column is not None}
    counted = dict.fromkeys(names, _NOTHING) | _tallied(ours.conversions, counts)
    return plan.completed(raw, converted, counted)


def _written(
    plan: _Plan, buffer: Buffer, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], envelope: Envelope
) -> Decommutated:
    head, generated = envelope.head, envelope.generated
    times = (envelope.received, generated.values, generated.valid, head.data, head.blanks)
    message, flags, places, counts, *sizes = on_packets(plan.compiled.program.write, buffer, starts, ends, *times)
    made = (plan.compiled.kinds, len(starts), message, flags, places)
    tallied = _tallied(plan.conversions, counts) if any(counts) else {}
    return Decommutated(Views(plan.raw, *made), Views(plan.engineering, *made), tallied, message, (sizes[0], sizes[1]))


def _tallied(conversions: Conversions, counts: Iterable[int]) -> dict[str, Tallies]:
    """What was counted, where something was."""
    counted = zip(conversions.names, conversions.tallies, counts, strict=True)
    return {name: tallies({tally: count}) for name, tally, count in counted if count}


def _planned(plan: Decommutation) -> _Plan | None:
    """The program that decodes and converts; ``None`` where there is none for its layout."""
    try:
        planned: _Plan | None = plan.plans[__name__]
    except KeyError:
        planned = plan.plans[__name__] = _plan(plan)
    return planned


def _plan(plan: Decommutation) -> _Plan | None:
    layout, conversions = plan.layout, Conversions.of(plan.packet.items)
    compiled = compiled_with(layout, conversions)
    if compiled is None:
        return None
    converts_all = plan.converts.keys() == set(conversions.names)
    engineering = {
        name: len(layout.fields) + number
        for number, name in enumerate(conversions.names)
        if number not in conversions.without_columns
    }
    is_whole = plan.is_numbers_only and converts_all and sys.byteorder == "little"
    return _Plan(compiled, conversions, layout.index, engineering, is_whole)
