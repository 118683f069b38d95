"""A peer, alive in a process and an environment of its own: ``python -m benchmarks.worker MODULE FOLDER``.

It reads one JSON object a line from its standard input, and answers each with one line on its standard output:

============================================ =====================================================================
asked                                        answered
============================================ =====================================================================
nothing, at first                            ``versions`` of what is measured; or ``not_here``, why it cannot be
``{"verify": SIZE}``                         ``values``, how many are as expected; or ``difference``, the first
                                             that is not
``{"measure": SIZE, "seconds": SECONDS}``    ``packets`` decoded, in ``wall_ns`` and ``cpu_ns``
============================================ =====================================================================

SIZE is the number of packets a batch, or null for all of them in one.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import time
from collections import deque
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from benchmarks.workload import NotHere, Workload

if TYPE_CHECKING:
    from benchmarks.decoder import Decoder, PeerModule

__all__: list[str] = []


class _Worker:
    def __init__(self, decoder: Decoder, workload: Workload) -> None:
        self._decoder = decoder
        self._workload = workload
        self._count = workload.count
        self._batches: dict[int | None, list[Any]] = {}

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if "verify" in request:
            return self._verify(request["verify"])
        return self._measure(request["measure"], request["seconds"])

    def _ready(self, size: int | None) -> list[Any]:
        if size not in self._batches:
            self._batches[size] = [self._decoder.ready(batch) for batch in self._workload.batches(size)]
        return self._batches[size]

    def _verify(self, size: int | None) -> dict[str, Any]:
        decoded = [each for batch in self._ready(size) for each in self._decoder.decode(batch)]
        difference = self._workload.difference(self._decoder.columns(decoded))
        if difference is not None:
            return {"difference": difference}
        return {"values": sum(len(column) for columns in self._workload.expected.values() for column in columns)}

    def _measure(self, size: int | None, seconds: float) -> dict[str, Any]:
        """Decode all batches as often as fits into the time, and at least once."""
        batches, decode = self._ready(size), self._decoder.decode
        gc.collect()
        packets = 0
        cpu_start, start = time.process_time_ns(), time.perf_counter_ns()
        deadline = start + int(seconds * 1e9)
        now = start
        while not packets or now < deadline:
            for batch in batches:
                deque(decode(batch), maxlen=0)
            packets += self._count
            now = time.perf_counter_ns()
        return {"packets": packets, "wall_ns": now - start, "cpu_ns": time.process_time_ns() - cpu_start}


def main() -> None:
    """Serve until the standard input ends."""
    answers = _own_stdout()
    module = cast("PeerModule", importlib.import_module(sys.argv[1]))
    workload = Workload.load(Path(sys.argv[2]))
    try:
        worker = _Worker(module.prepare(workload), workload)
    except NotHere as error:
        _say(answers, {"not_here": str(error)})
        return
    _say(answers, {"versions": {name: metadata.version(name) for name in module.DISTRIBUTIONS}})
    for line in sys.stdin:
        _say(answers, worker.answer(json.loads(line)))


def _own_stdout() -> TextIO:
    """Standard output for answers alone: what a library prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def _say(answers: TextIO, answer: dict[str, Any]) -> None:
    print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
