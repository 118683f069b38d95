"""Which display a format means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.cli.tailing.following import PrintedLines
from c2kit.cli.tailing.objects import JsonTexts
from c2kit.cli.tailing.table import OneTable, refuse_several
from c2kit.cli.tailing.text import TextLines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c2kit.cli.tailing.contents import Reader
    from c2kit.cli.tailing.following import Display

__all__ = ["display_of"]


def display_of(form: str, reader: Reader, streams: Sequence[str], *, is_hex: bool = False) -> Display:
    """The display for a format, of what is wanted of these streams. Raises UsageError for what cannot be shown so."""
    packets = reader.choice.check(reader.look, streams)
    match form:
        case "text":
            return PrintedLines(TextLines(reader, is_hex=is_hex))
        case "jsonl":
            return PrintedLines(JsonTexts(reader))
    refuse_several(form, streams, packets)
    return OneTable(form, reader.choice, streams[0], packets)
