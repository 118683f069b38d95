"""A peer, alive in a process and an environment of its own: ``python -m benchmarks.worker MODULE``.

It reads one JSON object a line from its standard input, and answers each with one line on its standard output:

=============================================== ====================================================================
asked                                           answered
=============================================== ====================================================================
nothing, at first                               ``versions`` of what is measured; or ``not_here``, why it cannot be
``{"prepare": FOLDER, "packets": PACKETS}``     nothing, or a ``note`` on what it is given instead of the workload
                                                there; or ``not_here``. PACKETS is how many of them, or null for all
``{"verify": SIZE}``                            ``values``, how many are as expected; or ``difference``, the first
                                                that is not
``{"measure": SIZE, "seconds": SECONDS}``       ``packets`` decoded or encoded, in ``wall_ns`` and ``cpu_ns``
the same with ``"threads": THREADS``            the same, of so many threads at once
=============================================== ====================================================================

SIZE is the number of packets a batch, or null for all of them in one.
"""

from __future__ import annotations

import gc
import importlib
import itertools
import json
import os
import sys
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from benchmarks.workload import NotHere, Workload, packets_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from benchmarks.decoder import Decoder, Encoder, PeerModule

__all__: list[str] = []

_BATCHES = 1_000
"""So many batches are gone through again and again; what lies behind them adds nothing."""


class _Decoding:
    def __init__(self, module: PeerModule, workload: Workload) -> None:
        self._decoder: Decoder = module.prepare(workload)
        self.run: Callable[[Any], Iterable[Any]] = self._decoder.decode
        self.note: str = getattr(self._decoder, "note", "")

    def batches(self, part: Workload, size: int | None) -> list[Any]:
        return [self._decoder.ready(batch) for batch in part.batches(size)]

    def difference(self, part: Workload, results: Iterable[Any]) -> str | None:
        return part.difference(self._decoder.columns(results))


class _Encoding:
    def __init__(self, module: PeerModule, workload: Workload) -> None:
        self._encoder: Encoder = module.prepare_encoder(workload)
        self.run: Callable[[Any], Iterable[Any]] = self._encoder.encode
        self.note: str = getattr(self._encoder, "note", "")

    def batches(self, part: Workload, size: int | None) -> list[Any]:
        found = part.records()
        batches = iter(lambda: list(itertools.islice(found, size)), [])
        return [self._encoder.ready(batch) for batch in batches]

    def difference(self, part: Workload, results: Iterable[Any]) -> str | None:
        header = self._encoder.header_bytes
        expected = packets_of(part.data)
        for number, found in enumerate(self._encoder.packets(results)):
            wanted = next(expected, b"")[header:]
            if found != wanted:
                return f"packet {number}: {found.hex()} instead of {wanted.hex()}"
        return None if next(expected, None) is None else "packets are missing"


class _Task:
    """One workload, and batches of it that are ready."""

    def __init__(self, module: PeerModule, workload: Workload) -> None:
        self._workload = workload
        self._work = (_Encoding if workload.is_encoded else _Decoding)(module, workload)
        self._ready: dict[int | None, tuple[Workload, list[Any]]] = {}

    @property
    def note(self) -> str:
        return self._work.note

    def ready(self, size: int | None) -> tuple[Workload, list[Any]]:
        if size not in self._ready:
            part = self._workload if size is None else self._workload.head(size * _BATCHES)
            self._ready[size] = part, self._work.batches(part, size)
        return self._ready[size]

    def verify(self, size: int | None) -> dict[str, Any]:
        part, batches = self.ready(size)
        difference = self._work.difference(part, itertools.chain.from_iterable(map(self._work.run, batches)))
        return {"values": part.values} if difference is None else {"difference": difference}

    def measure(self, size: int | None, seconds: float) -> dict[str, Any]:
        """Go through the batches for so long, at least through one; the clock is looked at ever less often."""
        part, batches = self.ready(size)
        run, endless = self._work.run, itertools.cycle(batches)
        done, more = 0, 1
        cpu_start, start = time.process_time_ns(), time.perf_counter_ns()
        while True:
            for batch in itertools.islice(endless, more):
                deque(run(batch), maxlen=0)
            done += more
            passed = time.perf_counter_ns() - start
            if passed >= seconds * 1e9:
                break
            more = done
        cpu = time.process_time_ns() - cpu_start
        return {"packets": _packets(part.count, size, len(batches), done), "wall_ns": passed, "cpu_ns": cpu}


def _packets(count: int, size: int | None, batches: int, done: int) -> int:
    """How many packets are in so many batches, of which the last of each turn may be smaller."""
    turns, rest = divmod(done, batches)
    return turns * count + rest * (count if size is None else size)


class _Worker:
    """A task for each thread, made when it is first asked for."""

    def __init__(self, module: PeerModule) -> None:
        self._module = module
        self._workload: Workload | None = None
        self._tasks: list[_Task] = []

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if "prepare" in request:
            return self._prepare(Path(request["prepare"]), request["packets"])
        if "verify" in request:
            return self._task(0).verify(request["verify"])
        return self._measure(request["measure"], request["seconds"], request.get("threads", 1))

    def _prepare(self, folder: Path, packets: int | None) -> dict[str, Any]:
        self._tasks.clear()
        workload = Workload.load(folder)
        name, what = ("prepare_encoder", "encode") if workload.is_encoded else ("prepare", "decode")
        if not hasattr(self._module, name):
            return {"not_here": f"it does not {what}"}
        self._workload = workload if packets is None else workload.head(packets)
        try:
            return {"note": self._task(0).note}
        except NotHere as error:
            return {"not_here": str(error)}

    def _task(self, number: int) -> _Task:
        assert self._workload is not None
        while len(self._tasks) <= number:
            self._tasks.append(_Task(self._module, self._workload))
        return self._tasks[number]

    def _measure(self, size: int | None, seconds: float, threads: int) -> dict[str, Any]:
        tasks = [self._task(number) for number in range(threads)]
        for task in tasks:
            task.ready(size)
        gc.collect()
        if threads == 1:
            return tasks[0].measure(size, seconds)
        with ThreadPoolExecutor(threads) as pool:
            found = list(pool.map(lambda task: task.measure(size, seconds), tasks))
        # Each ends by its own clock: what they do together is the sum of what each does in a second.
        packets = sum(each["packets"] for each in found)
        wall = packets / sum(each["packets"] / each["wall_ns"] for each in found)
        return {"packets": packets, "wall_ns": wall, "cpu_ns": max(each["cpu_ns"] for each in found)}


def main() -> None:
    """Serve until the standard input ends."""
    answers = _own_stdout()
    try:
        module = cast("PeerModule", importlib.import_module(sys.argv[1]))
        versions = {name: metadata.version(name) for name in module.DISTRIBUTIONS}
    except Exception as error:  # noqa: BLE001 - importing a library may do anything, as to ask a server that is away
        _say(answers, {"not_here": f"it cannot be imported: {error}"})
        return
    _say(answers, {"versions": versions})
    worker = _Worker(module)
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
