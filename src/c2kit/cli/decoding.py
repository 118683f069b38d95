"""What ``c2kit decode`` does, once it knows what is wanted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from c2kit.batches.arrow import Values
from c2kit.cli.options import tell
from c2kit.cli.outputs import Output, Wanted, format_of
from c2kit.cli.recordings import STDIN, chunks, progress
from c2kit.cli.summary import print_json, print_table
from c2kit.cli.tables import Selection
from c2kit.errors import UnknownName
from c2kit.kernel.identity import identity
from c2kit.model.packets import DerivedItem
from c2kit.processors import RecordingDecoder
from c2kit.protocols import CcsdsPackets, Fixed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from c2kit.batches import TelemetryBatch
    from c2kit.dictionaries import Dictionary
    from c2kit.model.packets import Packet
    from c2kit.model.target import Target
    from c2kit.processors import Account
    from c2kit.protocols import Protocol

    Chosen = Sequence[tuple[Target, Packet]]

__all__ = ["framing", "known_apids", "run", "wanted"]

ANY_VERSION = range(8)
"""All that the three bits of a packet version number can be (CCSDS 133.0-B-2, 4.1.3.2)."""


def framing(frame_bytes: int, skip_bytes: int, *, any_version: bool, apids: Collection[int] | None) -> Protocol:
    """How packets lie in the recording: of one size, or for 0 bytes space packets."""
    if not frame_bytes:
        return CcsdsPackets(versions=ANY_VERSION if any_version else (0,), apids=apids, skip_bytes=skip_bytes)
    if any_version or apids is not None:
        raise click.UsageError("--any-version and --known-apids are for space packets, and not for --frame fixed.")
    return Fixed(skip_bytes + frame_bytes, discard_leading_bytes=skip_bytes)


def known_apids(dictionary: Dictionary, targets: Sequence[str]) -> set[int]:
    """The APIDs by which packets are known (CCSDS 133.0-B-2, 4.1.3.3.4)."""
    apids = set()
    for target in dictionary.targets:
        for packet in target.packets if not targets or target.name in targets else ():
            known = identity(packet)
            mask, value = (int.from_bytes(each[:2].ljust(2, b"\0")) for each in (known.mask, known.value))
            if mask & 0x7FF != 0x7FF:
                what = f"--known-apids: {target.name} {packet.name} is not known by its APID"
                raise click.UsageError(f"{what}; choose the targets that are with --target, or leave it out.")
            apids.add(value & 0x7FF)
    return apids


def wanted(
    dictionary: Dictionary,
    targets: Sequence[str],
    packets: Sequence[str],
    items: tuple[str, ...] | None,
    values: str,
    form: str | None,
    output: str | None,
) -> Wanted:
    """What is wanted, if there is such a thing."""
    chosen = _chosen(dictionary, targets, packets)
    selection = Selection(Values(values), items)
    _refuse_unknown_items(selection, chosen)
    with_items = tuple((target, packet) for target, packet in chosen if selection.wants(packet))
    made = Wanted(with_items, selection, format_of(form, output), output if output != STDIN else None)
    made.refuse_several_in_one()
    return made


def _chosen(dictionary: Dictionary, targets: Sequence[str], packets: Sequence[str]) -> Chosen:
    """The packets that are to be written."""
    among = [dictionary.target(name) for name in dict.fromkeys(targets)] if targets else dictionary.targets
    defined = [(target, packet) for target in among for packet in target.packets]
    where = ", ".join(target.name for target in among)
    if not defined:
        raise click.UsageError(f"No packet is defined for {where}: there is nothing to decode.")
    known = dict.fromkeys(packet.name for _, packet in defined)
    for name in packets:
        if name not in known:
            raise UnknownName(kind="packet", name=name, known=known, where=where)
    return [(target, packet) for target, packet in defined if not packets or packet.name in packets]


def _refuse_unknown_items(selection: Selection, chosen: Chosen) -> None:
    known = {name: item for _, packet in chosen for name, item in packet.items_by_name.items()}
    for name in selection.items or ():
        if name not in known:
            where = " or ".join(packet.name for _, packet in chosen[:6])
            raise UnknownName(kind="item", name=name, known=known, where=where)
        if selection.values is Values.RAW and isinstance(known[name], DerivedItem):
            raise click.UsageError(f"{name} is derived from other items: it has no raw value.")


def run(
    dictionary: Dictionary,
    targets: Sequence[str],
    framed: Protocol,
    recordings: Sequence[str],
    wanted: Wanted,
    summary: str,
) -> Account:
    """Decode everything, and say on stderr what became of it."""
    names = {(target.name, packet.name) for target, packet in wanted.packets}
    decoder = RecordingDecoder(dictionary, framed, targets=targets or None, packets=names)
    _refuse_overwriting(recordings, wanted.destination)
    with Output(wanted) as output, progress(recordings, to_stdout=wanted.destination is None) as advance:
        for recording in recordings:
            for chunk in chunks(recording):
                _write(decoder.receive(chunk), dictionary, output)
                advance(len(chunk))
            _write(decoder.end(), dictionary, output)
    if summary == "json":
        print_json(decoder.account, names, dictionary)
    elif summary == "text":
        for path in output.files:
            tell(f"wrote {path}")
        print_table(decoder.account, names)
    return decoder.account


def _write(batches: Iterable[TelemetryBatch], dictionary: Dictionary, output: Output) -> None:
    """Write batches, and pass them on at once: who reads a pipe wants to see what has come."""
    for batch in batches:
        output.write(dictionary.target(batch.target), batch)
    output.flush()


def _refuse_overwriting(recordings: Sequence[str], destination: str | None) -> None:
    """A recording that is opened for writing is gone, and there is no second one."""
    if destination is None or not Path(destination).is_file():
        return
    for recording in recordings:
        if recording != STDIN and Path(recording).samefile(destination):
            raise click.UsageError(f"{destination} is a recording to be decoded: write to another file.")
