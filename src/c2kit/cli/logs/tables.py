"""Packets of logs to CSV and Arrow, by the writers of ``c2kit decode``, and to files of bare packets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from attrs import define, evolve, field

from c2kit.cli.logs.decoding import LogDecoder
from c2kit.cli.logs.source import Reading
from c2kit.cli.outputs import Output, Wanted
from c2kit.errors import UnknownName, UsageError
from c2kit.pipeline.observing.times import utc_text
from c2kit.storage.merge import merged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.batches import PacketBatch
    from c2kit.cli.tables import Selection
    from c2kit.model.packets import Packet
    from c2kit.model.target import Target

    Span = tuple[int, int]

__all__ = ["check_items", "write_packets", "write_tables"]


def check_items(reading: Reading, selection: Selection) -> None:
    """Refuse names of items that none of the packets has."""
    names = reading.choice.packets
    packets = [
        packet
        for log in reading.packet_logs
        for target in log.targets
        for packet in target.packets
        if not names or packet.name in names
    ]
    known = {name: None for packet in packets for name in packet.items_by_name}
    for name in selection.items or ():
        if name not in known:
            where = " or ".join(list(dict.fromkeys(packet.name for packet in packets))[:6])
            raise UnknownName(kind="item", name=name, known=known, where=where)


@define(eq=False)
class _Definitions:
    """The definitions of packets that are wanted, each once, in however many versions of a target it stands."""

    selection: Selection
    chosen: list[tuple[Target, Packet]] = field(factory=list)
    spans: list[Span | None] = field(factory=list)
    """When packets of each of these were received, as far as blocks tell."""
    _places: dict[tuple[str, str], int] = field(factory=dict)

    def add(self, target: Target, packet: Packet, span: Span | None) -> None:
        place = next(
            (place for place, (known, same) in enumerate(self.chosen) if known.name == target.name and same == packet),
            len(self.chosen),
        )
        if place == len(self.chosen):
            self.chosen.append((target, packet))
            self.spans.append(span)
        self._places[target.hash, packet.name] = place

    def standing_for(self, target: Target, packet: Packet) -> tuple[Target, Packet] | None:
        """The first that defined the same."""
        place = self._places.get((target.hash, packet.name))
        return None if place is None else self.chosen[place]

    def refuse_versions_in_one(self) -> None:
        """A table has one set of columns."""
        names = {(target.name, packet.name) for target, packet in self.chosen}
        if len(names) != 1 or len(self.chosen) == 1:
            return
        ((target, packet),) = names
        versions = "; ".join(
            f"{target.hash[:8]}{'' if span is None else f' from {utc_text(span[0])} to {utc_text(span[1])}'}"
            for (target, _), span in zip(self.chosen, self.spans, strict=True)
        )
        raise UsageError(
            f"{target} {packet} is defined in {len(self.chosen)} ways in these logs ({versions})",
            remedy="choose one by --from and --to, or have a file for each: -o DIRECTORY/, or take --format jsonl",
        )


def _definitions(reading: Reading, selection: Selection) -> _Definitions:
    """Those that are wanted of what the logs name, or, where they name none, of what they have a copy of."""
    made = _Definitions(selection)
    chosen = reading.choice
    named = [(log, log.definitions_in(start_ns=chosen.start_ns, end_ns=chosen.end_ns)) for log in reading.packet_logs]
    is_named = any(spans for _, spans in named)
    for log, spans in named:
        for target in log.targets:
            for packet in target.packets if target.hash in spans or not is_named else ():
                if selection.wants(packet) and (not chosen.packets or packet.name in chosen.packets):
                    made.add(target, packet, spans.get(target.hash))
    return made


def write_tables(reading: Reading, selection: Selection, form: str, destination: str | None) -> tuple[list[Path], int]:
    """Write tables; gives the files that were made, and the number of packets in them."""
    definitions = _definitions(reading, selection)
    if not definitions.chosen:
        raise UsageError(
            "there are no packets here whose definitions are known",
            remedy="give definitions with --dictionary, or take --format text",
        )
    if destination is None or not (destination.endswith("/") or Path(destination).is_dir()):
        definitions.refuse_versions_in_one()
    wanted = Wanted(tuple(definitions.chosen), selection, form, destination)
    wanted.refuse_several_in_one()
    if selection.items is not None:  # a limit is one of packets that have any of them
        names = tuple({packet.name: None for _, packet in definitions.chosen})
        reading = Reading(reading.logs, evolve(reading.choice, packets=names), reading.damaged)
    count = 0
    with Output(wanted) as output:
        for log, batch in _limited(reading):
            for target, _, telemetry in log.decode(batch, selection.wants):
                stands = definitions.standing_for(target, telemetry.packet)
                if stands is not None:
                    same = evolve(telemetry, packet=stands[1], dictionary_hash=stands[0].hash)
                    output.write(stands[0], same)
                    count += len(telemetry)
    return output.files, count


def write_packets(reading: Reading, sink: BinaryIO) -> tuple[int, int]:
    """Write packets back to back and nothing else; gives how many there are, and of how many bytes."""
    count = size_bytes = 0
    for _, batch in _limited(reading):
        sink.writelines(batch.pieces())
        count += len(batch)
        size_bytes += batch.size_bytes
    return count, size_bytes


def _limited(reading: Reading) -> Iterator[tuple[LogDecoder, PacketBatch]]:
    """The packets of all logs by the time of receiving, up to the limit, with what decodes them."""
    left = reading.choice.limit
    decoders = [LogDecoder(log) for log in reading.packet_logs]
    for number, batch in merged([reading.batches(log) for log in reading.packet_logs]):
        part = batch if left is None or len(batch) <= left else batch.select(np.arange(left))
        yield decoders[number], part
        left = None if left is None else left - len(part)
        if left == 0:
            return
