"""Read clocks: by the extension, where what they show is integers; else as the NumPy kernel does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from c2kit.kernel import _kernel
from c2kit.kernel.compiled.decode import decode
from c2kit.kernel.contract import Column
from c2kit.kernel.tally import Tally, tallies
from c2kit.kernel.time import Times, time_fields
from c2kit.model.fields import Encoding
from c2kit.model.time import Cuc, Scale

if TYPE_CHECKING:
    import numpy.typing as npt

    from c2kit.kernel.clock import Clock
    from c2kit.kernel.contract import Buffer

__all__ = ["times"]

_CUC = 0
_CDS = {0: 1, 16: 2, 32: 3}
"""By the bits of what is behind the milliseconds."""
_SECOND = 1_000_000_000
_TALLIES = (Tally.TIME_OUT_OF_RANGE, Tally.LEAP_SECOND, Tally.LEAP_TABLE_EXPIRED)

_Plan = tuple[_kernel.Clock | None, tuple[int, ...]]
"""The clock, and which fields of the layout it reads."""


def times(clock: Clock, buffer: Buffer, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> Times:
    """When packets were made; see :meth:`c2kit.kernel.contract.Kernel.times`."""
    decoded = decode(clock.layout, buffer, starts, ends)
    try:
        plan: _Plan = clock.plans[__name__]
    except KeyError:
        plan = clock.plans[__name__] = _planned(clock)
    compiled, places = plan
    if compiled is None:
        return clock.of_columns(decoded)
    columns = [decoded[place] for place in places]
    words = [column.values.astype(np.uint64).view(np.int64) for column in columns]
    first, second, third, *_ = (*words, None, None)
    values, valid, is_leap = np.empty(len(starts), np.int64), np.empty(len(starts), bool), np.empty(len(starts), bool)
    counts = compiled.tell(first, second, third, _present(columns), values, valid, is_leap)
    counted = tallies(dict(zip(_TALLIES, counts, strict=True)))
    return Times(Column(values, None if valid.all() else valid), is_leap, counted)


def _present(columns: list[Column]) -> npt.NDArray[np.bool_] | None:
    """Which packets have all fields; ``None`` where all of them do."""
    present: npt.NDArray[np.bool_] | None = None
    for column in columns:
        if column.valid is not None:
            present = column.valid if present is None else present & column.valid
    return present


def _planned(clock: Clock) -> _Plan:
    time, layout = clock.packet.time, clock.layout
    assert time is not None  # noqa: S101 - for the type checker: a clock is of a definition that has one
    places = tuple(layout.index[name] for name in time_fields(time))
    fields = [layout.fields[place] for place in places]
    if any(field.encoding is not Encoding.UNSIGNED or field.is_array for field in fields):
        return None, places
    is_cuc = isinstance(time.code, Cuc)
    behind = fields[-1].bit_length if len(fields) > (1 if is_cuc else 2) else 0
    code, fine_bits = (_CUC, behind) if is_cuc else (_CDS[behind], 0)
    seconds, ns = divmod(time.epoch.posix_ns, _SECOND)
    entries, inserted = clock.leap.tai_entries()
    is_tai = time.epoch.scale is Scale.TAI
    return _kernel.Clock(code, fine_bits, is_tai, seconds, ns, entries, inserted, clock.leap.expires), places
