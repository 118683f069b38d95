"""``python -m benchmarks.kernel``: each operation of the kernel in C beside the fastest known way to do the same.

Every result is compared before it is timed: with the NumPy kernel's, with the standard library's, with bitstruct's.
Times are medians of processor time in rounds, in shuffled order.
"""

from __future__ import annotations

import argparse
import binascii
import random
import statistics
import sys
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.goals import Verdict
from benchmarks.one_packet import comparisons
from benchmarks.peers.c2kit_definitions import TARGET, dictionary_of
from benchmarks.report import Report
from benchmarks.workloads import WORKLOADS
from c2kit.kernel import columns, compiled
from c2kit.kernel.compiled.program import compiled as program_of
from c2kit.kernel.contract import Column, Groups, Kernel, LengthRule, Split
from c2kit.kernel.layout import Layout
from c2kit.model.crc import CRC16_CCITT_FALSE
from c2kit.model.fields import Encoding, Field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Operation", "main", "measure_operations"]

KERNELS: tuple[Kernel, ...] = (compiled, columns)
SPACE_PACKET = LengthRule(length_bit_offset=32, length_bits=16, adjustment_bytes=7, minimum_bytes=7)
CHUNK_BYTES = 2**20
CHUNKS = 16
"""A stream is so many pieces of so many bytes, read one after the other; what is written goes to the same memory."""
CALLS = 1_000
"""One packet is taken so often in a row."""


@dataclass(frozen=True, slots=True)
class Row:
    """What is compared: how long ``ours`` takes for so many ``units``, beside ``theirs`` for the same."""

    what: str
    ours: Callable[[], object]
    than: str
    theirs: Callable[[], object]
    units: int
    at_least: float = 0.0
    """How many times faster it is to be; less than 1 for how many times as long it may take, the other way round."""
    at_most_us: float = 0.0
    """How long it may take."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What a row took, in microseconds a unit."""

    what: str
    us: float
    than: str
    than_us: float
    verdict: Verdict | None

    @property
    def ratio(self) -> float:
        """How many times faster it is."""
        return self.than_us / self.us


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kernel", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.05, help="how long each is repeated in a round")
    options = parser.parse_args()
    report = Report(" ".join(["python -m benchmarks.kernel", *sys.argv[1:]]))
    report.operations = measure_operations(options.rounds, options.seconds)
    print(report.markdown())
    return 0


def measure_operations(rounds: int, seconds: float) -> list[Operation]:
    """All of them."""
    rows = [*_decoding(), *_stream(), *_checksums(), *_one_packet()]
    times: list[tuple[list[float], list[float]]] = [([], []) for _ in rows]
    order = list(range(len(rows)))
    for _ in range(rounds):
        random.shuffle(order)
        for number in order:
            for function, found in zip((rows[number].ours, rows[number].theirs), times[number], strict=True):
                found.append(_once(function, time.process_time, seconds))
    return [
        _operation(row, *(1e6 * statistics.median(found) / row.units for found in both))
        for row, both in zip(rows, times, strict=True)
    ]


def _operation(row: Row, us: float, than_us: float) -> Operation:
    verdict = None
    if row.at_most_us:
        wanted = f"at most {row.at_most_us:g} µs"
        verdict = Verdict(row.what, wanted, f"{us:.3g} µs", "operations", is_met=us <= row.at_most_us)
    elif row.at_least:
        ratio, beside = than_us / us, f"{row.what}, beside {row.than}"
        is_met = ratio >= row.at_least
        if row.at_least >= 1:
            verdict = Verdict(beside, f"at least x{row.at_least:g}", f"x{ratio:.3g}", "operations", is_met)
        else:
            wanted = f"takes at most {1 / row.at_least:.3g} times as long"
            verdict = Verdict(beside, wanted, f"{1 / ratio:.3g} times", "operations", is_met)
    return Operation(row.what, us, row.than, than_us, verdict)


def _once(function: Callable[[], object], clock: Callable[[], float], seconds: float) -> float:
    """Seconds for one call, of as many as fit into the time; the clock is looked at ever less often."""
    count, more, start = 0, 1, clock()
    while True:
        for _ in range(more):
            function()
        count += more
        passed = clock() - start
        if passed >= seconds:
            return passed / count
        more = count


