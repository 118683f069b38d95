"""The same chain by the command line: what ``c2kit decode`` writes, read back without c2kit's help."""

from __future__ import annotations

import csv
import json
import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow.ipc
from click.testing import CliRunner

from c2kit.cli import main
from c2kit.model.conversions import Polynomial, States
from c2kit.model.fields import Encoding, Fixed
from tests.real_data.chain import Decoded, load

if TYPE_CHECKING:
    from collections.abc import Callable

    from c2kit.model.packets import Item
    from c2kit.protocols import CcsdsPackets

    Read = Callable[[Path, list[Item], bool], list[list[Any]]]
    """A file, the items that are in it, and whether their values are raw; gives a list of values an item."""

__all__ = ["decode_by_command_line"]


def decode_by_command_line(
    form: str,
    data: bytes,
    definitions: Path,
    framing: CcsdsPackets,
    *,
    offsets_from: Literal["packet", "data"] | None = None,
) -> Decoded:
    """Decode bytes, given on stdin, by ``c2kit decode`` with that format."""
    decoded = Decoded(size_bytes=len(data))
    options = ["--dictionary", str(definitions), "--format", form, "--summary", "json", f"--skip={framing.skip_bytes}"]
    options += ["--any-version"] if 1 in framing.versions else []
    options += [f"--offsets-from={offsets_from}"] if offsets_from else []
    items = {packet.name: packet.items for target in load(definitions).targets for packet in target.packets}
    for values, columns in (("--raw", decoded.raw), ("--engineering", decoded.text)):
        with tempfile.TemporaryDirectory() as folder:
            result = CliRunner().invoke(main, ["decode", "-", *options, values, "-o", f"{folder}/"], input=data)
            assert result.exit_code == 0, result.output
            assert result.stdout == ""
            for file in Path(folder).iterdir():
                read = _READERS[form](file, list(items[file.stem]), values == "--raw")
                names = [item.name for item in items[file.stem]]
                columns[file.stem] = dict(zip(names, read, strict=True))
        _account(decoded, result.stderr)
    return decoded


def _account(decoded: Decoded, stderr: str) -> None:
    """What the summary says; it adds up to the input."""
    told = json.loads(stderr)
    assert told["input_bytes"] == told["accounted_bytes"] == decoded.size_bytes
    amounts = [*told["packets"], told["unknown"], *told["discarded"].values()]
    assert told["skipped_bytes"] + sum(amount["bytes"] for amount in amounts) == decoded.size_bytes
    decoded.packets.clear()
    decoded.packets.update({one["packet"]: one["count"] for one in told["packets"]})
    decoded.anomalies.clear()
    for one in told["packets"]:
        decoded.anomalies.update(one["anomalies"])
    decoded.unknown = told["unknown"]["count"]
    decoded.frames = decoded.packets.total() + decoded.unknown
    decoded.discarded_bytes = sum(amount["bytes"] for amount in told["discarded"].values())
    for apid, breaks in told["sequence_breaks"]["by_apid"].items():
        decoded.sequence_breaks[int(apid)] = breaks["gaps"] + breaks["repeats"] + breaks["resets"]
        decoded.repeats[int(apid)] = breaks["repeats"]
    assert decoded.sequence_breaks.total() == told["sequence_breaks"]["count"]
    decoded.notes = tuple(told["notes"])


def _read_csv(file: Path, items: list[Item], is_raw: bool) -> list[list[Any]]:  # noqa: FBT001 - see Read
    with file.open(newline="", encoding="utf-8") as opened:
        header, *rows = csv.reader(opened)
    columns = iter(list(zip(*rows, strict=True)) or [()] * len(header))
    headings = iter(header)
    assert next(headings) == "time"
    assert set(next(columns)) <= {""}
    read: list[list[Any]] = []
    for item in items:
        if not item.is_array:
            assert next(headings) == item.name
            read.append([_from_text(cell, item, is_raw=is_raw) for cell in next(columns)])
        elif isinstance(item.length, Fixed):
            members = [
                [_from_text(cell, item, is_raw=is_raw) for cell in next(columns)] for _ in range(item.length.count)
            ]
            assert next(headings).startswith(f"{item.name}[0]")
            for _ in range(item.length.count - 1):
                next(headings)
            read.append([_shaped(list(values), item.length.shape) for values in zip(*members, strict=True)])
        else:
            assert next(headings) == item.name
            read.append([json.loads(cell) if cell else None for cell in next(columns)])
    assert list(headings) == []
    return read


def _shaped(values: list[Any], shape: tuple[int, ...]) -> list[Any]:
    if len(shape) == 1:
        return values
    size = math.prod(shape[1:])
    return [_shaped(values[start : start + size], shape[1:]) for start in range(0, len(values), size)]


def _from_text(cell: str, item: Item, *, is_raw: bool) -> Any:  # noqa: ANN401 - whatever the item holds
    if cell == "" and not item.encoding.is_bytes:
        return None
    if item.encoding.is_bytes:
        return cell if item.encoding is Encoding.STRING and not is_raw else bytes.fromhex(cell)
    if isinstance(item.conversion, States) and not is_raw:
        return cell
    is_float = item.encoding.is_float or (isinstance(item.conversion, Polynomial) and not is_raw)
    return float(cell) if is_float else int(cell)


def _read_json_lines(file: Path, items: list[Item], is_raw: bool) -> list[list[Any]]:  # noqa: FBT001 - see Read
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    names = [item.name for item in items]
    for row in rows:
        assert list(row) == ["target", "packet", "time", *names]
        assert (row["packet"], row["time"]) == (file.stem, None)
    return [[_from_json(row[item.name], item, is_raw=is_raw) for row in rows] for item in items]


def _from_json(value: Any, item: Item, *, is_raw: bool) -> Any:  # noqa: ANN401 - whatever JSON says
    if value is None or item.is_array:
        return value
    if item.encoding.is_bytes and (is_raw or item.encoding is Encoding.BINARY):
        return bytes.fromhex(value)
    return str(value) if isinstance(item.conversion, States) and not is_raw else value


def _read_arrow(file: Path, items: list[Item], is_raw: bool) -> list[list[Any]]:  # noqa: FBT001 - see Read
    with pyarrow.ipc.open_stream(file) as stream:
        table = stream.read_all()
    assert table.schema.names == ["received", "generated", *(item.name for item in items)]
    assert table["generated"].null_count == len(table)
    read = []
    for item in items:
        values = table[item.name].to_pylist()
        states = json.loads((table.schema.field(item.name).metadata or {}).get(b"states", b"[]"))
        read.append(values if is_raw or not states else [_state(states, value) for value in values])
    return read


def _state(states: list[dict[str, Any]], value: int) -> str:
    return next((state["name"] for state in states if state["low"] <= value <= state["high"]), str(value))


_READERS: dict[str, Read] = {"csv": _read_csv, "jsonl": _read_json_lines, "arrow": _read_arrow}
