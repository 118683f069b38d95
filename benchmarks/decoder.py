"""What a peer must offer to be measured. Like all that workers import, it needs the standard library only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmarks.workload import Workload

__all__ = ["Decoder", "PeerModule"]


class Decoder(Protocol):
    """Decodes the batches of one workload."""

    def ready(self, batch: bytes) -> Any:  # noqa: ANN401 - whatever the peer decodes from
        """What :meth:`decode` takes; this is not timed."""
        ...

    def decode(self, batch: Any) -> Iterable[Any]:  # noqa: ANN401
        """Decode it. What is timed is iterating to the end, without keeping what comes.

        A peer that makes an object a packet may so make one after the other.
        """
        ...

    def columns(self, decoded: list[Any]) -> Mapping[str, Sequence[Sequence[int | float]]]:
        """What was decoded from all batches, as :data:`benchmarks.workload.Columns`; this is not timed."""
        ...


class PeerModule(Protocol):
    """A module of :mod:`benchmarks.peers`."""

    DISTRIBUTIONS: tuple[str, ...]
    """What is measured, and what it owes its speed to: their versions are reported."""

    def prepare(self, workload: Workload) -> Decoder:
        """Make a decoder; this is not timed. What cannot decode the workload raises ``NotHere``."""
        ...
