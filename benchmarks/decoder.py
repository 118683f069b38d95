"""What a peer must offer to be measured. Like all that workers import, it needs the standard library only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmarks.workload import Packet, Record, Value, Workload

__all__ = ["Decoder", "Encoder", "Given", "PeerModule"]

Given = list[tuple["Packet", "Record"]]
"""A batch of packets to be encoded: each with the values of its items."""


class Decoder(Protocol):
    """Decodes the batches of one workload.

    Where the peer could not be given the very workload, a text ``note`` says what it was given instead.
    """

    def ready(self, batch: bytes) -> Any:  # noqa: ANN401 - whatever the peer decodes from
        """What :meth:`decode` takes; this is not timed."""
        ...

    def decode(self, batch: Any) -> Iterable[Any]:  # noqa: ANN401
        """Decode it. What is timed is iterating to the end, without keeping what comes.

        A peer that makes an object a packet may so make one after the other, or write all to the same memory.
        """
        ...

    def columns(self, decoded: Iterable[Any]) -> Mapping[str, Sequence[Sequence[Value]]]:
        """What is decoded from all batches, as :data:`benchmarks.workload.Columns`; this is not timed.

        The next is decoded when it is asked for.
        """
        ...


class Encoder(Protocol):
    """Encodes the batches of one workload; ``note`` as a decoder's."""

    header_bytes: int
    """So many bytes at the front of each packet are not compared: the peer has a header of its own."""

    def ready(self, batch: Given) -> Any:  # noqa: ANN401 - whatever the peer encodes from
        """What :meth:`encode` takes; this is not timed."""
        ...

    def encode(self, batch: Any) -> Iterable[Any]:  # noqa: ANN401
        """Encode it, one packet after the other. What is timed is iterating to the end."""
        ...

    def packets(self, encoded: Iterable[Any]) -> Iterable[bytes]:
        """The bytes of each packet behind the header that is not compared; this is not timed."""
        ...


class PeerModule(Protocol):
    """A module of :mod:`benchmarks.peers`. It has one of the two functions, or both."""

    DISTRIBUTIONS: tuple[str, ...]
    """What is measured, and what it owes its speed to: their versions are reported."""

    def prepare(self, workload: Workload) -> Decoder:
        """Make a decoder; this is not timed. What cannot decode the workload raises ``NotHere``."""
        ...

    def prepare_encoder(self, workload: Workload) -> Encoder:
        """Make an encoder, likewise."""
        ...