def _decoding() -> Iterator[Row]:
    workload = WORKLOADS["housekeeping"](CHUNK_BYTES // 70)
    (packet,) = workload.packets
    layout = Layout(dictionary_of(workload).target(TARGET).packet(packet.name).items[7:])
    size, count = packet.size_bytes, workload.count
    bounds = np.arange(count + 1, dtype=np.int64) * size
    starts, ends = bounds[:-1], bounds[1:]
    _same(layout, workload.data, starts, ends)
    chunks = [bytearray(workload.data) for _ in range(CHUNKS)]
    into, words = _into(layout), np.empty(8 * count * len(layout.fields), np.int64)

    def decode() -> None:
        for chunk in chunks:
            into(chunk, starts, ends, words)

    what = "24 items a packet, 1 MB at once, into the same memory"
    yield Row(what, decode, "copying", _copying(chunks), CHUNKS * count, at_least=1 / 5)
    one = partial(into, workload.data, starts[:1], ends[:1], words)
    yield Row(
        "one packet, into the same memory", one, "bytes(packet)", partial(bytes, bytearray(size)), 1, at_most_us=0.5
    )
    for some in (1, 64, 1_000):
        mine, other = (partial(each.decode, layout, workload.data, starts[:some], ends[:some]) for each in KERNELS)
        yield Row(f"24 items, {some} packets at once, as columns", mine, "the NumPy kernel", other, some)


def _into(layout: Layout) -> Callable[..., int]:
    program: Any = program_of(layout)
    decode_into: Callable[..., int] = program.program.decode_into
    return decode_into


def _copying(chunks: list[bytearray]) -> Callable[[], None]:
    copy = np.empty(len(chunks[0]), np.uint8)
    sources = [np.frombuffer(chunk, np.uint8) for chunk in chunks]

    def copy_all() -> None:
        for source in sources:
            np.copyto(copy, source)

    return copy_all


def _same(layout: Layout, data: bytes, starts: np.ndarray[Any, Any], ends: np.ndarray[Any, Any]) -> None:
    both = zip(*(kernel.decode(layout, data, starts, ends) for kernel in (compiled, columns)), strict=True)
    assert all(one.values.tobytes() == other.values.tobytes() for one, other in both)


def _layouts() -> list[Layout]:
    """Sixteen kinds of packets: 7 to 67 items behind the header."""
    draw = random.Random(16)
    kinds = [(8, Encoding.UNSIGNED), (16, Encoding.UNSIGNED), (16, Encoding.TWOS_COMPLEMENT), (32, Encoding.IEEE754)]
    return [
        Layout(
            tuple(
                Field(name=f"I{item}", bit_offset=None if item else 48, bit_length=bits, encoding=encoding)
                for item, (bits, encoding) in enumerate(draw.choices(kinds, k=7 + 4 * apid))
            )
        )
        for apid in range(16)
    ]


def _stream() -> Iterator[Row]:
    """Packets of sixteen kinds, in any order: found, grouped and decoded."""
    layouts, draw = _layouts(), random.Random(17)
    sizes = [layout.fixed_bits // 8 for layout in layouts]
    data = bytearray()
    while len(data) < CHUNK_BYTES - 200:
        apid = draw.randrange(16)
        data += bytes([8, apid, 192, 0]) + (sizes[apid] - 7).to_bytes(2) + draw.randbytes(sizes[apid] - 6)
    chunks = [bytearray(data) for _ in range(CHUNKS)]
    words = np.empty(len(data), np.int64)
    intos = [_into(layout) for layout in layouts]

    def find(chunk: bytearray, kernel: Kernel) -> tuple[Split, Groups]:
        split = kernel.split(chunk, SPACE_PACKET)
        return split, kernel.group(np.frombuffer(chunk, np.uint8)[split.starts + 1], 16)

    def find_all() -> None:
        for chunk in chunks:
            find(chunk, compiled)

    def decode_all() -> None:
        for chunk in chunks:
            split, groups = find(chunk, compiled)
            for apid, members in groups.present():
                intos[apid](chunk, split.starts[members], split.ends[members], words)

    def decode(kernel: Kernel) -> list[list[Column]]:
        split, groups = find(data, kernel)
        return [
            kernel.decode(layouts[apid], data, split.starts[members], split.ends[members])
            for apid, members in groups.present()
        ]

    for one, other in zip(decode(compiled), decode(columns), strict=True):
        assert [column.values.tobytes() for column in one] == [column.values.tobytes() for column in other]
    count = len(find(data, compiled)[0].starts)
    what, copying = "16 kinds mixed, 1 MB at once", _copying(chunks)
    yield Row(f"{what}: split and group", find_all, "copying", copying, CHUNKS * count, at_most_us=0.02)
    yield Row(f"{what}, into the same memory", decode_all, "copying", copying, CHUNKS * count, at_least=1 / 12)
    mine, theirs = partial(decode, compiled), partial(decode, columns)
    yield Row(f"{what}, as columns", mine, "the NumPy kernel", theirs, count)


def _checksums() -> Iterator[Row]:
    count, size = 10_000, 70
    data = random.Random(18).randbytes(count * size)
    bounds = np.arange(count + 1, dtype=np.int64) * size
    packets = [data[number * size :][:size] for number in range(count)]

    def one_by_one() -> list[int]:
        return [binascii.crc_hqx(packet, 0xFFFF) for packet in packets]

    all_at_once = partial(compiled.crc, data, bounds[:-1], bounds[1:], CRC16_CCITT_FALSE)
    assert all_at_once().tolist() == one_by_one()
    yield Row("CRC-16 of 70 bytes", all_at_once, "binascii.crc_hqx", one_by_one, count, at_least=5)


def _one_packet() -> Iterator[Row]:
    for each in comparisons():
        ours, theirs = (_calls(function, each.argument) for function in (each.ours, each.theirs))
        yield Row(each.what, ours, "bitstruct.c", theirs, CALLS, at_least=each.at_least)


def _calls(function: Callable[[Any], object], argument: object) -> Callable[[], None]:
    """Calls of a function with nothing around each, which would take as long as a part of it."""

    def call_all() -> None:
        for _ in range(CALLS):
            function(argument)

    return call_all


if __name__ == "__main__":
    sys.exit(main())
