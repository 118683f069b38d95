"""The guess that all packets are as long as the first: right, nearly right, and wrong."""

from __future__ import annotations

import random

import pytest

from c2kit.kernel import columns, reference
from c2kit.kernel.columns.split import put_length
from c2kit.kernel.contract import LengthRule

RULES = {
    "space packets": LengthRule(32, 16, adjustment_bytes=7),
    "odd bits": LengthRule(11, 10, unit_bytes=2),
    "little-endian": LengthRule(13, 21, little_endian=True, adjustment_bytes=-3),
    "one byte": LengthRule(0, 8, unit_bytes=4, adjustment_bytes=4),
}


def packet(rule: LengthRule, size: int, generator: random.Random) -> bytes:
    data = bytearray(generator.randbytes(size))
    put_length(data, rule)
    return bytes(data)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize("alike", [0, 1, 31, 32, 33, 300, 3_000])
@pytest.mark.parametrize("after", ["nothing", "another size", "garbage", "a part"])
def test_packets_of_one_size_and_what_follows(rule: LengthRule, alike: int, after: str) -> None:
    generator = random.Random(alike)
    pieces = [packet(rule, 24, generator) for _ in range(alike)]
    if after == "another size":
        pieces += [packet(rule, 20, generator), packet(rule, 24, generator)] * 3
    elif after == "garbage":
        pieces += [generator.randbytes(50)]
    elif after == "a part":
        pieces += [packet(rule, 24, generator)[:23]]
    buffer = b"\xff" * 3 + b"".join(pieces)
    found, expected = columns.split(buffer, rule, 3), reference.split(buffer, rule, 3)
    assert found.starts.tolist() == expected.starts.tolist()
    assert found.ends.tolist() == expected.ends.tolist()
    assert found.starts.dtype == found.ends.dtype == expected.starts.dtype
    assert found.next_byte == expected.next_byte
    assert found.next_size_bytes == expected.next_size_bytes
    assert found.is_bad == expected.is_bad
