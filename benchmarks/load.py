"""Loading a dictionary, beside what the YAML parser in C alone takes on the same files.

Loading checks everything: names, types, references, conversions, limits. What it may cost is therefore told in terms of
the one step that nobody can do without. A program loads once, so each measurement is the first in a process of its own:
``python -m benchmarks.load STEP FOLDER``.
"""

from __future__ import annotations

import gc
import random
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from benchmarks.environment import ROOT
from c2kit import Dictionary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["Loading", "measure_loading", "write_dictionary"]

_ITEMS_A_PACKET = 25
_PACKETS_A_FILE = 50


@dataclass(frozen=True, slots=True)
class Loading:
    """Seconds of processor time, of all rounds, by step."""

    items: int
    size_bytes: int
    seconds: dict[str, list[float]]

    def ratio(self, step: str) -> float:
        """How many times as long as composing the step takes."""
        return statistics.median(self.seconds[step]) / statistics.median(self.seconds["compose"])

    def table(self) -> Iterator[str]:
        """The medians, for people."""
        yield f"### loading {self.items:_} items from {self.size_bytes / 1e6:.1f} MB of YAML".replace("_", " ")
        yield ""
        yield "| step | CPU, ms | all rounds | to the parser alone |"
        yield "|---|---:|---:|---:|"
        for step, title in _TITLES.items():
            seconds = self.seconds[step]
            span = f"{min(seconds) * 1e3:.0f} to {max(seconds) * 1e3:.0f}"
            yield f"| {title} | {statistics.median(seconds) * 1e3:.0f} | {span} | x{self.ratio(step):.2f} |"


def measure_loading(folder: Path, rounds: int, items: int = 10_000) -> Loading:
    """Write a dictionary to the folder, verify that all of it is loaded, and load it in shuffled rounds."""
    write_dictionary(folder, items)
    _verify(folder, items)
    seconds: dict[str, list[float]] = {step: [] for step in _STEPS}
    turns = list(_STEPS)
    for number in range(rounds):
        random.shuffle(turns)
        for step in turns:
            command = [sys.executable, "-m", "benchmarks.load", step, str(folder.resolve())]
            done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
            seconds[step].append(float(done.stdout))
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    return Loading(items, sum(file.stat().st_size for file in folder.glob("*.yaml")), seconds)


def write_dictionary(folder: Path, items: int) -> None:
    """Write definitions as people write them: most items short, some with a description, states, limits, conversions.

    There are as many ``items`` beside those of the header, in packets of 25.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.yaml"):
        old.unlink()
    packets = [_packet(number) for number in range(items // _ITEMS_A_PACKET)]
    for first in range(0, len(packets), _PACKETS_A_FILE):
        text = "\n".join(["target: LARGE", "", _HEADER, "packets:", *packets[first : first + _PACKETS_A_FILE]])
        (folder / f"packets-from-{first:05}.yaml").write_text(text + "\n", encoding="utf-8")


_HEADER = """\
headers:
  CCSDS:
    length: {item: LENGTH, add: 7}
    items: {VERSION: u3, TYPE: u1, SECONDARY: bool, APID: u11, FLAGS: u2, COUNT: u14, LENGTH: u16}
"""

_KINDS = (
    "u16",
    "{{type: u8, description: Counter {item} of subsystem {packet}}}",
    "{{type: u12, units: V, scale: 0.0005, display: .3f, limits: {{yellow_low: 6.8, yellow_high: 8.3}}}}",
    "u4",
    "{{type: u4, states: {{OFF: 0, STANDBY: 1, ON: 2, FAULT: 3..15}}}}",
    "i32",
    "{{type: f32, units: rad/s}}",
    "{{type: u16, units: degC, polynomial: [-40.0, 0.125, 1.5e-6]}}",
)


def _packet(number: int) -> str:
    lines = [
        f"  PACKET_{number}:",
        "    extends: CCSDS",
        f"    description: Housekeeping of subsystem {number}",
        f"    identify: {{APID: {number}}}",
        "    items:",
    ]
    for item in range(_ITEMS_A_PACKET):
        kind = _KINDS[item % len(_KINDS)].format(item=item, packet=number)
        lines.append(f"      SUBSYSTEM_{number}_ITEM_{item}: {kind}")
    return "\n".join(lines)


def _verify(folder: Path, items: int) -> None:
    (target,) = Dictionary.load(folder).targets
    found = sum(item.name.startswith("SUBSYSTEM_") for packet in target.packets for item in packet.items)
    assert found == items, f"{found} items were loaded instead of {items}"


def _load(folder: Path) -> object:
    return Dictionary.load(folder)


def _compose(folder: Path) -> None:
    for file in sorted(folder.glob("*.yaml")):
        yaml.compose(file.read_bytes(), Loader=yaml.CSafeLoader)


def _compose_without_collecting(folder: Path) -> None:
    gc.disable()
    _compose(folder)


def _construct(folder: Path) -> None:
    for file in sorted(folder.glob("*.yaml")):
        yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)


_STEPS: Mapping[str, Callable[[Path], object]] = {
    "compose": _compose,
    "compose-without-collecting": _compose_without_collecting,
    "construct": _construct,
    "load": _load,
}
_TITLES = {
    "compose": "yaml.compose with CSafeLoader: the parser alone",
    "compose-without-collecting": "the same with Python's garbage collector off, as c2kit turns it off",
    "construct": "yaml.load with CSafeLoader: to dictionaries and lists",
    "load": "c2kit: Dictionary.load",
}


def main() -> None:
    """Take one step, and print how many seconds of processor time it took."""
    step, folder = _STEPS[sys.argv[1]], Path(sys.argv[2])
    start = time.process_time()
    result = step(folder)
    seconds = time.process_time() - start
    del result  # dropping it is not part of the step
    print(seconds)


if __name__ == "__main__":
    main()
