"""The tour of `make tour`: a recording is made, decoded, shown, written as Arrow, and accounted for.

Nothing is downloaded and no hardware is needed: ten minutes of a spacecraft that does not exist, made by `simulated.py`
from the definitions in `dictionary/`, the same in each run.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import simulated
from rich.console import Console
from rich.table import Table
from rich.text import Text

from c2kit import CcsdsPackets, Dictionary, LimitsMonitor, RecordingDecoder
from c2kit.batches.arrow import ArrowStream, TelemetrySchema
from c2kit.model.limits import LimitState

if TYPE_CHECKING:
    from c2kit import TelemetryBatch

ROOT = Path(__file__).parents[1]

COLOURS = {"YELLOW": "yellow", "RED": "bold red"}
BARS = "▁▂▃▄▅▆▇█"

console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    recording = folder / "firefly.tlm"
    step("A recording", "Ten minutes of FIREFLY, a CubeSat that does not exist, with what happens to recordings.")
    recording.write_bytes(simulated.recording())
    console.print(f"  {shown(recording)}: {recording.stat().st_size:,} bytes")

    step("Decoded", "By the dictionary that anybody can read: examples/dictionary/")
    began = time.perf_counter()
    decoder, batches = decoded(recording)
    seconds = time.perf_counter() - began
    console.print(where_the_bytes_went(decoder))
    for breaks in decoder.account.breaks.values():
        console.print(f"  {breaks}", style="yellow")
    console.print(f"  all of it decoded and held to its limits in {seconds:.2f} s")

    step("Engineering values", "One packet of HEALTH in forty; the Earth's shadow ends after four minutes.")
    health = batches["HEALTH"][0]
    console.print(table_of(health))
    sketch(health, "BATTERY_VOLTAGE", "V")
    sketch(health, "OBC_TEMPERATURE", "degC")
    spectrum(batches["HISTOGRAM"][0])

    step("Arrow", "A table of each packet, for pandas, Polars, DuckDB and whatever else reads Arrow.")
    for name, parts in sorted(batches.items()):
        path = folder / f"{name}.arrow"
        with path.open("wb") as file, ArrowStream(file, TelemetrySchema.of(parts[0])) as stream:
            for batch in parts:
                stream.write(batch)
        console.print(f"  {shown(path)}: {sum(map(len, parts)):,} rows, {path.stat().st_size:,} bytes")
    what_next(recording)


def step(heading: str, text: str) -> None:
    console.print()
    console.print(Text.assemble((heading, "bold cyan"), "  ", (text, "dim")))


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def decoded(recording: Path) -> tuple[RecordingDecoder, dict[str, list[TelemetryBatch]]]:
    """All of the recording, by packets. A long one would not be kept: each batch would be used, and gone."""
    decoder = RecordingDecoder(Dictionary.load(ROOT / "examples/dictionary"), CcsdsPackets(), targets=["FIREFLY"])
    watch = LimitsMonitor()
    batches: dict[str, list[TelemetryBatch]] = {}
    for telemetry in decoder.decode([recording.read_bytes()]):
        batches.setdefault(telemetry.packet.name, []).extend(watch.process(telemetry))
    return decoder, batches


def where_the_bytes_went(decoder: RecordingDecoder) -> Table:
    """Each byte is in one line of this table."""
    account = decoder.account
    lines = Table.grid(padding=(0, 3))
    for justify in ("left", "right", "right"):
        lines.add_column(justify=justify)
    for (target, packet), amount in sorted(account.packets.items()):
        lines.add_row(f"  {target} {packet}", f"{amount.count:,} packets", f"{amount.size_bytes:,} bytes")
    lines.add_row(
        "  unknown", f"{account.unknown.count:,} packet ", f"{account.unknown.size_bytes:,} bytes", style="yellow"
    )
    for reason, amount in account.discarded.items():
        lines.add_row(f"  discarded, {reason.value}", "", f"{amount.size_bytes:,} bytes", style="yellow")
    assert account.accounted_bytes == account.input_bytes
    lines.add_row("  together, which is all", "", f"{account.accounted_bytes:,} bytes", style="bold")
    return lines


def table_of(health: TelemetryBatch) -> Table:
    """Some packets, a line each, as the dictionary's display formats have it."""
    names = ("MODE", "BATTERY_VOLTAGE", "BATTERY_CURRENT", "BATTERY_POWER", "CPU_LOAD", "OBC_TEMPERATURE")
    table = Table(box=None, pad_edge=True, header_style="bold", padding=(0, 2))
    table.add_column("time (UTC)")
    for name in names:
        units = health.packet.items_by_name[name].units
        table.add_column(f"{name}\n{units}", justify="left" if name == "MODE" else "right")
    for row in range(0, len(health), 40):
        stamp = datetime.fromtimestamp(health.time[row] / 1e9, UTC)
        values = health.row(row)
        table.add_row(f"{stamp:%H:%M:%S}", *(cell(health, name, row, values[name]) for name in names))
    return table


def cell(batch: TelemetryBatch, name: str, row: int, value: Any) -> Text:  # noqa: ANN401 - whatever an item holds
    """A value as its item wants to be shown, in the colour of its limit state."""
    display = batch.packet.items_by_name[name].display
    text = format(value, display) if display and not isinstance(value, str) else str(value)
    if name not in batch.limits:
        return Text(text)
    state = LimitState(batch.limits[name].values[row])
    colour, _, side = state.name.partition("_")
    if state is LimitState.GREEN:
        return Text(text, "green")
    return Text(f"{colour.lower()} {side.lower()}  {text}", COLOURS[colour])


def sketch(batch: TelemetryBatch, name: str, units: str) -> None:
    """The course of an item over the whole recording, in one line."""
    values = batch[name].values
    means = [float(values[at : at + 10].mean()) for at in range(0, len(values), 10)]
    console.print(f"\n  {name:<16} {bars(means)}  {min(means):.2f} to {max(means):.2f} {units}", end="")


def bars(values: list[float]) -> str:
    low, high = min(values), max(values)
    return "".join(BARS[round((value - low) / ((high - low) or 1) * (len(BARS) - 1))] for value in values)


def spectrum(histogram: TelemetryBatch) -> None:
    """An array whose length each packet tells: the counts of the last exposure."""
    counts = histogram["COUNTS"].to_list()[-1]
    console.print(f"\n  {'last HISTOGRAM':<16} {bars([float(count) for count in counts])}  {sum(counts):,} photons")


def what_next(recording: Path) -> None:
    step("What to try next", "Each is a line to type.")
    python = Path(sys.executable)
    c2kit = f"{python.parent.relative_to(ROOT)}/c2kit" if python.is_relative_to(ROOT) else "c2kit"
    for line, why in (
        (f"decode -d examples/dictionary {shown(recording)} -p HEALTH | head", "the same as CSV"),
        ("describe examples/dictionary HEALTH", "what is in a packet, bit by bit"),
        ("check examples/dictionary", "is the dictionary sound?"),
        ("encode -d examples/dictionary FIREFLY SET_MODE MODE=SAFE --show", "a command to bytes"),
    ):
        console.print(f"  {c2kit} {line}", soft_wrap=True)
        console.print(f"      {why}", style="dim")
    console.print("  examples/01_decode_a_file.py and those after it", soft_wrap=True)
    console.print("      the same from Python", style="dim")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "demo")
