"""What the NumPy kernel does for speed: blocks of rows, even steps, copies of long sequences, plans it keeps."""

from __future__ import annotations

import gc
import random
import struct
import weakref

import numpy as np
import pytest

from c2kit.kernel import columns
from c2kit.kernel.columns import elements, fixed
from c2kit.kernel.layout import Layout
from c2kit.model.fields import Encoding, Expand, Field, FieldReference, Fixed, Prefixed, Terminated


def bounds(sizes: list[int], gap: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Packets of these sizes, one after the other."""
    ends = np.cumsum([size + gap for size in sizes], dtype=np.int64) - gap
    return ends - np.array(sizes, np.int64), ends


@pytest.mark.parametrize("arrangement", ["back to back", "even steps", "uneven steps", "reversed"])
def test_a_batch_of_many_blocks_is_decoded_like_its_packets_one_by_one(
    arrangement: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fixed, "_BLOCK_BYTES", 4_096)
    monkeypatch.setattr(elements, "_BLOCK_ELEMENTS", 1_000)
    count, size = 3_000, 20
    layout = Layout(
        (
            Field(name="WORD", bit_offset=16, bit_length=32, encoding=Encoding.TWOS_COMPLEMENT),
            Field(name="BITS", bit_offset=61, bit_length=13),
            Field(name="ARRAY", bit_offset=75, bit_length=11, length=Fixed((3,))),
            Field(name="TEXT", encoding=Encoding.STRING, bit_offset=120, length=Fixed((5,))),
        )
    )
    generator = random.Random(1)
    gaps = {"back to back": (0, 0), "even steps": (3, 3)}.get(arrangement, (0, 9))
    sizes_with_gaps = [size + generator.randint(*gaps) for _ in range(count)]
    starts, _ = bounds(sizes_with_gaps)
    if arrangement == "reversed":
        starts = starts[::-1].copy()
    buffer = generator.randbytes(sum(sizes_with_gaps))
    word, bits, array, text = columns.decode(layout, buffer, starts, starts + size)
    packets = [buffer[start : start + size] for start in starts.tolist()]
    numbers = [int.from_bytes(packet) for packet in packets]
    assert word.to_list() == [struct.unpack_from(">i", packet, 2)[0] for packet in packets]
    assert bits.to_list() == [number >> (160 - 74) & 0x1FFF for number in numbers]
    assert array.to_list() == [[number >> (160 - 86 - 11 * k) & 0x7FF for k in range(3)] for number in numbers]
    assert text.to_list() == [packet[15:] for packet in packets]


def test_one_long_packet_among_short_ones_does_not_make_rows_of_its_length() -> None:
    layout = Layout((Field(name="FIRST"), Field(name="LAST", bit_offset=8 * 99_999, bit_length=8)))
    sizes = [2] * 5_000 + [100_000] + [1] * 5_000
    starts, ends = bounds(sizes)
    buffer = b"\7" * int(ends[-1])
    first, last = columns.decode(layout, buffer, starts, ends)
    assert first.valid is None
    assert (first.values == 7).all()
    assert last.valid is not None
    assert np.flatnonzero(last.valid).tolist() == [5_000]
    assert np.flatnonzero(last.values).tolist() == [5_000]


@pytest.mark.parametrize(("order", "sign"), [("big", ">"), ("little", "<"), ("21", "<"), ("12", ">")])
@pytest.mark.parametrize("shift", [0, 4])
def test_long_and_short_sequences_come_out_alike(order: str, sign: str, shift: int) -> None:
    fields = [
        Field(name="N", bit_length=16),
        Field(name="PAD", bit_length=shift or 8),
        Field(name="X", bit_length=16, encoding=Encoding.TWOS_COMPLEMENT, byte_order=order, length=FieldReference("N")),
        Field(name="REST", encoding=Encoding.BINARY, length=Expand()),
    ]
    generator = random.Random(2)
    packets, expected, rests = [], [], []
    for count in (0, 1, 40_000, 3, 100):
        data, rest = generator.randbytes(2 * count), generator.randbytes(7)
        if shift and order == "little":
            # Only whole bytes have the same bits in both ways of counting them.
            continue
        body = int.from_bytes(data + rest) << (8 - (shift or 8))
        head = struct.pack(">HB", count, 0)
        tail = body.to_bytes(len(data + rest) + (1 if shift else 0))
        packets.append(head[: 2 if shift else 3] + tail)
        expected.append(list(struct.unpack(f"{sign}{count}h", data)))
        rests.append(rest)
    starts, ends = bounds([len(packet) for packet in packets])
    found = columns.decode(Layout(tuple(fields)), b"".join(packets) + b"\xff" * 9, starts, ends)
    assert found[2].to_list() == expected
    assert found[3].to_list() == rests


def test_a_terminator_is_found_at_any_bit() -> None:
    layout = Layout(
        (
            Field(name="PAD", bit_length=3),
            Field(name="X", encoding=Encoding.BINARY, length=Terminated(b"ab")),
            Field(name="Y", encoding=Encoding.BINARY, length=Prefixed(5)),
        )
    )
    content = b"_ab_ab"
    packet = (int.from_bytes(content) << 13 | 1 << 8 | 0x7A).to_bytes(8)
    packet = (int.from_bytes(packet) & ~(7 << 61)).to_bytes(8)
    _, found, rest = columns.decode(layout, packet, np.array([0]), np.array([8]))
    assert found.to_list() == [b"_ab_"]
    assert rest.to_list() == [b"z"]


def test_decoding_again_gives_the_same_and_does_not_keep_the_layout() -> None:
    layout = Layout((Field(name="X"), Field(name="Y", length=Expand())))
    results = [columns.decode(layout, b"abc", np.array([0]), np.array([3])) for _ in range(2)]
    assert [[column.to_list() for column in result] for result in results] == [[[97], [[98, 99]]]] * 2
    columns.encode(layout, {"X": 1, "Y": []})
    kept = weakref.ref(layout)
    del layout
    gc.collect()
    assert kept() is None
