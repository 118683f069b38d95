"""What the satellite wrote down, read back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_ADDRESS = slice(7, 11)
"""Of DUMP_MEMORY and LOAD_MEMORY: after the primary header and the function code."""


def sent_bytes(folder: Path) -> list[bytes]:
    """What went into each connection, in the order in which they were accepted."""
    return [path.read_bytes() for path in sorted(folder.glob("connection-*.sent"))]


def received_addresses(folder: Path) -> list[int]:
    """The addresses in the commands that the satellite received: each command of the driver's has its own."""
    lines = (folder / "commands.jsonl").read_text(encoding="ascii").splitlines()
    return [int.from_bytes(bytes.fromhex(json.loads(line)["hex"])[_ADDRESS]) for line in lines]
