"""Dictionaries written down in a test, loaded as if they were files."""

import textwrap
from pathlib import Path

from c2kit.dictionaries import Dictionary
from c2kit.model.packets import DerivedItem, Item, Packet
from c2kit.model.target import Target


def write(folder: Path, text: str, name: str = "defs.yaml") -> Path:
    """Write a file, with the indentation of the test taken away."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
    return path


def load(folder: Path, text: str) -> Target:
    """Load a file with one target."""
    (target,) = Dictionary.load(write(folder, text)).targets
    return target


def load_packet(folder: Path, body: str) -> Packet:
    """Load what stands under one packet."""
    (packet,) = load(folder, "target: SAT\npackets:\n  P:\n" + textwrap.indent(textwrap.dedent(body), "    ")).packets
    return packet


def load_item(folder: Path, definition: str, before: str = "") -> Item:
    """Load one item, after others on a line each."""
    lines = [*textwrap.dedent(before).strip().splitlines(), f"X: {definition}"]
    body = "items:\n" + textwrap.indent("\n".join(lines), "  ")
    item = load_packet(folder, body).item("X")
    assert not isinstance(item, DerivedItem)
    return item
