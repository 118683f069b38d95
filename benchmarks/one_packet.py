"""``python -m benchmarks.one_packet``: one packet from a ``dict`` and to one, beside bitstruct's module in C.

Each gets a layout that it has compiled, and the same values; what they make of them is compared before it is timed.
Times are medians of processor time in rounds, in shuffled order.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.machine import machine_text
from benchmarks.peers.c2kit_definitions import TARGET, dictionary_of
from benchmarks.workload import PRIMARY_HEADER
from benchmarks.workloads import WORKLOADS
from c2kit.kernel.chosen import kernel
from c2kit.kernel.layout import Layout
from c2kit.model.fields import Encoding, Field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Comparison", "comparisons", "main"]

_CODES = {Encoding.UNSIGNED: "u", Encoding.TWOS_COMPLEMENT: "s", Encoding.IEEE754: "f"}
_ARGUMENTS = (
    ("MODE", Encoding.UNSIGNED, 8, 3),
    ("AXIS", Encoding.UNSIGNED, 8, 1),
    ("REPEAT", Encoding.UNSIGNED, 8, 200),
    ("FLAGS", Encoding.UNSIGNED, 8, 0x81),
    ("DURATION", Encoding.UNSIGNED, 16, 40_000),
    ("OFFSET", Encoding.TWOS_COMPLEMENT, 16, -1_234),
    ("RATE", Encoding.IEEE754, 32, 0.25),
    ("LIMIT", Encoding.TWOS_COMPLEMENT, 16, 567),
    ("KEY", Encoding.UNSIGNED, 16, 0xC0DE),
)


class Comparison(NamedTuple):
    """Two functions that do the same with one argument, and how many times faster ours is to be."""

    what: str
    ours: Callable[[Any], object]
    theirs: Callable[[Any], object]
    argument: object
    at_least: float


def comparisons() -> Iterator[Comparison]:
    """All of them; none where bitstruct is not installed."""
    try:
        import bitstruct.c as bitstruct  # noqa: PLC0415 - where it is not installed, nothing is compared
    except ImportError:
        print("bitstruct is not installed: one packet at a time is not compared", file=sys.stderr)
        return
    for what, layout, packet in (_housekeeping(), _command()):
        text = "".join(f"{_CODES[field.encoding]}{field.bit_length}" for field in layout.fields)
        unnamed, named = bitstruct.compile(text), bitstruct.compile(text, list(layout.index))
        codec = kernel.codec(layout)
        record = codec.record(packet)
        assert record == named.unpack(packet)
        assert codec.values(packet) == unnamed.unpack(packet)
        assert codec.encode(record) == named.pack(record) == packet
        yield Comparison(f"encode {what}, from a dict", codec.encode, named.pack, record, 2)
        yield Comparison(f"decode {what}, to a tuple", codec.values, unnamed.unpack, packet, 1.4)
        yield Comparison(f"decode {what}, to a dict", codec.record, named.unpack, packet, 1.4)


def _housekeeping() -> tuple[str, Layout, bytes]:
    workload = WORKLOADS["housekeeping"](1)
    (packet,) = workload.packets
    items = dictionary_of(workload).target(TARGET).packet(packet.name).items[len(PRIMARY_HEADER) :]
    data = workload.data[sum(item.bits for item in PRIMARY_HEADER) // 8 :]
    return f"{len(items)} items in {len(data)} bytes", Layout(items), data


def _command() -> tuple[str, Layout, bytes]:
    header = [Field(name=item.name, bit_length=item.bits) for item in PRIMARY_HEADER]
    arguments = [Field(name=name, encoding=encoding, bit_length=bits) for name, encoding, bits, _ in _ARGUMENTS]
    layout = Layout((*header, *arguments))
    values: dict[str, Any] = dict(zip((item.name for item in PRIMARY_HEADER), (0, 1, 1, 0x321, 3, 77, 15), strict=True))
    values |= {name: value for name, _, _, value in _ARGUMENTS}
    packet = kernel.codec(layout).encode(values)
    return f"{len(values)} arguments in {len(packet)} bytes", layout, packet


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.one_packet", description=__doc__)
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--calls", type=int, default=20_000, help="how often each is called in a round")
    options = parser.parse_args()
    rows = list(comparisons())
    times: list[tuple[list[float], list[float]]] = [([], []) for _ in rows]
    order = list(range(len(rows)))
    for _ in range(options.rounds):
        random.shuffle(order)
        for number in order:
            row = rows[number]
            for function, found in zip((row.ours, row.theirs), times[number], strict=True):
                found.append(_once(function, row.argument, options.calls))
    print(machine_text(" ".join(["python -m benchmarks.one_packet", *sys.argv[1:]])))
    print("\n| what | µs | bitstruct.c, µs | ratio | goal |\n|---|---:|---:|---:|---:|")
    for row, both in zip(rows, times, strict=True):
        us, than_us = (1e6 * statistics.median(found) for found in both)
        print(f"| {row.what} | {us:.3f} | {than_us:.3f} | {than_us / us:.2f} | {row.at_least} |")
    return 0


def _once(function: Callable[[Any], object], argument: object, calls: int) -> float:
    """Seconds for one call."""
    start = time.process_time()
    for _ in range(calls):
        function(argument)
    return (time.process_time() - start) / calls


if __name__ == "__main__":
    sys.exit(main())
