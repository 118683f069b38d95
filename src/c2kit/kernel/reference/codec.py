"""One packet at a time, as a batch of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.kernel.codec import GeneralCodec
from c2kit.kernel.reference.decode import decode
from c2kit.kernel.reference.encode import encode

if TYPE_CHECKING:
    from c2kit.kernel.contract import Codec
    from c2kit.kernel.layout import Layout

__all__ = ["codec"]


def codec(layout: Layout) -> Codec:
    """The layout for one packet at a time; see :meth:`c2kit.kernel.contract.Kernel.codec`."""
    return GeneralCodec(layout, encode, decode)
