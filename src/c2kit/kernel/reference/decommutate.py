"""Decode, then convert column by column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.kernel.reference.decode import decode

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from c2kit.kernel.contract import Buffer
    from c2kit.kernel.decommutation import Decommutated, Decommutation
    from c2kit.kernel.envelope import Envelope

__all__ = ["decommutate"]


def decommutate(
    plan: Decommutation,
    buffer: Buffer,
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    envelope: Envelope | None = None,  # noqa: ARG001 - there is no message yet: who wants one puts columns together
) -> Decommutated:
    """Decode and convert; see :meth:`c2kit.kernel.contract.Kernel.decommutate`."""
    return plan.of_columns(decode(plan.layout, buffer, starts, ends))
