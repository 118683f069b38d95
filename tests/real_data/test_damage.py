"""Damaged recordings through the whole chain: nothing raises, and every byte and every packet is accounted for."""

import itertools
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2kit.dictionaries import Dictionary
from c2kit.protocols import CcsdsPackets
from tests.framing import cuts, damaged
from tests.real_data.chain import Decoded, decode_with
from tests.real_data.definitions import definition_of
from tests.real_data.recordings import (
    ALL,
    BYTE_ORDERS,
    CYGNSS,
    HS,
    SUDA,
    SWAPI,
    VARIABLE,
    VARIABLE_WITH_FOOTER,
    Recording,
)


@pytest.fixture(scope="module")
def dictionaries(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[Recording, Dictionary]:
    folders = {recording: tmp_path_factory.mktemp("definition") for recording in ALL}
    return {
        recording: Dictionary.load(definition_of(recording, real_data, folder)) for recording, folder in folders.items()
    }


def assert_adds_up(decoded: Decoded, size_bytes: int) -> None:
    """Spans tile the input, and each packet came out or is unknown."""
    position = 0
    for low, high in sorted(decoded.spans):
        assert low == position
        position = high
    assert position == decoded.size_bytes == size_bytes
    assert decoded.packets.total() + decoded.unknown == decoded.frames
    for packet, columns in decoded.raw.items():
        assert {len(values) for values in columns.values()} == {decoded.packets[packet]}


def pieces(data: bytes, places: Sequence[int]) -> list[bytes]:
    bounds = [0, *sorted(places), len(data)]
    return [data[low:high] for low, high in itertools.pairwise(bounds)]


def breakages(data: bytes, chance: random.Random) -> Iterator[bytes]:
    """The same bytes, cut off, with some more, some fewer, some others, and garbage around."""
    place = chance.randrange(len(data))
    yield data[:place]
    yield data[place:]
    yield data[:place] + chance.randbytes(chance.randint(1, 40)) + data[place:]
    yield data[:place] + data[place + chance.randint(1, 40) :]
    flipped = bytearray(data)
    for _ in range(20):
        flipped[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    yield bytes(flipped)
    yield chance.randbytes(1000) + data + chance.randbytes(1000)
    yield chance.randbytes(len(data) // 4)


@pytest.mark.parametrize("recording", ALL, ids=str)
def test_damaged_recordings_add_up(
    real_data: Path, dictionaries: dict[Recording, Dictionary], recording: Recording
) -> None:
    data = recording.data(real_data)
    chance = random.Random(f"damage to {recording}")

    for broken in breakages(data, chance):
        places = [chance.randrange(len(broken) + 1) for _ in range(3)]
        decoded = decode_with(pieces(broken, places), dictionaries[recording], recording.framing)
        assert_adds_up(decoded, len(broken))


@pytest.mark.parametrize(
    "recording", [CYGNSS, HS[10], SUDA, SWAPI, BYTE_ORDERS["21"], VARIABLE, VARIABLE_WITH_FOOTER], ids=str
)
@given(chooser=st.data())
def test_any_damage_anywhere_adds_up(
    real_data: Path, dictionaries: dict[Recording, Dictionary], recording: Recording, chooser: st.DataObject
) -> None:
    data = recording.data(real_data)
    begin = chooser.draw(st.integers(0, max(0, len(data) - 3000)))
    broken = chooser.draw(damaged(data[begin : begin + 3000]))

    decoded = decode_with(
        pieces(broken, chooser.draw(cuts(len(broken)))[:50]), dictionaries[recording], recording.framing
    )

    assert_adds_up(decoded, len(broken))


@pytest.mark.parametrize("recording", ALL, ids=str)
def test_values_are_the_same_however_the_bytes_are_cut(
    real_data: Path, dictionaries: dict[Recording, Dictionary], recording: Recording
) -> None:
    data = recording.data(real_data)
    whole = decode_with(data, dictionaries[recording], recording.framing)
    chance = random.Random(f"pieces of {recording}")

    for count in (1, 40):
        places = [chance.randrange(len(data) + 1) for _ in range(count)]
        decoded = decode_with(pieces(data, places), dictionaries[recording], recording.framing)
        assert (decoded.raw, decoded.text) == (whole.raw, whole.text)
        assert (decoded.sequence_breaks, decoded.anomalies) == (whole.sequence_breaks, whole.anomalies)


@pytest.mark.parametrize("recording", ALL, ids=str)
def test_a_recording_twice_in_one_stream_has_its_values_twice(
    real_data: Path, dictionaries: dict[Recording, Dictionary], recording: Recording
) -> None:
    data = recording.data(real_data)
    once = decode_with(data, dictionaries[recording], recording.framing)

    twice = decode_with(data + data, dictionaries[recording], recording.framing)

    assert_adds_up(twice, 2 * len(data))
    assert twice.discarded_bytes == 0
    assert twice.raw == {
        packet: {name: values * 2 for name, values in columns.items()} for packet, columns in once.raw.items()
    }


def test_any_recording_by_the_definition_of_any_other_adds_up(
    real_data: Path, dictionaries: dict[Recording, Dictionary]
) -> None:
    chance = random.Random("strangers")
    for recording in ALL:
        data = recording.data(real_data)[:50_000]
        stranger = chance.choice(ALL)
        framing = CcsdsPackets(versions=(0, 1), skip_bytes=recording.skip_bytes)
        assert_adds_up(decode_with(data, dictionaries[stranger], framing), len(data))
