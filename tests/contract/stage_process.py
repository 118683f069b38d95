"""A stage in a process of its own, to be killed: copies each record of ``m.in`` to ``m.out``, counting as it goes.

Arguments: the bus's URL, the ordinal, what to do, and for a file seconds of silence before a colleague is given up. It
prints a line for each step. Exit codes: 0 stopped, 4 fenced.
"""

# ruff: noqa: T201 - what it prints tells the test how far it is

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from c2kit.bus import Fenced, Record, Step, open_bus
from c2kit.bus.kafka import clients

if TYPE_CHECKING:
    from c2kit.bus import StreamBus

STATE = ("count", "lane")


def copy(bus: StreamBus, ordinal: int) -> None:
    with bus.worker("copy", ("m.in",), outputs=("m.out",), ordinal=ordinal) as worker:
        print("ready", flush=True)
        while True:
            delivery = worker.receive(1.0, max_bytes=50)
            if delivery.gained or delivery.lost:
                print(f"owns {len(worker.assigned)}", flush=True)
                worker.rewind()
                continue
            for record in delivery.records:
                count = int(worker.snapshot((STATE[0], record.lane)) or b"0") + 1
                step = Step(
                    publish=[Record("m.out", record.lane, b"%d:%s" % (count, record.value))],
                    passed={(record.stream, record.partition): record.offset + 1},
                    snapshots={(STATE[0], record.lane): b"%d" % count},
                )
                worker.commit(step)
                print("step", flush=True)


def own(bus: StreamBus) -> None:
    with bus.worker("copy", (), outputs=("m.out",), exclusive=True) as worker:
        print("ready", flush=True)
        while True:
            worker.commit(Step(publish=[Record("m.out", "lane", b"x")]))
            print("step", flush=True)
            time.sleep(0.01)


def main(url: str, ordinal: str, what: str, take_over_seconds: str = "") -> int:
    if url.startswith("kafka:"):
        clients.SESSION_TIMEOUT_MS = 6_000  # the least that brokers take: a test waits for it
    settings: dict[str, Any] = {"take_over_seconds": float(take_over_seconds)} if take_over_seconds else {}
    try:
        with open_bus(url, **settings) as bus:
            if what == "copy":
                copy(bus, int(ordinal))
            else:
                own(bus)
    except Fenced as error:
        print(f"fenced: {error}", flush=True)
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
