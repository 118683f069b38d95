"""The example dictionary, a satellite of it, and decoders that ground software would use."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from c2kit.batches.telemetry import TelemetryBatch
from c2kit.dictionaries import Dictionary
from c2kit.processors import CommandEncoder, RecordingDecoder
from c2kit.protocols import CcsdsPackets
from c2kit.sim import Satellite

SECOND = 10**9
EXAMPLE = Path(__file__).parents[3] / "examples/dictionary"

Decode = Callable[[Iterable[bytes]], tuple[RecordingDecoder, dict[str, list[dict[str, Any]]]]]
Order = Callable[..., bytes]


@pytest.fixture(scope="session")
def dictionary() -> Dictionary:
    return Dictionary.load(EXAMPLE)


@pytest.fixture
def satellite(dictionary: Dictionary) -> Satellite:
    return Satellite(dictionary, seed=5)


@pytest.fixture
def decode(dictionary: Dictionary) -> Decode:
    """Return a function that decodes packets to rows by the packet's name, and the decoder with its account."""

    def rows(packets: Iterable[bytes]) -> tuple[RecordingDecoder, dict[str, list[dict[str, Any]]]]:
        decoder = RecordingDecoder(dictionary, CcsdsPackets(), targets=["FIREFLY"])
        found: dict[str, list[dict[str, Any]]] = {}
        for batch in decoder.decode([b"".join(packets)]):
            assert isinstance(batch, TelemetryBatch)
            found.setdefault(batch.packet.name, []).extend(map(batch.row, range(len(batch))))
        return decoder, found

    return rows


@pytest.fixture
def order(dictionary: Dictionary) -> Order:
    """Return a function that encodes a command."""
    encoder = CommandEncoder(dictionary)
    return lambda name, **arguments: encoder.encode("FIREFLY", name, arguments).data


def fly(satellite: Satellite, seconds: float) -> list[bytes]:
    """Let so many seconds pass."""
    return satellite.advance(satellite.now_ns + int(seconds * SECOND))
